"""Edge-probing files of jiant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.corpora.text import Text
from store.corpora.text_files import read
from store.errors import BertdynError

TEXT = "the old ferry sank"
NP: dict[str, Any] = {"span1": [0, 3], "label": "NP"}
ARG: dict[str, Any] = {"span1": [3, 4], "span2": [0, 3], "label": ["ARG", "A0"]}


def write(path: Path, *examples: Any) -> Path:
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in examples))
    return path


def values(text: Text) -> dict[str, tuple[Any, ...]]:
    return {labels.name: labels.values for labels in text.labels}


def test_ends_are_exclusive_span2_may_be_missing_and_a_label_is_a_text_or_a_list(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": TEXT, "targets": [NP, ARG], "info": {"id": 1}}, {"text": "no"})
    text = read(path)
    assert (text.kind, text.words, text.texts) == ("word", (tuple(TEXT.split()), ("no",)), ((TEXT,), ("no",)))
    assert [(one.name, one.level, one.kind) for one in text.labels] == [
        ("spans", "span", "class"),
        ("pairs", "pair", "class"),
    ]
    assert values(text) == {
        "spans": (((0, 2, "NP"),), ()),
        "pairs": (((3, 3, 0, 2, "ARG"), (3, 3, 0, 2, "A0")), ()),
    }
    assert text.columns == {"format": "edge probing", "text": "text", "label": "spans,pairs"}
    assert list(values(read(path, label="pairs"))) == ["pairs"]


def test_a_target_without_any_label_is_still_a_target(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.jsonl", {"text": TEXT, "targets": [{**NP, "label": []}, {**NP, "label": 1}]}))
    assert values(text) == {"spans": (((0, 2, None), (0, 2, "1")),)}


def test_the_file_of_the_cases(cases: Path) -> None:
    text = read(cases / "edge.jsonl")
    assert len(text.texts) == 20
    assert values(text)["spans"] == (((0, 1, "NP"),),) * 20
    assert values(text)["pairs"] == (((0, 1, 2, 2, "ARG"), (0, 1, 2, 2, "A0")),) * 20


@pytest.mark.parametrize(
    ("example", "fault"),
    [
        ({"text": TEXT, "targets": [{**NP, "span1": [0, 5]}]}, r"span1 \[0, 5\] is not a first word.* within 4 words"),
        ({"text": TEXT, "targets": [{**NP, "span1": [2, 2]}]}, "span1 "),
        ({"text": TEXT, "targets": [{**NP, "span1": [-1, 2]}]}, "span1 "),
        ({"text": TEXT, "targets": [{**NP, "span1": [0, 1.5]}]}, "span1 "),
        ({"text": TEXT, "targets": [{**ARG, "span2": "0-3"}]}, "span2 "),
        ({"text": TEXT, "targets": [{"span2": [0, 3], "label": "NP"}]}, "a target has no span1"),
        ({"text": TEXT, "targets": [{"span1": [0, 3]}]}, "the label null of a target is neither a text nor a list"),
        ({"text": TEXT, "targets": [{**NP, "label": ["NP", None]}]}, "the label "),
        ({"text": TEXT, "targets": [{**NP, "label": True}]}, "the label "),
        ({"text": TEXT, "targets": [{**NP, "label": ""}]}, "the label "),
        ({"text": TEXT, "targets": NP}, "'targets' is not a list of objects"),
        ({"text": " ", "targets": []}, "no text"),
        ({"targets": [NP]}, "not an object with a text"),
        ('{"text": "torn', "not an object with a text"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number_or_left_out(tmp_path: Path, example: Any, fault: str) -> None:
    good = {"text": TEXT, "targets": [NP]}
    path = write(tmp_path / "a.jsonl", good, "", example, good)
    with pytest.raises(BertdynError, match=rf"a\.jsonl, line 3: {fault}.*--skip-bad-rows") as caught:
        read(path)
    assert "\n" not in str(caught.value)
    text = read(path, skip=True)
    assert len(text.texts) == 2
    assert text.notes[0].startswith("1 bad line is left out (line 3: ")
    assert len(read(path, limit=1).texts) == 1


def test_columns_that_are_named_make_it_a_table(tmp_path: Path) -> None:
    """A file may fit two formats: the one that was named is taken, and nothing is guessed."""
    path = write(tmp_path / "a.jsonl", {"text": TEXT, "label": "fine", "targets": [NP]})
    with pytest.raises(BertdynError, match="choose with --label spans,pairs or --label label"):
        read(path)
    assert [(one.name, one.level) for one in read(path, label="label").labels] == [("label", "sentence")]
    assert [(one.name, one.level) for one in read(path, label="spans").labels] == [("spans", "span")]
    assert [one.level for one in read(path, text="text").labels] == ["sentence"]
    with pytest.raises(BertdynError, match=r"--label pairs: .* has none, only spans"):
        read(path, label="pairs")


def test_a_first_target_without_a_span_is_said_and_not_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": TEXT, "targets": [{"label": "NP"}]}, {"text": TEXT, "targets": [NP]})
    with pytest.raises(BertdynError, match="line 1: a target has no span1"):
        read(path)


@pytest.mark.parametrize("targets", [[], ["x"], "x", [{"from": 1}], None])
def test_other_targets_are_columns_of_a_table(tmp_path: Path, targets: Any) -> None:
    text = read(write(tmp_path / "a.jsonl", {"text": TEXT, "targets": targets, "label": 1}))
    assert [(one.name, one.level) for one in text.labels] == [("label", "sentence")]


def test_the_first_sentences_may_have_no_targets(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.jsonl", {"text": "no", "targets": []}, {"text": TEXT, "targets": [NP]}))
    assert values(text) == {"spans": ((), ((0, 2, "NP"),))}
