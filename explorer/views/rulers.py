"""Measure lines in another unit: in per cent of their final value, or in distances between two seeds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from explorer.answers.coordinates import STEP
from explorer.answers.rows import Rows
from explorer.fields.field import Field
from explorer.render.axes import number
from explorer.render.chart import Chart, Companion, Series, last_finite
from explorer.views import words
from explorer.views.base import PERCENT, SEEDS


@dataclass(frozen=True, eq=False)
class Ruler:
    """The unit of a value axis: values become their difference from ``zero`` in multiples of ``unit``."""

    zero: float
    unit: np.ndarray
    """Length of the unit [lines, points]; NaN where there is none."""
    name: str
    """Name of the unit, for the axis and the reading."""

    def of(self, line: int, values: np.ndarray) -> np.ndarray:
        """Return the values [points] of a line in the unit."""
        return (values - self.zero) / self.unit[line]

    def chart(self, chart: Chart, plain_name: str) -> Chart:
        """Return a chart with its lines, bands and reference curves in the unit; its axis begins at 0.

        Args:
            plain_name: name of the values without their unit.
        """
        series = tuple(self._series(i, one) for i, one in enumerate(chart.series))
        what = f"{plain_name}, difference from {self.zero:g}" if self.zero else plain_name
        return replace(chart, series=series, y_name=f"{what}: {self.name}", floor=0.0, anchor=0.0)

    def _series(self, i: int, one: Series) -> Series:
        low, high = (None if edge is None else self.of(i, edge) for edge in (one.low, one.high))
        if low is not None and high is not None:  # a negative unit turns the band round
            low, high = np.minimum(low, high), np.maximum(low, high)
        beside = tuple(Companion(c.label, self.of(i, c.y), c.dashed) for c in one.companions)
        return replace(one, y=self.of(i, one.y), low=low, high=high, companions=beside)

    def reading(self, line: int, x: int, value: float) -> str:
        """Return a value in words: '89.3 % of the final value'; empty where there is no unit."""
        found = (value - self.zero) / float(self.unit[line, x])
        return f"{number(found)} {self.name}" if np.isfinite(found) else ""


def percent(field: Field, data: Rows) -> Ruler | str:
    """Return the ruler of the lines' own final values, or why there is none."""
    if field.axes[1].name != STEP:
        return "a final value needs lines of steps, as in Curves"
    final = np.array([[last_finite(line)] for line in field.values]) - _zero(data)
    unit = np.broadcast_to(_beyond_noise(final, data) / 100, field.values.shape)
    return Ruler(_zero(data), unit, "% of the final value") if np.isfinite(unit).any() else "no line has a final value"


def between_seeds(field: Field, data: Rows) -> Ruler | str:
    """Return the ruler of the distances between two seeds at the same place, or why there is none."""
    if not data.measure.compares:
        return f"{data.measure.name} compares nothing, so two seeds have no distance"
    if data.between_seeds:
        return "these values are distances between seeds themselves"
    unit = _beyond_noise(field.yardstick - _zero(data), data)
    if not (np.isfinite(unit) & np.isfinite(field.values)).any():
        return "no distance between two seeds is computed here: compare with seeds first"
    return Ruler(_zero(data), unit, "times the distance between two seeds")


RULERS: Mapping[str, Callable[[Field, Rows], Ruler | str]] = {PERCENT: percent, SEEDS: between_seeds}
"""By the name of the scale."""


def _zero(data: Rows) -> float:
    return data.measure.same if data.measure.compares else 0.0


def _beyond_noise(unit: np.ndarray, data: Rows) -> np.ndarray:
    """Return lengths of units; NaN where one is within the noise, so that dividing by it would say nothing."""
    return np.where(np.abs(unit) > data.measure.floor, unit, np.nan)


def plain_name(data: Rows) -> str:
    """Return the name of the values without their unit."""
    return data.measure.title if data.measure.unit in data.measure.title else words.y_name(data.measure).split(" (")[0]
