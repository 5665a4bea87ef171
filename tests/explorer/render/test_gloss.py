"""Words with texts under each: every word is under its column, and those that find no room are on the next block."""

from __future__ import annotations

import pytest

from explorer.render.cells import width_of
from explorer.render.gloss import Gloss, GlossRow, draw, targets, whole
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette

WORDS = ("the", "movie", "was", "not", "bad", "at", "all")
TAGS = ("DET", "NOUN", "AUX", "PART", "ADJ", "", "ADV")
MARKS = ("", "x", "", "", "-", "", "")
GLOSS = Gloss("word", WORDS, (GlossRow("UPOS", TAGS), GlossRow("step 80", TAGS, MARKS)))


def text(width: int, height: int, at: int = -1, ascii_only: bool = False) -> str:
    lines, _ = draw(GLOSS, width, height, palette(Depth.NONE), at, ascii_only)
    assert len(lines) == height
    assert {width_of(line) for line in lines} == {width}
    return to_text(lines)


def test_texts_stand_under_their_words() -> None:
    assert [line.rstrip() for line in text(60, 3).splitlines()] == [
        "   word  the  movie  was  not   bad   at  all",
        "   UPOS  DET  NOUN   AUX  PART  ADJ   ·   ADV",
        "step 80  DET  NOUNx  AUX  PART  ADJ-  ·   ADV",
    ]
    assert text(60, 3, ascii_only=True).isascii()


def test_words_that_find_no_room_go_on_below() -> None:
    tall = whole(GLOSS, 30)
    drawn = text(30, tall).splitlines()
    assert tall == 7
    assert drawn[0].split() == ["word", "the", "movie", "was", "not"]
    assert drawn[4].split() == ["word", "bad", "at", "all"]


@pytest.mark.parametrize("at", range(len(WORDS)))
def test_the_word_that_is_pointed_at_is_always_drawn(at: int) -> None:
    lines, (first, past) = draw(GLOSS, 24, 3, palette(Depth.NONE), at)
    assert first <= at < past < len(WORDS) + 1
    assert f"▸{WORDS[at]}" in to_text(lines)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 2), (20, 30), (200, 1)])
def test_any_size_can_be_drawn(width: int, height: int) -> None:
    text(width, height, at=3)


def test_jumps_lead_to_the_words() -> None:
    drawn = text(30, 7).splitlines()
    found = targets(GLOSS, 30, 7)
    assert [target.column for target in found] == list(range(len(WORDS)))
    assert all(drawn[target.y][target.x + 1 :].startswith(WORDS[target.column]) for target in found)
