"""Does the screen answer keys without a meaning, keep the corpus in sight, and let one begin a statement anew?"""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.render.matrix import figures
from explorer.ui import bars
from explorer.ui.parts.exporting import file_name
from explorer.ui.state import State
from tests.explorer.ui.conftest import changed, main, opened, text_of, until


@pytest.mark.parametrize("room", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "value", [0.0, 0.21, -0.04, -2e-5, 9e-7, -0.004, 0.0996, 3.14159, -12.4, 1234.0, -2.5e9, 1e-300]
)
def test_no_number_is_cut(value: float, room: int) -> None:
    text = figures(value, room)
    assert len(text) <= room
    if text == "~0":
        assert 0 < abs(value) < 1
    elif set(text) == {"#"}:
        assert abs(value) >= 1
    else:
        assert float(text) == pytest.approx(value, rel=0.5)
        assert (float(text) == 0) == (value == 0)


def test_a_file_is_named_after_the_measure_that_is_shown() -> None:
    shown = State(mode="clusters", measure="svcca", tasks=("sst2",), corpus="dev")
    assert file_name(shown) == "clusters-clusters-sst2-dev"


def test_a_message_does_not_hide_a_warning() -> None:
    from explorer.render.palette import Depth, palette

    said = ("band: standard deviation", "! 3 of 3 pairs are unreliable")
    line = bars.notes("along the steps", said, "", "?", palette(Depth.NONE), 100)
    assert "".join(text for text, *_ in line).strip() == "along the steps · ! 3 of 3 pairs are unreliable"


async def test_a_key_without_a_meaning_says_so(computed: Path) -> None:
    async with opened(computed) as pilot:
        await until(pilot, lambda: "SVCCA" in text_of(pilot, "heading"))
        await pilot.press("X")
        await until(pilot, lambda: "X does nothing here; ? lists the keys." in text_of(pilot, "notes"))
        await pilot.press("f2")
        await until(pilot, lambda: "f2 does nothing here" in text_of(pilot, "notes"))
        await pilot.press("right")
        await until(pilot, lambda: "does nothing" not in text_of(pilot, "notes"))


async def test_the_corpus_stays_in_the_title_while_a_job_runs(computed: Path) -> None:
    async with opened(computed) as pilot:
        await until(pilot, lambda: main(pilot).catalogue is not None)
        screen = main(pilot)
        for width, expected in ((120, "corpus dev: 40 sentences"), (100, "corpus dev")):
            job = "computing svcca pos 12/70 17 %, 2 waiting  x cancels"
            line = bars.title(screen.path, screen.state, screen.catalogue, job, screen.palette, width)
            text = "".join(part for part, *_ in line)
            assert expected in text
            assert job in text


async def test_the_editor_is_emptied_by_one_key_and_by_typing(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("8", "enter")
        await until(pilot, lambda: main(pilot).modes["sql"].editor is not None and main(pilot).modes["sql"].typing)
        editor = main(pilot).modes["sql"].editor
        assert editor.text.startswith("SELECT")
        assert editor.cursor_location == editor.document.end  # a worked query is changed, not replaced
        await pilot.press("ctrl+u")
        await until(pilot, lambda: editor.text == "")
        await pilot.press(*"ab", "escape")
        await until(pilot, lambda: main(pilot).focused is main(pilot).chart)
        await pilot.press("i", *"SELECT")  # what was there is selected: typing replaces it
        await until(pilot, lambda: editor.text == "SELECT")


async def test_rows_of_a_statement_begin_at_the_first_one(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("8", "down", "down", "down")
        await until(pilot, lambda: main(pilot).picture is not None and main(pilot).picture.cursor.y == 3)
        await pilot.press("i", *"SELECT step FROM checkpoints ORDER BY 1", "f5")
        await until(pilot, lambda: "rows, 1 columns" in text_of(pilot, "subheading"), seconds=30)
        assert main(pilot).picture.cursor.y == 0


async def test_digits_in_the_cells_are_switched_for_one_mode(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="heat", measure="js")) as pilot:
        screen, seen = main(pilot), {}
        for name in ("heat", "example"):
            await pilot.press("3" if name == "heat" else "6")
            await until(pilot, lambda name=name: getattr(screen.chart.view, "name", "") == name)
            seen[name] = text_of(pilot, "chart")
        await pilot.press("3", "d")
        await until(pilot, lambda: ".0" in text_of(pilot, "chart") and text_of(pilot, "chart") != seen["heat"])
        await pilot.press("6")
        await until(pilot, lambda: getattr(screen.chart.view, "name", "") == "example" and not screen.pane.waiting)
        assert text_of(pilot, "chart") == seen["example"]
        await pilot.press("d")
        await until(pilot, lambda: text_of(pilot, "chart") != seen["example"])
        await pilot.press("3", "d")
        await until(pilot, lambda: text_of(pilot, "chart") == seen["heat"])
        assert screen.state.digits == ("example",)
