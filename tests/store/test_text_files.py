from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.corpora.text_files import columns_of, read
from store.errors import BertdynError


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_tsv_of_two_columns_without_header_is_sentence_and_label(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.tsv", "he said \"no\t0\n's  fine,\\n really\tpos\n"))
    assert text.texts == (('he said "no',), ("'s  fine,\\n really",))
    assert text.labels == ("0", "pos")
    assert text.kind == "sentence"


def test_a_tsv_with_the_usual_header_is_read_by_its_columns(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.tsv", "sentence\tlabel\nfine\t1\n"))
    assert (text.texts, text.labels) == ((("fine",),), ("1",))


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,"a ""q""",gold,b\n1,"x, y",yes,z\n2,"two\nlines",no,w\n')
    text = read(path, text='a "q",b', label="gold")
    assert text.texts == (("x, y", "z"), ("two\nlines", "w"))
    assert text.labels == ("yes", "no")


def test_pairs_are_found_by_their_usual_names(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.csv", "premise,hypothesis\np,h\n"))
    assert text.texts == (("p", "h"),)
    assert text.labels is None


def test_jsonl_gives_text_and_numbers_as_written(tmp_path: Path) -> None:
    rows = [{"text": "2021-01-05", "label": 1, "x": None}, {"text": "1e5", "label": 2}]
    text = read(write(tmp_path / "a.jsonl", "".join(json.dumps(r) + "\n" for r in rows)))
    assert text.texts == (("2021-01-05",), ("1e5",))
    assert text.labels == ("1", "2")


def test_parquet_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    quoted = str(path).replace("'", "''")
    duckdb.sql(f"COPY (SELECT 'a' AS sentence, 3 AS label UNION ALL SELECT 'b', 4) TO '{quoted}'")
    text = read(path)
    assert (text.texts, text.labels) == ((("a",), ("b",)), ("3", "4"))


def test_limit_keeps_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "".join(f"s{i}\t{i}\n" for i in range(50)))
    assert read(path, limit=3).labels == ("0", "1", "2")


@given(
    st.lists(st.text(st.characters(exclude_characters="\t\r\n\0", exclude_categories=["Cs"]), min_size=1), min_size=1)
)
def test_any_text_comes_back_from_a_tsv(tmp_path_factory: pytest.TempPathFactory, sentences: list[str]) -> None:
    sentences = [s for s in sentences if s.strip()] or ["x"]
    path = write(tmp_path_factory.mktemp("t") / "a.tsv", "".join(f"{s}\t1\n" for s in ["first", *sentences]))
    assert [t[0] for t in read(path).texts] == ["first", *sentences]


CONLLU = """\
# text = Don't he
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\t_\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\t_\t_\t3\tadvmod\t_\t_
2.1\tleave\tleave\tVERB\t_\t_\t_\t_\t_\t_
3\the\the\tPRON\t_\t_\t0\tnsubj:pass\t_\t_

1\tYes\tyes\tINTJ\t_\t_\t0\troot\t_\t_
"""


def test_conllu_gives_syntactic_words_without_ranges_and_empty_nodes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.conllu", CONLLU)
    text = read(path)
    assert text.words == (("Do", "n't", "he"), ("Yes",))
    assert text.texts == (("Do n't he",), ("Yes",))
    assert text.labels == (("AUX", "PART", "PRON"), ("INTJ",))
    assert read(path, label="deprel").labels == (("aux", "advmod", "nsubj:pass"), ("root",))
    assert read(path, limit=1).words == (("Do", "n't", "he"),)


def test_real_treebank_words_are_all_there(realdata: Path) -> None:
    text = read(realdata / "ewt_dev.conllu")
    assert text.words is not None
    lines = (realdata / "ewt_dev.conllu").read_text(encoding="utf-8").splitlines()
    assert sum(map(len, text.words)) == sum(line.split("\t")[0].isdigit() for line in lines)


def test_real_sentences_are_all_there(realdata: Path) -> None:
    lines = (realdata / "sst2_dev.tsv").read_text(encoding="utf-8").splitlines()
    text = read(realdata / "sst2_dev.tsv")
    assert [f"{t[0]}\t{label}" for t, label in zip(text.texts, text.labels or (), strict=True)] == lines


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.txt", "x", {}, "corpus files end in .tsv"),
        ("a.tsv", "", {}, "is empty"),
        ("a.csv", "text,label\n", {}, "is empty"),
        ("a.jsonl", "", {}, "a.jsonl"),
        ("a.conllu", "# nothing\n", {}, "is empty"),
        ("a.tsv", b"PK\0\0\1", {}, "is not text"),
        ("a.jsonl", b"\0\1", {}, "is not text"),
        ("a.conllu", b"\0\1", {}, "is not text"),
        ("a.parquet", "not parquet at all", {}, "cannot be read"),
        ("a.tsv", b"caf\xe9\t1\n", {}, "not UTF-8|cannot be read"),
        ("a.csv", "text,label\nx,1\n", {"text": "body"}, "no column 'body'"),
        ("a.csv", "text,label\nx,1\n", {"label": "gold"}, "no column 'gold'"),
        ("a.csv", "a,b\nx,1\n", {}, "which column is the text.*a, b.*--text"),
        ("a.csv", "a,b,c\nx,y,z\n", {"text": "a,b,c"}, "one text or a pair"),
        ("a.tsv", "x\t1\n", {"text": "body"}, "no column 'body'"),
        ("a.tsv", "x\t1\ny\t\n", {}, "line 2: no label"),
        ("a.csv", "text,label\nx,1\n ,2\n", {}, "line 3: no text"),
        ("a.jsonl", '{"text":"x","label":1}\n{"text":"y"}\n', {}, "row 2: no label"),
        ("a.tsv", "x\t1\ny\tz\t2\n", {}, "cannot be read"),
        ("a.conllu", "1\tDo\n", {}, "line 1: not CoNLL-U"),
        ("a.conllu", CONLLU.replace("AUX", "_"), {}, "line 3: the word 'Do' has no UPOS"),
        ("a.conllu", CONLLU, {"label": "xpos"}, "upos or deprel"),
        ("a.conllu", CONLLU, {"text": "form"}, "words are the text"),
    ],
)
def test_bad_files_get_one_sentence(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, str], message: str
) -> None:
    with pytest.raises(BertdynError, match=message) as caught:
        read(write(tmp_path / name, content), **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match=r"no corpus file .*x\.tsv"):
        read(tmp_path / "x.tsv")


CORPORA = {"dev": Path("dev.csv"), "ewt": Path("ewt.conllu"), "m": Path("m.jsonl")}


def test_a_bare_label_is_for_the_corpora_it_can_be_meant_for() -> None:
    assert columns_of(CORPORA, ["upos"], "--label") == {"ewt": "upos"}
    assert columns_of(CORPORA, ["gold", "deprel"], "--label") == {"dev": "gold", "m": "gold", "ewt": "deprel"}
    assert columns_of(CORPORA, ["m:x:y", "gold"], "--label") == {"m": "x:y", "dev": "gold"}
    assert columns_of(CORPORA, ["gold", "m:x"], "--label") == {"m": "x", "dev": "gold"}
    assert columns_of(CORPORA, ["a:b"], "--text") == {"dev": "a:b", "m": "a:b"}
    assert columns_of({"dev": Path("dev.csv")}, ["upos"], "--label") == {"dev": "upos"}


def test_two_labels_for_one_corpus_or_one_for_none_are_errors() -> None:
    with pytest.raises(BertdynError, match="both 'a' and 'b' for corpus 'dev'"):
        columns_of(CORPORA, ["a", "b"], "--label")
    with pytest.raises(BertdynError, match="it is upos or deprel"):
        columns_of({"ewt": Path("ewt.conllu")}, ["gold"], "--label")
