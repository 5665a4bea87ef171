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


async def test_a_click_beside_what_is_being_typed_ends_that_and_wheels_and_other_clicks_do_nothing(
    computed: Path,
) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        await pilot.press("slash", *"ss")
        await until(pilot, lambda: "filter: ss" in screen_text(pilot))
        await pilot.click("#chart", offset=(20, 10))
        await until(pilot, lambda: not screen.prompt.has_class("-open") and screen.chart.has_focus)
        before = screen.state
        for line in ("chart", "title", "notes", "reading", "heading"):
            await pilot.click(f"#{line}", offset=(5, 0))
        for kind in (events.MouseScrollDown, events.MouseScrollUp):
            await pilot._post_mouse_events([kind], "#chart", (5, 5))
        await pilot.press("2")
        await until(pilot, lambda: screen.state.mode == "profile")
        assert (screen.state.look, screen.state.tasks) == (before.look, before.tasks)
