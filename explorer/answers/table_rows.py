"""Read every row of a question, or the first rows of an order that fit a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.answers.asked import Asked
from explorer.answers.cells import YardstickKey, yardsticks
from explorer.answers.fetching import wanted_of
from explorer.answers.look import Look
from explorer.answers.rows import Rows, choose_rows, row_order
from explorer.answers.shares import shares
from explorer.answers.statistics import Statistics, chosen
from explorer.selection import Cells, Question
from explorer.selection.axes import chosen_rows
from explorer.selection.stored import OPERANDS, cell_columns, cell_of, further_axes
from store.results import AXIS, COLUMNS, Result
from store.rows import Condition, In, Is, Not, Same, of_recipes

if TYPE_CHECKING:
    from store.store import Store

MOST_PARTS = 100_000
"""Rows of single examples and query tokens that a table takes; a corpus can have millions of them."""
_KINDS = 200
_ASKED = 100
"""Pages of an order that are looked through for rows that belong to a selection."""


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
    chosen: tuple[Condition, ...] = ()
    """What holds for rows at the places that are asked for along the measure's own axes."""

    @property
    def narrower(self) -> tuple[Condition, ...]:
        """Conditions on the rows."""
        named = () if self.statistics is None else (In("statistic", tuple(self.statistics.shown)),)
        return (*named, *self.chosen)


def fetch_counts(store: Store, question: Question, statistic: str = "") -> Counts:
    """Count the rows of a question.

    Args:
        statistic: rows of these statistics alone (see ``Look``).

    Raises:
        BertdynError: the question matches nothing, or the store cannot be read.
    """
    wanted = wanted_of(store, question)
    asked = Asked(store, question, wanted.tasks)
    there = chosen(asked.statistics(), statistic, question.measure.main) if statistic else None
    counts = Counts(0, 0, 0, there, chosen_rows(question))
    everything = shares(store, wanted, wanted.tasks)
    narrowed = shares(store, wanted, wanted.tasks, counts.narrower) if counts.narrower else everything
    known = sum(share.wanted - share.missing for share in everything.values())
    rows = sum(share.rows for share in narrowed.values())
    parts = asked.count((*asked.parts, *counts.narrower)) if question.detail else 0
    return replace(counts, known=known, rows=rows, parts=parts)


def fetch_table(
    store: Store,
    question: Question,
    counts: Counts,
    most: int | None = None,
    order: tuple[str, bool] = ("", False),
) -> Rows:
    """Read every row of a question that was counted; where a detail is asked for, also those of single examples and
    query tokens as long as these are not more than MOST_PARTS.

    Args:
        most: at most so many rows, the first ones in the order.
        order: column and whether descending, of which the first rows are taken; without a column, run by run.

    Raises:
        BertdynError: as ``fetch_counts``.
    """
    wanted = wanted_of(store, question)
    asked = Asked(store, question, wanted.tasks)
    stored = _some(asked, (*asked.here, *counts.narrower), wanted, counts.rows, most, order) if counts.rows else []
    left_out = counts.rows - len(stored)
    fits = counts.parts <= (MOST_PARTS if most is None else most - len(stored))
    cells = {cell_of(r, question.measure) for r in stored}
    if fits and counts.parts:
        stored += asked.all(asked.query((*asked.parts, *counts.narrower)))
    found = choose_rows(question, stored, wanted)
    return replace(
        found,
        yardsticks=_yardsticks(store, found),
        left_out=left_out + (0 if fits else counts.parts),
        unseen=counts.known - len(cells),
        statistics=counts.statistics,
        order=order if left_out and fits and order[0] in _sortable(asked) else ("", False),
    )


def _yardsticks(store: Store, found: Rows) -> Mapping[YardstickKey, float]:
    """Return the distances between seeds from all stored pairs, not only from the pairs in a cut table."""
    beside: dict[YardstickKey, float] = {}
    if found.measure.compares and not found.between_seeds:
        for task in sorted({r.recipe for r in found.results}):
            asked = Asked(store, found.question, (task,))
            alike = [Same(f"ref_{name}", name) for name in ("task", "variant", "step")]
            between = (*asked.here, *alike, Not(Same("ref_seed", "seed")))
            beside |= yardsticks(found.measure, asked.whole_layers(between))
    return beside


def _some(
    asked: Asked,
    where: tuple[Condition, ...],
    there: Cells,
    many: int,
    most: int | None,
    order: tuple[str, bool],
) -> list[Result]:
    """At most so many of ``many`` rows that belong ``there``, the first ones in the order."""
    if most is None or many <= most:
        return _belonging(asked.all(asked.query(where)), there)
    if order[0] in _sortable(asked):
        return _first(asked, where, there, most, order)
    return _by_run(asked, where, there, most)


def _sortable(asked: Asked) -> dict[str, str]:
    """Return the columns by which the store can sort, with their names in the store."""
    own = {name: AXIS + name for name, _ in further_axes(asked.measure)}
    return {name: name for name in COLUMNS} | {"null": "null_value"} | own


def _first(
    asked: Asked, where: tuple[Condition, ...], there: Cells, most: int, order: tuple[str, bool]
) -> list[Result]:
    """The first rows by a column; rows without a value of it come last, equal ones by their place."""
    equal = (*cell_columns(asked.measure), "head", "statistic", "label_a", "label_b")
    by = ((_sortable(asked)[order[0]], order[1]), *((name, False) for name in equal))
    near = (*where, *_near(there))
    found: list[Result] = []
    for start in range(0, _ASKED * most, most):
        page = asked.all(asked.query(near, order=by, limit=most, offset=start))
        found += _belonging(page, there)
        if len(found) >= most or len(page) < most:
            break
    return found[:most]


def _by_run(asked: Asked, where: tuple[Condition, ...], there: Cells, most: int) -> list[Result]:
    stored: list[Result] = []
    for recipe, seed in there.runs:
        if len(stored) >= most:
            break
        rows = asked.all(asked.query((*where, *of_recipes((recipe,)), Is("seed", seed))))
        stored += sorted(_belonging(rows, there), key=row_order)
    return stored[:most]


def _belonging(rows: Iterable[Result], there: Cells) -> list[Result]:
    return [r for r in rows if cell_of(r, there.question.measure) in there]


def _near(there: Cells) -> Iterator[Condition]:
    """Conditions that hold for all of these cells and, where they are not too many kinds, for few others."""
    for place, name in enumerate((*OPERANDS, "layer", "ref_layer")):
        kinds = {cell[place] for cell in there}
        if None not in kinds and len(kinds) <= _KINDS:
            yield In(name, tuple(kinds))


def counts(store: Store, question: Question, look: Look) -> Counts:
    """How many rows there are."""
    return fetch_counts(store, question, look.statistic)


def rows_and_parts(store: Store, question: Question, look: Look, counted: Counts) -> Rows:
    """Every row, those of single examples and query tokens too."""
    return fetch_table(store, question, counted, look.most, (look.sort, look.descending))
