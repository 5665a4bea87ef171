"""What a mouse does, for whoever has one: something sensible, or nothing."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.pilot import Pilot

from explorer.render.palette import Depth, palette
from explorer.ui.actions import ACTIONS
from explorer.ui.bars import footer, footer_at
from explorer.ui.modes import MODES
from tests.explorer.ui.conftest import changed, main, opened, screen_text, text_of, until


def test_every_name_of_the_last_line_is_found_where_it_stands() -> None:
    for width in (60, 80, 120, 250):
        for mode in MODES:
            text = "".join(s.text for s in footer(mode, palette(Depth.NONE), width))
            found = {}
            for x in range(width):
                action = footer_at(x, mode, width)
                if action is not None:
                    found[action.id] = found.get(action.id, "") + text[x]
            for name, said in found.items():
                action = next(a for a in ACTIONS if a.id == name)
                assert said in (action.shown_keys.split()[0], f"{action.shown_keys.split()[0]} {action.footer}")
            assert {f"mode.{m}" for m in MODES} <= set(found)


async def click(pilot: Pilot[None], line: str, words: str) -> None:
    """On the first letter of some words."""
    rows = text_of(pilot, line).split("\n")
    y = next(i for i, row in enumerate(rows) if words in row)
    await pilot.click(f"#{line}", offset=(rows[y].index(words), y))


async def test_a_click_on_a_name_shows_that_view_and_one_in_the_panel_picks(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        await click(pilot, "footer", "Heat")
        await until(pilot, lambda: screen.state.mode == "heat")
        await click(pilot, "footer", "7")
        await until(pilot, lambda: screen.state.mode == "table")
        await click(pilot, "panel", "sst2")
        await until(pilot, lambda: screen.state.tasks == ("pos", "sst2"))
        await click(pilot, "panel", "task ")  # the head of the section
        await click(pilot, "footer", "help")
        await until(pilot, lambda: pilot.app.screen is not screen)


async def test_a_click_beside_what_is_being_typed_only_ends_that_and_clicks_on_other_lines_do_nothing(
    computed: Path,
) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        before = screen.state
        await pilot.press("slash", *"ss")
        await until(pilot, lambda: "filter: ss" in screen_text(pilot))
        await pilot.click("#chart", offset=(20, 10))
        await until(pilot, lambda: not screen.prompt.has_class("-open") and screen.chart.has_focus)
        for line in ("title", "notes", "reading", "heading"):
            await pilot.click(f"#{line}", offset=(5, 0))
        assert screen.state == before
        await pilot.press("2")
        await until(pilot, lambda: screen.state.mode == "profile")


def target(pilot: Pilot[None], column: int = -1, row: int = -1) -> tuple[int, int]:
    """Where a column or a row of the picture stands, in cells of its widget."""
    picture = main(pilot).picture
    assert picture is not None
    return next((t.x, t.y) for t in picture.targets if (t.column, t.row) == (column, row))


def cursor(pilot: Pilot[None]) -> tuple[int, int]:
    picture = main(pilot).picture
    return (picture.cursor.x, picture.cursor.y) if picture is not None else (-9, -9)


async def test_a_click_in_curves_goes_to_the_nearest_step_and_one_on_a_name_to_its_line(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        x, _ = target(pilot, column=1)
        for beside in (-9, 9):
            await pilot.press("home")
            await pilot.click("#chart", offset=(x + beside, 5))
            await until(pilot, lambda: "step 20: " in text_of(pilot, "reading"))
        x, y = target(pilot, row=2)
        await pilot.click("#chart", offset=(x + 4, y))
        await until(pilot, lambda: "layer 2, step 20: " in text_of(pilot, "reading"))


async def test_a_click_in_a_map_goes_to_its_cell(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="heat")) as pilot:
        for step in (0, 2, 1):
            for layer in (3, 0, 2):
                (x, _), (_, y) = target(pilot, column=step), target(pilot, row=layer)
                await pilot.click("#chart", offset=(x, y))
                await until(pilot, lambda step=step, layer=layer: cursor(pilot) == (step, layer))


async def test_the_wheel_goes_through_the_steps_and_in_a_table_through_the_rows(computed: Path) -> None:
    async def turn(kind: type[events.MouseEvent]) -> None:
        await pilot._post_mouse_events([kind], "#chart", (25, 5))

    async with opened(computed, config=changed(compute=False)) as pilot:
        await pilot.press("home")
        await turn(events.MouseScrollDown)
        await until(pilot, lambda: "step 20: " in text_of(pilot, "reading"))
        await turn(events.MouseScrollDown)
        await turn(events.MouseScrollUp)
        await turn(events.MouseScrollUp)
        await until(pilot, lambda: "step 0: " in text_of(pilot, "reading"))
        await pilot.press("7")
        await until(pilot, lambda: main(pilot).state.mode == "table" and cursor(pilot)[1] == 0)
        await turn(events.MouseScrollDown)
        await until(pilot, lambda: cursor(pilot)[1] == 1)
        x, y = target(pilot, row=7)
        await pilot.click("#chart", offset=(x + 30, y))
        await until(pilot, lambda: cursor(pilot)[1] == 7)
