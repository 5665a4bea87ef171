"""Share what all pictures of fields have: the choice of axes, the words and the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from explorer.answers.coordinates import SEED, STEP, TASK, coordinate
from explorer.answers.corpora import gap_note
from explorer.answers.look import ANYWHERE, END, Look
from explorer.answers.rows import Rows
from explorer.answers.sources import layer_of, step_of
from explorer.answers.uncertainty_notes import UncertaintyNotes, spread
from explorer.answers.variants import at_last_steps, runs_end_apart
from explorer.fields.field import ALL, Field, FieldAxis, stacked
from explorer.fields.placing import axis_of, field_along, fixed_places
from explorer.measures import Measure
from explorer.measures.declaration import HEAD, LAYER, Coordinate
from explorer.measures.registry import all_measures
from explorer.render.axes import number
from explorer.render.text import clean
from explorer.selection import Question
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions
from explorer.views.ranking import ranked
from explorer.views.spot import Spot
from store.results import Result

OUTER, INNER = "outer", "inner"
"""Stand for a measure's own axes in a layout: layer and head, or the first and the second that it declares."""
WHOLE = (
    *("measure", "corpus", TASK, SEED, STEP, OUTER, "against", "value", "sd", "seeds"),
    *("interval_low", "interval_high", "null", "seed_to_seed", "unit", "reason"),
)
BY = ("measure", "corpus", "by", "line", TASK, OUTER, STEP, "against", "value", "sd", "seeds", "unit")
NO_LINES: Mapping[Coordinate, Mapping[str, object]] = {}
_ORDER = (TASK, SEED, LAYER.name)
_ALL_TASKS = "one line per task shows all"


@dataclass(frozen=True)
class Layout:
    """The axes that a picture shows, and the columns and order of its rows."""

    x: str
    y: str
    columns: tuple[str, ...] = WHOLE
    by: tuple[str, ...] = (STEP, OUTER)
    """Axes by which rows are sorted."""

    def of(self, measure: Measure) -> Layout:
        """Return the layout with the measure's own axes; ``ALL`` stands for one that it does not have."""
        own, second = measure.own_axes, measure.second_axis
        names = {OUTER: own[0].name if own else ALL, INNER: second.name if second else ALL}

        def named(axes: Sequence[str]) -> tuple[str, ...]:
            return tuple(names.get(axis, axis) for axis in axes)

        columns = tuple(name for name in named(self.columns) if name != ALL)
        x, y = named((self.x, self.y))
        return Layout(x, y, columns, named(self.by))


def other_tasks(data: Rows, shown: str, second: str = "") -> tuple[str, ...]:
    """Return a note that names the chosen tasks which a picture of one task leaves out.

    Args:
        second: task whose line is drawn beside the one that is pointed at; empty: none.
    """
    others = [t for t in data.tasks if t not in (shown, second)]
    beside = (clean(f"{second} is dashed, beside the line pointed at"),) if second else ()
    if not others or second:
        return beside + ((f"{len(others)} more tasks are chosen: {_ALL_TASKS}",) if others else ())
    named = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    return (clean(f"only {shown} is drawn; {named} {'is' if len(others) == 1 else 'are'} chosen too: {_ALL_TASKS}"),)


def said_places(data: Rows, task: str, places: Mapping[str, Coordinate | None]) -> dict[str, str]:
    """Return the places of axes in words and in order; those of values of the whole are not named."""
    axes = {name: axis_of(data, task, name) for name in sorted(places, key=_place_of)}
    return {n: replace(a, places=(place,)).said(0) for n, a in axes.items() if (place := places[n]) is not None}


class FieldView(Base):
    """Values along y and x, of one task or of each, as means over its seeds."""

    second = ""
    """Task that is drawn beside the first one; empty: none."""

    def __init__(
        self,
        name: str,
        data: Rows,
        layout: Layout,
        look: Look = ANYWHERE,
        heads: Sequence[Result] | None = None,
        tasks: Rows | None = None,
    ) -> None:
        """Lay the values out.

        Args:
            heads: rows of single heads at what is looked at, where the layout shows them.
            tasks: rows of every task at what is looked at, where the layout shows them.
        """
        self.name, self.data, self.stored = name, data, data
        self.lacks_axis = INNER in (layout.x, layout.y) and data.measure.second_axis is None
        """The layout needs a second axis, and the measure has one axis alone."""
        self.layout = layout = layout.of(data.measure)
        self.rows_of = tasks if tasks is not None and TASK in (layout.x, layout.y) else data
        self.each_last = STEP not in (layout.x, layout.y) and look.step == END and runs_end_apart(self.rows_of)
        """Each run is shown at its own last step: no step is looked at, and these differ."""
        if self.each_last:
            self.data = data = at_last_steps(data)
            self.rows_of = data if self.rows_of is self.stored else at_last_steps(self.rows_of)
        self.task = data.tasks[0] if data.tasks else ""
        self.fixed = self._fixed(look)
        of_heads = tuple(heads or ()) if HEAD.name in (layout.x, layout.y) else () if self.lacks_axis else None
        tasks_shown = self.rows_of.tasks if TASK in (layout.x, layout.y) else (self.task,)
        behind = self.rows_of.main if of_heads is None else of_heads
        self.shown = self._here(r for r in behind if r.recipe in tasks_shown)
        """The rows behind the picture."""
        self.seeds = self._drawn(self.task, of_heads)
        """Seeds of the first task that are drawn."""
        self.field = self._field(tasks_shown, of_heads)
        self.empty = self.field.empty
        self.title = words.title(data, *self.where())
        self.subtitle = words.subtitle(data, self.shown)
        self.notes = words.notes(data, self.shown)
        if TASK not in (layout.x, layout.y):
            self.notes += other_tasks(data, self.task, self.second)
        if {SEED, TASK}.isdisjoint((layout.x, layout.y)):
            self.notes += self._other_seeds()
        self.notes += self._left_out() + (gap_note(data),) * bool(data.gaps)
        self.uncertainty = UncertaintyNotes.of(data.measure, self.shown)
        self.low = words.on_noise(data.measure, self.shown)

    @property
    def x(self) -> FieldAxis:
        """The axis along the horizontal."""
        return self.field.axes[1]

    @property
    def y(self) -> FieldAxis:
        """The axis of lines or rows, counted from the lowest up."""
        return self.field.axes[0]

    def places(self, axis: str) -> Sequence[int]:
        """See ``View.places``."""
        found = self.field.places(axis)
        return found if all(isinstance(place, int) for place in found) else ()  # type: ignore[return-value]

    @property
    def refused_scales(self) -> Mapping[str, str]:
        """See ``View.refused_scales``."""
        return {**super().refused_scales, **words.no_log(self.data.measure)}

    def _fixed(self, look: Look) -> dict[str, Coordinate | None]:
        """The one place of each axis that is not shown: what is looked at, else what ``fixed_places`` says."""
        axes = (self.layout.x, self.layout.y)
        found = fixed_places(self.data, self.task, axes)
        if self.data.measure.layers is not None and LAYER.name not in axes:
            found[LAYER.name] = layer_of(self.data, look)
        return found if STEP in axes or self.each_last else found | {STEP: step_of(self.data, look)}

    def _here(self, rows: Iterable[Result]) -> tuple[Result, ...]:
        """Rows at the places that are not axes of the picture, which have one along each of the measure's own axes."""
        drawn = {axis.name for axis in self.data.measure.own_axes} & {self.layout.x, self.layout.y}
        fixed = [(coordinate(name), place) for name, place in self.fixed.items()]
        reads = [coordinate(name) for name in drawn]
        return tuple(
            r for r in rows if all(f(r) == place for f, place in fixed) and all(f(r) is not None for f in reads)
        )

    def _drawn(self, task: str, of_heads: Sequence[Result] | None) -> tuple[str, ...]:
        """Seeds of a task that have a value in the picture; where none has, all that are chosen."""
        chosen = self.rows_of.seeds(task)
        if SEED in (self.layout.x, self.layout.y):
            return chosen
        rows = self.rows_of.of(task) if of_heads is None else of_heads
        valued = {r.seed for r in self._here(rows) if r.value is not None}
        found = tuple(seed for seed in chosen if seed in valued) or chosen
        return found[:1] if self.data.measure.alone else found

    def _field(self, tasks: Sequence[str], of_heads: Sequence[Result] | None) -> Field:
        axes = (self.layout.y, self.layout.x)
        inside = [axis for axis in axes if axis not in (SEED, TASK)]
        found = {}
        for task in tasks:
            field = field_along(self.rows_of, task, SEED, *inside, rows=of_heads, **self.fixed)
            if SEED in axes:
                found[task] = field
            elif self.data.measure.alone and field.places(SEED):
                found[task] = field.at(SEED, self._drawn(task, of_heads)[0])
            else:
                found[task] = field.over(SEED)
        return (stacked(TASK, found) if TASK in axes else found[self.task]).along(*axes)

    def _other_seeds(self) -> tuple[str, ...]:
        """A note on the chosen seeds that are not drawn."""
        others = [seed for seed in self.data.seeds(self.task) if seed not in self.seeds]
        if not others:
            return ()
        one, named = len(others) == 1, f"seed{'s' * (len(others) > 1)} {', '.join(others)}"
        if self.data.measure.alone:
            return (clean(f"only seed {self.seeds[0]} is drawn; {named} {'is' if one else 'are'} chosen too"),)
        return (clean(f"{named} {'has' if one else 'have'} no value here"),)

    def where(self) -> tuple[str, ...]:
        """Return the parts of the title after the comparison: task, seeds, places of the axes that are not shown."""
        axes = (self.layout.x, self.layout.y)
        task = () if TASK in axes else (self.task,)
        seeds = () if TASK in axes or SEED in axes or not self.seeds else (words.seeds(self.seeds),)
        last = ("each run's last step",) * self.each_last
        return (*task, *seeds, ", ".join([*self._fixed_words.values(), *last, *self.shape()]))

    def shape(self) -> tuple[str, ...]:
        """Return the axes of the picture in words, where they are not step and the measure's own."""
        return ()

    def spot(self, row: int, column: int) -> str:
        """Return a place of the picture in words: 'seed 1, layer 3, step 80'."""
        known = dict(self._fixed_words) | {axis.name: axis.said(i) for axis, i in ((self.y, row), (self.x, column))}
        return ", ".join(known[name] for name in sorted(known, key=_place_of))

    @cached_property
    def _fixed_words(self) -> dict[str, str]:
        return said_places(self.data, self.task, self.fixed)

    def valued(self, at: Cursor, options: DrawOptions = PLAIN) -> Spot | None:
        """See ``View.valued``."""
        if min(at.x, at.y) < 0 or not np.isfinite(self.field.values[at.y, at.x]):
            return None
        found, measure = self.field.point(at.y, at.x), self.data.measure
        value = float(self.field.values[at.y, at.x])
        said = f"{number(value)}{words.unit(measure, found)}{words.spread_words(found.spread)}"
        where = tuple(self._whereabouts(at.y, at.x).items())
        return Spot(value, said, self.spot(at.y, at.x), measure.name, where)

    def place_of(self, spot: Spot, options: DrawOptions = PLAIN) -> Cursor:
        """See ``View.place_of``."""
        where = dict(spot.where)
        column, row = (
            next((i for i in range(len(axis.places)) if axis.said(i) == where.get(axis.name)), -1)
            for axis in (self.x, self.y)
        )
        found = self.valued(Cursor(column, row))
        return Cursor(column, row) if found is not None and dict(found.where) == where else NOWHERE

    def _whereabouts(self, row: int, column: int) -> dict[str, str]:
        """Return all that a value is of, by name, in words and in reading order."""
        axes = {axis.name: axis.said(i) for axis, i in ((self.y, row), (self.x, column))}
        task = axes.get(TASK, self.task)
        found = words.whereabouts(self.data, task, self.seeds if TASK not in axes else self.rows_of.seeds(task))
        places = self._fixed_words | axes
        return found | {name: places[name] for name in sorted(places, key=_place_of)}

    def read(self, at: Cursor, room: int) -> str:
        """Return what a clamped cursor points at, in about so many cells: a value, or the extremes along an axis."""
        if at.x >= 0 and at.y >= 0:
            found, level = self.field.point(at.y, at.x), self.uncertainty.level
            return words.point(self.rows_of, self.spot(at.y, at.x), found, room, "", level)
        if at.x >= 0:
            names = [self.y.said(i) for i in range(len(self.y.places))]
            where = ", ".join([*self._fixed_words.values(), self.x.said(at.x)])
            return clean(f"{where}: {between(self.field.values[:, at.x], names)}")
        if at.y >= 0:
            names = [self.x.said(i) for i in range(len(self.x.places))]
            where = ", ".join([self.y.said(at.y), *self._fixed_words.values()])
            return clean(f"{where}: {between(self.field.values[at.y], names)}")
        return ""

    def beside(self, sign: str, *index: int) -> tuple[str, ...]:
        """Return the notes on spread or interval, chance level and distance between seeds.

        Args:
            sign: of a spread or interval beside the reading's own ('band'); empty: none.
            index: of the line or value that is pointed at.
        """
        marks, field, said = f"{sign}, " if sign else "", self.field, self.uncertainty
        several, interval = (bool(np.isfinite(array[index]).any()) for array in (field.spread, field.low))
        shown = interval or bool(said.no_interval)
        return spread(f"{marks}±" if several else "") + self.references(
            *index, interval=f"{marks}[ ]" if shown and not several else ""
        )

    def references(self, *index: int, interval: str = "") -> tuple[str, ...]:
        """Return the notes on chance level and distance between seeds, beside the line or value at ``index``.

        Args:
            interval: sign of the interval, which is explained first; empty: there is none.
        """
        said = self.uncertainty
        chance, apart = (bool(np.isfinite(array[index]).any()) for array in (self.field.null, self.field.yardstick))
        own = said.notes(interval, chance or bool(said.no_chance))
        return tuple(map(clean, own)) + (words.apart(self.data.measure),) * apart

    def told(self, options: DrawOptions, beside: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return all notes of a picture: on the values, then ``beside``, then on options and noise."""
        return self.notes + beside + words.on_scale(self.refused_scales, options) + self.low

    def nothing(self) -> str:
        """Return the text of an empty picture."""
        measure = self.data.measure
        if self.lacks_axis:
            able = ", ".join(m.name for m in all_measures() if m.second_axis is not None)
            return f"{measure.title} has no second axis, such as heads. These have one: {able}."
        if self.data.cells and HEAD.name in (self.layout.x, self.layout.y):
            return f"{measure.title} has no values of single heads, {', '.join(self._fixed_words.values())}."
        return words.nothing(self.data)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per value, sorted by the layout's axes."""
        names, by = [axis.name for axis in self.field.axes], self.layout.by
        field = self.field.along(*(n for n in by if n in names), *(n for n in names if n not in by))
        rows = field_rows(self.data.question, self.layout, field, self.task, self.seeds, self.fixed, self.of_lines())
        return self.layout.columns, rows

    def ranked(self, options: DrawOptions = PLAIN) -> tuple[Cursor, ...]:
        """See ``View.ranked``: by how far values are from those of a checkpoint against itself."""
        return ranked(np.abs(self.field.values - self.data.measure.same))

    def of_lines(self) -> Mapping[Coordinate, Mapping[str, object]]:
        """Return values of whole lines for their rows, by the place of the line and the name of the column."""
        return {}

    def _left_out(self) -> tuple[str, ...]:
        """A note on rows that have no place along the measure's own axes."""
        own = sorted({axis.name for axis in self.data.measure.own_axes} & {self.layout.x, self.layout.y})
        lost = [[n for n in own if coordinate(n)(r) is None] for r in self.data.of(self.task) if r.axes]
        names = [n for n in own if any(n in one for one in lost)]
        return (f"{sum(map(bool, lost)):,} values have no {' or '.join(names)}: the table shows them",) * bool(names)


def field_rows(
    question: Question,
    layout: Layout,
    field: Field,
    task: str,
    seeds: Sequence[str],
    fixed: Mapping[str, Coordinate | None] | None = None,
    of_lines: Mapping[Coordinate, Mapping[str, object]] = NO_LINES,
) -> list[tuple[object, ...]]:
    """Return the rows of a field's stored values, in the order of its axes.

    Args:
        layout: with the measure's own axes (``Layout.of``); its columns are those of the rows.
        task: of a field without that axis; and so ``seeds``, of which it is the mean.
        fixed: places of the measure's axes that the field does not have.
        of_lines: as ``FieldView.of_lines``.
    """
    known: dict[str, object] = {
        "measure": question.measure.name,
        "corpus": question.corpus,
        TASK: task,
        SEED: seeds[0] if len(seeds) == 1 else f"mean of {','.join(seeds)}",
        "against": "" if question.against is None else str(question.against),
        "by": layout.y,
        "unit": field.unit,
        **(fixed or {}),
    }
    found = []
    for index in map(tuple, np.argwhere(field.there).tolist()):
        point = field.point(*index)
        places = {axis.name: axis.places[i] for axis, i in zip(field.axes, index, strict=True)}
        row = known | places | dict(of_lines.get(places[layout.y], {}))
        row["line"] = next((a.label(i) for a, i in zip(field.axes, index, strict=True) if a.name == layout.y), "")
        row |= {"value": point.value, "sd": point.spread, "seeds": point.count, "null": point.null}
        row |= {"interval_low": point.low, "interval_high": point.high, "seed_to_seed": point.yardstick}
        row["reason"] = point.reason
        found.append(tuple(row.get(name) for name in layout.columns))
    return found


def between(values: np.ndarray, names: Sequence[str]) -> str:
    """'0.001 (layer 0) to 0.431 (layer 12)': the extremes of values [names]."""
    good = np.flatnonzero(np.isfinite(values))
    if not len(good):
        return "no value"
    low, high = good[values[good].argmin()], good[values[good].argmax()]
    if low == high:
        return f"{number(float(values[low]))} ({names[low]})"
    return f"{number(float(values[low]))} ({names[low]}) to {number(float(values[high]))} ({names[high]})"


def _place_of(name: str) -> tuple[int, str]:
    """Order of axes in words: task, seed, layer, those of the measure, step."""
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER) + (name == STEP), name)
