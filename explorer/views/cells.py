"""Stored rows, cell by cell: one row that stands for all, and what seeds differ by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import fsum

from explorer.measures import Measure
from explorer.selection import Cell
from explorer.selection.stored import cell_of
from store.results import Result


@dataclass(frozen=True)
class Yardstick:
    """What two seeds of one task, layer and step differ by: the mean over pairs of seeds."""

    value: float
    pairs: int


def by_cell(measure: Measure, rows: Iterable[Result]) -> dict[Cell, list[Result]]:
    """Return the rows of each cell."""
    found: dict[Cell, list[Result]] = {}
    for r in rows:
        found.setdefault(cell_of(r, measure), []).append(r)
    return found


def summaries(measure: Measure, cells: Iterable[Sequence[Result]]) -> Iterator[Result]:
    """One row per cell: the main statistic of the whole layer.

    Where a measure gives none, the mean over heads, or else over labels, stands for it; where a layer was refused
    without naming a statistic, the refusal does.

    Args:
        cells: the rows of each; those of single examples and query tokens are passed over.
    """
    for rows in cells:
        found = [r for r in rows if r.example is None and r.query is None]
        if len(found) == 1 and found[0].statistic == measure.main:
            yield found[0]
            continue
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
    return rows[0]._replace(
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


def yardsticks(measure: Measure, rows: Iterable[Result]) -> dict[tuple[str, int | None, int], Yardstick]:
    """By (task, layer, step): the mean over pairs of seeds of their distance, whichever of the two is the reference.

    Changes of either sign count by their size: what is asked is how far seeds are apart.
    """
    between = (
        r
        for r in rows
        if r.seed != r.ref_seed
        and r.step == r.ref_step
        and (r.task, r.variant) == (r.ref_task, r.ref_variant)
        and r.ref_layer in (None, r.layer)
    )
    found: dict[tuple[str, int | None, int], dict[frozenset[str | None], list[float]]] = {}
    for r in summaries(measure, by_cell(measure, between).values()):
        if r.value is not None:
            pairs = found.setdefault((r.recipe, r.layer, r.step), {})
            size = abs(r.value) if signed(measure) else r.value
            pairs.setdefault(frozenset((r.seed, r.ref_seed)), []).append(size)
    return {
        place: Yardstick(fsum(fsum(vs) / len(vs) for vs in pairs.values()) / len(pairs), len(pairs))
        for place, pairs in found.items()
    }


def signed(measure: Measure) -> bool:
    """Values are changes, less or more than before: zero means none (a correlation's zero means another thing)."""
    return measure.low < 0 and measure.same == 0
