"""What of a question the store knows already, and how the rest is cut into tasks. Pure but for the functions that take
a Store, which only read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.compute.trust import covers
from explorer.measures import Trust
from explorer.measures.declaration import At, Known
from explorer.selection import Cell, Cells, Question
from explorer.selection.cells import Finished
from explorer.selection.question import NO_TRUST
from explorer.selection.stored import (
    cell_columns,
    cell_of,
    cell_reader,
    conditions,
    finished_cells,
    further_axes,
    shown_layers,
)
from store.keys import CheckpointKey
from store.results import Result
from store.rows import Is, RowQuery

if TYPE_CHECKING:
    from store.store import Store

LARGEST_TASK = 8
"""Comparisons of a task: making the reference's side costs about one, so an eighth at most is done twice."""


@dataclass(frozen=True, order=True)
class Job:
    """A cell and those of a run's questions (by number) that lack it: they share what is read."""

    cell: Cell
    questions: tuple[int, ...] = (0,)


@dataclass(frozen=True, order=True)
class Task:
    """One layer of a few comparisons whose neighbours share a side, so that a worker keeps it between them."""

    jobs: tuple[Job, ...]

    @property
    def cells(self) -> int:
        """Cells that it makes, of each measure."""
        return sum(len(job.questions) for job in self.jobs)

    def __str__(self) -> str:
        first, last = self.jobs[0].cell, self.jobs[-1].cell
        if first == last:
            return str(first)
        what = str(first.key) if first.key == last.key else f"{first.key} to {last.key}"
        references = {str(job.cell.reference) for job in self.jobs if job.cell.reference is not None}
        against = f" against {references.pop()}" if len(references) == 1 else ""
        layer = "" if first.layer is None else f"layer {first.layer} of "
        return f"{layer}{what}{against}"


@dataclass(frozen=True)
class Plan:
    """All cells of a question in order, those that the store lacks, and what the user should be told."""

    question: Question
    cells: tuple[Cell, ...]
    missing: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    exact: bool = True
    """No more cells follow once these are finished."""
    finished: Finished | None = None
    """What cells of a measure with rounds are computed from."""

    @property
    def known(self) -> int:
        """Cells that are read back."""
        return len(self.cells) - len(self.missing)

    def known_of(self, cell: Cell) -> Mapping[At, tuple[Known, ...]]:
        """Return the finished cells of the same operands."""
        return (self.finished or {}).get(cell.pair, {})


@dataclass(frozen=True)
class Coverage:
    """How much of a question is in the store, counted in cells."""

    known: int
    missing: int

    def __str__(self) -> str:
        total = self.known + self.missing
        return (
            f"not computed: {self.missing:,} of {total:,} values" if self.missing else f"all {total:,} values computed"
        )


def plan(store: Store, question: Question, trust: Trust = NO_TRUST) -> Plan:
    """Compare the question with what the store holds; reads listings only, no array.

    Args:
        trust: what shall come with the values; one that lacks it is missing.

    Raises:
        BertdynError: the question matches nothing, or no checkpoint has what the measure reads.
    """
    finished = finished_cells(store, question)
    cells = Cells(question, store.checkpoints(question.corpus), finished)
    return make_plan(cells, _stored(store, question, trust), finished)


def coverage(store: Store, question: Question) -> Coverage:
    """How many of the question's cells are known and missing.

    Raises:
        BertdynError: as plan().
    """
    made = plan(store, question)
    return Coverage(made.known, len(made.missing))


def rows(store: Store, planned: Plan) -> list[Result]:
    """The stored rows of a plan's cells, in the plan's order (cell by cell, then head, statistic, labels, example).

    Rows of layers that were not asked for are left out; so are rows of single examples and queries unless they were.
    """
    question = planned.question
    measure = question.measure
    place = {cell: i for i, cell in enumerate(planned.cells)}
    where = (*conditions(question, question.tasks), *shown_layers(question))
    query = RowQuery(where, axes=further_axes(measure))
    found = [
        (place[cell], row)
        for row in store.results(query)
        if (cell := cell_of(row, measure)) in place and (question.detail or (row.example is None and row.query is None))
    ]
    return [row for _, row in sorted(found, key=lambda f: (f[0], *_within(f[1])))]


def make_plan(cells: Cells, stored: AbstractSet[Cell], finished: Finished | None = None) -> Plan:
    """The plan, from listings alone.

    Args:
        stored: the cells that have current rows with all that is asked for.
        finished: what cells of a measure with rounds are computed from.

    Raises:
        BertdynError: there is no cell: no checkpoint has what the measure reads, or no such layer.
    """
    cells.require()
    ordered = tuple(Cell.of(pair, at) for pair in cells.pairs for at in cells.at(pair))
    missing = tuple(cell for cell in ordered if cell not in stored)
    lacking = " and ".join(i.title for i in cells.question.measure.reads)
    notes = (
        (f"{cells.left_out:,} of {len(cells.pairs):,} comparisons left out: extracted without {lacking}.",)
        if cells.left_out
        else ()
    )
    return Plan(cells.question, ordered, missing, notes, cells.exact, finished)


def jobs_of(plans: Sequence[Plan]) -> tuple[Job, ...]:
    """The missing cells of several measures' plans, each once, with the numbers of the plans that lack it."""
    wanted: dict[Cell, list[int]] = {}
    for number, planned in enumerate(plans):
        for cell in planned.missing:
            wanted.setdefault(cell, []).append(number)
    return tuple(Job(cell, tuple(wanted[cell])) for cell in sorted(wanted, key=_order))


def group(jobs: Iterable[Job], workers: int, slow: bool = False) -> tuple[Task, ...]:
    """Cut jobs into tasks: big enough to share the reference's side, enough of them to keep every worker busy.

    All layers of a few pairs come before the next few, so that what is kept when the user cancels has every layer.

    Args:
        slow: computing takes far longer than reading.
    """
    layers: dict[int, list[Job]] = {}
    for job in jobs:
        layers.setdefault(-1 if job.cell.layer is None else job.cell.layer, []).append(job)
    if not layers:
        return ()
    longest = max(map(len, layers.values()))
    # A checkpoint measured alone shares nothing with the next, and what is slow gains little by sharing: one per task,
    # so that a cancel loses least.
    shared = not slow and any(j.cell.reference for of_layer in layers.values() for j in of_layer)
    largest = LARGEST_TASK if shared else 1
    # Three tasks a worker keep the last ones from waiting long for each other.
    pieces = max(math.ceil(longest / largest), math.ceil(3 * workers / len(layers)))
    size = math.ceil(longest / min(pieces, longest))
    return tuple(
        Task(tuple(of_layer[start : start + size]))
        for start in range(0, longest, size)
        for layer, of_layer in sorted(layers.items())
        if start < len(of_layer)
    )


def _within(row: Result) -> tuple[object, ...]:
    """Sorts the rows of one cell."""
    parts = (-1 if row.example is None else row.example, -1 if row.query is None else row.query)
    return row.layer or 0, row.axes, row.head or 0, row.statistic, row.label_a or "", row.label_b or "", *parts


def _order(cell: Cell) -> tuple[CheckpointKey, CheckpointKey, int, int, tuple[object, ...]]:
    return cell.reference or cell.key, cell.key, cell.layer or 0, cell.ref_layer or 0, cell.more


def _stored(store: Store, question: Question, trust: Trust) -> set[Cell]:
    """The cells whose current rows have all that is asked for."""
    names, measure = cell_columns(question.measure), question.measure
    asked = trust != NO_TRUST or bool(question.detail)
    # Finer rows may be older: what a cell has is noted in those that are written each time.
    coarsest = (Is("example", None), Is("query", None)) if asked and measure.details else ()
    query = RowQuery(
        (*conditions(question, question.tasks), *coarsest),
        (*names, "details") if asked else names,
        axes=further_axes(measure),
        distinct=True,
    )
    read = cell_reader(measure)
    found = store.result_columns(query)
    if not asked:
        return set(map(read, found))
    return {
        read(row[:-1])
        for row in found
        if covers(json.loads(row[-1]).get("trust") or {}, trust, question.detail, measure.details)
    }
