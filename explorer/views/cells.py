"""Stored rows, value by value of a layer: where each belongs, one row that stands for all, what seeds differ by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple

from explorer.measures import Measure
from store.keys import CheckpointKey, Result


class Place(NamedTuple):
    """One layer of one comparison: what is computed in one go, however many rows it has.

    Flat, because a view makes, sorts and looks up tens of thousands of them.
    """

    task: str
    seed: str
    step: int
    layer: int
    ref_task: str | None
    """None, as what follows, for a measure of one checkpoint alone."""
    ref_seed: str | None
    ref_step: int | None
    ref_layer: int | None

    @classmethod
    def of(cls, key: CheckpointKey, layer: int, reference: CheckpointKey | None, ref_layer: int | None) -> Place:
        """The place of a comparison of two layers; of one layer alone without a reference."""
        if reference is None:
            return cls(*key, layer, None, None, None, None)
        return cls(*key, layer, *reference, ref_layer)

    @property
    def key(self) -> CheckpointKey:
        """The checkpoint."""
        return CheckpointKey(self.task, self.seed, self.step)

    @property
    def reference(self) -> CheckpointKey | None:
        """What it is compared with; None for a measure of one checkpoint alone."""
        if self.ref_task is None or self.ref_seed is None or self.ref_step is None:
            return None
        return CheckpointKey(self.ref_task, self.ref_seed, self.ref_step)


_FIELDS = attrgetter(*Place._fields)


@dataclass(frozen=True)
class Yardstick:
    """What two seeds of one task, layer and step differ by: the mean over pairs of seeds."""

    value: float
    pairs: int


def place_of(r: Result) -> Place:
    """Where a stored row belongs."""
    return place_at(_FIELDS(r))


def place_at(row: Sequence[Any]) -> Place:
    """The same of the stored columns that a Place is named after, in its order."""
    if row[-1] is None and row[4] is not None:
        return Place._make((*row[:-1], row[3]))
    return Place._make(row)


def summaries(measure: Measure, rows: Iterable[Result]) -> Iterator[Result]:
    """One row a place: the main statistic of the whole layer.

    Where a measure gives none, the mean over heads, or else over labels, stands for it; where a layer was refused
    without naming a statistic, the refusal does.
    """
    places: dict[Place, list[Result]] = {}
    for r in rows:
        if r.example is None and r.query is None:
            places.setdefault(place_of(r), []).append(r)
    for found in places.values():
        main = [r for r in found if r.statistic == measure.main]
        unlabelled = [r for r in main if r.label_a is None and r.label_b is None]
        whole = [r for r in unlabelled if r.head is None]
        chosen = whole[:1] or unlabelled or main or [r for r in found if r.value is None][:1]
        if chosen:
            yield merged(chosen)


def merged(rows: Sequence[Result]) -> Result:
    """Several rows as one: the mean of their values. A mean has no interval of its own; one row stays as it is."""
    if len(rows) == 1:
        return rows[0]
    values = [r.value for r in rows if r.value is not None]
    nulls = [r.null_value for r in rows if r.null_value is not None]
    return replace(
        rows[0],
        head=None,
        label_a=None,
        label_b=None,
        value=sum(values) / len(values) if values else None,
        interval_low=None,
        interval_high=None,
        null_value=sum(nulls) / len(nulls) if len(nulls) == len(values) > 0 else None,
        n=min(r.n for r in rows),
        reason=next((r.reason for r in rows if r.reason and (r.value is None) == (not values)), ""),
    )


def yardsticks(measure: Measure, rows: Iterable[Result]) -> dict[tuple[str, int, int], Yardstick]:
    """By (task, layer, step): the mean over pairs of seeds of their distance, whichever of the two is the reference.

    Changes of either sign count by their size: what is asked is how far seeds are apart.
    """
    between = (
        r
        for r in rows
        if (r.task, r.step) == (r.ref_task, r.ref_step) and r.seed != r.ref_seed and r.ref_layer in (None, r.layer)
    )
    found: dict[tuple[str, int, int], dict[frozenset[str | None], list[float]]] = {}
    for r in summaries(measure, between):
        if r.value is not None:
            pairs = found.setdefault((r.task, r.layer, r.step), {})
            size = abs(r.value) if signed(measure) else r.value
            pairs.setdefault(frozenset((r.seed, r.ref_seed)), []).append(size)
    return {
        place: Yardstick(sum(sum(vs) / len(vs) for vs in pairs.values()) / len(pairs), len(pairs))
        for place, pairs in found.items()
    }


def signed(measure: Measure) -> bool:
    """Values are changes, less or more than before: zero means none (a correlation's zero means another thing)."""
    return measure.low < 0 and measure.same == 0
