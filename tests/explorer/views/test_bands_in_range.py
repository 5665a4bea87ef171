"""Do bands stay within the possible values of a measure, on the screen and in figures?"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from explorer.answers.corpora import together
from explorer.answers.look import Look
from explorer.answers.profiles import Profile
from explorer.answers.rows import Rows
from explorer.export.figure import figure
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views.base import NOWHERE, DrawOptions, View
from explorer.views.kinds import VIEWS
from explorer.views.lines import Lines, curves
from tests.explorer.views.samples import DISTANCE, rows

CHANGE = replace(DISTANCE, low=float("-inf"), high=float("inf"))
SIZES = {1: 0.02, 2: 0.8}
"""Values of two seeds: their standard deviation is larger than their mean."""


def sample(**how: object) -> Rows:
    given = {"seeds": ("1", "2"), "layers": range(3), "steps": (0, 10, 20)}
    return rows(**{**given, "value": lambda seed, layer, step, layers: SIZES[seed] * step / 20, **how})  # type: ignore


def lowest_tick(view: View) -> float:
    lines = to_text(view.draw(100, 30, palette(Depth.EIGHT_BIT), NOWHERE, DrawOptions()).lines).splitlines()
    return min(float(found[1]) for line in lines if (found := re.match(r"\s*(-?[\d.]+)┤", line)))


def lowest_of_figure(view: View) -> tuple[float, float]:
    axes = figure(view).axes[0]
    edges = [path.vertices[:, 1].min() for band in axes.collections for path in band.get_paths()]
    return min(edges), axes.get_ylim()[0]


@pytest.mark.parametrize("name", ["curves", "seeds"])
def test_a_band_of_distances_ends_at_zero(name: str) -> None:
    view = VIEWS[name].build(sample())
    assert lowest_tick(view) == 0
    axes = figure(view).axes
    assert all(place.get_ylim()[0] == 0 for place in axes)
    edges = [path.vertices[:, 1] for place in axes for band in place.collections for path in band.get_paths()]
    assert np.concatenate(edges).min() == 0
    assert np.concatenate(edges).max() == pytest.approx(0.41 + 0.78 / np.sqrt(2))


def test_a_band_of_changes_may_lie_below_zero() -> None:
    view = VIEWS["curves"].build(sample(measure=CHANGE))
    edge, axis = lowest_of_figure(view)
    assert edge == pytest.approx(0.41 - 0.78 / np.sqrt(2))
    assert axis < edge


def test_an_interval_ends_at_the_range_too() -> None:
    view = VIEWS["curves"].build(sample(seeds=("1",), interval_low=-0.1, interval_high=1.2))
    assert isinstance(view, Lines)
    for one in view.chart.chart.series:
        assert one.low is not None
        assert one.high is not None
        assert (one.low.min(), one.high.max()) == (0, 1)


def test_a_gap_between_corpora_keeps_its_sign() -> None:
    """Its interval on both sides of zero is what it says."""
    data = sample(seeds=("1",), interval_low=0.0, interval_high=0.1)
    other = replace(data, results=tuple(r._replace(corpus="ewt") for r in data.results))
    both = together(data.question, (data, other))
    view = curves(data, corpora=both, look=Look(part="corpus", layer=2))
    gap = next(one for one in view.chart.chart.series if "-" in one.label)
    assert gap.low is not None
    assert gap.low.min() < 0


def test_a_profile_of_several_quantities_keeps_to_their_ranges() -> None:
    assert Profile(DISTANCE, {1: (0.02, 0.9)}).range == (0, 1)
    assert Profile(CHANGE, {1: (0.02, 0.9)}).range == (-np.inf, np.inf)
    assert Profile(DISTANCE, {1: (0.02, 0.9)}, statistic="change").range == (-np.inf, np.inf)
