"""Lines by seed, by task (the mean over its seeds) or by head: along the steps in one layer, along the layers at one
step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import clean
from explorer.render.chart import Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.selection import at_or_before, seed_order
from explorer.views import words
from explorer.views.base import ANYWHERE, NOWHERE, PLAIN, Cursor, DrawOptions, Look, Picture
from explorer.views.curves import with_training
from explorer.views.line_view import between, line_chart, other_tasks
from explorer.views.rows import Rows, layers_of
from explorer.views.training import NONE, Training
from explorer.views.trust import spread
from store.results import Result

COLUMNS = ("measure", "corpus", "by", "line", "task", "layer", "step", "against", "value", "sd", "seeds", "unit")


@dataclass(frozen=True, eq=False)
class Line:
    """Values of one line by its places along x: those of its seeds."""

    name: str
    task: str
    values: Mapping[int, tuple[float, ...]]
    head: int = 0
    """Of a line a head."""
    number: int = -1
    """A seed's own, where it is one digit: it chooses the line's letter."""

    def mean(self, x: int) -> float:
        """The mean over seeds, NaN where there is none."""
        return float(np.mean(self.values[x])) if self.values.get(x) else np.nan

    def spread(self, x: int) -> float:
        """Standard deviation over seeds (n - 1), NaN below two."""
        found = self.values.get(x, ())
        return float(np.std(found, ddof=1)) if len(found) > 1 else np.nan


def layer_of(data: Rows, look: Look) -> int:
    """The layer that is looked at, or the one below it that has values; unset, the highest."""
    there = sorted(layers_of(data.main) or layers_of(data.wanted))
    wanted = there[-1] if look.layer is None and there else look.layer or 0
    return there[at_or_before(there, wanted)] if there else wanted


def step_of(data: Rows, look: Look) -> int:
    """The step of the first task that is looked at, or the one before it."""
    there = sorted({p.step for p in data.wanted if p.recipe == data.tasks[0]})
    return there[at_or_before(there, look.step)] if there else 0


class LinesBy:
    """y is the seed, task or head; x the step in one layer (``look.layer``, unset: the highest), or the layer at one
    step (``look.step``, of the first task's)."""

    def __init__(
        self,
        data: Rows,
        training: Training = NONE,
        look: Look = ANYWHERE,
        along: Literal["step", "layer"] = "step",
        heads: Sequence[Result] = (),
        tasks: Rows | None = None,
    ) -> None:
        """``heads``: values of single heads in that layer; ``tasks``: rows of every task there, where ``data`` holds
        those of one."""
        self.over, self._by_head = tasks or data, heads
        self.data, self.by, self.along = data, look.part, along
        self.name = "curves" if along == "step" else "profile"
        self.task = data.tasks[0] if data.tasks else ""
        self.fixed = layer_of(data, look) if along == "step" else step_of(data, look)
        """Number of the one layer, or of the one step."""
        self.shown: list[Result] = []
        """The rows behind the lines."""
        self.lines = {"seed": self._seeds, "task": self._tasks, "head": self._heads}[self.by]()
        self.training = training if self.by != "task" else NONE
        self.xs = tuple(sorted({x for line in self.lines for x in line.values}))
        self.chart = LineChart(line_chart(data, self._series(), along, one_seed=False))
        self.empty = not self.xs
        who = self.task if self.by == "seed" else f"{self.task}, {words.seeds(data.seeds(self.task))}"
        lines = f"{self._where()}, a line a {self.by}"
        self.title = words.title(data, lines) if self.by == "task" else words.title(data, who, lines)
        self.subtitle = words.subtitle(data, self.shown)
        self.notes = words.notes(data, self.shown) + (other_tasks(data, self.task) if self.by != "task" else ())
        self.low = words.on_noise(data.measure, self.shown)
        self.banded = any(np.isfinite(line.spread(x)) for line in self.lines for x in line.values)

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the layers, where they are an axis."""
        return self.xs if self.along == "layer" else ()

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps, where they are an axis."""
        return self.xs if self.along == "step" else ()

    @property
    def heads(self) -> tuple[int, ...]:
        """Numbers of the heads, where they are the lines."""
        return tuple(line.head for line in self.lines)

    def _where(self, x: int | None = None) -> str:
        """'layer 3', 'step 80'; with a place along x both."""
        fixed, moving = f"layer {self.fixed}", "" if x is None else f", step {x:,}"
        if self.along == "layer":
            fixed, moving = f"step {self.fixed:,}", "" if x is None else f", layer {x}"
        return fixed + moving

    def _spot(self, x: int) -> tuple[int, int]:
        """Layer and step of a place along x."""
        return (self.fixed, x) if self.along == "step" else (x, self.fixed)

    def _seeds(self) -> list[Line]:
        seeds = self.data.seeds(self.task)
        lines = [self._line(f"seed {seed}", self.task, (seed,)) for seed in sorted(seeds, key=seed_order)]
        if not all(seed.isdecimal() and int(seed) < 10 for seed in seeds):
            return lines
        return [replace(line, number=int(line.name.removeprefix("seed "))) for line in lines]

    def _tasks(self) -> list[Line]:
        return [self._line(task, task, self.over.seeds(task)) for task in self.over.tasks]

    def _line(self, name: str, task: str, seeds: tuple[str, ...]) -> Line:
        found: dict[int, tuple[float, ...]] = {}
        wanted = [p for p in self.over.wanted if p.recipe == task]
        for x in {p.step for p in wanted} if self.along == "step" else layers_of(wanted):
            rows = [r for seed in seeds if (r := self.over.at(task, seed, *self._spot(x))) is not None]
            self.shown += rows
            found[x] = tuple(r.value for r in rows if r.value is not None)
        return Line(clean(name), task, {x: values for x, values in found.items() if values})

    def _heads(self) -> list[Line]:
        found: dict[int, dict[int, tuple[float, ...]]] = {}
        for r in self._by_head:
            self.shown.append(r)
            line = found.setdefault(r.head or 0, {})
            line[r.step] = (*line.get(r.step, ()), *(() if r.value is None else (r.value,)))
        return [
            Line(f"head {head}", self.task, {x: values for x, values in found[head].items() if values}, head)
            for head in sorted(found)
        ]

    def _series(self) -> tuple[Series, ...]:
        last = max(1, len(self.lines) - 1)
        made = []
        for i, line in enumerate(self.lines):
            xs = sorted(line.values)
            y, sd = (np.array([f(x) for x in xs]) for f in (line.mean, line.spread))
            banded = bool(np.isfinite(sd).any())
            made.append(
                Series(
                    *(line.name, np.array(xs, np.float64), y, i / last),
                    low=y - sd if banded else None,
                    high=y + sd if banded else None,
                    number=line.head or (line.number if line.number >= 0 else i + 1),
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
            return words.instead(text, width, height, palette, self.notes)
        at = cursor.clamped(len(self.xs), len(self.lines))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.log_y, options.ascii)
        targets = self.chart.targets(width, height, palette, at.y, options.log_y, options.ascii)
        notes = self.notes + self._beside(at) + words.on_log(self.data.measure, options) + self.low
        return Picture(tuple(lines), self._read(at, width), at, notes, targets)

    def _beside(self, at: Cursor) -> tuple[str, ...]:
        """On what stands beside the values that a cursor points at."""
        said = spread("bands" if at.y < 0 else "band, ±") if self.banded else ()
        return said + (words.apart(self.data.measure),) * (self._yardstick(at) is not None)

    def _yardstick(self, at: Cursor) -> float | None:
        """What seeds differ by where the cursor points; None where there is none."""
        if at.x < 0 or at.y < 0 or self.by == "head":
            return None
        yard = self.over.yardstick.get((self.lines[at.y].task, *self._spot(self.xs[at.x])))
        return None if yard is None else yard.value

    def _read(self, at: Cursor, room: int) -> str:
        if at.x < 0:
            return ""
        x = self.xs[at.x]
        where = self._where(x)
        if at.y < 0:
            values = np.array([line.mean(x) for line in self.lines])
            return clean(f"{where}: {between(values, [line.name for line in self.lines])}")
        line = self.lines[at.y]
        text = f"{line.name}, {where}: "
        if not line.values.get(x):
            return clean(text + "no value")
        many, sd = len(line.values[x]), line.spread(x)
        text += number(line.mean(x)) + (f" ± {number(sd)} ({many} seeds)" if many > 1 else "")
        beside = words.yardstick(self.data, self._yardstick(at))
        return clean(words.together(text, beside, words.against(self.data), room))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a line and place: the value, or the mean over seeds with its standard deviation."""
        selection = self.data.question
        against = "" if selection.against is None else str(selection.against)
        unit = self.data.results[0].unit if self.data.results else ""
        return COLUMNS, [
            (
                *(selection.measure.name, selection.corpus, self.by, line.name, line.task, *self._spot(x), against),
                *(line.mean(x), None if np.isnan(sd := line.spread(x)) else sd, len(line.values[x]), unit),
            )
            for line in self.lines
            for x in sorted(line.values)
        ]
