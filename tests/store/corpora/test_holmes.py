"""The data sets of Holmes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from store.corpora.text import Text
from store.corpora.text_files import read
from store.errors import BertdynError

HEAD = ("inputs", "context", "label", "id", "set-0", "set-1")
CONTEXT = "the old ferry sank ."


def row(
    inputs: Any, context: Any = (CONTEXT,), label: object = "NP", split: str = "train", other: str = "test"
) -> tuple[object, ...]:
    """A row as pandas writes lists: their repr, and nothing where there is no context."""
    return str(inputs), "" if context is None else str(list(context)), label, 0, split, other


def write(path: Path, *rows: tuple[object, ...]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows((HEAD, *rows))
    return path


def values(text: Text) -> dict[str, tuple[str, tuple[Any, ...]]]:
    return {labels.name: (labels.level, labels.values) for labels in text.labels}


def test_characters_of_a_context_are_spans_of_its_words(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row([("old ferry", 0, 4, 13)]),
        row([("sank", 0, 14, 18)], label="VP"),
        row([("no", 0, 0, 2)], context=["no"], split="dev"),
    )
    text = read(path)
    assert (text.kind, text.words) == ("word", (tuple(CONTEXT.split()), ("no",)))
    assert values(text) == {
        "label": ("span", (((1, 2, "NP"), (3, 3, "VP")), ((0, 0, "NP"),))),
        "split": ("sentence", ("train", "dev")),
    }
    assert text.columns == {"format": "Holmes", "text": "context", "label": "label", "split": "set-0"}
    assert text.notes == ()
    assert len(read(path, limit=1).texts) == 1


def test_two_inputs_are_a_pair_and_parts_of_one_span_are_joined(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.csv", row([("sank", 0, 14, 18), ("old ferry", 0, 4, 13)])))
    assert values(text)["label"] == ("pair", (((3, 3, 1, 2, "NP"),),))
    parts = [("old", 0, 4, 7, 0), ("ferry", 0, 8, 13, 0), ("sank", 0, 14, 18, 1)]
    assert values(read(write(tmp_path / "b.csv", row(parts))))["label"] == ("pair", (((1, 2, 3, 3, "NP"),),))


def test_without_a_context_the_inputs_are_sentences_or_pairs_of_sentences(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.csv", row(["he said"], None, 1), row(["no"], None, 0, "test")))
    assert (text.kind, text.texts, text.words) == ("sentence", (("he said",), ("no",)), None)
    assert values(text) == {"label": ("sentence", ("1", "0")), "split": ("sentence", ("train", "test"))}
    pairs = read(write(tmp_path / "b.csv", row(["he said", "she said"], None)))
    assert pairs.texts == (("he said", "she said"),)


def test_numbers_are_numbers_of_spans(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.csv", row([("old", 0, 4, 7)], label=0.25), row([("sank", 0, 14, 18)], label=1)))
    assert text.labels[0].kind == "number"


def test_another_column_of_splits_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", row([("old", 0, 4, 7)]))
    text = read(path, label="label,set-1")
    assert (values(text)["split"][1], text.columns["split"]) == (("test",), "set-1")
    with pytest.raises(BertdynError, match=r"--label set-3: name one column of splits of .*, which has set-0, set-1"):
        read(path, label="set-3")
    with pytest.raises(BertdynError, match="--label set-0,set-1: name one"):
        read(path, label="set-0,set-1")


def test_a_text_in_two_splits_is_an_example_in_each_and_it_is_said(tmp_path: Path) -> None:
    """Words of one sentence share their context: a split is of sentences, never of spans."""
    path = write(tmp_path / "a.csv", row([("old", 0, 4, 7)]), row([("sank", 0, 14, 18)], split="test"))
    text = read(path)
    assert values(text) == {
        "label": ("span", (((1, 1, "NP"),), ((3, 3, "NP"),))),
        "split": ("sentence", ("train", "test")),
    }
    assert text.notes == ("texts that are in more than one split, and so an example in each: 1",)


def test_inputs_within_a_word_take_the_whole_word_and_it_is_said(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.csv", row([("ferr", 0, 8, 12)])))
    assert values(text)["label"] == ("span", (((2, 2, "NP"),),))
    assert text.notes == ("inputs that begin or end within a word, of which the whole word is taken: 1",)


CALL = "[__import__('os').system('touch ran')]"


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ((CALL, f"['{CONTEXT}']", "NP", 0, "train", "dev"), "column 'inputs' is not a Python literal"),
        (("[('old', 0, 4, 7)]", CALL, "NP", 0, "train", "dev"), "column 'context' is not a Python literal"),
        (("(" * 5000, f"['{CONTEXT}']", "NP", 0, "train", "dev"), "column 'inputs' is not a Python literal"),
        (row([("old", 0, 40, 43)]), "characters 40 to 43 are not in the context"),
        (row([("old", 0, 7, 4)]), "the input .* is not a text, 0, a first character and an end"),
        (row([("old", 1, 4, 7)]), "the input "),
        (row(["old"]), "the input "),
        (row([("a", 0, 0, 3), ("b", 0, 4, 7), ("c", 0, 8, 9)]), "3 inputs: only a span or a pair of spans"),
        (row([("the", 0, 0, 3, 0), ("sank", 0, 14, 18, 0)]), "an input with a gap between its words"),
        (row([("old", 0, 4, 7)], context=["a", "b"]), "2 contexts: only inputs of one context"),
        (row([("old", 0, 4, 7)], context=[3]), "column 'context' is not a list of texts"),
        (row([("old", 0, 4, 7), ("sank", 0, 14, 18)]), "the inputs are of another kind or number than"),
        (row(["he said"], None), "the inputs are of another kind or number than"),
        (row(["a", "b", "c"], None), "without a context, column 'inputs' must be a list of one text or two"),
        (row([("old", 0, 4, 7)], label=" "), "no label in column 'label'"),
        (row([("old", 0, 4, 7)], split=""), "no split in column 'set-0'"),
        (("[]", "", "NP"), "3 columns, but the first line has 6"),
    ],
)
def test_a_row_of_another_form_is_refused_and_nothing_in_it_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: tuple[object, ...], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "a.csv", row([("old", 0, 4, 7)]), bad)
    with pytest.raises(BertdynError, match=rf"a\.csv, line 3: {fault}") as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert len(read(path, skip=True).texts) == 1
    assert not (tmp_path / "ran").exists()


def test_columns_that_are_named_make_it_a_table(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", row(["he said"], None))
    assert read(path, text="inputs", label="id").texts == (("['he said']",),)
    other = tmp_path / "b.csv"
    other.write_text("inputs,context,text,label\n1,2,x,y\n")
    assert read(other).texts == (("x",),)
