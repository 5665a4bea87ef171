"""Lay the stored values of a question out as fields. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from explorer.answers.cells import YardstickKey
from explorer.answers.coordinates import CORPUS, OTHER_SEED, SEED, STEP, coordinate
from explorer.answers.rows import Rows
from explorer.fields.field import ALL, Field, FieldAxis, field_of, stacked
from explorer.measures.declaration import HEAD, LAYER, Coordinate
from explorer.selection.axes import holds
from store.results import Result


def axis_of(data: Rows, task: str, name: str, rows: Iterable[Result] | None = None) -> FieldAxis:
    """Return an axis with every place of a task along it, computed or not.

    Args:
        rows: those that have the places of an axis inside a cell; default: the task's main rows.
    """
    if name == SEED:
        return FieldAxis(SEED, data.seeds(task))
    if name == CORPUS:
        return FieldAxis(CORPUS, data.corpora)
    if name == OTHER_SEED:
        return FieldAxis(OTHER_SEED, data.seeds(task), SEED)
    declared = data.measure.axis(name)
    places = data.places(task, name)
    if declared is not None and declared.within:
        read = coordinate(name)
        places = {place for r in rows or data.of(task) if (place := read(r)) is not None}
        text = dict(data.question.axes).get(name)
        places = {place for place in places if text is None or holds(declared, text, place)}
    further = declared is not None and name not in (LAYER.name, HEAD.name)
    return FieldAxis(name, tuple(sorted(places)), declared.title if declared and further else "")


def fixed_places(data: Rows, task: str, names: Iterable[str]) -> dict[str, Coordinate | None]:
    """Return the one place of each further axis of the measure that a picture of some axes shows.

    None stands for values of the whole, which are shown where there are any and no place is chosen; else it is the last
    of the chosen places.
    """
    found: dict[str, Coordinate | None] = {}
    drawn = [axis.name for axis in data.measure.own_axes if axis.name in names]
    for axis in data.measure.own_axes:
        if axis.name not in (*names, LAYER.name):
            places = axis_of(data, task, axis.name).places
            beside = _together(data, task, (*drawn, axis.name)).get(axis.name, places)
            there = [place for place in places if place in beside]
            whole = axis.name not in dict(data.question.axes) and _has_whole(data, axis.name, drawn)
            found[axis.name] = None if whole or not there else there[-1]
    return found


def _has_whole(data: Rows, name: str, drawn: Sequence[str]) -> bool:
    """Return whether some values have places along the drawn axes but none along another one; where there are no
    values yet, whether some are asked for."""
    read, others = coordinate(name), [coordinate(axis) for axis in drawn]
    if data.main:
        whole = (r for r in data.main if r.value is not None and read(r) is None)
        return any(all(f(r) is not None for f in others) for r in whole)
    cells = ({LAYER.name: cell.layer, **dict(cell.more)} for cell in data.wanted)
    return any(name not in at and all(at.get(axis) is not None for axis in drawn) for at in cells)


def field_along(
    data: Rows, task: str, *names: str, rows: Iterable[Result] | None = None, **fixed: Coordinate | None
) -> Field:
    """Return the values of a task along some axes.

    Args:
        names: axes; ``ALL`` has one place, for values without an axis of their own.
        rows: of that task; default: its main rows.
        fixed: the one place of other axes that is shown; None: rows that have no such coordinate. Further axes of the
            measure are at the places that ``fixed_places`` returns.
    """
    chosen, fixed = data.of(task) if rows is None else tuple(rows), fixed_places(data, task, names) | fixed
    for name, place in fixed.items():
        read = coordinate(name)
        chosen = tuple(r for r in chosen if read(r) == place)
    beside = {key: value for key, value in data.yardsticks.items() if key[0] == task and _at(key, fixed)}
    together = _together(data, task, names)
    axes = {name: axis_of(data, task, name, chosen) for name in names if name != ALL}
    for name, there in together.items():
        axes[name] = replace(axes[name], places=tuple(place for place in axes[name].places if place in there))
    field = field_of(list(axes.values()), chosen, beside)
    return stacked(ALL, {data.measure.title: field}).along(*names) if ALL in names else field


def _together(data: Rows, task: str, names: Iterable[str]) -> dict[str, set[Coordinate]]:
    """Return the places along several of the measure's own axes of those cells that have one along each of them."""
    own = [axis.name for axis in data.measure.own_axes if axis.name in names and not axis.within]
    if len(own) < 2:
        return {}
    found: dict[str, set[Coordinate]] = {name: set() for name in own}
    for cell in data.wanted:
        places = {LAYER.name: cell.layer, **dict(cell.more)}
        if cell.recipe == task and all(places.get(name) is not None for name in own):
            for name in own:
                found[name].add(places[name])  # type: ignore[arg-type]
    return found


def _at(key: YardstickKey, fixed: Mapping[str, Coordinate | None]) -> bool:
    """Whether the seeds are compared at these places; a coordinate that is not named may be any."""
    _, layer, step, further = key
    known: dict[str, Coordinate | None] = {LAYER.name: layer, STEP: step, **dict(further)}
    return all(known.get(name) == place for name, place in fixed.items() if name != SEED)
