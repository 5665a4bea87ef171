"""Find the stored rows of a question, and the cell that each row belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from explorer.measures.declaration import At, Coordinate, Known
from explorer.selection.cells import Cell, Finished
from store.results import AXIS, AXIS_TYPES, COLUMNS, Result
from store.rows import AnyOf, Condition, Is, RowQuery, Within, rows_of
from store.tables import DeclaredMeasure

if TYPE_CHECKING:
    from explorer.measures.base import Measure
    from explorer.selection.comparisons import Pair
    from explorer.selection.question import Question
    from store.store import Store

OPERANDS = ("task", "variant", "seed", "step", "ref_task", "ref_variant", "ref_seed", "ref_step")
"""Columns of a cell's operands."""
_LAYERS = ("layer", "ref_layer")


def conditions(question: Question, tasks: Iterable[str] = ()) -> tuple[Condition, ...]:
    """Return conditions that select the rows of a question's measure, corpus, parameters, version and some tasks.

    Args:
        tasks: tasks, each ``TASK`` or ``TASK+VARIANT``; empty: all.
    """
    measure = question.measure
    parameters = measure.key(dict(question.parameters))
    roles = (Is("annotation", question.annotation), Is("ref_corpus", ""), Is("ref_annotation", ""))
    return (*rows_of(measure.name, question.corpus, parameters, measure.version, tasks), *roles)


def shown_layers(question: Question) -> tuple[Condition, ...]:
    """Return conditions that select the question's layers, for measures whose cells have values of all layers."""
    axis, chosen = question.measure.layers, question.layers
    if axis is None or not axis.within or chosen is None:
        return ()
    return (AnyOf((Is("layer", None), Within("layer", chosen.spans))),)


def chosen_layers(question: Question) -> tuple[Condition, ...]:
    """Return conditions that select the question's layers of both sides, for measures whose cells are single layers."""
    axis, sides = question.measure.layers, {"layer": question.layers, "ref_layer": question.ref_layers}
    if axis is None or axis.within:
        return ()
    return tuple(Within(name, chosen.spans) for name, chosen in sides.items() if chosen is not None)


def further_axes(measure: Measure) -> tuple[tuple[str, str], ...]:
    """Return the axes of a measure that have no column in the results table, with their SQL types."""
    return tuple((axis.name, AXIS_TYPES[axis.kind]) for axis in measure.axes if axis.name not in COLUMNS)


def tables_of_measures() -> dict[str, DeclaredMeasure]:
    """Return what SQL needs to know of each measure, by name: its table is there before any value is stored."""
    from explorer.measures.registry import all_measures

    return {one.name: DeclaredMeasure(dict(further_axes(one)), one.floor) for one in all_measures()}


def cell_columns(measure: Measure) -> tuple[str, ...]:
    """Return the columns that identify the cell of a row."""
    further = (axis.name for axis in measure.axes if not axis.within and axis.name not in _LAYERS)
    return (*OPERANDS, *_cell_layers(measure), *(n if n in COLUMNS else AXIS + n for n in further))


def cell_reader(measure: Measure) -> Callable[[Sequence[Any]], Cell]:
    """Return a function that makes a cell from the values of ``cell_columns``."""
    many = len(OPERANDS) + len(_cell_layers(measure))
    names = [name.removeprefix(AXIS) for name in cell_columns(measure)[many:]]
    no_layers = (None,) * (len(OPERANDS) + len(_LAYERS) - many)
    if not names:
        return lambda row: Cell._make((*row, *no_layers, ()))
    return lambda row: Cell._make((*row[:many], *no_layers, _coordinates(names, row[many:])))


def _cell_layers(measure: Measure) -> tuple[str, ...]:
    """Return the columns of layers that distinguish cells; none if a cell has values of all layers."""
    return () if measure.layers is not None and measure.layers.within else _LAYERS


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
    """Return the numbers of all finished cells for a measure that proposes its cells in rounds; else nothing.

    Raises:
        BertdynError: the store cannot be read.
    """
    measure = question.measure
    if measure.cells is None:
        return {}
    query = RowQuery(
        conditions(question, question.recipes),
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
