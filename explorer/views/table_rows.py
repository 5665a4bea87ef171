"""Every row of a selection, or as many as a table takes: the first ones of an order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from explorer.selection import Selection
from explorer.views.asked import Asked, shares
from explorer.views.cells import Place, Yardstick, place_of, yardsticks
from explorer.views.rows import Rows, choose_rows, row_order
from explorer.views.statistics import Statistics, chosen
from explorer.views.wanted import Wanted
from store.keys import Result

if TYPE_CHECKING:
    from store.store import Store

MOST_PARTS = 100_000
"""Rows of single examples and query tokens that a table takes; a corpus can have millions of them."""
_KINDS = 200
_ASKED = 100
"""Pages of an order that are looked through for rows that belong to a selection."""
_SORTED = {f.name: f.name for f in fields(Result)} | {"null": "null_value"}
"""Columns of a table that the store can sort by, and what it calls them."""


@dataclass(frozen=True)
class Counts:
    """How much of a selection there is, whatever order it is shown in."""

    known: int
    """Values that are computed."""
    rows: int
    """Their rows, of the statistics that are asked for."""
    parts: int
    """Rows of single examples and query tokens."""
    statistics: Statistics | None
    """Those that are asked for; None: all."""

    @property
    def narrower(self) -> str:
        """A condition on the rows."""
        if self.statistics is None:
            return ""
        named = ", ".join("'" + name.replace("'", "''") + "'" for name in self.statistics.shown)
        return f" and {f'statistic in ({named})' if named else 'false'}"


def fetch_counts(store: Store, selection: Selection, statistic: str = "") -> Counts:
    """Count the rows of a selection.

    Args:
        statistic: rows of these statistics alone (see ``Look``).

    Raises:
        BertdynError: the selection matches nothing, or the store cannot be read.
        MeasureError: there is no such measure.
    """
    wanted = Wanted(store, selection)
    asked = Asked.of(store, wanted, wanted.tasks)
    there = chosen(asked.statistics(), statistic, wanted.measure.main) if statistic else None
    counts = Counts(0, 0, 0, there)
    everything = shares(store, wanted, wanted.tasks)
    narrowed = shares(store, wanted, wanted.tasks, counts.narrower) if statistic else everything
    known = sum(share.wanted - share.missing for share in everything.values())
    rows = sum(share.rows for share in narrowed.values())
    return replace(counts, known=known, rows=rows, parts=asked.count(_parts(asked) + counts.narrower))


def fetch_table(
    store: Store,
    selection: Selection,
    counts: Counts,
    most: int | None = None,
    order: tuple[str, bool] = ("", False),
) -> Rows:
    """Read every row of a selection that was counted, those of single examples and query tokens too as long as these
    are not more than MOST_PARTS.

    Args:
        most: at most so many rows, the first ones in the order.
        order: column and whether descending, of which the first rows are taken; without a column, run by run.

    Raises:
        BertdynError, MeasureError: as ``fetch_counts``.
    """
    wanted = Wanted(store, selection)
    asked = Asked.of(store, wanted, wanted.tasks)
    stored = _some(asked, asked.here + counts.narrower, wanted, counts.rows, most, order) if counts.rows else []
    left_out = counts.rows - len(stored)
    fits = counts.parts <= (MOST_PARTS if most is None else most - len(stored))
    places = {place_of(r) for r in stored}
    if fits and counts.parts:
        stored += asked.all(_parts(asked) + counts.narrower)
    found = choose_rows(wanted.measure, selection, stored, wanted)
    return replace(
        found,
        yardstick=_yardsticks(store, wanted, found),
        left_out=left_out + (0 if fits else counts.parts),
        unseen=counts.known - len(places),
        statistics=counts.statistics,
        order=order if left_out and fits and order[0] in _SORTED else ("", False),
    )


def _parts(asked: Asked) -> str:
    return f"version = {asked.measure.version} and (example is not null or query is not null)"


def _yardsticks(store: Store, wanted: Wanted, found: Rows) -> Mapping[tuple[str, int, int], Yardstick]:
    """What seeds differ by, from all that is stored of it: of a mean over some pairs of seeds nobody could tell."""
    beside: dict[tuple[str, int, int], Yardstick] = {}
    if wanted.measure.sides == 2 and not found.between_seeds:
        for task in sorted({r.task for r in found.results}):
            asked = Asked.of(store, wanted, (task,))
            where = f"{asked.here} and ref_task = task and ref_step = step and ref_seed <> seed"
            beside |= yardsticks(wanted.measure, asked.whole_layers(where))
    return beside


def _some(
    asked: Asked, where: str, there: Wanted, many: int, most: int | None, order: tuple[str, bool]
) -> list[Result]:
    """At most so many of ``many`` rows that belong ``there``, the first ones in the order."""
    if most is None or many <= most:
        return [r for r in asked.all(where) if place_of(r) in there]
    return _first(asked, where, there, most, order) if order[0] in _SORTED else _by_run(asked, where, there, most)


def _first(asked: Asked, where: str, there: Wanted, most: int, order: tuple[str, bool]) -> list[Result]:
    """The first rows by a column; rows without a value of it come last, equal ones by their place."""
    column, descending = _SORTED[order[0]], "desc" if order[1] else "asc"
    equal = ", ".join((*Place._fields, "head", "statistic", "label_a", "label_b"))
    near = f"{where}{_near(there)} order by {column} {descending} nulls last, {equal}"
    found: list[Result] = []
    for start in range(0, _ASKED * most, most):
        page = asked.all(f"{near} limit {most} offset {start}")
        found += [r for r in page if place_of(r) in there]
        if len(found) >= most or len(page) < most:
            break
    return found[:most]


def _by_run(asked: Asked, where: str, there: Wanted, most: int) -> list[Result]:
    stored: list[Result] = []
    for task, seed in there.runs:
        if len(stored) >= most:
            break
        run = "' and seed = '".join(name.replace("'", "''") for name in (task, seed))
        rows = asked.all(f"{where} and task = '{run}'")
        stored += sorted((r for r in rows if place_of(r) in there), key=row_order)
    return stored[:most]


def _near(there: Collection[Place]) -> str:
    """A condition that holds for all of these places and, where they are not too many kinds, for few others."""
    said = ""
    for i, name in enumerate(Place._fields):
        kinds = {place[i] for place in there}
        if None not in kinds and len(kinds) <= _KINDS:
            listed = ", ".join(str(v) if isinstance(v, int) else "'" + str(v).replace("'", "''") + "'" for v in kinds)
            said += f" and {name} in ({listed})"
    return said
