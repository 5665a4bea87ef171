"""Corpora on disk."""

import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from store import layout
from store.corpora import annotations
from store.corpora.stored import read_corpus
from store.errors import BertdynError
from store.keys import Annotation, CheckpointKey, Corpus
from store.store import Store
from tests.synthetic import HEADS, LAYERS, WIDTH, hidden_of, sample_corpus, sample_labels, write_checkpoint

KEY = CheckpointKey.plain("sst2", "1", 20)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "s.bertdyn")


def same(a: Corpus, b: Corpus) -> None:
    for field in fields(Corpus):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if field.name == "annotations":
            assert list(one) == list(other)
            for name in one:
                assert one[name].info == other[name].info
                np.testing.assert_array_equal(one[name].values, other[name].values)
        elif isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, field.name
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other, field.name


@pytest.mark.parametrize(
    "corpus",
    [
        sample_corpus(),
        sample_corpus("words", kind="word", labels=("NOUN", "VERB", "X")),
        sample_corpus("plain", labels=()),
        replace(sample_corpus("pairs", examples=2), texts=(("a", "b"), ("", "ü\udce9"))),
        replace(sample_corpus("told"), attributes={"sha256": "ab", "max_length": 128, "columns": ["a"]}),
    ],
    ids=lambda corpus: corpus.info.name,
)
def test_a_corpus_comes_back_as_it_was_added(store: Store, corpus: Corpus) -> None:
    store.add_corpus(corpus)
    same(store.corpus(corpus.info.name), corpus)
    assert store.corpora() == (corpus.info,)


def test_a_corpus_without_checkpoints_gives_way_to_another_of_its_name(store: Store) -> None:
    store.add_corpus(sample_corpus())
    store.add_corpus(sample_corpus(seed=1))
    same(store.corpus("dev"), sample_corpus(seed=1))


def test_a_checkpoint_of_a_corpus_that_was_replaced_meanwhile_is_not_put_in_place(store: Store) -> None:
    store.add_corpus(sample_corpus())
    how = {"layers": LAYERS, "heads": HEADS, "width": WIDTH, "dtype": "float16", "attentions": False}
    with store.writer("dev", KEY, attributes={}, **how) as late:
        late.append(hidden_of(sample_corpus(), KEY), None)
        store.add_corpus(sample_corpus(seed=1))
        with pytest.raises(BertdynError, match=r"replaced while checkpoint .* run it again"):
            late.commit()
    assert store.checkpoints("dev") == ()


def test_adding_the_same_again_does_nothing_and_another_of_that_name_is_refused(store: Store) -> None:
    store.add_corpus(sample_corpus())
    store.add_corpus(sample_corpus())
    write_checkpoint(store, sample_corpus(), KEY)
    for other in (
        sample_corpus(seed=1),
        replace(sample_corpus(), texts=(("other",),) * 40),
    ):
        with pytest.raises(BertdynError, match="'dev' with other texts or tokens"):
            store.add_corpus(other)
    with pytest.raises(BertdynError, match="'dev' already has different labels called 'label'"):
        store.add_corpus(sample_corpus(labels=("no", "yes")))
    same(store.corpus("dev"), sample_corpus())


def test_a_corpus_that_contradicts_itself_never_gets_in(store: Store) -> None:
    with pytest.raises(ValueError, match="tokens"):
        store.add_corpus(replace(sample_corpus(), special=np.zeros(3, bool)))
    assert store.corpora() == ()


def test_asking_for_one_that_is_not_there_says_what_is(store: Store) -> None:
    with pytest.raises(BertdynError, match="It has none yet"):
        store.corpus("dev")
    store.add_corpus(sample_corpus())
    with pytest.raises(BertdynError, match=r"no corpus 'Dev'\. It has dev"):
        store.corpus("Dev")


def test_another_reader_opens_the_texts_as_bytes_and_offsets(store: Store) -> None:
    store.add_corpus(sample_corpus())
    opened = zarr.open_group(layout.corpus_path(store.path, "dev"), mode="r")
    ends = opened["text_offsets"][:]
    assert opened["text_utf8"][:].tobytes()[ends[3] : ends[4]].decode() == "sentence 3"


def test_a_damaged_annotation_is_an_error_when_it_is_asked_for(store: Store) -> None:
    store.add_corpus(sample_corpus())
    chunk = layout.corpus_path(store.path, "dev") / "annotations/label/values/c/0"
    whole = chunk.read_bytes()
    chunk.write_bytes(bytes([whole[0], whole[1] ^ 4, *whole[2:]]))
    with pytest.raises(BertdynError, match=r"'label' of corpus 'dev' is damaged: chunk values/c/0 .*bertdyn annotate"):
        store.corpus("dev").annotations["label"]
    assert not store.check().sound
    mended = store.check(repair=True).mended
    assert any("add it again with `bertdyn annotate`" in line for line in mended)
    assert store.corpus("dev").info.annotations == ()
    store.add_corpus(sample_corpus())
    same(store.corpus("dev"), sample_corpus())


def test_annotations_are_added_and_replaced_one_by_one(store: Store) -> None:
    store.add_corpus(sample_corpus())
    other = sample_labels("word", ("a", "b"), sample_corpus().info.words, "other")["other"]
    assert store.annotate("dev", other)
    assert not store.annotate("dev", other)
    assert [one.name for one in store.corpora()[0].annotations] == ["label", "other"]
    changed = sample_labels("sentence", ("c", "d"), 40)["label"]
    with pytest.raises(BertdynError, match="already has different labels called 'label'"):
        store.annotate("dev", changed)
    assert store.annotate("dev", changed, replace=True)
    assert [(one.name, one.labels) for one in store.corpora()[0].annotations] == [
        ("label", ("c", "d")),
        ("other", ("a", "b")),
    ]
    named = store.query("select annotation, place, count from annotations order by place").rows
    assert named == [("label", 0, 40), ("other", 1, other.info.count)]


@pytest.mark.parametrize("array", ["token_ids", "text_utf8"])
def test_a_damaged_corpus_is_an_error(store: Store, array: str) -> None:
    store.add_corpus(sample_corpus())
    chunk = layout.corpus_path(store.path, "dev") / array / "c" / "0"
    content = bytearray(chunk.read_bytes())
    content[1] ^= 4
    chunk.write_bytes(content)
    with pytest.raises(BertdynError, match=f"'dev' is damaged: chunk {Path(array).name}/c/0 .*--repair"):
        store.corpus("dev")


def test_labels_without_values_are_damaged(store: Store) -> None:
    store.add_corpus(sample_corpus())
    shutil.rmtree(layout.corpus_path(store.path, "dev") / "annotations/label/values")
    with pytest.raises(BertdynError, match="'label' of corpus 'dev' is damaged: its values are missing"):
        store.corpus("dev").annotations["label"]


@pytest.mark.parametrize("same_labels", [True, False])
def test_of_two_processes_that_add_labels_of_one_name_the_first_wins(
    store: Store, monkeypatch: pytest.MonkeyPatch, same_labels: bool
) -> None:
    store.add_corpus(sample_corpus())
    words = sample_corpus().info.words
    ours = sample_labels("word", ("a", "b"), words, "tag")["tag"]
    theirs = ours if same_labels else sample_labels("word", ("c", "d"), words, "tag")["tag"]
    write = annotations.write_annotation

    def slow(folder: Path, annotation: Annotation) -> None:
        write(folder, annotation)
        monkeypatch.setattr(annotations, "write_annotation", write)
        assert Store.open(store.path).annotate("dev", theirs)

    monkeypatch.setattr(annotations, "write_annotation", slow)
    if same_labels:
        assert not store.annotate("dev", ours)
    else:
        with pytest.raises(BertdynError, match="already has different labels called 'tag'"):
            store.annotate("dev", ours)
    assert store.corpus("dev").annotations["tag"].info.labels == theirs.info.labels


def test_a_corpus_in_the_folder_of_another_is_not_that_one(store: Store) -> None:
    store.add_corpus(sample_corpus())
    layout.corpus_path(store.path, "dev").rename(layout.corpus_path(store.path, "test"))
    with pytest.raises(BertdynError, match="no corpus 'test'"):
        store.corpus("test")
    with pytest.raises(BertdynError, match="should hold corpus 'test', but holds 'dev'"):
        read_corpus(store.path, "test")


def test_a_corpus_whose_arrays_contradict_each_other_is_damaged(store: Store) -> None:
    store.add_corpus(sample_corpus())
    ends = zarr.open_array(layout.corpus_path(store.path, "dev") / "word_offsets", mode="r+")
    ends[-1] = 3
    with pytest.raises(BertdynError, match="'dev' is damaged: corpus 'dev' contradicts itself: words"):
        store.corpus("dev")
