"""Example shows what probes read off the words: under the maps where there is room, and alone as a part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.answers.example import ExampleData
from explorer.answers.readings import Reading, Unit
from explorer.pages.example import WORDS, Example
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views.base import NOWHERE, Cursor, DrawOptions, Picture
from tests.explorer.views.part_samples import FOCUS, SENTENCE, moved

UNITS = (
    Unit(1, 1, "a", "DET", "DET", "DET"),
    Unit(2, 1, "bad", "ADJ", "NOUN", "ADJ"),
    Unit(3, 1, "movie", "NOUN", "", ""),
)
READ = Reading("UPOS", "word", "", UNITS, (FOCUS.key, FOCUS.reference), True)
TONE = Reading("tone", "sentence", "", (Unit(0, 0, "", "pos", "neg", "pos"),), (FOCUS.key, FOCUS.reference), True)


def sample(*readings: Reading) -> ExampleData:
    return replace(moved(SENTENCE), readings=readings)


def draw(view: Example, width: int, height: int, cursor: Cursor = NOWHERE, **options: bool) -> Picture:
    picture = view.draw(width, height, palette(Depth.NONE), cursor, DrawOptions(**options))
    assert len(picture.lines) == height
    return picture


@pytest.mark.parametrize(("width", "height"), [(80, 17), (120, 33), (250, 50)])
def test_the_words_are_under_the_maps_where_there_is_room(width: int, height: int) -> None:
    drawn = to_text(draw(Example(sample(READ)), width, height).lines).splitlines()
    assert [line.split() for line in drawn[-4:]] == [
        ["word", "a", "bad", "movie"],
        ["UPOS", "DET", "ADJ", "NOUN"],
        ["sst2/1/40", "DET", "NOUN-", "·"],
        ["pretrained", "DET", "ADJ", "·"],
    ]
    assert drawn[0].startswith("query")


@pytest.mark.parametrize("size", [(80, 14), (40, 9), (12, 4)])
def test_the_maps_keep_their_room(size: tuple[int, int]) -> None:
    assert draw(Example(sample(READ)), *size).lines == draw(Example(sample()), *size).lines


def test_the_part_of_the_words_shows_them_alone() -> None:
    view = Example(sample(READ, TONE), WORDS)
    picture = draw(view, 60, 8, Cursor(2, -1), ascii=True)
    drawn = to_text(picture.lines)
    assert "NOUN-" in drawn
    assert ">bad" in drawn
    assert drawn.isascii()
    assert picture.reading == "'bad' (2); UPOS ADJ, read as NOUN, in the reference as ADJ"
    assert [(target.column, target.row) for target in picture.targets] == [(1, -1), (2, -1), (3, -1)]
    assert "probe of UPOS: 2 of 3 words read, 1 right, in the reference 2" in picture.notes[0]
    assert "probe: tone pos, read as neg, in the reference as pos" in picture.notes[1]


def test_its_rows_are_the_words_and_sentences() -> None:
    columns, rows = Example(sample(READ, TONE), WORDS).rows()
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    assert [one["word"] for one in found] == ["a", "bad", "movie", None]
    assert [one["change"] for one in found] == ["same", "lost", None, "lost"]
    assert found[1]["predicted"] == "NOUN"
    assert Example(sample(READ)).rows() == Example(sample()).rows()  # the attentions, as ever


def test_the_reading_of_a_token_names_its_word() -> None:
    view = Example(sample(READ))
    said = draw(view, 120, 17, Cursor(-1, view.query_of(2))).reading
    assert "UPOS ADJ, read as NOUN, in the reference as ADJ" in said


def test_a_part_without_predictions_says_what_stores_them() -> None:
    text = to_text(draw(Example(sample(TONE), WORDS), 80, 8).lines)
    assert "'bertdyn compute probe STORE" in " ".join(text.split())
