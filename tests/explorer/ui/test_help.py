"""Does `?` answer a newcomer in the order of the questions: what is this, what does it mean, what can I press?"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from explorer.measures.registry import get
from explorer.render.palette import Depth, palette
from explorer.ui.actions import ACTIONS
from explorer.ui.dialogs.help import Page, Shown
from explorer.ui.modes import MODES
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, until

VIEW = ("SVCCA distance from the pre-trained model", "corpus dev", "the first note", "the second note")


def page(width: int, mode: str = "curves", measure: str = "svcca", plainly: bool = False) -> list[str]:
    out = io.StringIO()
    about = Shown(MODES[mode], MODES[mode].variants[0], get(measure), [VIEW], ACTIONS)
    Console(width=width, file=out).print(Page(palette(Depth.NONE), about, plainly))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def line_of(lines: list[str], words: str) -> int:
    return next(i for i, line in enumerate(lines) if words in line)


@pytest.mark.parametrize("width", [50, 71, 111])
def test_first_the_picture_and_its_notes_then_the_measure_then_the_modes_keys_then_all_others(width: int) -> None:
    lines = page(width)
    order = [VIEW[0], "the first note", "the second note", "What svcca is", "0 = same", "Keys of Curves", "Views"]
    places = [line_of(lines, words) for words in (*order, "More about svcca")]
    assert places == sorted(places)
    assert "y        Value axis" in "\n".join(lines[places[5] : places[5] + 7])


def test_at_120_x_40_the_picture_the_measure_and_the_keys_of_the_mode_are_on_the_first_screen() -> None:
    """A sheet there has 36 lines of 111 cells; the longest definition must not push the keys away."""
    for measure in ("svcca", "clusters", "rsa"):
        first = "\n".join(page(111, measure=measure)[:36])
        assert all(words in first for words in ("Keys of Curves", "Views", "Choose the measure", "Selection panel"))


@pytest.mark.parametrize(("width", "side"), [(71, 1), (111, 2), (235, 4)])
def test_keys_stand_in_as_many_columns_as_there_is_room_for(width: int, side: int) -> None:
    lines = page(width)
    keys = lines[line_of(lines, "Keys of Curves") : line_of(lines, "More about svcca")]
    assert len(keys) <= 120 / side + 14
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("width", [40, 111, 235])
def test_every_action_stands_there_with_its_keys(mode: str, width: int) -> None:
    text = " ".join(" ".join(page(100, mode)).split())
    for action in ACTIONS:
        assert f"{action.title}:" in text or f"{action.title} /" in text
        assert action.shown_keys in text
    assert text.count("Deeper / Back:") == 1, "an action and its opposite are one entry"
    assert max(map(cell_len, page(width, mode))) <= width


def test_plain_characters_alone_where_only_they_may_be_written() -> None:
    assert "\n".join(page(111, "example", "js", plainly=True)).isascii()


def test_only_keys_that_match_all_typed_words_are_listed() -> None:
    out = io.StringIO()
    about = Shown(MODES["heat"], MODES["heat"].variants[0], get("svcca"), [VIEW], ACTIONS)
    Console(width=71, file=out).print(Page(palette(Depth.NONE), about, typed="WRITE cells"))
    assert [line.split()[:2] for line in out.getvalue().splitlines() if line.strip()][:2] == [
        ["Keys", "of"],
        ["d", "Digits:"],
    ]
    assert "Export" not in out.getvalue(), "it has one of the two words"


async def test_keys_are_filtered_while_one_types_and_other_keys_keep_their_meaning(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        await pilot.press("question_mark", "j", "k", "space", "pageup")
        await shown(pilot, "/ finds keys")
        await shown(pilot, "What svcca is")
        await pilot.press("slash", *"quit j")
        await shown(pilot, "keys with: quit j")
        await shown(pilot, "No key matches")
        await pilot.press("backspace", "backspace")
        await shown(pilot, "Quit: leave")
        assert "What svcca is" not in screen_text(pilot)
        assert "Undo" not in screen_text(pilot)
        await pilot.press("ctrl+u")
        await shown(pilot, "What svcca is")
        await pilot.press(*"undo", "escape")
        await shown(pilot, "/ finds keys")
        await shown(pilot, "What svcca is")
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is main(pilot))


async def test_what_is_typed_stays_in_one_place(computed: Path) -> None:
    def top() -> int:
        return next(i for i, line in enumerate(screen_text(pilot).splitlines()) if "keys with:" in line)

    async with opened(computed, config=changed(compute=False)) as pilot:
        await pilot.press("question_mark", "slash")
        await shown(pilot, "keys with:")
        first = top()
        await pilot.press(*"wheel")
        await shown(pilot, "keys with: wheel")
        await until(pilot, lambda: "Undo" not in screen_text(pilot))
        assert top() == first
