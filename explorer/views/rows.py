"""The stored values of a selection, as one frozen table and as arrays [seeds, layers, steps] of a task."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from explorer.measures import Measure
from explorer.selection import Cell, Question, seed_order
from explorer.selection.stored import cell_of
from explorer.views.cells import Yardstick, by_cell, merged, summaries, yardsticks
from explorer.views.statistics import Statistics
from store.keys import PRETRAINED, recipe_of
from store.results import Result

Spot = tuple[str, str, int, int]
"""Task, seed, layer and step."""


@dataclass(frozen=True, eq=False)
class Cube:
    """One task's values of a measure's main statistic: float64 [seeds, layers, steps], NaN where there is none."""

    task: str
    seeds: tuple[str, ...]
    layers: tuple[int, ...]
    steps: tuple[int, ...]
    values: np.ndarray
    low: np.ndarray
    """Lower edge of each value's interval."""
    high: np.ndarray
    nulls: np.ndarray
    yardstick: np.ndarray
    """Distance between seeds, [layers, steps]; NaN where the store has none, or where it is the value itself."""

    def of(self, seed: str) -> np.ndarray:
        """One seed's values [layers, steps]."""
        return np.asarray(self.values[self.seeds.index(seed)])

    @cached_property
    def count(self) -> np.ndarray:
        """Seeds that have a value, [layers, steps]."""
        return np.isfinite(self.values).sum(axis=0)

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean over the seeds that have a value, [layers, steps]."""
        return _mean(self.values)

    @cached_property
    def spread(self) -> np.ndarray:
        """Standard deviation over seeds (n - 1), [layers, steps]; NaN below two seeds."""
        square = np.where(np.isfinite(self.values), self.values - self.mean, 0.0) ** 2
        return np.where(self.count > 1, np.sqrt(square.sum(axis=0) / np.maximum(self.count - 1, 1)), np.nan)

    @cached_property
    def null(self) -> np.ndarray:
        """Mean over seeds of what chance gives, [layers, steps]."""
        return _mean(self.nulls)


@dataclass(frozen=True)
class Share:
    """How much of a task is there."""

    wanted: int
    """Values that the selection asks for."""
    missing: int
    """Those that were not computed yet."""
    rows: int
    """Rows of those that were."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Everything stored of a selection."""

    question: Question
    results: tuple[Result, ...]
    """All rows, heads and label pairs included; sorted by task, seed, step, layer."""
    wanted: Collection[Cell]
    """Every value that the selection asks for, computed or not; without those of unshown tasks."""
    yardstick: Mapping[tuple[str, int | None, int], Yardstick]
    """What two seeds of a (task, layer, step) differ by; empty where that is what the selection compares."""
    left_out: int = 0
    """Rows that are too many for a table."""
    unseen: int = 0
    """Values that are stored, but whose rows are not here: too many for a table, or of other statistics."""
    unshown: Mapping[str, Share] = field(default_factory=dict)
    """Tasks of the selection that were not read."""
    statistics: Statistics | None = None
    """Those that were asked for; None: all."""
    order: tuple[str, bool] = ("", False)
    """Where some rows are left out: of all of them these come first by this column, descending or not."""

    @property
    def measure(self) -> Measure:
        """The measure that is shown."""
        return self.question.measure

    @cached_property
    def cells(self) -> tuple[Result, ...]:
        """One row a value of a layer: the measure's main statistic; layers against other layers included."""
        return tuple(summaries(self.measure, self._of_cells.values()))

    @cached_property
    def _of_cells(self) -> dict[Cell, list[Result]]:
        return by_cell(self.measure, self.results)

    @cached_property
    def main(self) -> tuple[Result, ...]:
        """The rows that curves and heat maps show: of ``cells`` those that compare a layer with itself."""
        return tuple(r for r in self.cells if r.ref_layer in (None, r.layer))

    @property
    def asked(self) -> int:
        """Values that the selection asks for, of all its tasks."""
        return len(self.wanted) + sum(share.wanted for share in self.unshown.values())

    @cached_property
    def missing(self) -> int:
        """Those that were not computed yet."""
        known = len(self._of_cells) + self.unseen
        return len(self.wanted) - known + sum(share.missing for share in self.unshown.values())

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the order of the selection, else by name, the pre-trained model last; also those without a value."""
        there = {recipe_of(*names) for names in {place[:2] for place in self.wanted}} | set(self.unshown)
        chosen = [t for t in self.question.tasks if t in there]
        return tuple(chosen or sorted(there, key=lambda task: (task == PRETRAINED, task)))

    def seeds(self, task: str) -> tuple[str, ...]:
        """Seeds of a task, numbers by their size; also those without a value."""
        there = {seed for seed, _, _ in self._wanted_spots.get(task, ())}
        chosen = there & set(self.question.seeds) if self.question.seeds else there
        return tuple(sorted(chosen or there, key=seed_order))

    @property
    def between_seeds(self) -> bool:
        """The values themselves compare seeds: there is no other yardstick."""
        return self.question.between_seeds

    def _spots(self, place: Cell | Result) -> tuple[Spot, ...]:
        """Under ``seeds`` a pair is a value of both its seeds; else of the checkpoint alone."""
        layer = place.layer
        if layer is None:
            return ()
        own = (recipe_of(place.task, place.variant), place.seed, layer, place.step)
        if not self._both or place.ref_task is None or place.ref_seed is None or place.ref_step is None:
            return (own,)
        return own, (recipe_of(place.ref_task, place.ref_variant or ""), place.ref_seed, layer, place.ref_step)

    @cached_property
    def _wanted_spots(self) -> dict[str, set[tuple[str, int, int]]]:
        """By task: seed, layer and step of every value that the selection asks for."""
        found: dict[str, set[tuple[str, int, int]]] = {}
        for place in self.wanted:
            for task, seed, layer, step in self._spots(place):
                found.setdefault(task, set()).add((seed, layer, step))
        return found

    @cached_property
    def _both(self) -> bool:
        against = self.question.against
        return against is not None and against.kind == "seeds"

    @cached_property
    def _by_spot(self) -> dict[Spot, Result]:
        found: dict[Spot, list[Result]] = {}
        axis = self.measure.layers
        for r in self.main if axis is not None and not axis.within else ():
            for spot in self._spots(r):
                found.setdefault(spot, []).append(r)
        return {spot: rs[0] if len(rs) == 1 else merged(rs) for spot, rs in found.items()}

    def at(self, task: str, seed: str, layer: int, step: int) -> Result | None:
        """The main row of one layer of one checkpoint; the mean of several when it is compared with several seeds."""
        return self._by_spot.get((task, seed, layer, step))

    def cube(self, task: str, seeds: Sequence[str]) -> Cube:
        """The values of a task and some of its seeds, with every layer and step that the selection asks for."""
        wanted = {(layer, step) for seed, layer, step in self._wanted_spots.get(task, ()) if seed in seeds}
        layers, steps = (sorted({spot[axis] for spot in wanted}) for axis in (0, 1))
        values, low, high, nulls = (np.full((len(seeds), len(layers), len(steps)), np.nan) for _ in range(4))
        seed_at, layer_at, step_at = ({v: i for i, v in enumerate(axis)} for axis in (seeds, layers, steps))
        for (of, seed, layer, step), r in self._by_spot.items():
            if of != task or seed not in seed_at or r.value is None:
                continue
            at = seed_at[seed], layer_at[layer], step_at[step]
            values[at] = r.value
            nulls[at] = np.nan if r.null_value is None else r.null_value
            if r.interval_low is not None and r.interval_high is not None:
                low[at], high[at] = r.interval_low, r.interval_high
        beside = np.full((len(layers), len(steps)), np.nan)
        for (of, where, step), one in self.yardstick.items():
            if of == task and where in layer_at and step in step_at:
                beside[layer_at[where], step_at[step]] = one.value
        return Cube(task, tuple(seeds), tuple(layers), tuple(steps), values, low, high, nulls, beside)


def layers_of(rows: Iterable[Cell | Result]) -> set[int]:
    """Return the layers of cells or rows that have one."""
    return {row.layer for row in rows if row.layer is not None}


def choose_rows(question: Question, stored: Sequence[Result], wanted: Collection[Cell]) -> Rows:
    """Of stored rows those that the question asks for, and what seeds differ by (pure)."""
    measure = question.measure
    there = frozenset(wanted) if isinstance(wanted, Sequence) else wanted
    current = [r for r in stored if r.version == measure.version]
    kept = tuple(sorted((r for r in current if cell_of(r, measure) in there), key=row_order))
    found = Rows(question, kept, wanted, {})
    if not measure.compares or found.between_seeds:
        return found
    tasks = set(found.tasks)
    return replace(found, yardstick=yardsticks(measure, (r for r in current if r.recipe in tasks)))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is finite; NaN where nothing is."""
    finite = np.isfinite(values)
    many = finite.sum(axis=0)
    return np.where(many > 0, np.where(finite, values, 0.0).sum(axis=0) / np.maximum(many, 1), np.nan)


def row_order(r: Result) -> tuple[object, ...]:
    """Sorts rows: by task, seed, step, what they are compared with, layer and what is within one."""
    place = (r.recipe, seed_order(r.seed), r.step, r.ref_recipe or "", r.ref_seed or "", r.ref_step or 0, r.layer or 0)
    parts = (-1 if r.example is None else r.example, -1 if r.query is None else r.query)
    return (*place, r.ref_layer or 0, r.axes, r.head or 0, r.statistic, r.label_a or "", r.label_b or "", *parts)
