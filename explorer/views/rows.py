"""The stored values of a selection, as one frozen table and as arrays [seeds, layers, steps] of a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures import Measure, get
from explorer.measures.base import canonical
from explorer.selection import Selection, pairs
from store.keys import PRETRAINED, CheckpointKey, Result

if TYPE_CHECKING:
    from store.store import Store


@dataclass(frozen=True, eq=False)
class Cube:
    """One task's values of a measure's main statistic: float64 [seeds, layers, steps], NaN where there is none."""

    task: str
    seeds: tuple[str, ...]
    layers: tuple[int, ...]
    steps: tuple[int, ...]
    values: np.ndarray

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
        total = np.where(np.isfinite(self.values), self.values, 0.0).sum(axis=0)
        return np.where(self.count > 0, total / np.maximum(self.count, 1), np.nan)

    @cached_property
    def spread(self) -> np.ndarray:
        """Standard deviation over seeds (n - 1), [layers, steps]; NaN below two seeds."""
        square = np.where(np.isfinite(self.values), self.values - self.mean, 0.0) ** 2
        return np.where(self.count > 1, np.sqrt(square.sum(axis=0) / np.maximum(self.count - 1, 1)), np.nan)


@dataclass(frozen=True, eq=False)
class Rows:
    """Everything stored of a selection."""

    measure: Measure
    selection: Selection
    results: tuple[Result, ...]
    """All rows, heads and label pairs included; sorted by task, seed, step, layer."""
    wanted: tuple[tuple[CheckpointKey, int], ...]
    """Every (checkpoint, layer) that the selection asks for, computed or not."""

    @cached_property
    def main(self) -> tuple[Result, ...]:
        """The rows that curves and heat maps show: one value a layer, the measure's main statistic."""
        return tuple(
            r
            for r in self.results
            if r.head is None
            and r.label_a is None
            and r.statistic == self.measure.main
            and r.ref_layer in (None, r.layer)
        )

    @cached_property
    def missing(self) -> int:
        """Values of the selection that were not computed yet."""
        return len(set(self.wanted) - {(CheckpointKey(r.task, r.seed, r.step), r.layer) for r in self.main})

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the order of the selection, else by name, the pre-trained model last; also those without a value."""
        there = {key.task for key, _ in self.wanted}
        chosen = [t for t in self.selection.tasks if t in there]
        return tuple(chosen or sorted(there, key=lambda task: (task == PRETRAINED, task)))

    def seeds(self, task: str) -> tuple[str, ...]:
        """Seeds of a task, numbers by their size; also those without a value."""
        return tuple(sorted({key.seed for key, _ in self.wanted if key.task == task}, key=_by_number))

    @cached_property
    def _by_place(self) -> dict[tuple[str, str, int, int], Result]:
        return {(r.task, r.seed, r.layer, r.step): r for r in self.main}

    def at(self, task: str, seed: str, layer: int, step: int) -> Result | None:
        """The main row of one layer of one checkpoint."""
        return self._by_place.get((task, seed, layer, step))

    def cube(self, task: str, seeds: Sequence[str]) -> Cube:
        """The values of a task and some of its seeds, with every layer and step that the selection asks for."""
        wanted = [(key, layer) for key, layer in self.wanted if key.task == task and key.seed in seeds]
        layers = sorted({layer for _, layer in wanted})
        steps = sorted({key.step for key, _ in wanted})
        values = np.full((len(seeds), len(layers), len(steps)), np.nan)
        seed_at, layer_at, step_at = ({v: i for i, v in enumerate(axis)} for axis in (seeds, layers, steps))
        for r in self.main:
            if r.task == task and r.seed in seed_at and r.value is not None:
                values[seed_at[r.seed], layer_at[r.layer], step_at[r.step]] = r.value
        return Cube(task, tuple(seeds), tuple(layers), tuple(steps), values)


def fetch(store: Store, selection: Selection) -> Rows:
    """Read a selection's stored values.

    Raises:
        BertdynError: the selection matches nothing, or the store cannot be read.
        MeasureError: there is no such measure.
    """
    measure = get(selection.measure)
    checkpoints = {c.key: c for c in store.checkpoints(selection.probe)}
    compared = pairs(selection, tuple(checkpoints))
    wanted = []
    for pair in compared:
        checkpoint = checkpoints[pair.key]
        if measure.reads == "attention" and not checkpoint.has_attention:
            continue
        for layer in range(measure.first_layer, checkpoint.layers + 1):
            if selection.layers is None or layer in selection.layers:
                wanted.append((pair.key, layer))
    stored = store.results(
        measure=selection.measure, probe=selection.probe, parameters=canonical(dict(selection.parameters))
    )
    return choose_rows(measure, selection, stored, wanted, {p.key: p.reference for p in compared})


def choose_rows(
    measure: Measure,
    selection: Selection,
    stored: Sequence[Result],
    wanted: Sequence[tuple[CheckpointKey, int]],
    references: dict[CheckpointKey, CheckpointKey | None],
) -> Rows:
    """Of stored rows those that the selection asks for (pure)."""
    layers = set(wanted)
    kept = []
    for r in stored:
        key = CheckpointKey(r.task, r.seed, r.step)
        if (key, r.layer) not in layers or r.version != measure.version:
            continue
        reference = references.get(key)
        if reference is None and r.ref_task is not None:
            continue
        if reference is not None and (r.ref_task, r.ref_seed, r.ref_step) != (
            reference.task,
            reference.seed,
            reference.step,
        ):
            continue
        kept.append(r)
    kept.sort(key=_order)
    return Rows(measure, selection, tuple(kept), tuple(wanted))


def _order(r: Result) -> tuple[object, ...]:
    place = (r.task, _by_number(r.seed), r.step, r.layer, r.head or 0)
    return (*place, r.statistic, r.label_a or "", r.label_b or "")


def _by_number(seed: str) -> tuple[int, int, str]:
    return (0, int(seed), seed) if seed.isascii() and seed.isdigit() else (1, 0, seed)
