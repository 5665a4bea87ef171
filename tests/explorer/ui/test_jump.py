"""Jump mode: do letters stand on all one can go to, and do they lead there; in every mode, size and palette?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from explorer.render.cells import width_of
from explorer.ui.jump import LETTERS, Jump, labels
from explorer.ui.modes import MODES
from explorer.ui.widgets.pane import Pane
from explorer.views.base import Cursor
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, text_of, until
from tests.parameters import later

FIRST, MIDDLE, SIZES = range(1), (120, 40), [(80, 24), (250, 60)]
WAYS = [(m.key, FIRST, MIDDLE) for m in MODES.values()]
LATER = [
    later(m.key, variants, size)
    for m in MODES.values()
    for variants, size in [(range(1, len(m.variants)), MIDDLE), *((FIRST, size) for size in SIZES)]
    if variants
]


@given(st.integers(0, len(LETTERS) ** 2))
def test_no_label_is_the_beginning_of_another(many: int) -> None:
    found = labels(many)
    assert len(found) == len(set(found)) == many
    assert not [a for a in found if len(a) == 1 and any(b[0] == a for b in found if len(b) == 2)]


def test_a_place_is_reached_by_its_own_letters_alone() -> None:
    jump = Jump.to(range(60))
    label = {place: text for text, place in jump.places}
    assert label[0] == "a"
    assert jump.type("A").reached == 0
    halfway = jump.type(label[59][0])
    assert halfway.reached is None
    assert (label[59][1], 59) in halfway.left
    assert halfway.type(label[59][1]).reached == 59
    assert halfway.type("1").left == ()


def label_of(pilot: Pilot[None], index: int) -> str:
    """The letters of one of the places: those of the picture come first, then the panel's rows."""
    screen = main(pilot)
    picture = screen.chart.picture
    assert picture is not None
    rows = len(screen.panel.places()) if screen.has_class("-panel") else 0
    return labels(len(picture.targets) + rows)[index]


async def settled(pilot: Pilot[None], key: str, variant: int) -> None:
    """Show a way to look, and wait until its picture (or why there is none) stands."""
    screen = main(pilot)
    mode = next(m for m in MODES.values() if m.key == key)
    await pilot.press("7" if key == "1" else "1", key)
    current = mode.variants.index(screen.state.variant)
    await pilot.press(*["v"] * ((variant - current) % len(mode.variants)))
    wanted = mode.variants[variant]
    await until(pilot, lambda: screen.state.variant == wanted)
    name = wanted.view or mode.name
    await until(pilot, lambda: screen.chart.view is None or getattr(screen.chart.view, "name", "") == name)
    await until(pilot, lambda: not any(pane.waiting for pane in screen.panes))
    await until(pilot, lambda: "reading the other measures" not in text_of(pilot, "notes"))
    # A picture that came before the one beside it, or before a list above it, is drawn again for the room that is left.
    await until(pilot, lambda: screen.pair.companion is None or screen.other.chart.size.width > 0)
    await until(pilot, lambda: all(map(fits, screen.panes)))
    seen: list[object] = []

    def stands() -> bool:
        seen.append(screen.chart.picture)
        return len(seen) > 3 and all(one is seen[-1] for one in seen[-4:])

    await until(pilot, stands)


def fits(pane: Pane) -> bool:
    """Whether a pane's picture has the width of its place."""
    lines = () if pane.picture is None else pane.picture.lines
    return not lines or width_of(lines[0]) == pane.chart.size.width


NOWHERE = {
    ("1", 3),
    ("1", 5),
    ("2", 3),
    ("2", 5),
    ("3", 1),
    *(("3", i) for i in (3, 4, 5, 6, 7)),
    ("5", 7),
    ("5", 8),
    ("6", 6),
    ("0", 0),
}
"""Ways to look that show nothing here: SVCCA has no heads, maps and probes are not computed, no job ran."""


@pytest.mark.parametrize(("key", "variants", "size"), [*WAYS, *LATER], ids=str)
async def test_every_place_of_every_way_to_look_is_reached(
    computed: Path, labelled: Path, key: str, variants: range, size: tuple[int, int]
) -> None:
    store = labelled if key == MODES["clusters"].key else computed
    async with opened(store, size, config=changed(compute=False)) as pilot:
        for variant in variants:
            await settled(pilot, key, variant)
            picture = main(pilot).chart.picture
            if main(pilot).chart.view is None or picture is None or not picture.targets:
                assert (key, variant) in NOWHERE
                continue
            assert (key, variant) not in NOWHERE
            for index in sorted({0, len(picture.targets) // 2, len(picture.targets) - 1}):
                await reached(pilot, index)


async def reached(pilot: Pilot[None], index: int) -> None:
    """Go to a place of the picture by its letters."""
    screen = main(pilot)
    picture = screen.chart.picture
    assert picture is not None
    target = picture.targets[index]
    assert target.x < screen.chart.size.width
    assert target.y < screen.chart.size.height
    before = picture.cursor
    label = label_of(pilot, index)
    await pilot.press("f")
    await shown(pilot, "Type the letters of the place to go to")
    drawn = text_of(pilot, "chart").split("\n")[target.y]
    assert label in drawn[max(0, target.x - 1) : target.x + 2]
    await pilot.press(*label)
    wanted = (
        target.column if target.column >= 0 else before.x,
        target.row if target.row >= 0 else before.y,
    )
    await until(
        pilot,
        lambda: (
            screen.chart.picture is not None
            and (screen.chart.picture.cursor.x, screen.chart.picture.cursor.y) == wanted
        ),
    )
    await pilot.press("escape")


@pytest.mark.parametrize(("key", "at_least"), [("1", 6), ("2", 6), ("3", 6), ("4", 6), ("7", 20), ("8", 5), ("9", 4)])
async def test_lines_steps_rows_and_columns_are_places(computed: Path, key: str, at_least: int) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        await settled(pilot, key, 0)
        picture = main(pilot).chart.picture
        assert picture is not None
        assert len(picture.targets) >= at_least


async def test_letters_of_the_panel_pick_its_rows(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        assert screen.chart.picture is not None
        lines = text_of(pilot, "panel").split("\n")
        row = next(i for i, line in enumerate(lines) if "sst2" in line)
        label = label_of(pilot, len(screen.chart.picture.targets) + screen.panel.places().index(row))
        await pilot.press("f")
        await until(pilot, lambda: text_of(pilot, "panel").split("\n")[row].startswith(label))
        await pilot.press(*label)
        await until(pilot, lambda: screen.state.tasks == ("pos", "sst2"))
        assert "[x] sst2" in text_of(pilot, "panel")


async def test_a_letter_unfolds_a_folded_list_and_asks_for_a_range(computed: Path) -> None:
    async with opened(computed, (120, 30), config=changed(compute=False)) as pilot:
        screen = main(pilot)
        for words, comes in ((" more", lambda: screen.panel.has_focus), ("step   all", lambda: screen.prompt.what)):
            lines = text_of(pilot, "panel").split("\n")
            row = next(i for i, line in enumerate(lines) if words in line)
            assert screen.chart.picture is not None
            label = label_of(pilot, len(screen.chart.picture.targets) + screen.panel.places().index(row))
            await pilot.press("f", *label)
            await until(pilot, lambda comes=comes: bool(comes()))
            await pilot.press("escape")


async def test_escape_stays_and_any_other_key_says_so(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        await until(pilot, lambda: "step" in text_of(pilot, "reading"))
        before, state = screen_text(pilot), main(pilot).state
        await pilot.press("f")
        await shown(pilot, "Type the letters")
        assert screen_text(pilot) != before
        await pilot.press("escape")
        await until(pilot, lambda: screen_text(pilot) == before)
        for key in ("7", "left", "f5"):
            await pilot.press("f", key)
            await shown(pilot, f"No place has the letters '{key}': f shows the letters again.")
        assert main(pilot).state == state


async def test_the_way_out_stays_open(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        await pilot.press("f", "ctrl+q")
        await until(pilot, lambda: not pilot.app.is_running)


async def test_a_window_of_another_size_ends_it(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        await pilot.press("f")
        await shown(pilot, "Type the letters")
        await pilot.resize_terminal(90, 30)
        await shown(pilot, "The picture has changed")
        await pilot.press("3")
        await until(pilot, lambda: main(pilot).state.mode == "heat")


async def test_where_there_is_nothing_it_says_so(computed: Path) -> None:
    async with opened(computed, (80, 24), config=changed(compute=False)) as pilot:
        await pilot.press("P")
        await pilot.press("5")
        await shown(pilot, "has none")
        await pilot.press("f")
        await shown(pilot, "There is no place to jump to.")


async def test_letters_are_told_without_colour_and_in_plain_characters(
    computed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(computed, config=changed(compute=False, ascii=True)) as pilot:
        await pilot.press("f")
        await shown(pilot, "Type the letters")
        chart = main(pilot).chart
        assert chart.picture is not None
        for target in chart.picture.targets:
            segment = next(iter(chart.render_line(target.y).crop(target.x, target.x + 1)))
            assert segment.style is not None
            assert segment.style.reverse
            assert segment.text.isascii()


def letters(pilot: Pilot[None], column: int = -1, row: int = -1) -> str:
    """The label of the row or column in a map, as it stands now."""
    screen = main(pilot)
    assert screen.jumps.jump is not None
    wanted = (column, row)
    return next(
        text for text, spot in screen.jumps.jump.left if spot.target and (spot.target.column, spot.target.row) == wanted
    )


@pytest.mark.parametrize(("key", "ways", "first"), [("3", 0, "row"), ("3", 1, "column"), ("6", 0, "row")])
async def test_a_cell_of_a_map_is_one_jump_of_its_rows_and_its_columns_letters(
    computed: Path, key: str, ways: int, first: str
) -> None:
    async with opened(computed, config=changed(compute=False, measure="js")) as pilot:
        screen = main(pilot)
        await settled(pilot, key, ways)
        picture = screen.chart.picture
        assert picture is not None
        row = max(t.row for t in picture.targets)
        column = min(t.column for t in picture.targets if t.column >= 0)
        await pilot.press("f")
        halves = [{"row": row}, {"column": column}]
        for half in halves if first == "row" else reversed(halves):
            await until(pilot, lambda: screen.jumps.jump is not None)
            await pilot.press(*letters(pilot, **half))
        await until(pilot, lambda: screen.jumps.jump is None)
        assert screen.chart.picture is not None
        assert screen.chart.picture.cursor == Cursor(column, row)


async def test_behind_a_row_other_keys_are_commands_again(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        await settled(pilot, "3", 0)
        for key, shows in (("escape", "heat"), ("enter", "heat"), ("left", "heat"), ("7", "table")):
            await pilot.press("f")
            await pilot.press(*letters(pilot, row=1))
            await shown(pilot, "For a cell, type the letters of its column; escape stays in this row.")
            assert screen.chart.picture is not None
            at = screen.chart.picture.cursor
            assert at.y == 1
            await pilot.press(key)
            await until(pilot, lambda shows=shows: screen.jumps.jump is None and screen.state.mode == shows)
            if key == "left":
                assert screen.chart.picture.cursor == Cursor(at.x - 1, 1)


async def test_in_lines_a_line_is_the_end_of_the_jump(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        await pilot.press("f")
        await pilot.press(*letters(pilot, row=1))
        await until(pilot, lambda: main(pilot).jumps.jump is None)
        assert "letters" not in text_of(pilot, "notes")
