"""Marking one value, and comparing others with it in every picture."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import fmean

import pytest
from textual.pilot import Pilot

from store.keys import PRETRAINED
from store.store import Store
from tests.explorer.ui.conftest import changed, main, opened, shown, text_of, until

STILL = changed(compute=False, mode="curves")


def value(path: Path, measure: str, task: str, layer: int, step: int) -> float:
    """Mean over seeds from the rows themselves; other tests may have stored more of the same measure."""
    here = ("dev", measure, task, layer, step, None, "")
    rows = [r for r in Store.open(path).results() if r.ref_task == PRETRAINED and r.ref_layer in (None, layer)]
    found = [r.value for r in rows if (r.corpus, r.measure, r.task, r.layer, r.step, r.head, r.statistic) == here]
    assert len(found) == 2
    return fmean(v for v in found if v is not None)


def places(pilot: Pilot[None], sign: str) -> list[tuple[int, int]]:
    """Column and line of a sign in the picture."""
    lines = text_of(pilot, "chart").splitlines()
    return [(x, y) for y, line in enumerate(lines) for x, char in enumerate(line) if char == sign]


async def test_a_reading_says_how_far_its_value_is_from_the_mark(computed: Path) -> None:
    async with opened(computed, config=STILL) as pilot:
        await pilot.press("up", "space")
        await shown(pilot, "is marked: readings say")
        await until(pilot, lambda: "this is the mark" in text_of(pilot, "reading"))
        await pilot.press("left", "down")
        await until(pilot, lambda: "layer 2, step 20" in text_of(pilot, "reading"))
        marked, here = value(computed, "svcca", "pos", 3, 40), value(computed, "svcca", "pos", 2, 20)
        assert here < marked
        found = re.search(r"; (\S+) less than the mark, (\S+) ± \S+ \(layer 3, step 40\)", text_of(pilot, "reading"))
        assert found is not None, text_of(pilot, "reading")
        assert float(found[1]) == pytest.approx(marked - here, rel=0.01)
        assert float(found[2]) == pytest.approx(marked, rel=0.01)
        await pilot.press("space")
        await shown(pilot, "The mark is gone.")
        assert "mark" not in text_of(pilot, "reading")


async def test_the_mark_stands_where_its_value_is_drawn_and_in_every_picture_that_has_it(computed: Path) -> None:
    async with opened(computed, config=STILL) as pilot:
        await pilot.press("up", "left")
        cursor = places(pilot, "◆")
        assert len(cursor) == 1
        await pilot.press("space")
        await until(pilot, lambda: places(pilot, "M") == cursor)
        await pilot.press("down", "right")
        await until(pilot, lambda: "mark" in text_of(pilot, "reading"))
        assert places(pilot, "M") == cursor, "it stays where it is"
        await pilot.press("3")
        await until(pilot, lambda: main(pilot).chart.view is not None and main(pilot).chart.view.name == "heat")
        ((x, y),) = places(pilot, "M")
        await pilot.press("up", "left")
        await until(pilot, lambda: "this is the mark" in text_of(pilot, "reading"))
        (left,), (right,) = places(pilot, "["), places(pilot, "]")
        assert left[0] < x < right[0]
        assert left[1] == y
        await pilot.press("t", *"sst2", "enter")
        await until(pilot, lambda: "sst2" in text_of(pilot, "heading"))
        await until(pilot, lambda: not places(pilot, "M"))


async def test_another_task_is_compared_and_another_measure_is_not(computed: Path) -> None:
    async with opened(computed, config=STILL) as pilot:
        await pilot.press("up", "space", "t", *"sst2", "enter")
        marked, here = value(computed, "svcca", "pos", 3, 40), value(computed, "svcca", "sst2", 3, 40)
        more = "more" if here > marked else "less"
        await until(pilot, lambda: f"{more} than the mark" in text_of(pilot, "reading"))
        assert "(pos)" in text_of(pilot, "reading"), "only what differs is said"
        await pilot.press("m", *"js", "enter")
        await until(pilot, lambda: "the mark is" in text_of(pilot, "reading"))
        assert "SVCCA distance" in text_of(pilot, "reading")
        assert "than the mark" not in text_of(pilot, "reading")


async def test_rows_of_a_table_are_compared_with_the_mark(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="table")) as pilot:
        await pilot.press("exclamation_mark", "space")
        await shown(pilot, "is marked: readings say")
        assert "this is the mark" in text_of(pilot, "reading")
        ((x, y),) = places(pilot, "M")
        await pilot.press("up")
        await until(pilot, lambda: "less than the mark" in text_of(pilot, "reading"))
        assert places(pilot, "M") == [(x, y)]


@pytest.mark.parametrize("mode", ["overview", "store", "curves"])
async def test_where_no_single_value_is_pointed_at_nothing_is_marked(computed: Path, mode: str) -> None:
    async with opened(computed, config=changed(compute=False, mode=mode)) as pilot:
        await pilot.press("space")
        await shown(pilot, "No single value is pointed at")
        assert main(pilot).pane.mark is None
