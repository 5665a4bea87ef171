"""The key that asks what the values of a picture are worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from explorer.compute.requests import Compute
from explorer.measures.computation import Uncertainty
from explorer.ui.dialogs.picker import PickerScreen
from explorer.ui.messages import Ended, Progress
from tests.explorer.ui.conftest import changed, main, opened, shown, text_of, until

STILL = changed(compute=False, mode="curves")


def listed(pilot: Pilot[None]) -> list[str]:
    shown_list = pilot.app.screen.query_one(OptionList)
    return [str(shown_list.get_option_at_index(i).prompt) for i in range(shown_list.option_count)]


def caught(pilot: Pilot[None]) -> list[Compute]:
    """Requests from now on; nothing is computed."""
    asked: list[Compute] = []
    main(pilot).jobs.start = lambda request, asked_for=False, **more: asked.append(request)  # type: ignore[assignment]
    return asked


async def test_interval_chance_and_seeds_are_offered_with_the_number_of_values(computed: Path) -> None:
    async with opened(computed, config=STILL) as pilot:
        asked = caught(pilot)
        await pilot.press("equals_sign")
        await until(pilot, lambda: isinstance(pilot.app.screen, PickerScreen) and len(listed(pilot)) == 7)
        every, interval, chance, seeds, *everywhere = listed(pilot)
        assert ("interval over examples" in interval, "8 values" in interval) == (True, True)
        assert ("chance level" in chance, "8 values" in chance) == (True, True)
        assert ("what two seeds differ by" in seeds, "4 values" in seeds) == (True, True), "4 layers, one pair"
        assert ("interval and chance and seeds" in every, "20 values" in every) == (True, True), "what enter takes"
        assert ["all steps" in row and ("24 values" in row or "12 values" in row) for row in everywhere] == [True] * 3
        assert asked == []
        await pilot.press(*"chance", "enter")
        await shown(pilot, "Computing chance level")
        assert [(a.selection.measure, a.trust) for a in asked] == [("svcca", Uncertainty(null=5))]
        assert str(asked[0].selection.steps) == "40", "the step that is pointed at"


async def test_at_a_step_that_is_pointed_at_only_its_values_are_asked_for(computed: Path) -> None:
    async with opened(computed, config=STILL) as pilot:
        asked = caught(pilot)
        await pilot.press("left", "equals_sign")
        await until(pilot, lambda: isinstance(pilot.app.screen, PickerScreen) and "8 values" in listed(pilot)[1])
        await pilot.press(*"all", "enter")
        await until(pilot, lambda: len(asked) == 3)
        assert [str(a.selection.steps) for a in asked] == ["20"] * 3
        assert [str(a.selection.against) for a in asked] == ["pretrained", "pretrained", "seeds"]


async def test_what_a_measure_cannot_give_says_why(labelled: Path) -> None:
    async with opened(labelled, config=changed(compute=False, mode="curves", measure="clusters")) as pilot:
        asked = caught(pilot)
        await until(pilot, lambda: main(pilot).chart.view is not None)
        await pilot.press("equals_sign", *"one checkpoint")
        await until(pilot, lambda: isinstance(pilot.app.screen, PickerScreen) and len(listed(pilot)) == 1)
        await pilot.press("enter")
        await shown(pilot, "clusters is a value of one checkpoint")
        assert asked == []


@pytest.mark.parametrize(
    ("how", "reason", "seconds"), [("done", "", ", about 6 s"), ("done", "a layer failed", ""), ("cancelled", "", "")]
)
async def test_after_a_finished_job_like_it_a_price_has_seconds(
    computed: Path, how: Literal["done", "cancelled"], reason: str, seconds: str
) -> None:
    async with opened(computed, config=STILL) as pilot:
        screen = main(pilot)
        ticks = iter((100.0, 103.0))
        screen.computing.clock = lambda: next(ticks)
        await until(pilot, lambda: screen.question is not None)
        assert screen.question is not None
        like = Compute(replace(screen.question.selection, tasks=("sst2",)), trust=Uncertainty(null=5))
        screen.on_progress(Progress(0, 12, "", like))
        screen.on_ended(Ended(like, how, reason))
        await pilot.press("equals_sign")
        await until(pilot, lambda: isinstance(pilot.app.screen, PickerScreen) and len(listed(pilot)) == 7)
        everywhere = next(row for row in listed(pilot) if "chance, all steps" in row)
        assert everywhere.rstrip().endswith(f"24 values{seconds}"), "3 s for 12 values"
        assert not any("about" in row for row in listed(pilot) if "chance" not in row), "other values, other times"


@pytest.mark.slow
async def test_once_computed_the_reading_ends_in_a_word(computed_alone: Path) -> None:
    async with opened(computed_alone, config=STILL) as pilot:
        await pilot.press("up", "equals_sign", *"seeds", "enter")
        await shown(pilot, "Computing what two seeds differ by")
        await until(pilot, lambda: "seeds differ by" in text_of(pilot, "reading"))
        await until(pilot, lambda: text_of(pilot, "notes").strip().startswith("Computed."))
        assert any(word in text_of(pilot, "reading") for word in ("within seeds", "beyond seeds"))


async def test_without_values_there_is_nothing_to_judge(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="store")) as pilot:
        await pilot.press("equals_sign")
        await shown(pilot, "There is no value here that could be judged.")


@pytest.fixture
def computed_alone(computed: Path, tmp_path: Path) -> Path:
    """A copy to compute in."""
    import shutil

    return Path(shutil.copytree(computed, tmp_path / "alone.bertdyn"))
