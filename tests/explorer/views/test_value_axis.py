"""Do lines in per cent of their final value, or in distances between seeds, stand where the arithmetic puts them?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.export.figure import figure
from explorer.measures.base import Measure
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.ui.state import next_scale
from explorer.views.base import LINEAR, LOG, NOWHERE, PERCENT, SCALES, SEEDS, Cursor, DrawOptions, Picture, View
from explorer.views.kinds import VIEWS
from store.keys import CheckpointKey
from store.results import Result
from tests.explorer.views.samples import DISTANCE, result, rows

STEPS = (0, 100, 200)
BY_STEP = {0: 0.0, 100: 0.3, 200: 0.4}
APART = {0: 0.0, 100: 0.15, 200: 0.2}
SIMILARITY = replace(DISTANCE, title="CKA similarity", same=1.0, unit="similarity")
CHANGE = replace(DISTANCE, title="Change of entropy", low=float("-inf"), high=float("inf"), unit="bits")


def sample(measure: Measure = DISTANCE, seeds: tuple[str, ...] = ("1",), apart: bool = True, **how: object) -> Rows:
    """Layer 1 goes from 0 to 0.3 and 0.4 (a similarity from 1 to 0.7 and 0.6), layer 2 twice as far."""

    def value(seed: int, layer: int, step: int, layers: int) -> float:
        return BY_STEP[step] * layer if not measure.same else 1 - BY_STEP[step] * layer

    def pair(step: int, layer: int) -> Result:
        apart = 1 - APART[step] if measure.same else APART[step]
        return result(
            CheckpointKey.plain("sst2", "2", step), layer, apart, ref_task="sst2", ref_seed="1", ref_step=step
        )

    pairs = [pair(step, layer) for step in STEPS for layer in (0, 1, 2)]
    given = {"layers": range(3), "steps": STEPS, "value": value, "others": pairs if apart else ()}
    return rows(seeds=seeds, measure=measure, **{**given, **how})  # type: ignore[arg-type]


def drawn(view: View, scale: str, at: Cursor = NOWHERE, width: int = 160) -> Picture:
    return view.draw(width, 30, palette(Depth.NONE), at, DrawOptions(scale=scale))


def painted(view: View, scale: str) -> list[list[float]]:
    """The lines of a figure, without its marks and reference curves."""
    axes = figure(view, options=DrawOptions(scale=scale)).axes[0]
    return [line.get_ydata().tolist() for line in axes.get_lines() if len(line.get_xdata()) == 3][:3]


@pytest.mark.parametrize("measure", [DISTANCE, SIMILARITY])
def test_per_cent_of_the_final_value(measure: Measure) -> None:
    view = VIEWS["curves"].build(sample(measure))
    nothing, one, two = painted(view, PERCENT)
    assert np.isnan(nothing).all()  # layer 0 does not change
    assert one == pytest.approx([0, 75, 100])
    assert two == pytest.approx([0, 75, 100])
    reading = drawn(view, PERCENT, Cursor(1, 2)).reading
    assert reading.startswith(f"layer 2, step 100: {'0.400' if measure.same else '0.600'}; ")  # as it is stored
    assert "; 75.0 % of the final value" in reading


@pytest.mark.parametrize("measure", [DISTANCE, SIMILARITY])
def test_multiples_of_the_distance_between_two_seeds(measure: Measure) -> None:
    view = VIEWS["curves"].build(sample(measure))
    nothing, one, two = painted(view, SEEDS)
    for line, expected in ((nothing, 0), (one, 2), (two, 4)):
        assert np.isnan(line[0])  # at step 0 two seeds do not differ: there is no unit
        assert line[1:] == pytest.approx([expected] * 2)
    assert "; 4.00 times the distance between two seeds" in drawn(view, SEEDS, Cursor(1, 2)).reading


def test_the_axis_names_its_unit() -> None:
    names = {LINEAR: "SVCCA distance", PERCENT: "SVCCA distance: % of the final value"}
    names[SEEDS] = "SVCCA distance: times the distance between two seeds"
    for scale, name in names.items():
        view = VIEWS["curves"].build(sample())
        assert to_text(drawn(view, scale).lines).splitlines()[0].strip() == name
        assert figure(view, options=DrawOptions(scale=scale)).axes[0].get_ylabel() == name
    similar = VIEWS["curves"].build(sample(SIMILARITY))
    expected = "CKA similarity, difference from 1: % of the final value"
    assert to_text(drawn(similar, PERCENT).lines).splitlines()[0].strip() == expected


def test_a_falling_line_of_changes_keeps_its_band_the_right_way_round() -> None:
    data = sample(CHANGE, ("1", "2"), value=lambda seed, layer, step, layers: -BY_STEP[step] * layer * seed)
    view = VIEWS["curves"].build(data)
    axes = figure(view, Cursor(0, 2), DrawOptions(scale=PERCENT)).axes[0]
    edges = axes.collections[-1].get_paths()[0].vertices
    at = edges[edges[:, 0] == 200][:, 1]
    sd = 0.8 / np.sqrt(2)  # of -0.8 and -1.6; their mean is -1.2
    assert (at.min(), at.max()) == pytest.approx((100 * (1 - sd / 1.2), 100 * (1 + sd / 1.2)))


def test_where_there_is_no_unit_the_scale_stays_linear_and_a_note_says_why() -> None:
    alone = sample(apart=False)
    for view, scale, why in (
        (VIEWS["curves"].build(alone), SEEDS, "no distance between two seeds is computed here"),
        (VIEWS["profile"].build(alone), PERCENT, "a final value needs lines of steps"),
        (VIEWS["heat"].build(alone), PERCENT, "this unit is for lines"),
        (VIEWS["seeds"].build(alone), SEEDS, "this unit is for lines"),
        (VIEWS["curves"].build(sample(CHANGE)), LOG, "changes below zero have no logarithm"),
        (VIEWS["curves"].build(sample(value=lambda *_: 0.0)), PERCENT, "no line has a final value"),
        (VIEWS["curves"].build(replace(alone, question=replace(alone.question, against=None)), look=Look()), SEEDS, ""),
    ):
        assert why in view.refused_scales[scale]
        assert f"linear scale: {view.refused_scales[scale]}" in drawn(view, scale).notes
        plain, asked = (to_text(drawn(view, name).lines) for name in (LINEAR, scale))
        assert plain == asked


def test_profile_has_distances_between_seeds_too() -> None:
    view = VIEWS["profile"].build(sample())
    first, second, third = painted(view, SEEDS)
    assert np.isnan(first).all()
    assert second == third == pytest.approx([0, 2, 4])


def test_the_key_goes_round_all_scales_and_passes_over_what_is_refused() -> None:
    seen, options = [], DrawOptions()
    for _ in SCALES:
        options, passed = next_scale(options, ())
        seen.append(options.scale)
        assert passed == ()
    assert seen == [LOG, PERCENT, SEEDS, LINEAR]
    assert next_scale(DrawOptions(scale=PERCENT), {SEEDS}) == (DrawOptions(), (SEEDS,))
    assert next_scale(DrawOptions(), {LOG, PERCENT}) == (DrawOptions(scale=SEEDS), (LOG, PERCENT))
    assert next_scale(DrawOptions(scale="unknown"), ()) == (DrawOptions(), ())
