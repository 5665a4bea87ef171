"""Query the store for the rows of a question, task by task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from explorer.measures import Measure
from explorer.selection import Cell, Question
from explorer.selection.stored import cell_columns, cell_of, cell_reader, conditions, further_axes, shown_layers
from store.results import AXIS, COLUMNS, Result, row_reader
from store.rows import PAIRED_WITH_ITSELF, AllOf, Best, Condition, In, Is, Not, RowQuery

if TYPE_CHECKING:
    from store.store import Store

OF_ALL_EXAMPLES = (Is("example", None), Is("query", None))
OF_PARTS = Not(AllOf(OF_ALL_EXAMPLES))
"""Condition for rows of single examples and query tokens."""
UNLABELLED = (Is("label_a", None), Is("label_b", None))
_UNREAD = ("input_set", "computed_at", "inputs")
_LEAN = tuple(name for name in COLUMNS if name not in _UNREAD)


@dataclass(frozen=True)
class Asked:
    """Queries for the rows of some tasks of a question."""

    store: Store
    question: Question
    tasks: tuple[str, ...]

    @property
    def measure(self) -> Measure:
        """The measure of the question."""
        return self.question.measure

    @property
    def here(self) -> tuple[Condition, ...]:
        """Conditions: of the question, of all examples, and of a layer with itself unless others are asked for."""
        crossed = () if self.question.ref_layers is not None else (PAIRED_WITH_ITSELF,)
        return (*conditions(self.question, self.tasks), *shown_layers(self.question), *OF_ALL_EXAMPLES, *crossed)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """Conditions: of the question, and of single examples and query tokens."""
        return (*conditions(self.question, self.tasks), *shown_layers(self.question), OF_PARTS)

    def query(self, where: Iterable[Condition], **more: Any) -> RowQuery:
        """Return a question to the store, with the coordinates that the measure has."""
        return RowQuery(tuple(where), axes=further_axes(self.measure), **more)

    def all(self, query: RowQuery) -> list[Result]:
        """Return complete rows."""
        return self.store.results(query)

    def count(self, where: Iterable[Condition]) -> int:
        """Return the number of rows."""
        return int(self.store.result_columns(self.query(where, count=True))[0][0])

    def statistics(self) -> list[str]:
        """Return the names of all statistics with rows."""
        query = self.query(conditions(self.question, self.tasks), columns=("statistic",), distinct=True)
        return [name for (name,) in self.store.result_columns(query)]

    def cells(self, where: Iterable[Condition]) -> frozenset[Cell]:
        """Return the cells with rows."""
        query = self.query(where, columns=cell_columns(self.measure), distinct=True)
        return frozenset(map(cell_reader(self.measure), self.store.result_columns(query)))

    def whole_layers(self, where: Iterable[Condition], wanted: Iterable[Cell] | None = None) -> list[Result]:
        """Return the rows of each cell that ``summaries`` uses; of other cells with rows, one row each.

        Args:
            wanted: cells that are shown: no other row is looked for where each of them has one of its own.
        """
        where = tuple(where)
        main = Is("statistic", self.measure.main)
        alone = AllOf((main, Is("head", None), *UNLABELLED))
        found = self.lean(self.query((*where, alone)))
        covered = {cell_of(r, self.measure) for r in found}
        if wanted is not None and covered.issuperset(wanted):
            return found
        others = self.cells((*where, Not(alone)))
        if others <= covered:
            return found
        ranks = (alone, AllOf((main, *UNLABELLED)), main, Is("value", None))
        best = Best(cell_columns(self.measure), ranks, alone_from=3)
        return self.lean(self.query(where, best=best))

    def companions(self, where: Iterable[Condition]) -> list[Result]:
        """Return the rows of whole layers that are shown beside the main ones, or cluster them (``Measure.companions``
        and ``clusters``)."""
        measure = self.measure
        names = (*(statistic for statistic, _ in measure.companions), *filter(None, (measure.clusters,)))
        whole = (In("statistic", names), Is("head", None), *UNLABELLED)
        return self.lean(self.query((*where, *whole))) if names else []

    def lean(self, query: RowQuery) -> list[Result]:
        """Return rows without provenance, which is half of a row and not drawn."""
        names = tuple(name for name, _ in query.axes)
        columns = (*_LEAN, *(AXIS + name for name in names))
        return list(map(row_reader(_LEAN, names), self.store.result_columns(replace(query, columns=columns))))
