"""Compare one measure with all others that have values: a point for each layer and step, and how well ranks agree.

A point is the mean over the seeds that have both values. Changes count by how far they are from a checkpoint against
itself, so that a distance and a similarity that say the same have a rank correlation of +1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from explorer.answers.look import Look
from explorer.answers.profiles import rank_correlation
from explorer.answers.rows import Rows
from explorer.answers.stored_measures import stored_measures
from explorer.measures import Measure
from explorer.selection import Question
from store.keys import PRETRAINED

if TYPE_CHECKING:
    from store.store import Store

FEWEST = 3
"""Smallest number of points that have a rank correlation."""
Place = tuple[int, int]
"""Step and layer."""


@dataclass(frozen=True, eq=False)
class Pairing:
    """One measure beside the chosen one."""

    measure: Measure
    annotation: str
    points: Mapping[Place, tuple[float, float]]
    """Values of the chosen measure and of this one, by step and layer, ascending."""
    noise: int
    """Places left out, because the chosen measure or this one is within rounding there."""
    rho: float | None
    """Spearman's rank correlation of the points; None with fewer than FEWEST, or if one of the measures is constant."""

    @property
    def name(self) -> str:
        """The measure with its labels."""
        return self.measure.name + (f" ({self.annotation})" if self.annotation else "")


@dataclass(frozen=True, eq=False)
class Agreement:
    """The measures beside the chosen one, in one task."""

    rows: Rows
    """Stored values of the chosen measure."""
    task: str
    pairings: tuple[Pairing, ...]


def agreement(store: Store, question: Question, look: Look, found: Rows) -> Agreement:
    """Return how the chosen measure agrees with the others in the first task.

    Args:
        found: values of the chosen measure.

    Raises:
        BertdynError: the store cannot be read.
    """
    task = next((name for name in found.tasks if name != PRETRAINED), "")
    ours = _by_place(found, task)
    steps = tuple(sorted({step for step, _ in ours}))
    others = stored_measures(store, question, (task,), steps, question.against) if steps else ()
    return Agreement(replace(found, unshown={}), task, tuple(_pairings(found.measure, ours, others, task)))


def _pairings(
    measure: Measure, ours: Mapping[Place, Mapping[str, float]], others: Iterable[Rows], task: str
) -> Iterator[Pairing]:
    for rows in others:
        if rows.measure.compares != measure.compares:
            continue
        theirs, points, noise = _by_place(rows, task), {}, 0
        for place in sorted(ours.keys() & theirs.keys()):
            both = ours[place].keys() & theirs[place].keys()
            if not both:
                continue
            pair = (fmean(ours[place][seed] for seed in both), fmean(theirs[place][seed] for seed in both))
            if _within_noise(measure, pair[0]) or _within_noise(rows.measure, pair[1]):
                noise += 1
            else:
                points[place] = pair
        rho = None
        if len(points) >= FEWEST:
            sides = zip(*points.values(), strict=True)
            rho = rank_correlation(*(_amounts(m, side) for m, side in zip((measure, rows.measure), sides, strict=True)))
        if points:
            yield Pairing(rows.measure, rows.question.annotation, points, noise, rho)


def _by_place(rows: Rows, task: str) -> dict[Place, dict[str, float]]:
    """Return the values of single layers of a task, by step and layer and then by seed."""
    found: dict[Place, dict[str, float]] = {}
    for r in rows.of(task):
        if r.value is not None and r.layer is not None and not r.axes:
            found.setdefault((r.step, r.layer), {})[r.seed] = r.value
    return found


def _within_noise(measure: Measure, value: float) -> bool:
    return measure.compares and abs(value - measure.same) < measure.floor


def _amounts(measure: Measure, values: Iterable[float]) -> list[float]:
    """Return how far values are from a checkpoint against itself; those of a measure that compares nothing stay."""
    sign = -1 if measure.compares and measure.same else 1
    return [sign * (value - (measure.same if measure.compares else 0.0)) for value in values]
