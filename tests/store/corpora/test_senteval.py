"""The probing tasks of SentEval."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.corpora.text_files import read
from store.errors import BertdynError

FILE = "tr\t0\tthe road\nva\t1\tthe ferry .\nte\t0\tno\n"


@pytest.mark.parametrize("name", ["a.tsv", "sentence_length.txt"])
def test_no_line_is_lost_and_splits_have_their_usual_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILE)
    text = read(tmp_path / name)
    assert (text.kind, text.texts) == ("sentence", (("the road",), ("the ferry .",), ("no",)))
    assert [(one.name, one.kind, one.values) for one in text.labels] == [
        ("label", "class", ("0", "1", "0")),
        ("split", "split", ("train", "dev", "test")),
    ]
    assert text.columns == {"format": "SentEval", "text": "3", "label": "2", "split": "1"}


def test_the_file_of_the_cases(cases: Path) -> None:
    text = read(cases / "senteval.tsv")
    lines = (cases / "senteval.tsv").read_text().splitlines()
    assert [row[0] for row in text.texts] == [line.split("\t")[2] for line in lines]
    assert text.labels[0].values == tuple(line.split("\t")[1] for line in lines)


def test_the_sentence_is_the_last_column(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("tr\tword\t3\tthe road\n")
    text = read(tmp_path / "a.tsv")
    assert (text.texts, text.labels[0].values) == ((("the road",),), ("word",))


def test_columns_that_are_named_make_it_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(FILE)
    text = read(tmp_path / "a.tsv", text="3", label="1")
    assert [(one.name, one.values) for one in text.labels] == [("1", ("tr", "va", "te"))]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("xx\t0\tthe road", "the split 'xx' is none of tr, va, te"),
        ("tr\tthe road", "2 columns, but the first line has 3"),
        ("tr\t\tthe road", "no label in column 2"),
        ("tr\t0\t ", "no text in column 3"),
        ("tr\t0\ta \r road", "a carriage return"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number_or_left_out(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "a.tsv").write_text(f"{FILE}{line}\n", newline="")
    with pytest.raises(BertdynError, match=rf"a\.tsv, line 4: {fault}.*--skip-bad-rows"):
        read(tmp_path / "a.tsv")
    text = read(tmp_path / "a.tsv", skip=True)
    assert len(text.texts) == 3
    assert text.notes[0].startswith("1 bad line is left out (line 4: ")


@pytest.mark.parametrize("lines", ["tr\t0\nno\t1\n", "train\t0\tx\n", "tr 0 x\n"])
def test_other_tables_are_none_of_senteval(tmp_path: Path, lines: str) -> None:
    (tmp_path / "a.tsv").write_text(lines)
    assert "format" not in read(tmp_path / "a.tsv", text="1").columns
