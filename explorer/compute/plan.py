"""Find the missing cells of a question and cut them into tasks.

The functions are pure, except for those that take a Store, which only read it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.compute.trust import covers
from explorer.measures import Uncertainty
from explorer.measures.declaration import At, Known
from explorer.selection import Cell, Cells, Question
from explorer.selection.cells import Finished
from explorer.selection.comparisons import Pair
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
"""Maximum comparisons per task. Computing the reference's side costs about one, so at most an eighth is done twice."""


@dataclass(frozen=True, order=True)
class Job:
    """A cell, and the questions of a run (by number) that lack it; they share the inputs."""

    cell: Cell
    questions: tuple[int, ...] = (0,)


@dataclass(frozen=True, order=True)
class Task:
    """One layer of a few comparisons that share a side, or a few cells of one comparison: the worker caches what they
    share."""

    jobs: tuple[Job, ...]

    @property
    def cells(self) -> int:
        """Number of cells, counted for each measure."""
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
    """All cells of a question in order, the missing ones, and notes to the user."""

    question: Question
    cells: tuple[Cell, ...]
    missing: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    exact: bool = True
    """False if more cells may follow when these are finished."""
    finished: Finished | None = None
    """Finished cells, for a measure that proposes its cells in rounds."""

    @property
    def known(self) -> int:
        """Number of cells that are in the store already."""
        return len(self.cells) - len(self.missing)

    def known_of(self, cell: Cell) -> Mapping[At, tuple[Known, ...]]:
        """Return the finished cells of the same operands."""
        return (self.finished or {}).get(cell.pair, {})


@dataclass(frozen=True)
class Coverage:
    """Numbers of known and missing cells of a question."""

    known: int
    missing: int

    def __str__(self) -> str:
        total = self.known + self.missing
        return (
            f"not computed: {self.missing:,} of {total:,} values" if self.missing else f"all {total:,} values computed"
        )


def plan(store: Store, question: Question, trust: Uncertainty = NO_TRUST) -> Plan:
    """Compare a question with the rows in the store. Reads only listings, no arrays.

    Args:
        trust: null and interval that are requested with the values; a value without them counts as missing.

    Raises:
        BertdynError: the question matches nothing, or no checkpoint has the inputs of the measure.
    """
    finished = finished_cells(store, question)
    cells = Cells(question, store.checkpoints(question.corpus), finished)
    return make_plan(cells, _stored(store, question, trust), finished)


def coverage(store: Store, question: Question) -> Coverage:
    """Count the known and the missing cells of a question.

    Raises:
        BertdynError: as plan().
    """
    made = plan(store, question)
    return Coverage(made.known, len(made.missing))


def rows(store: Store, planned: Plan) -> list[Result]:
    """Return the stored rows of a plan's cells, in the plan's order (by cell, then head, statistic, labels, example).

    Leaves out rows of layers that are not in the question, and rows of single examples and queries unless requested.
    """
    question = planned.question
    measure = question.measure
    place = {cell: i for i, cell in enumerate(planned.cells)}
    where = (*conditions(question, question.recipes), *shown_layers(question))
    query = RowQuery(where, axes=further_axes(measure))
    found = [
        (place[cell], row)
        for row in store.results(query)
        if (cell := cell_of(row, measure)) in place and (question.detail or (row.example is None and row.query is None))
    ]
    return [row for _, row in sorted(found, key=lambda f: (f[0], *_within(f[1])))]


def make_plan(cells: Cells, stored: AbstractSet[Cell], finished: Finished | None = None) -> Plan:
    """Make a plan from listings alone.

    Args:
        stored: cells with current rows that have everything requested.
        finished: finished cells, for a measure that proposes its cells in rounds.

    Raises:
        BertdynError: there is no cell: no checkpoint has the inputs of the measure, or there is no such layer.
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
    """Return the missing cells of several plans, each once, with the numbers of the plans that lack it."""
    wanted: dict[Cell, list[int]] = {}
    for number, planned in enumerate(plans):
        for cell in planned.missing:
            wanted.setdefault(cell, []).append(number)
    return tuple(Job(cell, tuple(wanted[cell])) for cell in sorted(wanted, key=_order))


def group_by_checkpoint(jobs: Iterable[Job], workers: int) -> tuple[Task, ...]:
    """Group jobs into tasks of one comparison each, for inputs that a worker keeps, such as a model in memory.

    A single worker, or several with few comparisons, get tasks of one cell: each is stored when it is finished, and a
    model is loaded no more than a few times. Otherwise a task is a whole comparison.
    """
    pairs: dict[Pair, list[Job]] = {}
    for job in jobs:
        pairs.setdefault(job.cell.pair, []).append(job)
    single = workers == 1 or len(pairs) <= 2 * workers
    whole = (Task(tuple(each)) for each in pairs.values())
    return tuple(Task((job,)) for each in pairs.values() for job in each) if single else tuple(whole)


def group(jobs: Iterable[Job], workers: int, slow: bool = False) -> tuple[Task, ...]:
    """Group jobs into tasks: large enough to share the reference's side, and enough to keep every worker busy.

    All layers of a few pairs come before the next pairs, so that after a cancellation the finished pairs have all
    layers.

    Args:
        slow: whether computing takes far longer than reading.
    """
    layers: dict[int, list[Job]] = {}
    for job in jobs:
        layers.setdefault(-1 if job.cell.layer is None else job.cell.layer, []).append(job)
    if not layers:
        return ()
    longest = max(map(len, layers.values()))
    # Measures of one checkpoint share nothing, and slow ones gain little by sharing: one job per task, so that a
    # cancellation loses least.
    shared = not slow and any(j.cell.reference for of_layer in layers.values() for j in of_layer)
    largest = LARGEST_TASK if shared else 1
    # With three tasks per worker, the workers finish at about the same time.
    pieces = max(math.ceil(longest / largest), math.ceil(3 * workers / len(layers)))
    size = math.ceil(longest / min(pieces, longest))
    return tuple(
        Task(tuple(of_layer[start : start + size]))
        for start in range(0, longest, size)
        for layer, of_layer in sorted(layers.items())
        if start < len(of_layer)
    )


def _within(row: Result) -> tuple[object, ...]:
    """Return a sort key for the rows of one cell."""
    parts = (-1 if row.example is None else row.example, -1 if row.query is None else row.query)
    return row.layer or 0, row.axes, row.head or 0, row.statistic, row.label_a or "", row.label_b or "", *parts


def _order(cell: Cell) -> tuple[CheckpointKey, CheckpointKey, int, int, tuple[object, ...]]:
    return cell.reference or cell.key, cell.key, cell.layer or 0, cell.ref_layer or 0, cell.more


def _stored(store: Store, question: Question, trust: Uncertainty) -> set[Cell]:
    """Return the cells whose current rows have everything requested."""
    names, measure = cell_columns(question.measure), question.measure
    asked = trust != NO_TRUST or bool(question.detail)
    # Finer rows may be older: the details of a cell are recorded in its coarsest rows, which are always rewritten.
    coarsest = (Is("example", None), Is("query", None)) if asked and measure.details else ()
    query = RowQuery(
        (*conditions(question, question.recipes), *coarsest),
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
