"""The entities of DirectProbe."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.corpora.text_files import columns_of, read
from store.errors import BertdynError


def test_an_entity_is_a_text_with_a_label(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("of\tp.Gestalt\n\nWhat is it ?\tDESC:def\n")
    text = read(tmp_path / "train.txt")
    assert (text.kind, text.texts) == ("sentence", (("of",), ("What is it ?",)))
    assert [(one.name, one.level, one.values) for one in text.labels] == [
        ("label", "sentence", ("p.Gestalt", "DESC:def")),
    ]
    assert text.columns["format"] == "DirectProbe entities"
    assert "each entity is read as a text of its own" in text.notes[0]
    assert columns_of({"x": tmp_path / "train.txt"}, ["label"], "--label") == {"x": "label"}


@pytest.mark.parametrize(("line", "fault"), [("of", "1 column, but the first line has 2"), ("of\t ", "no label")])
def test_all_lines_must_have_a_label(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "a.txt").write_text(f"of\tp.Gestalt\n{line}\n")
    with pytest.raises(BertdynError, match=rf"a\.txt, line 2: {fault}"):
        read(tmp_path / "a.txt")
    assert read(tmp_path / "a.txt", skip=True).texts == (("of",),)


def test_lines_without_a_tab_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one sentence\nof\tp.Gestalt\n")
    text = read(tmp_path / "a.txt")
    assert (text.columns, text.labels) == ({"format": "one sentence per line"}, ())
    with pytest.raises(BertdynError, match="no corpus is a table with columns"):
        columns_of({"x": tmp_path / "a.txt"}, ["label"], "--label")
