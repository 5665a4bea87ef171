"""Tasks: is this fine-tuning, or this task? Each task's mean over its seeds on one scale, then the mean over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import clean
from explorer.render.chart import Series
from explorer.render.lines import LineChart
from explorer.views import words
from explorer.views.base import Cursor
from explorer.views.line_view import COLUMNS, between, cube_rows, cube_series, line_chart
from explorer.views.rows import Cube, Rows
from explorer.views.side_by_side import Panel, SideBySide
from explorer.views.trust import Trust, joined, spread


@dataclass(frozen=True, eq=False)
class Task:
    """What is shown of one task; its rows, a hundred thousand with all seeds and steps, need not be kept."""

    cube: Cube
    rows: Sequence[tuple[object, ...]]
    """The cube's, of COLUMNS."""
    flaws: tuple[str, ...]
    low: tuple[str, ...]
    """The note on noise."""
    trust: Trust


def task_of(data: Rows) -> Task:
    """What is shown of the first task of some rows."""
    task = data.tasks[0]
    cube, shown = data.cube(task, data.seeds(task)), [r for r in data.main if r.recipe == task]
    low = words.on_noise(data.measure, shown)
    return Task(cube, cube_rows(data, cube), words.flaws(shown), low, Trust.of(data.measure, shown))


class Tasks(SideBySide):
    """x is the step, y (the line) the layer; every task at its own steps."""

    name = "seeds"

    def __init__(self, data: Rows, tasks: Sequence[Task]) -> None:
        """``data``: rows of the first task, and what is missing of all."""
        self.data, self._tasks = data, tasks
        self.cubes = {task.cube.task: task.cube for task in tasks}
        self.mean = over_tasks(tuple(self.cubes.values()))
        shown = [*self.cubes.values(), *([self.mean] if self.mean is not None else [])]
        edges = [e for c in shown for e in (c.mean, c.mean - c.spread, c.mean + c.spread, c.yardstick)]
        edges += [e for c in shown if len(c.seeds) == 1 for e in (c.low, c.high)]
        scale = np.concatenate([np.ravel(e) for e in edges]) if edges else np.zeros(0)

        def chart(part: Cube) -> LineChart:
            labels = [f"L{layer}" for layer in part.layers]
            series = dict(zip(part.layers, cube_series(part, labels, part.layers, True, True), strict=True))
            none = Series("", np.zeros(0), np.zeros(0))
            lines = tuple(series.get(layer, none) for layer in self.layers)
            whole = line_chart(data, lines, "step", len(part.seeds) == 1)
            xs = np.array(self.steps, np.float64)
            return LineChart(replace(whole, y_name="", scale_of=scale, xs_of=xs, values=False, fades=False))

        self.panels = [Panel(*_named(task, cube, chart(cube))) for task, cube in self.cubes.items()]
        self.spare = len(self.panels) if self.mean is not None else 0
        if self.mean is not None:
            self.panels.append(Panel(f"mean ± sd over {len(self.mean.seeds)} tasks", chart(self.mean)))
        self.empty = not any(np.isfinite(cube.values).any() for cube in self.cubes.values())
        few = "one task" if len(self.cubes) == 1 else f"{len(self.cubes)} tasks side by side, means over seeds"
        self.title = words.title(data, few)
        self.subtitle = words.subtitle(data, data.main)
        alone = ("one task is chosen: the panel, or --task, takes in others",) if len(self.cubes) == 1 else ()
        self.notes = alone + words.missing(data) + self._of_each([task.flaws for task in tasks])
        self.trust = joined([task.trust for task in tasks])
        self.low = self._of_each([task.low for task in tasks])

    @property
    def steps(self) -> tuple[int, ...]:
        """Of any task."""
        return tuple(sorted({step for cube in self.cubes.values() for step in cube.steps}))

    @property
    def layers(self) -> tuple[int, ...]:
        """Of any task's models."""
        return tuple(sorted({layer for cube in self.cubes.values() for layer in cube.layers}))

    def marks(self, pointed: bool) -> tuple[str, ...]:
        """See ``SideBySide``."""
        cubes = self.cubes.values()
        sign = "bands, ±" if pointed else "bands"
        several = any(np.isfinite(c.spread).any() for c in cubes)
        over = " and, of the mean, over ".join(["seeds"] * several + ["tasks"] * (self.mean is not None))
        said = spread(sign if over else "", over)
        if not pointed:
            return said
        said += self.trust.notes("band of one seed" if any(len(c.seeds) == 1 for c in cubes) else "", chance=True)
        return said + (words.apart(self.data.measure),) * any(np.isfinite(c.yardstick).any() for c in cubes)

    def read(self, at: Cursor, room: int) -> str:
        """See ``SideBySide``."""
        if at.x < 0:
            return ""
        step = self.steps[at.x]
        if at.y < 0:
            names = [f"{task}, layer {layer}" for task, cube in self.cubes.items() for layer in cube.layers]
            values = [_at(cube, layer, step)[0] for cube in self.cubes.values() for layer in cube.layers]
            return clean(f"step {step:,}: {between(np.array(values), names)}")
        layer = self.layers[at.y]
        each = [f"{task} {_said(*_at(cube, layer, step))}" for task, cube in self.cubes.items()]
        text = f"layer {layer}, step {step:,}: {', '.join(each[:6])}"
        text += f" and {len(each) - 6} more" if len(each) > 6 else ""
        if self.mean is not None and step in self.mean.steps and layer in self.mean.layers:
            text += f"; mean {_said(*_at(self.mean, layer, step))}"
        return clean(words.together(text, "", words.against(self.data), room))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Every task's means over its seeds."""
        return COLUMNS, [row for task in self._tasks for row in task.rows]

    def _of_each(self, notes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """Notes of all tasks: said once where they are the same, else of each by its name."""
        if len(set(notes)) == 1:
            return notes[0]
        return tuple(clean(f"{task}: {note}") for task, each in zip(self.cubes, notes, strict=True) for note in each)


def over_tasks(cubes: tuple[Cube, ...]) -> Cube | None:
    """Tasks in the place of seeds: their means at the layers and steps that every one of them has a value of.

    None for fewer than two tasks, and where they have no step or layer in common: a mean over other tasks at every step
    would draw their difference as a change.
    """
    if len(cubes) < 2:
        return None
    layers = sorted(set.intersection(*(set(c.layers) for c in cubes)))
    steps = sorted(set.intersection(*(set(c.steps) for c in cubes)))
    if not layers or not steps:
        return None

    def common(cube: Cube, values: np.ndarray) -> np.ndarray:
        return values[np.ix_([cube.layers.index(n) for n in layers], [cube.steps.index(n) for n in steps])]

    values = np.stack([common(c, c.mean) for c in cubes])
    values[:, ~np.isfinite(values).all(0)] = np.nan
    none = np.full_like(values, np.nan)
    nulls = np.stack([common(c, c.null) for c in cubes])
    nulls[:, ~np.isfinite(nulls).all(0)] = np.nan
    tasks = tuple(c.task for c in cubes)
    return Cube("", tasks, tuple(layers), tuple(steps), values, none, none, nulls, none[0])


def _named(task: str, cube: Cube, chart: LineChart) -> tuple[str, LineChart, str]:
    name = f"{task}, seed {cube.seeds[0]}" if len(cube.seeds) == 1 else f"{task} ± sd"
    return clean(name), chart, ", ╌ seeds" if np.isfinite(cube.yardstick).any() else ""


def _at(cube: Cube, layer: int, step: int) -> tuple[float, float]:
    """Mean and spread; NaN where there is none."""
    if layer not in cube.layers or step not in cube.steps:
        return float("nan"), float("nan")
    at = cube.layers.index(layer), cube.steps.index(step)
    return float(cube.mean[at]), float(cube.spread[at])


def _said(mean: float, spread: float) -> str:
    if not np.isfinite(mean):
        return "none"
    return number(mean) + (f" ± {number(spread)}" if np.isfinite(spread) else "")
