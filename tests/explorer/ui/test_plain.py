"""With --ascii, is there any character anywhere that a plain font lacks? And light backgrounds, and depths by name?"""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.render.palette import Depth
from explorer.ui.modes import MODES
from explorer.ui.session import Session
from explorer.ui.settings import settle_colour
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, until

PICKERS = tuple((key, "enter takes") for key in ("m", "r", "t", "s", "p", "equals_sign"))
"""Keys that open lists, and words of each."""


def beyond(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.isascii()]


@pytest.mark.parametrize("size", [(120, 40)])
async def test_every_screen_is_plain(computed: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    kept = Session(computed, {"XDG_STATE_HOME": str(tmp_path)})
    async with opened(computed, size=size, config=changed(ascii=True), session=kept) as pilot:
        screen = main(pilot)
        for mode in MODES.values():
            await pilot.press(mode.key)
            for _ in mode.variants:
                await pilot.press("v", "down")
                await until(pilot, lambda: not screen.pane.waiting)
                assert beyond(screen_text(pilot)) == [], mode.title
        await pilot.press("1", "tab", "escape")
        kept.keep("mine", screen.state)
        for key, words in (("question_mark", "Views"), ("e", "the numbers, one object"), ("L", "mine"), *PICKERS):
            await pilot.press(key)
            await shown(pilot, words)
            assert beyond(screen_text(pilot)) == [], key
            await pilot.press("escape")
            await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("colon")
        await until(pilot, lambda: pilot.app.screen is not screen)
        await pilot.press(*"cursor")
        await shown(pilot, "Cursor left  (left h)")
        assert beyond(screen_text(pilot)) == []
        await pilot.press("escape", "escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("a")
        await until(pilot, lambda: bool(beyond(screen_text(pilot))))
        await pilot.press("a")
        await until(pilot, lambda: not beyond(screen_text(pilot)))


@pytest.mark.parametrize(("background", "dark"), [("light", False), ("dark", True)])
async def test_a_background_by_name_chooses_colours(computed: Path, background: str, dark: bool) -> None:
    async with opened(computed, config=changed(background=background)) as pilot:
        assert main(pilot).palette.dark is dark
        assert pilot.app.current_theme.dark is dark


async def test_auto_believes_colorfgbg(computed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORFGBG", "0;15")
    async with opened(computed) as pilot:
        assert not main(pilot).palette.dark


@pytest.mark.parametrize(
    ("color", "before", "after"),
    [
        ("auto", {}, {}),
        ("auto", {"NO_COLOR": ""}, {}),
        ("auto", {"NO_COLOR": "1"}, {"NO_COLOR": "1"}),
        ("none", {}, {"NO_COLOR": "1"}),
        ("256", {"NO_COLOR": "1"}, {"TEXTUAL_COLOR_SYSTEM": "256"}),
        ("16", {}, {"TEXTUAL_COLOR_SYSTEM": "standard"}),
        ("truecolor", {"TEXTUAL_COLOR_SYSTEM": "256"}, {"TEXTUAL_COLOR_SYSTEM": "truecolor"}),
    ],
)
def test_a_depth_by_name_is_what_textual_reads(color: str, before: dict[str, str], after: dict[str, str]) -> None:
    settle_colour(changed(color=color), before)
    assert before == after


async def test_no_color_has_no_colour_in_the_palette(computed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(computed) as pilot:
        assert main(pilot).palette.depth is Depth.NONE
