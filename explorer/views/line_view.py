"""What Curves and Profile have in common: one cube of values, a line chart of its mean, readings along two axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import clean
from explorer.render.chart import Chart, Companion, Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.cells import signed
from explorer.views.rows import Cube, Rows
from explorer.views.trust import Trust, spread
from store.keys import task_and_variant

COLUMNS = (
    *("measure", "corpus", "task", "seed", "step", "layer", "against", "value", "sd", "seeds"),
    *("interval_low", "interval_high", "null", "seed_to_seed", "unit", "reason"),
)

_ALL_TASKS = "a line a task shows all"


class CubeView:
    """One task of a selection: one seed, or the mean over the chosen ones."""

    name = ""

    def __init__(self, data: Rows) -> None:
        self.data = data
        self.task = data.tasks[0] if data.tasks else ""
        self.seeds = data.seeds(self.task)
        self.cube: Cube = data.cube(self.task, self.seeds)
        names = task_and_variant(self.task)
        self.shown = tuple(r for r in data.main if r.task == names[0] and r.variant == names[1])
        self.title = words.title(data, self.task, words.seeds(self.seeds)) if self.seeds else words.title(data)
        self.subtitle = words.subtitle(data, self.shown)
        self.empty = not bool(np.isfinite(self.cube.values).any())
        self.notes = words.notes(data, self.shown) + other_tasks(data, self.task)
        self.trust = Trust.of(data.measure, self.shown)
        self.low = words.on_noise(data.measure, self.shown)
        self.apart = bool(np.isfinite(self.cube.yardstick).any())
        """Distances between seeds stand beside the values."""

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the layers, in the order of the axis."""
        return self.cube.layers

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps, in the order of the axis."""
        return self.cube.steps

    def at(self, layer: int, step: int, room: int = words.WIDE) -> str:
        """The value at indices into layers and steps, in words, about so many."""
        number_of, at_step = self.cube.layers[layer], self.cube.steps[step]
        place = f"layer {number_of}, step {at_step:,}"
        if len(self.seeds) == 1:
            stored = self.data.at(self.task, self.seeds[0], number_of, at_step)
            return words.reading(self.data, place, stored, room=room)
        cube, many = self.cube, int(self.cube.count[layer, step])
        if not many:
            return f"{place}: no value of any seed"
        spread = f" ± {number(float(cube.spread[layer, step]))}" if many > 1 else ""
        text = f"{place}: {number(float(cube.mean[layer, step]))}{spread} ({many} of {len(self.seeds)} seeds)"
        yard, chance = float(cube.yardstick[layer, step]), float(cube.null[layer, step])
        beside = words.yardstick(self.data, yard) + words.chance(chance)
        return words.together(text, beside, words.against(self.data), room)

    def told(self, options: DrawOptions, beside: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The notes, what stands ``beside`` the values in the picture, and what of the options cannot be done."""
        return self.notes + beside + words.on_log(self.data.measure, options) + self.low

    def beside(self, sign: str) -> tuple[str, ...]:
        """On the spread or interval, chance level and distance between seeds of the values that are pointed at.

        Args:
            sign: what stands for a spread or interval beside the reading's own ('band'); empty: nothing.
        """
        marks = f"{sign}, " if sign else ""
        several = len(self.seeds) > 1
        said = spread(f"{marks}±" if several and np.isfinite(self.cube.spread).any() else "")
        said += self.trust.notes("" if several else f"{marks}[ ]", chance=True)
        return said + (words.apart(self.data.measure),) * self.apart

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a layer and step: the value, or the mean over seeds with its standard deviation."""
        return COLUMNS, cube_rows(self.data, self.cube)


class LineView(CubeView):
    """A chart of the cube; subclasses say which axis runs along x."""

    x_name = ""

    def __init__(self, data: Rows) -> None:
        super().__init__(data)
        self.chart = LineChart(line_chart(data, self.series(), self.x_name, one_seed=len(self.seeds) == 1))
        many, drawn = len(self.chart.chart.series), len(self.chart.shown())
        if drawn < many:
            self.notes += (f"{drawn} of {many} lines are drawn, and the one pointed at",)

    def series(self) -> tuple[Series, ...]:
        """The lines, lowest first."""
        raise NotImplementedError

    def read(self, cursor: Cursor, room: int) -> str:
        """What a clamped cursor points at, in about so many cells."""
        raise NotImplementedError

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that line and dims the others."""
        if self.empty:
            return words.instead(words.nothing(self.data), width, height, palette, self.notes)
        at = cursor.clamped(len(self.chart.xs), len(self.chart.chart.series))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.log_y, options.ascii)
        targets = self.chart.targets(width, height, palette, at.y, options.log_y, options.ascii)
        banded = len(self.seeds) > 1 and bool(np.isfinite(self.cube.spread).any())
        beside = self.beside("band") if at.y >= 0 else spread("bands" if banded else "")
        return Picture(tuple(lines), self.read(at, width), at, self.told(options, beside), targets)


def line_chart(data: Rows, series: tuple[Series, ...], x_name: str, one_seed: bool) -> Chart:
    """The chart of a measure's lines: its axis from no difference on, bands where they say something."""
    measure = data.measure
    return Chart(
        series,
        x_name,
        words.y_name(measure),
        floor=0.0 if measure.same else measure.floor,
        anchor=measure.same,
        signed=signed(measure),
        # Every value has its interval: bands of several lines would cover each other.
        bands_in_focus_only=one_seed,
    )


def cube_series(
    cube: Cube, labels: Sequence[str], numbers: Sequence[int], steps: bool, extras: bool
) -> tuple[Series, ...]:
    """The lines of a cube's mean: against steps a line a layer, else against layers a line a step.

    Args:
        cube: one seed gives its interval as band, several their standard deviation.
        labels: of the lines.
        numbers: choose their letters.
        steps: which way.
        extras: chance level and distance between seeds as companions.
    """

    def turned(values: np.ndarray) -> np.ndarray:
        return values if steps else values.T

    if len(cube.seeds) == 1:
        low, high = cube.low[0], cube.high[0]
    else:
        low, high = cube.mean - cube.spread, cube.mean + cube.spread
    places = np.array(cube.steps if steps else cube.layers, np.float64)
    values, low, high, null, yard = map(turned, (cube.mean, low, high, cube.null, cube.yardstick))
    last = max(1, len(labels) - 1)
    found = []
    for i, label in enumerate(labels):
        banded = bool(np.isfinite(low[i]).any())
        lines = (Companion("seeds", yard[i], dashed=True), Companion("chance", null[i])) if extras else ()
        found.append(
            Series(
                label=label,
                x=places,
                y=values[i],
                rank=i / last,
                low=low[i] if banded else None,
                high=high[i] if banded else None,
                number=numbers[i],
                companions=tuple(line for line in lines if np.isfinite(line.y).any()),
            )
        )
    return tuple(found)


def between(values: np.ndarray, names: Sequence[str]) -> str:
    """'0.001 (layer 0) to 0.431 (layer 12)': the extremes of values [names]."""
    good = np.flatnonzero(np.isfinite(values))
    if not len(good):
        return "no value"
    low, high = good[values[good].argmin()], good[values[good].argmax()]
    if low == high:
        return f"{number(float(values[low]))} ({names[low]})"
    return f"{number(float(values[low]))} ({names[low]}) to {number(float(values[high]))} ({names[high]})"


def other_tasks(data: Rows, shown: str) -> tuple[str, ...]:
    """A note that names the chosen tasks which a picture of one task leaves out."""
    others = [t for t in data.tasks if t != shown]
    if not others:
        return ()
    named = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    return (clean(f"shows {shown} alone; {named} {'is' if len(others) == 1 else 'are'} chosen too: {_ALL_TASKS}"),)


def cube_rows(data: Rows, cube: Cube) -> list[tuple[object, ...]]:
    """A cube as rows of COLUMNS: the mean over its seeds where there are several (a mean has no interval)."""
    selection = data.question
    source = "" if selection.against is None else str(selection.against)
    alone = len(cube.seeds) == 1
    seed = cube.seeds[0] if alone else f"mean of {','.join(cube.seeds)}"
    found: list[tuple[object, ...]] = []
    for s, step in enumerate(cube.steps):
        for i, layer in enumerate(cube.layers):
            many = int(cube.count[i, s])
            stored = [r for r in (data.at(cube.task, one, layer, step) for one in cube.seeds) if r is not None]
            if not stored:
                continue
            edges = (stored[0].interval_low, stored[0].interval_high) if alone else (None, None)
            reason = "; ".join(sorted({r.reason for r in stored if r.reason}))
            found.append(
                (
                    *(data.measure.name, selection.corpus, cube.task, seed, step, layer, source),
                    *(_real(cube.mean[i, s]), _real(cube.spread[i, s]), many, *edges),
                    *(_real(cube.null[i, s]), _real(cube.yardstick[i, s]), stored[0].unit, reason),
                )
            )
    return found


def _real(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
