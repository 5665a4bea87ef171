"""Data sets of the library ``datasets``: folders of ``save_to_disk``, and names of the Hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.corpora.text_files import columns_of, read
from store.errors import BertdynError

datasets = pytest.importorskip("datasets")


@pytest.fixture(scope="module")
def sentences() -> Any:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features(
        {"sentence": Value("string"), "label": ClassLabel(names=["neg", "pos"]), "idx": Value("int32"),
         "score": Value("float64"), "sure": Value("bool")}
    )  # fmt: skip
    rows = {"sentence": ["dull", "fine", "no"], "label": [0, 1, 0], "idx": [0, 1, 2], "score": [0.5, 1, 2.25],
            "sure": [True, False, True]}  # fmt: skip
    return Dataset.from_dict(rows, features=features)


@pytest.fixture(scope="module")
def words() -> Any:
    from datasets import ClassLabel, Dataset, Features, Sequence, Value

    features = Features(
        {"tokens": Sequence(Value("string")), "ner_tags": Sequence(ClassLabel(names=["O", "B-X"])),
         "meta": {"id": Value("string")}}
    )  # fmt: skip
    rows = {"tokens": [["a", "b"], ["c"]], "ner_tags": [[0, 1], [-1]], "meta": [{"id": "1"}, {"id": "2"}]}
    return Dataset.from_dict(rows, features=features)


def saved(dataset: Any, folder: Path) -> Path:
    dataset.save_to_disk(str(folder))
    return folder


def test_a_saved_data_set_has_the_names_of_its_classes(tmp_path: Path, sentences: Any) -> None:
    text = read(saved(sentences, tmp_path / "d"))
    assert (text.kind, text.texts) == ("sentence", (("dull",), ("fine",), ("no",)))
    assert [(one.name, one.kind, one.values) for one in text.labels] == [("label", "class", ("neg", "pos", "neg"))]
    assert text.columns == {"format": "saved data set", "text": "sentence", "label": "label"}
    others = read(tmp_path / "d", label="score,sure,idx", limit=2)
    assert [(one.kind, one.values) for one in others.labels] == [
        ("number", ("0.5", "1.0")),
        ("class", ("true", "false")),
        ("class", ("0", "1")),
    ]


def test_lists_of_words_and_of_classes_are_words_with_labels(tmp_path: Path, words: Any) -> None:
    text = read(saved(words, tmp_path / "d"))
    assert (text.kind, text.words) == ("word", (("a", "b"), ("c",)))
    assert [(one.name, one.level, one.values) for one in text.labels] == [
        ("ner_tags", "word", (("O", "B-X"), (None,))),
    ]
    with pytest.raises(BertdynError, match="column 'meta' holds lists or mappings"):
        read(tmp_path / "d", label="meta")


def test_a_saved_folder_of_splits_is_one_corpus(tmp_path: Path, sentences: Any) -> None:
    folder = saved(datasets.DatasetDict({"train": sentences, "validation": sentences}), tmp_path / "d")
    text = read(folder, limit=2)
    assert text.texts == (("dull",), ("fine",)) * 2
    assert [(one.name, one.values) for one in text.labels] == [
        ("label", ("neg", "pos") * 2),
        ("split", ("train", "train", "validation", "validation")),
    ]
    assert [one.name for one in read(folder / "validation").labels] == ["label"]
    assert text.sha256 == read(folder).sha256


def test_a_saved_data_set_is_the_same_whatever_its_shards(tmp_path: Path, sentences: Any) -> None:
    sentences.save_to_disk(str(tmp_path / "d"), num_shards=3)
    assert read(tmp_path / "d").texts == read(saved(sentences, tmp_path / "e")).texts


def test_folders_that_cannot_be_read_get_one_sentence(tmp_path: Path, sentences: Any) -> None:
    folder = saved(sentences, tmp_path / "d")
    next(folder.glob("*.arrow")).write_bytes(b"torn")
    (tmp_path / "plain").mkdir()
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "dataset_dict.json").write_text("[]")
    (tmp_path / "stateless").mkdir()
    for needed in ("dataset_info.json", "state.json"):
        (tmp_path / "stateless" / needed).write_text("{}")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dataset_dict.json").write_text(json.dumps({"splits": ["../d"]}))
    for name, message in (
        ("d", "cannot be read: "),
        ("plain", "is a folder, and not one that save_to_disk"),
        ("splits", "is damaged: it does not name the splits"),
        ("stateless", "cannot be read: it has no '_data_files'"),
        ("out", "is empty"),
        ("gone", "There is no corpus file"),
    ):
        with pytest.raises(BertdynError, match=message) as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, sentences: Any) -> list[tuple[str, str | None, str]]:
    """A hub with a data set without an owner and two with one. The list gets what is asked for."""
    asked = []

    def load(name: str, configuration: str | None, *, split: str) -> Any:
        asked.append((name, configuration, split))
        if (name, configuration) not in (("glue", "sst2"), ("stanford/sst2", None), ("stanford/glue", "sst2")):
            raise datasets.exceptions.DatasetNotFoundError(f"Dataset '{name}'\n doesn't exist.")
        return sentences

    monkeypatch.setattr(datasets, "load_dataset", load)
    return asked


@pytest.mark.parametrize(
    ("typed", "asked", "described"),
    [
        ("hf:stanford/sst2:train", ("stanford/sst2", None), "data set stanford/sst2, split train"),
        ("hf:glue/sst2:train", ("glue", "sst2"), "data set glue, configuration sst2, split train"),
        ("hf:stanford/glue/sst2:train", ("stanford/glue", "sst2"), "data set stanford/glue, configuration sst2, "),
    ],
)
def test_a_data_set_of_the_hub_is_named_and_the_plan_says_how_the_name_was_read(
    hub: list[tuple[str, str | None, str]], typed: str, asked: tuple[str, str | None], described: str
) -> None:
    text = read(Path(typed))
    assert hub[-1] == (*asked, "train")
    assert text.columns["format"].startswith(described)
    assert (text.source, text.labels[0].values) == (typed, ("neg", "pos", "neg"))
    assert columns_of({"x": Path(typed)}, ["label"], "--label") == {"x": "label"}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("hf:glue/mrpc:train", "hf:glue/mrpc:train cannot be read: Dataset 'glue' doesn't exist"),
        ("hf:glue", "write hf:NAME:SPLIT or hf:NAME/CONFIG:SPLIT"),
        ("hf:a/b/c/d:train", "write hf:NAME:SPLIT"),
        ("hf::train", "write hf:NAME:SPLIT"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_what_is_not_on_the_hub_gets_one_sentence(typed: str, message: str) -> None:
    with pytest.raises(BertdynError, match=message) as caught:
        read(Path(typed))
    assert "\n" not in str(caught.value)


def test_a_folder_of_that_name_is_not_read_in_place_of_the_hub(
    hub: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "glue").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BertdynError, match="there is a file or folder 'glue' here"):
        read(Path("hf:glue:train"))
    assert not hub


def test_a_version_that_would_run_code_of_a_data_set_is_refused(
    hub: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "__version__", "2.21.0")
    with pytest.raises(BertdynError, match="needs datasets 4 or newer, which runs no code of data sets"):
        read(Path("hf:glue/sst2:train"))
    assert not hub
