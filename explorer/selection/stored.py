"""The stored rows of a question: which conditions find them, and to which cell each belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from explorer.measures.base import canonical
from explorer.measures.declaration import At, Coordinate, Known
from explorer.selection.cells import Cell, Finished
from store.results import AXIS, AXIS_TYPES, COLUMNS, Result
from store.rows import Condition, Is, RowQuery, rows_of

if TYPE_CHECKING:
    from explorer.measures.base import Measure
    from explorer.selection.cells import Pair
    from explorer.selection.question import Question
    from store.store import Store

OPERANDS = ("task", "variant", "seed", "step", "ref_task", "ref_variant", "ref_seed", "ref_step")
"""Columns of a cell's operands."""


def conditions(question: Question, tasks: Iterable[str] = ()) -> tuple[Condition, ...]:
    """Return what holds for the rows of a question's measure, corpus, parameters and version, and of some tasks.

    Args:
        tasks: each ``TASK`` or ``TASK+VARIANT``; none: all.
    """
    measure, parameters = question.measure, canonical(dict(question.parameters))
    roles = (Is("annotation", question.annotation), Is("ref_corpus", ""), Is("ref_annotation", ""))
    return (*rows_of(measure.name, question.corpus, parameters, measure.version, tasks), *roles)


def further_axes(measure: Measure) -> tuple[tuple[str, str], ...]:
    """Return a measure's axes that results have no column for, with their SQL types."""
    return tuple((axis.name, AXIS_TYPES[axis.kind]) for axis in measure.axes if axis.name not in COLUMNS)


def cell_columns(measure: Measure) -> tuple[str, ...]:
    """Return the columns that say to which cell a row belongs."""
    layers = ("layer", "ref_layer")
    own = {axis.name: axis for axis in measure.axes}
    further = (n if n in COLUMNS else AXIS + n for n, axis in own.items() if not axis.within and n not in layers)
    return (*OPERANDS, *layers, *further)


def cell_reader(measure: Measure) -> Callable[[Sequence[Any]], Cell]:
    """Return the function from the values of ``cell_columns`` to their cell."""
    names = [name.removeprefix(AXIS) for name in cell_columns(measure)[len(OPERANDS) + 2 :]]
    many = len(OPERANDS) + 2
    layers = measure.layers
    if layers is not None and layers.within:
        return lambda row: Cell._make((*row[: len(OPERANDS)], None, None, _coordinates(names, row[many:])))
    if not names:
        return lambda row: Cell._make((*row, ()))
    return lambda row: Cell._make((*row[:many], _coordinates(names, row[many:])))


def _coordinates(names: Sequence[str], values: Sequence[Any]) -> tuple[tuple[str, Coordinate], ...]:
    return tuple((name, value) for name, value in zip(names, values, strict=True) if value is not None)


def cell_of(result: Result, measure: Measure) -> Cell:
    """Return the cell that a row belongs to."""
    layers = measure.layers
    within = layers is not None and layers.within
    further: tuple[tuple[str, Coordinate], ...] = ()
    if result.axes:
        inside = {axis.name for axis in measure.axes if axis.within}
        further = tuple((name, value) for name, value in result.axes if name not in inside)
    return Cell(
        result.task, result.variant, result.seed, result.step,
        result.ref_task, result.ref_variant, result.ref_seed, result.ref_step,
        None if within else result.layer, None if within else result.ref_layer, further,
    )  # fmt: skip


def finished_cells(store: Store, question: Question) -> Finished:
    """Return the numbers of all finished cells, for a measure that proposes its cells in rounds; else nothing.

    Raises:
        BertdynError: the store cannot be read.
    """
    measure = question.measure
    if measure.cells is None:
        return {}
    query = RowQuery(
        conditions(question, question.tasks),
        (*cell_columns(measure), "statistic", "value", "artefact"),
        axes=further_axes(measure),
    )
    read = cell_reader(measure)
    found: dict[Pair, dict[At, list[Known]]] = {}
    for row in store.result_columns(query):
        cell = read(row[:-3])
        found.setdefault(cell.pair, {}).setdefault(cell.at, []).append(Known(*row[-3:]))
    return {
        pair: {at: tuple(sorted(known, key=str)) for at, known in sorted(cells.items(), key=str)}
        for pair, cells in found.items()
    }
