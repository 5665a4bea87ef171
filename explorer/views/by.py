"""Curves of one layer: a line a seed, a line a task (the mean over its seeds) or a line a head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import clean, message
from explorer.render.chart import Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.selection import seed_order
from explorer.views import words
from explorer.views.base import ANYWHERE, NOWHERE, PLAIN, Cursor, DrawOptions, Look, Picture
from explorer.views.curves import with_training
from explorer.views.line_view import between, line_chart, other_tasks
from explorer.views.rows import Rows
from explorer.views.training import NONE, Training

COLUMNS = ("measure", "probe", "by", "line", "task", "layer", "step", "against", "value", "sd", "seeds", "unit")


@dataclass(frozen=True, eq=False)
class Line:
    """Values of one line by step: those of its seeds."""

    name: str
    task: str
    values: Mapping[int, tuple[float, ...]]

    def mean(self, step: int) -> float:
        """The mean over seeds, NaN where there is none."""
        return float(np.mean(self.values[step])) if self.values.get(step) else np.nan

    def spread(self, step: int) -> float:
        """Standard deviation over seeds (n - 1), NaN below two."""
        found = self.values.get(step, ())
        return float(np.std(found, ddof=1)) if len(found) > 1 else np.nan


class LinesBy:
    """x is the step, y the seed, task or head; the layer is fixed (``look.layer``, unset: the highest)."""

    name = "curves"

    def __init__(self, data: Rows, training: Training = NONE, look: Look = ANYWHERE) -> None:
        self.data, self.by = data, look.part
        self.task = data.tasks[0] if data.tasks else ""
        layers = sorted({r.layer for r in data.main} or {p.layer for p in data.wanted})
        wanted = layers[-1] if look.layer is None and layers else look.layer or 0
        self.layer = min(layers, key=lambda n: abs(n - wanted)) if layers else wanted
        self.lines = {"seed": self._seeds, "task": self._tasks, "head": self._heads}[self.by]()
        self.training = training if self.by != "task" else NONE
        self.steps = tuple(sorted({step for line in self.lines for step in line.values}))
        self.chart = LineChart(line_chart(data, self._series(), "step", one_seed=False))
        self.empty = not self.steps
        who = self.task if self.by == "seed" else f"{self.task}, {words.seeds(data.seeds(self.task))}"
        lines = f"layer {self.layer}, a line a {self.by}"
        self.title = words.title(data, lines) if self.by == "task" else words.title(data, who, lines)
        self.subtitle = words.subtitle(data, data.main)
        self.notes = words.notes(data, data.main) + (other_tasks(data, self.task) if self.by != "task" else ())

    def _seeds(self) -> list[Line]:
        seeds = self.data.seeds(self.task)
        return [self._line(f"seed {seed}", self.task, (seed,)) for seed in sorted(seeds, key=seed_order)]

    def _tasks(self) -> list[Line]:
        return [self._line(task, task, self.data.seeds(task)) for task in self.data.tasks]

    def _line(self, name: str, task: str, seeds: tuple[str, ...]) -> Line:
        found: dict[int, tuple[float, ...]] = {}
        for step in {p.step for p in self.data.wanted if p.task == task}:
            rows = (self.data.at(task, seed, self.layer, step) for seed in seeds)
            found[step] = tuple(r.value for r in rows if r is not None and r.value is not None)
        return Line(clean(name), task, {step: values for step, values in found.items() if values})

    def _heads(self) -> list[Line]:
        found: dict[int, dict[int, tuple[float, ...]]] = {}
        for r in self.data.results:
            here = r.task == self.task and r.layer == self.layer and r.ref_layer in (None, r.layer)
            whole = r.example is None and r.query is None and r.label_a is None
            if here and whole and r.statistic == self.data.measure.main and r.head is not None and r.value is not None:
                line = found.setdefault(r.head, {})
                line[r.step] = (*line.get(r.step, ()), r.value)
        return [Line(f"head {head}", self.task, found[head]) for head in sorted(found)]

    def _series(self) -> tuple[Series, ...]:
        last = max(1, len(self.lines) - 1)
        made = []
        for i, line in enumerate(self.lines):
            steps = sorted(line.values)
            y, sd = (np.array([f(step) for step in steps]) for f in (line.mean, line.spread))
            banded = bool(np.isfinite(sd).any())
            made.append(
                Series(
                    *(line.name, np.array(steps, np.float64), y, i / last),
                    low=y - sd if banded else None,
                    high=y + sd if banded else None,
                    number=i,
                )
            )
        return tuple(made)

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that line and dims the others."""
        return with_training(self.training, self.chart, self._draw, width, height, palette, cursor, options)

    def _draw(self, width: int, height: int, palette: Palette, cursor: Cursor, options: DrawOptions) -> Picture:
        if self.empty:
            text = words.nothing(self.data)
            if self.by == "head" and self.data.cells:
                text = f"{self.data.measure.title} has no values of single heads: js has."
            return Picture(tuple(message(text, width, height, palette.text)), "", NOWHERE, self.notes)
        at = cursor.clamped(len(self.steps), len(self.lines))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.log_y, options.ascii)
        targets = self.chart.targets(width, height, palette, at.y, options.log_y, options.ascii)
        notes = self.notes + words.on_log(self.data.measure, options)
        return Picture(tuple(lines), self._read(at, width), at, notes, targets)

    def _read(self, at: Cursor, room: int) -> str:
        if at.x < 0:
            return ""
        step = self.steps[at.x]
        if at.y < 0:
            values = np.array([line.mean(step) for line in self.lines])
            return clean(f"layer {self.layer}, step {step:,}: {between(values, [line.name for line in self.lines])}")
        line = self.lines[at.y]
        text = f"{line.name}, layer {self.layer}, step {step:,}: "
        if not line.values.get(step):
            return clean(text + "no value")
        many, sd = len(line.values[step]), line.spread(step)
        text += number(line.mean(step)) + (f" ± {number(sd)} ({many} seeds)" if many > 1 else "")
        yard = self.data.yardstick.get((line.task, self.layer, step)) if self.by != "head" else None
        beside = words.yardstick(self.data, None if yard is None else yard.value)
        return clean(words.together(text, beside, words.against(self.data), room))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a line and step: the value, or the mean over seeds with its standard deviation."""
        selection = self.data.selection
        against = "" if selection.against is None else str(selection.against)
        unit = self.data.results[0].unit if self.data.results else ""
        return COLUMNS, [
            (
                *(selection.measure, selection.probe, self.by, line.name, line.task, self.layer, step, against),
                *(line.mean(step), None if np.isnan(sd := line.spread(step)) else sd, len(line.values[step]), unit),
            )
            for line in self.lines
            for step in sorted(line.values)
        ]
