"""`bertdyn annotate`, `bertdyn corpus add` and `--annotation` as a user types them."""

from __future__ import annotations

import csv
import io
import os
import shutil
from pathlib import Path

import pytest

from explorer.cli import main
from store.keys import NO_HEAD, ROOT
from store.store import Store
from tests.store.extract import models

pytestmark = pytest.mark.usefixtures("computed_here")

Run = tuple[int, str, str]
UPOS = ("NOUN", "VERB", "DET")
DEPREL = ("nsubj", "root", "det", "obj")


def conllu(sentences: list[str] = models.SENTENCES, upos: tuple[str, ...] = UPOS, shift: int = 0) -> str:
    """Sentences whose first word is the root and whose other words hang on the word before."""
    lines = []
    for sentence in sentences:
        for i, word in enumerate(sentence.split()):
            relation = "root" if i == 0 else DEPREL[(i + shift) % len(DEPREL)]
            features = "Number=Sing" if i % 2 else "_"
            lines.append(f"{i + 1}\t{word}\t_\t{upos[(i + shift) % len(upos)]}\t_\t{features}\t{i}\t{relation}\t_\t_")
        lines.append("")
    return "\n".join(lines) + "\n"


def bertdyn(capfd: pytest.CaptureFixture[str], *arguments: object) -> Run:
    capfd.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main([*map(str, arguments)])
    out, err = capfd.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("annotated")
    models.runs(place / "runs")
    (place / "w.conllu").write_text(conllu())
    models.corpus_file(place)
    return place


@pytest.fixture(scope="module")
def extracted(runs: Path) -> Path:
    """A store with the words of a treebank and the sentences of a table."""
    place = runs / "s.bertdyn"
    corpora = ("--corpus", f"w={runs / 'w.conllu'}", "--corpus", f"dev={runs / 'dev.tsv'}", "--max-length", "12")
    with pytest.raises(SystemExit) as stopped:
        main([*map(str, ("extract", place, runs / "runs", *corpora))])
    assert not stopped.value.code
    return place


@pytest.fixture
def store(extracted: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    return shutil.copytree(extracted, tmp_path / "s.bertdyn")


def values(capfd: pytest.CaptureFixture[str], store: Path, *options: object) -> list[dict[str, str]]:
    """Rows of clusters, without what says which labels they are of."""
    code, out, err = bertdyn(capfd, "compute", "clusters", store, "--corpus", "w", "--format", "csv", *options)
    assert code == 0, err
    return [{**row, "annotation": ""} for row in csv.DictReader(io.StringIO(out))]


def test_one_extraction_serves_every_label(
    runs: Path, store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A third is added without a model, and all values are those of extractions with one kind of label each."""
    (tmp_path / "more.conllu").write_text(conllu(upos=("A", "B"), shift=1))
    code, out, _ = bertdyn(
        capfd, "annotate", store, "w", tmp_path / "more.conllu", "--label", "upos", "--name", "third"
    )
    assert (code, out) == (0, "added: 2 labels of 34 words in third: A, B\n")
    for name, file, label in (
        ("UPOS", runs / "w.conllu", "upos"),
        ("deprel", runs / "w.conllu", "deprel"),
        ("third", tmp_path / "more.conllu", "upos"),
    ):
        alone = tmp_path / f"{name}.bertdyn"
        given = ("--corpus", f"w={file}", "--label", label, "--max-length", "12")
        assert bertdyn(capfd, "extract", alone, runs / "runs", *given)[0] == 0
        separate = values(capfd, alone)
        assert separate == values(capfd, store, "--annotation", name)
        assert any(row["value"] for row in separate)
    counts = Store.open(store).query("select annotation, count(*) > 0 from clusters group by 1 order by 1").rows
    assert counts == [("DEPREL", True), ("UPOS", True), ("third", True)]


def test_a_treebank_brings_words_arcs_and_trees_without_what_was_cut_off(store: Path) -> None:
    corpus = Store.open(store).corpus("w")
    assert [(a.info.name, a.level, a.info.kind) for a in corpus.annotations.values()] == [
        ("UPOS", "word", "class"),
        ("DEPREL", "word", "class"),
        ("HEAD", "word", "tree"),
        ("ARCS", "arc", "class"),
        ("Number", "word", "class"),
    ]
    heads, arcs = corpus.annotations["HEAD"].values, corpus.annotations["ARCS"]
    for sentence in range(corpus.info.examples):
        first, last = corpus.word_offsets[sentence : sentence + 2].tolist()
        there = dict(zip(corpus.word_index[first:last].tolist(), range(first, last), strict=True))
        for number, place in there.items():
            expected = ROOT if number == 0 else there.get(number - 1, NO_HEAD)
            assert heads[place] == expected
    assert corpus.info.truncated
    assert arcs.items is not None
    assert [tuple(pair) for pair in arcs.items.tolist()] == [(w, h) for w, h in enumerate(heads.tolist()) if h >= 0]
    relations, of_words = corpus.annotations["ARCS"], corpus.annotations["DEPREL"]
    assert [relations.names[i] for i in relations.values] == [
        of_words.names[of_words.values[word]] for word in arcs.items[:, 0]
    ]


def test_which_labels_must_be_named_only_where_several_fit(store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = bertdyn(capfd, "compute", "clusters", store, "--corpus", "w")
    assert (code, err) == (
        2,
        "bertdyn: clusters: which labels of corpus 'w'? UPOS, DEPREL, Number fit; name one with --annotation.\n",
    )
    for name, words in (
        ("HEAD", "clusters needs classes of sentences or words, but 'HEAD' of corpus 'w' has the heads of words."),
        ("arcs", "clusters needs classes of sentences or words, but 'ARCS' of corpus 'w' has classes of arcs."),
        ("XPOS", "--annotation: corpus 'w' has no 'XPOS', only UPOS, DEPREL, HEAD, ARCS, Number."),
    ):
        code, _, err = bertdyn(capfd, "compute", "clusters", store, "--corpus", "w", "--annotation", name)
        assert code == 2
        assert words in err
    code, _, err = bertdyn(capfd, "compute", "svcca", store, "--corpus", "w", "--annotation", "UPOS")
    assert (code, err) == (2, "bertdyn: svcca reads no labels: --annotation has no meaning for it.\n")
    assert bertdyn(capfd, "compute", "clusters", store, "--corpus", "dev")[0] == 0
    assert bertdyn(capfd, "show", "clusters", store, "--corpus", "w", "--annotation", "upos")[0] == 0


def test_labels_of_sentences_come_to_a_treebank_from_a_table(
    store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "topics.csv"
    rows = [f'"{s}",{"" if i == 1 else i % 2},{i / 2}' for i, s in enumerate(models.SENTENCES)]
    table.write_text("\n".join(["sentence,topic,score", *rows]) + "\n")
    code, out, err = bertdyn(capfd, "annotate", store, "w", table, "--label", "topic,score")
    assert code == 0, err
    assert out.splitlines() == [
        "added: 2 labels of 6 sentences in topic: 0, 1",
        "added: numbers of 7 sentences in score",
    ]
    assert bertdyn(capfd, "annotate", store, "w", table, "--label", "topic")[1].startswith("there already: ")
    assert values(capfd, store, "--annotation", "topic")
    code, _, err = bertdyn(capfd, "compute", "clusters", store, "--corpus", "w", "--annotation", "score")
    assert code == 2
    assert "'score' of corpus 'w' has numbers of sentences" in err


def test_replaced_labels_make_their_values_old_and_no_others(
    store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("UPOS", "DEPREL"):
        values(capfd, store, "--annotation", name)
    other = tmp_path / "other.conllu"
    other.write_text(conllu(upos=("X", "Y")))
    code, _, err = bertdyn(capfd, "annotate", store, "w", other, "--label", "upos")
    assert code == 2
    assert "already has different labels called UPOS. Give the new ones another name with --name" in err
    assert bertdyn(capfd, "annotate", store, "w", other, "--label", "upos", "--replace")[0] == 0
    sql = "select distinct annotation from clusters order by 1"
    assert Store.open(store).query(sql).rows == [("DEPREL",)]
    assert {row["label_a"] for row in values(capfd, store, "--annotation", "UPOS")} == {"", "X", "Y"}


@pytest.mark.parametrize(
    ("corpus", "name", "content", "message"),
    [
        ("w", "a.conllu", conllu(models.SENTENCES[:3]), "has 3 sentences, and corpus 'w' has 7"),
        (
            "w",
            "a.conllu",
            conllu([*models.SENTENCES, "more"]),
            "corpus 'w' has 7. Take only the first with --limit 7",
        ),
        ("w", "a.conllu", conllu([*models.SENTENCES[:3], "yes"]), "sentence 4 is 'yes', but 'no' in the corpus"),
        (
            "w",
            "a.conllu",
            conllu().replace("1\tno\t", "1\tn o\t").replace("n o", "no", 0),
            "sentence 4 is 'n o', but 'no' in the corpus",
        ),
        ("dev", "a.conllu", conllu(), "labels words, but the words of corpus 'dev' come from the tokenizer"),
        ("dev", "a.tsv", "text\n" + "\n".join(models.SENTENCES) + "\n", "has no labels: name columns with --label"),
        ("gone", "a.conllu", conllu(), "The store has no corpus 'gone'"),
        ("w", "a.conllu", conllu().replace("\t2\tdet", "\t3\tdet", 1), "form a cycle"),
        ("w", "a.conllu", conllu().replace("\t1\t", "\t0\t", 1), "a second root"),
    ],
)
def test_other_texts_are_refused_with_the_first_that_differs(
    store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], corpus: str, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    before = sorted(os.listdir(store / "corpora" / "w" / "annotations"))
    code, out, err = bertdyn(capfd, "annotate", store, corpus, tmp_path / name)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(os.listdir(store / "corpora" / "w" / "annotations")) == before


def test_words_that_are_split_otherwise_are_refused(
    store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The texts are the same: only where a word ends is not."""
    joined = conllu().replace("1\tthe\t", "1\tthe cat\t", 1).replace("2\tcat\t", "2\tsat\t", 1)
    lines = joined.split("\n")
    kept = [*lines[:2], *(f"{i}\t{line.split(chr(9), 1)[1]}" for i, line in enumerate(lines[3:6], 3)), *lines[6:]]
    (tmp_path / "a.conllu").write_text("\n".join(kept))
    code, _, err = bertdyn(capfd, "annotate", store, "w", tmp_path / "a.conllu", "--label", "upos")
    assert code == 2
    assert "splits sentence 1 into 5 words, but corpus 'w' into 6: 'the cat | sat | on" in err


def test_extracting_again_with_other_columns_adds_them(
    runs: Path, store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "dev.tsv"
    rows = [f"{s}\t{label}\t{i % 3}" for i, (s, label) in enumerate(zip(models.SENTENCES, models.LABELS, strict=True))]
    table.write_text("\n".join(["sentence\tlabel\ttopic", *rows]) + "\n")
    given = (store, runs / "runs", "--corpus", f"dev={table}", "--max-length", "12", "--label", "label,topic")
    code, _, err = bertdyn(capfd, "extract", *given)
    assert code == 0, err
    assert [info.name for info in Store.open(store).corpus("dev").info.annotations] == ["label", "topic"]
    assert "nothing to extract" in err
    table.write_text(table.read_text().replace("\t1\t", "\t9\t"))
    code, _, err = bertdyn(capfd, "extract", *given)
    assert code == 2
    assert "the same text with other labels 'label'" in err


def test_texts_are_added_without_extracting(
    runs: Path, store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.tsv").write_text("the cat sat\t1\nno film\t0\n")
    (tmp_path / "test.tsv").write_text("what a mat\t1\n")
    files = (f"sst:train={tmp_path / 'train.tsv'}", f"sst:test={tmp_path / 'test.tsv'}")
    code, out, err = bertdyn(capfd, "corpus", "add", store, *files)
    assert code == 0, err
    assert out.splitlines()[1:] == [
        "  2 labels of 3 sentences in label: 0, 1",
        "  2 splits of 3 sentences in split: test, train",
    ]
    opened = Store.open(store)
    split = opened.corpus("sst").annotations["split"]
    assert [split.names[i] for i in split.values] == ["train", "train", "test"]
    assert opened.checkpoints("sst") == ()
    assert bertdyn(capfd, "corpus", "add", store, *files)[0] == 0
    (tmp_path / "test.tsv").write_text("another\t1\n")
    code, _, err = bertdyn(capfd, "corpus", "add", store, *files)
    assert code == 2
    assert "The store has another corpus 'sst' already: 3 examples" in err
    # The same texts are extracted on later.
    (tmp_path / "test.tsv").write_text("what a mat\t1\n")
    corpora = [part for file in files for part in ("--corpus", file)]
    assert bertdyn(capfd, "extract", store, runs / "runs", *corpora)[0] == 0
    assert opened.checkpoints("sst")


def test_words_without_a_token_are_said_apart_from_words_that_are_cut_off(
    store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gaps.conllu").write_text(conllu(["the cat \u200b sat", "no \u200b", "dogs chase cats and mice"]))
    given = ("corpus", "add", store, f"gaps={tmp_path / 'gaps.conllu'}", "--label", "arcs", "--max-length", "6")
    code, out, err = bertdyn(capfd, *given)
    assert code == 0, err
    first, arcs = out.splitlines()
    assert first.endswith(" 1 cut at 6 tokens, 2 words without a token")
    # Arcs to words 3 and 4 of the first sentence and to word 2 of the next need a word without a token.
    assert "more cut off, 3 more without a token) in ARCS" in arcs


def test_a_tokenizer_must_be_somewhere(tmp_path: Path, runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    empty = Store.create(tmp_path / "empty.bertdyn")
    code, _, err = bertdyn(capfd, "corpus", "add", empty.path, f"d={runs / 'dev.tsv'}")
    assert code == 2
    assert "it has no checkpoint yet: name a folder with --tokenizer" in err
    folder = next((runs / "runs").rglob("tokenizer.json")).parent
    assert bertdyn(capfd, "corpus", "add", empty.path, f"d={runs / 'dev.tsv'}", "--tokenizer", folder)[0] == 0
