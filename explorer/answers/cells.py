"""Choose one row per place of a measure's axes, and the distance between seeds there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import fsum

from explorer.measures import Measure
from explorer.measures.declaration import Coordinate
from store.results import Result

YardstickKey = tuple[str, int | None, int, tuple[tuple[str, Coordinate], ...]]
"""Task, layer, step and further coordinates: where two seeds are compared."""


def by_place(rows: Iterable[Result]) -> Iterable[Sequence[Result]]:
    """Group rows by corpus, operands, layers and the measure's further axes: heads, labels and statistics stay
    together."""
    found: dict[tuple[object, ...], list[Result]] = {}
    for r in rows:
        place = r.task, r.variant, r.seed, r.step, r.ref_task, r.ref_variant, r.ref_seed, r.ref_step
        found.setdefault((r.corpus, *place, r.layer, r.ref_layer, r.axes), []).append(r)
    return found.values()


def summaries(measure: Measure, places: Iterable[Sequence[Result]]) -> Iterator[Result]:
    """Yield one row per place: the main statistic of the whole layer.

    Where a measure gives none, the mean over heads, or else over labels, stands for it; where a layer was refused
    without naming a statistic, the refusal does.

    Args:
        places: the rows of each (``by_place``); those of single examples and query tokens are passed over.
    """
    for rows in places:
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


def yardsticks(measure: Measure, rows: Iterable[Result]) -> dict[YardstickKey, float]:
    """Return the mean distance over pairs of seeds, whichever of the two is the reference.

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
    found: dict[YardstickKey, dict[frozenset[str | None], list[float]]] = {}
    for r in summaries(measure, by_place(between)):
        if r.value is not None:
            pairs = found.setdefault((r.recipe, r.layer, r.step, r.axes), {})
            size = abs(r.value) if signed(measure) else r.value
            pairs.setdefault(frozenset((r.seed, r.ref_seed)), []).append(size)
    return {place: fsum(fsum(vs) / len(vs) for vs in pairs.values()) / len(pairs) for place, pairs in found.items()}


def signed(measure: Measure) -> bool:
    """Values are changes, less or more than before: zero means none (a correlation's zero means another thing)."""
    return measure.low < 0 and measure.same == 0
