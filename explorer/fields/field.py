"""Labelled arrays: values along named axes, with what belongs to each value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from explorer.answers.cells import YardstickKey, merged
from explorer.answers.coordinates import CORPUS, SEED, STEP, TASK, coordinate
from explorer.measures.declaration import LAYER, Coordinate
from explorer.render.axes import number
from explorer.render.text import clean
from store.results import Result

Index = tuple[int, ...]


@dataclass(frozen=True)
class FieldAxis:
    """One axis of a field: its name, and the place of each index in order."""

    name: str
    places: tuple[Coordinate, ...]
    title: str = ""
    """Name of the axis in words; empty: the name itself."""

    @property
    def words(self) -> str:
        """The name in words."""
        return self.title or self.name

    @property
    def numeric(self) -> bool:
        """Whether all places are numbers."""
        return not any(isinstance(place, str) for place in self.places)

    def said(self, i: int) -> str:
        """Return a place in words: 'layer 3', 'step 1,000', 'sst2'."""
        return self.tick(i) if self.name in (TASK, CORPUS, ALL) else f"{self.words} {self.tick(i)}"

    def label(self, i: int) -> str:
        """Return the name of the line of a place: 'L3', 'seed 1', 'query'."""
        if self.name == LAYER.name:
            return f"L{self.places[i]}"
        return clean(self.tick(i) if not self.numeric and self.name != SEED else self.said(i))

    def tick(self, i: int) -> str:
        """Return a place as the name of a row or column of a map."""
        place = self.places[i]
        return f"{place:,}" if isinstance(place, int) else number(place) if isinstance(place, float) else place


ALL = "all"
"""Name of the one-place axis of values that have no axis of their own."""


@dataclass(frozen=True)
class Point:
    """One value of a field, with what belongs to it; None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    null: float | None
    yardstick: float | None
    spread: float | None
    count: int
    """Number of values that it is the mean of."""
    averaged: int
    """Number of seeds or tasks that could have a value in the mean."""
    there: bool
    """A row is stored for it, with or without a value."""
    reason: str
    unit: str


@dataclass(frozen=True, eq=False)
class Field:
    """Values along axes; every array has the shape of the axes, NaN where there is nothing."""

    axes: tuple[FieldAxis, ...]
    values: np.ndarray
    """float64"""
    low: np.ndarray
    """Lower end of each value's interval."""
    high: np.ndarray
    null: np.ndarray
    """Value by chance."""
    yardstick: np.ndarray
    """Mean distance between two seeds at the same place."""
    spread: np.ndarray
    """Standard deviation (n - 1) over what was averaged."""
    count: np.ndarray
    """int64: number of values that each is the mean of."""
    averaged: np.ndarray
    """int64: number of seeds or tasks that could have a value in each mean."""
    there: np.ndarray
    """bool: a row is stored, with or without a value."""
    reasons: Mapping[Index, str]
    """Reasons of refused values, and warnings."""
    unit: str = ""

    @cached_property
    def empty(self) -> bool:
        """Whether there is no finite value."""
        return not bool(np.isfinite(self.values).any())

    @property
    def refused(self) -> np.ndarray:
        """bool: a row is stored that has no value."""
        return self.there & ~np.isfinite(self.values)

    def places(self, name: str) -> tuple[Coordinate, ...]:
        """Return the places along an axis; nothing where there is no such axis."""
        return next((axis.places for axis in self.axes if axis.name == name), ())

    def point(self, *index: int) -> Point:
        """Return one value."""
        arrays = self.values, self.low, self.high, self.null, self.yardstick, self.spread
        value, low, high, null, yardstick, spread = (real(float(array[index])) for array in arrays)
        many, most, there = int(self.count[index]), int(self.averaged[index]), bool(self.there[index])
        return Point(
            value, low, high, null, yardstick, spread, many, most, there, self.reasons.get(index, ""), self.unit
        )

    def at(self, name: str, place: Coordinate) -> Field:
        """Return the values at one place of an axis, without that axis."""
        axis = self._number(name)
        i = self.axes[axis].places.index(place)
        reasons = {index[:axis] + index[axis + 1 :]: text for index, text in self.reasons.items() if index[axis] == i}
        return self._each(lambda array: np.take(array, i, axis), self._without(axis), reasons)

    def over(self, name: str, complete: bool = False) -> Field:
        """Return the mean over an axis, with its standard deviation; over a single place, the values as they are.

        A mean has no interval of its own. A yardstick stays where it is the same along the axis.

        Args:
            complete: only where every place of the axis has a value.
        """
        axis = self._number(name)
        if len(self.axes[axis].places) == 1:
            return self.at(name, self.axes[axis].places[0])
        values = np.moveaxis(self.values, axis, 0)
        if not len(values):
            return plain_field(self._without(axis), np.full(values.shape[1:], np.nan), self.unit)
        finite = np.isfinite(values)
        count = finite.sum(axis=0)
        mean = mean_of(values)
        square = np.where(finite, values - mean, 0.0) ** 2
        spread = np.where(count > 1, np.sqrt(square.sum(axis=0) / np.maximum(count - 1, 1)), np.nan)
        nulls = np.moveaxis(self.null, axis, 0)
        null, yardsticks = mean_of(nulls), np.moveaxis(self.yardstick, axis, 0)
        if complete:
            mean[~finite.all(0)] = spread[~finite.all(0)] = np.nan
            null[~np.isfinite(nulls).all(0)] = np.nan
        none = np.full_like(mean, np.nan)
        alike = (yardsticks == yardsticks[:1]).all(0)
        joined: dict[Index, set[str]] = {}
        for index, text in self.reasons.items():
            joined.setdefault(index[:axis] + index[axis + 1 :], set()).add(text)
        return Field(
            self._without(axis), mean, none, none, null, np.where(alike, yardsticks[0], np.nan), spread, count,
            np.asarray(self.averaged.sum(axis=axis)),
            np.asarray(self.there.any(axis=axis)), {index: "; ".join(sorted(texts)) for index, texts in joined.items()},
            self.unit,
        )  # fmt: skip

    def along(self, *names: str) -> Field:
        """Return the same values with the axes in this order."""
        order = [self._number(name) for name in names]
        reasons = {tuple(index[axis] for axis in order): text for index, text in self.reasons.items()}
        return self._each(lambda array: array.transpose(order), tuple(self.axes[axis] for axis in order), reasons)

    def reordered(self, axis: int, order: Sequence[int]) -> Field:
        """Return the same values with the places of one axis in another order."""
        one = self.axes[axis]
        axes = (*self.axes[:axis], replace(one, places=tuple(one.places[i] for i in order)), *self.axes[axis + 1 :])
        to = {old: new for new, old in enumerate(order)}
        reasons = {(*i[:axis], to[i[axis]], *i[axis + 1 :]): text for i, text in self.reasons.items()}
        return self._each(lambda array: np.take(array, order, axis), axes, reasons)

    def _each(
        self, made: Callable[[np.ndarray], np.ndarray], axes: tuple[FieldAxis, ...], reasons: Mapping[Index, str]
    ) -> Field:
        arrays: dict[str, Any] = {name: made(getattr(self, name)) for name in ARRAYS}
        return replace(self, axes=axes, reasons=reasons, **arrays)

    def _number(self, name: str) -> int:
        return [axis.name for axis in self.axes].index(name)

    def _without(self, axis: int) -> tuple[FieldAxis, ...]:
        return self.axes[:axis] + self.axes[axis + 1 :]


_COUNTS = ("count", "averaged", "there")
ARRAYS = ("values", "low", "high", "null", "yardstick", "spread", "count", "averaged", "there")


def mean_of(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is finite; NaN where nothing is."""
    finite = np.isfinite(values)
    many = finite.sum(axis=0)
    return np.where(many > 0, np.where(finite, values, 0.0).sum(axis=0) / np.maximum(many, 1), np.nan)


def field_of(
    axes: Sequence[FieldAxis], rows: Iterable[Result], yardsticks: Mapping[YardstickKey, float] | None = None
) -> Field:
    """Lay rows out along axes; rows at no place of an axis are left out, several at one place are averaged.

    Args:
        yardsticks: distance between seeds by task, layer, step and further coordinates; the rows are of one task.
    """
    shape = tuple(len(axis.places) for axis in axes)
    number_of = [{place: i for i, place in enumerate(axis.places)} for axis in axes]
    readers = [coordinate(axis.name) for axis in axes]
    found: dict[Index, list[Result]] = {}
    for r in rows:
        index = tuple(
            numbers.get(read(r), -1)  # type: ignore[arg-type]
            for numbers, read in zip(number_of, readers, strict=True)
        )
        if -1 not in index:
            found.setdefault(index, []).append(r)
    values, low, high, null, yardstick = (np.full(shape, np.nan) for _ in range(5))
    there, reasons = np.zeros(shape, bool), dict[Index, str]()
    unit = ""
    for index, several in found.items():
        r = merged(several)
        there[index], unit = True, unit or r.unit
        if r.reason:
            reasons[index] = r.reason
        if r.value is None:
            continue
        values[index] = r.value
        null[index] = np.nan if r.null_value is None else r.null_value
        if r.interval_low is not None and r.interval_high is not None:
            low[index], high[index] = r.interval_low, r.interval_high
    if yardsticks:
        _beside(yardstick, axes, number_of, yardsticks)
    none, count = np.full(shape, np.nan), np.isfinite(values).astype(np.int64)
    one = np.ones(shape, np.int64)
    return Field(tuple(axes), values, low, high, null, yardstick, none, count, one, there, reasons, unit)


def _beside(
    yardstick: np.ndarray,
    axes: Sequence[FieldAxis],
    number_of: Sequence[Mapping[Coordinate, int]],
    yardsticks: Mapping[YardstickKey, float],
) -> None:
    """Write the distances between seeds beside values that they can be compared with: not those of single heads."""
    for (_, layer, step, further), value in yardsticks.items():
        known: dict[str, Coordinate | None] = {LAYER.name: layer, STEP: step, **dict(further)}
        index = tuple(
            slice(None) if axis.name in (SEED, ALL) else numbers.get(known.get(axis.name, ""), -1)  # type: ignore[arg-type]
            for axis, numbers in zip(axes, number_of, strict=True)
        )
        if -1 not in index:
            yardstick[index] = value


def stacked(name: str, fields: Mapping[str, Field]) -> Field:
    """Lay fields of the same axes side by side along a new first axis; their places are those of any of them."""
    first = next(iter(fields.values()))
    axes = [
        replace(axis, places=tuple(sorted({p for field in fields.values() for p in field.axes[i].places}, key=_order)))
        for i, axis in enumerate(first.axes)
    ]
    shape = (len(fields), *(len(axis.places) for axis in axes))
    arrays = {n: np.full(shape, 0 if n in _COUNTS else np.nan, getattr(first, n).dtype) for n in ARRAYS}
    reasons: dict[Index, str] = {}
    for i, field in enumerate(fields.values()):
        number_of = [{place: j for j, place in enumerate(axis.places)} for axis in axes]
        where = [[numbers[p] for p in axis.places] for numbers, axis in zip(number_of, field.axes, strict=True)]
        for n, array in arrays.items():
            array[i][np.ix_(*where)] = getattr(field, n)
        for index, text in field.reasons.items():
            reasons[(i, *(places[j] for places, j in zip(where, index, strict=True)))] = text
    return Field((FieldAxis(name, tuple(fields)), *axes), reasons=reasons, unit=first.unit, **arrays)


def plain_field(axes: Sequence[FieldAxis], values: np.ndarray, unit: str = "") -> Field:
    """Return values without anything beside them; a value that is not finite is not there."""
    none, finite = np.full(values.shape, np.nan), np.isfinite(values)
    one = np.ones(values.shape, np.int64)
    return Field(tuple(axes), values, none, none, none, none, none, finite.astype(np.int64), one, finite, {}, unit)


def _order(place: Coordinate) -> tuple[bool, Coordinate]:
    return isinstance(place, str), place


def real(value: float) -> float | None:
    """Return a number, and None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
