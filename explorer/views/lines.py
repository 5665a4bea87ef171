"""Lines of a field: one axis along x, one line per place of the other; training's quantities under those of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from statistics import fmean

import numpy as np

from explorer.answers.cells import signed
from explorer.answers.coordinates import CORPUS, SEED, STEP, TASK, coordinate
from explorer.answers.look import ANYWHERE, Look
from explorer.answers.rows import Rows
from explorer.answers.training import NONE, Training
from explorer.answers.uncertainty_notes import spread
from explorer.fields.field import ALL, Field, FieldAxis
from explorer.fields.placing import field_along
from explorer.measures import Measure
from explorer.measures.declaration import HEAD, LAYER, Axis, Coordinate
from explorer.render import tracks
from explorer.render.axes import number
from explorer.render.cells import Grid
from explorer.render.chart import Chart, Companion, Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.views import onset_marks, rulers, words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.field_view import BY, INNER, OUTER, WHOLE, FieldView, Layout
from explorer.views.onset_marks import ONSETS
from store.results import Result

CURVES = {
    "layer": Layout(STEP, OUTER, (*WHOLE, *ONSETS)),
    "seed": Layout(STEP, SEED, (*BY, *ONSETS), (SEED, STEP)),
    "task": Layout(STEP, TASK, (*BY, *ONSETS), (TASK, STEP)),
    "head": Layout(STEP, INNER, (*BY, *ONSETS), (INNER, STEP)),
    "corpus": Layout(STEP, CORPUS, (*WHOLE, *ONSETS), (CORPUS, STEP)),
}
PROFILE = {
    "step": Layout(OUTER, STEP),
    "seed": Layout(OUTER, SEED, BY, (SEED, OUTER)),
    "task": Layout(OUTER, TASK, BY, (TASK, OUTER)),
    "head": Layout(OUTER, INNER, BY, (INNER, OUTER)),
    "corpus": Layout(OUTER, CORPUS, by=(CORPUS, OUTER)),
}


class Lines(FieldView):
    """x is a step or a place of the measure's own axis, y the line."""

    def __init__(
        self,
        name: str,
        data: Rows,
        layout: Layout,
        look: Look = ANYWHERE,
        heads: Sequence[Result] | None = None,
        tasks: Rows | None = None,
        training: Training = NONE,
        second: Rows | None = None,
    ) -> None:
        """See FieldView.

        Args:
            second: rows of another task, which is drawn beside the line that is pointed at.
        """
        self.second = second.tasks[0] if second is not None and second.tasks else ""
        super().__init__(name, data, layout, look, heads, tasks)
        self.training = training if self.x.name == STEP and self.y.name != TASK else NONE
        self.empty = self.empty or not self.x.numeric
        self.onsets = onset_marks.of_field(self.field, data)
        """When each line had made half and 90 % of its change; None where nothing may be claimed."""
        # A gap between two corpora is no value of the measure, and its interval may lie on both sides of zero.
        within = EVERYWHERE if data.gaps else (data.measure.low, data.measure.high)
        series = self._with_companions(self._joined(series_of(self.field, within))) if self.x.numeric else ()
        series = self._with_second(series, second) if second is not None and self.second else series
        series = onset_marks.marked(series, self.onsets)
        series, shared = self._with_wholes(series)
        chart = chart_of(data, series, self.x, not np.isfinite(self.field.spread).any())
        self.chart = LineChart(replace(chart, shared=shared))
        self._charts: dict[str, LineChart] = {}
        """The same in other units, by the name of the scale."""
        own = [axis.name for axis in data.measure.own_axes]
        if self.x.name == STEP and len(self.x.places) == 1 and self.y.name in own and len(self.y.places) > 1:
            self.notes += (f"one step alone: Profile draws the values along {self.y.words}",)
        many, drawn = len(series), len(self.chart.shown())
        if drawn < many:
            self.notes += (f"{drawn} of {many} lines are drawn, and the one pointed at",)

    @cached_property
    def _rulers(self) -> Mapping[str, rulers.Ruler | str]:
        """Units of the value axis by the name of the scale; a text says why there is none."""
        return {name: ruler(self.field, self.data) for name, ruler in rulers.RULERS.items()}

    @property
    def refused_scales(self) -> Mapping[str, str]:
        """See ``View.refused_scales``."""
        whys = {name: found for name, found in self._rulers.items() if isinstance(found, str)}
        return {**words.no_log(self.data.measure), **whys}

    def _scaled(self, scale: str) -> LineChart:
        """Return the chart in the unit of a scale; the plain chart where the scale has none."""
        ruler = self._rulers.get(scale, "") if scale in rulers.RULERS else ""
        if isinstance(ruler, str):
            return self.chart
        if scale not in self._charts:
            self._charts[scale] = LineChart(ruler.chart(self.chart.chart, rulers.plain_name(self.data)))
        return self._charts[scale]

    def _in_unit(self, said: str, at: Cursor, scale: str, room: int) -> str:
        """Add the value in the unit of a scale to a reading, where there is room."""
        ruler = self._rulers.get(scale, "") if scale in rulers.RULERS else ""
        if isinstance(ruler, str) or min(at.x, at.y) < 0:
            return said
        longer = f"{said}; {ruler.reading(at.y, at.x, float(self.field.values[at.y, at.x]))}"
        return longer if len(longer) <= room - 2 else said

    def _joined(self, series: tuple[Series, ...]) -> tuple[Series, ...]:
        """The lines, each without the places that only others can have, such as steps of another seed."""
        names = self.y.name, self.x.name
        complete = not (np.isnan(self.field.values) & ~self.field.there).any()
        if complete or set(names) == {LAYER.name, STEP}:  # each step of a task has each layer
            return series
        asked = self.rows_of.asked_at(names, self.fixed if TASK in names else self.fixed | {TASK: self.task})
        found = []
        for one, line in zip(series, self.y.places, strict=True):
            theirs = [{(line, x), (line, None), (None, x), (None, None)}.isdisjoint(asked) for x in self.x.places]
            found.append(replace(one, foreign=np.array(theirs, bool)))
        return tuple(found)

    def _with_companions(self, series: tuple[Series, ...]) -> tuple[Series, ...]:
        """The lines with those of the statistics that the measure declares beside its main one."""
        axes = (self.layout.x, self.layout.y)
        if TASK in axes or HEAD.name in axes:
            return series
        for statistic, label in self.data.measure.companions:
            rows = tuple(r for r in self.data.results if r.statistic == statistic and r.recipe == self.task)
            found = self._field((self.task,), rows)
            if [axis.places for axis in found.axes] == [axis.places for axis in self.field.axes]:
                beside = (Companion(label, line) for line in found.values)
                series = tuple(
                    replace(s, companions=(*s.companions, one)) for s, one in zip(series, beside, strict=True)
                )
        return series

    def _with_second(self, series: tuple[Series, ...], second: Rows) -> tuple[Series, ...]:
        """The lines with those of another task beside them, at the places that both have."""
        names = self.y.name, self.x.name
        field = field_along(second, self.second, SEED, *names, rows=None, **self.fixed)
        field = (field.at(SEED, field.places(SEED)[0]) if self.data.measure.alone else field.over(SEED)).along(*names)
        there = {
            place: dict(zip(field.axes[1].places, field.values[i], strict=True))
            for i, place in enumerate(field.axes[0].places)
        }
        found = []
        for one, place in zip(series, self.y.places, strict=True):
            values = np.array([there.get(place, {}).get(x, np.nan) for x in self.x.places], np.float64)
            beside = (Companion(self.second, values, dashed=True),) if np.isfinite(values).any() else ()
            found.append(replace(one, companions=(*one.companions, *beside)))
        return tuple(found)

    def _with_wholes(self, series: tuple[Series, ...]) -> tuple[tuple[Series, ...], tuple[Companion, ...]]:
        """The lines, and what they share, with level lines at the values that have no place along the axis."""
        measure = self.data.measure
        axis = measure.axis(self.x.name)
        if axis is None or not axis.whole:
            return series, ()
        along, fixed = coordinate(axis.name), [(coordinate(name), place) for name, place in self.fixed.items()]
        rows = [r for r in self.data.of(self.task) if along(r) is None and r.value is not None]
        rows = [r for r in rows if all(f(r) in (place, None) for f, place in fixed)]
        if measure.axis(self.y.name) is not None:
            return series, wholes(rows, measure, axis, len(self.x.places))
        of_line = coordinate(self.y.name)
        found = (wholes([r for r in rows if of_line(r) == p], measure, axis, len(self.x.places)) for p in self.y.places)
        added = zip(series, found, strict=True)
        return tuple(replace(one, companions=one.companions + beside) for one, beside in added), ()

    def _left_out(self) -> tuple[str, ...]:
        """See FieldView: level lines show what has no place along the axis."""
        axis = self.data.measure.axis(self.layout.x)
        return () if axis is not None and axis.whole else super()._left_out()

    def read(self, at: Cursor, room: int) -> str:
        """See FieldView; of a value also its companions, where there is room."""
        said = super().read(at, room)
        if min(at.x, at.y) < 0:
            return said
        named = (*dict(self.data.measure.companions).values(), self.second)
        beside = [c for c in self.chart.chart.series[at.y].companions if c.label in named and np.isfinite(c.y[at.x])]
        for one in beside:
            longer = f"{said}; {one.label} {number(float(one.y[at.x]))}"
            said = longer if len(longer) <= room - 2 else said
        return said

    def _with_onset(self, said: str, line: int, room: int) -> str:
        """Add the onset of a line (-1: none) to a reading, in full or in brief, as far as there is room."""
        found = self.onsets[line] if line >= 0 else None
        forms = [] if found is None else [onset_marks.in_words(found), onset_marks.in_brief(found)]
        return next((longer for longer in (f"{said}; {form}" for form in forms) if len(longer) <= room - 2), said)

    def of_lines(self) -> Mapping[Coordinate, Mapping[str, object]]:
        """See FieldView: the onsets."""
        return {p: onset_marks.columns(one) for p, one in zip(self.y.places, self.onsets, strict=True)}

    def shape(self) -> tuple[str, ...]:
        """See FieldView: nothing where the lines are steps, or the measure's own places against steps."""
        own = {axis.name for axis in self.data.measure.own_axes[:1]} | {STEP, ALL}
        return () if self.lacks_axis or {self.layout.x, self.layout.y} <= own else (f"one line per {self.y.words}",)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that line and dims the others."""
        if self.empty:
            return words.instead(self.nothing(), width, height, palette, self.notes)
        tall = tracks.lines(self.training.tracks, height)
        below = tall * len(self.training.tracks)
        at = cursor.clamped(len(self.chart.xs), len(self.y.places))
        room = (width, height - below, palette)
        chart = self._scaled(options.scale)
        lines = chart.draw(*room, at.x, at.y, options.log, options.ascii)
        targets = chart.targets(*room, at.y, options.log, options.ascii)
        said = self._in_unit(self.read(at, width), at, options.scale, width)
        said = self._with_onset(said, at.y, width)
        if below:
            step = int(self.chart.xs[at.x]) if at.x >= 0 else -1
            frame = chart.frame(*room, at.y, options.log, options.ascii)
            grid = Grid(width, below)
            logged = (self.training.steps, self.training.tracks)
            tracks.draw(grid, 0, tall, *logged, frame, palette, step, options.ascii)
            lines = [*lines, *grid.lines()]
            figures = ", ".join(f"{short} {number(value)}" for short, value in self.training.at(step))
            longer = f"{said}; {'mean ' * (self.training.seeds > 1)}{figures}"
            # Where there is no room, the tracks show the same at their right ends.
            said = longer if said and figures and len(longer) <= width - 2 else said
        beside = self.beside("band", at.y) if at.y >= 0 else self._bands
        beside += onset_marks.legend(self.onsets)
        marked = chart.cell(*room, options.mark.x, options.mark.y, at.y, options.log, options.ascii)
        return Picture(tuple(lines), said, at, self.told(options, beside), targets, marked)

    def nothing(self) -> str:
        """See FieldView."""
        if not self.x.numeric:
            return f"{self.x.words} is not a number: values of {self.data.measure.title} have no order along it."
        return super().nothing()

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``; where no line is pointed at, chance and distance between seeds are those of the last."""
        references = self.references(-1) if len(self.field.values) else ()
        notes = None if focused else self.told(options, self._bands + references + onset_marks.legend(self.onsets))
        return Sheet((Part(self._scaled(options.scale), log=options.log),), self.training, notes=notes)

    @property
    def _bands(self) -> tuple[str, ...]:
        """The note on the bands of all lines."""
        return spread("bands" if np.isfinite(self.field.spread).any() else "")


def chart_of(data: Rows, series: tuple[Series, ...], x: FieldAxis, in_focus_only: bool) -> Chart:
    """Return the chart of a measure's lines: its value axis begins at no difference.

    Args:
        in_focus_only: every value has its interval: bands of several lines would cover each other.
    """
    measure = data.measure
    return Chart(
        series,
        x.words,
        words.y_name(measure),
        floor=0.0 if measure.same else measure.floor,
        anchor=measure.same,
        signed=signed(measure),
        bands_in_focus_only=in_focus_only,
    )


def wholes(rows: Sequence[Result], measure: Measure, axis: Axis, points: int) -> tuple[Companion, ...]:
    """Return level lines at the means of values without a place along an axis, by their place along the others.

    Args:
        points: number of points of the lines.
    """
    found: dict[str, list[float]] = {}
    for r in rows:
        others = (coordinate(other.name)(r) for other in measure.own_axes)
        name = next((str(place) for place in others if place is not None), axis.whole)
        found.setdefault(name, []).append(float(r.value or 0.0))
    return tuple(Companion(name, np.full(points, fmean(values)), name == axis.whole) for name, values in found.items())


EVERYWHERE = (-np.inf, np.inf)
"""Range of values that are not a measure's own, such as differences of two."""


def series_of(field: Field, within: tuple[float, float], companions: bool = True) -> tuple[Series, ...]:
    """Return one line per place of a field's first axis against its second: mean and spread, or value and interval.

    Args:
        within: possible values; bands end there.
        companions: whether lines come with the distance between seeds and the chance level.
    """
    lines, x = field.axes
    places = np.array(x.places, np.float64)
    spread_of = np.isfinite(field.spread).any()
    low, high = (field.values - field.spread, field.values + field.spread) if spread_of else (field.low, field.high)
    low, high = np.clip(low, *within), np.clip(high, *within)
    last = max(1, len(lines.places) - 1)
    found = []
    for i in range(len(lines.places)):
        banded = bool(np.isfinite(low[i]).any())
        beside = (Companion("seeds", field.yardstick[i], dashed=True), Companion("chance", field.null[i]))
        found.append(
            Series(
                label=lines.label(i),
                x=places,
                y=field.values[i],
                rank=i / last,
                low=low[i] if banded else None,
                high=high[i] if banded else None,
                number=_number(lines, i),
                companions=tuple(line for line in beside if companions and np.isfinite(line.y).any()),
            )
        )
    return tuple(found)


def _number(axis: FieldAxis, i: int) -> int:
    """The number that chooses a line's letter: its own where it is a small one."""
    if axis.name == STEP:
        return i
    own = [str(place) for place in axis.places]
    decimal = all(place.isdecimal() for place in own) and (axis.name != SEED or all(int(place) < 10 for place in own))
    return int(own[i]) if decimal else i + (axis.name in (SEED, TASK))


def curves(
    data: Rows,
    training: Training = NONE,
    heads: Sequence[Result] | None = None,
    tasks: Rows | None = None,
    corpora: Rows | None = None,
    second: Rows | None = None,
    look: Look = ANYWHERE,
) -> Lines:
    """Return lines against steps: one per layer, or per seed, task, head or corpus in the layer that is looked at."""
    return Lines("curves", corpora or data, CURVES[look.part or "layer"], look, heads, tasks, training, second)


def profile(
    data: Rows,
    heads: Sequence[Result] | None = None,
    tasks: Rows | None = None,
    corpora: Rows | None = None,
    second: Rows | None = None,
    look: Look = ANYWHERE,
) -> Lines:
    """Return lines against layers: one per step, or per seed, task, head or corpus at the step that is looked at."""
    return Lines("profile", corpora or data, PROFILE[look.part or "step"], look, heads, tasks, second=second)
