"""Maps of one step: layer by head, and seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import clean
from explorer.render.heat import names_of
from explorer.render.palette import Palette
from explorer.selection import at_or_before
from explorer.views import words
from explorer.views.base import ANYWHERE, NOWHERE, PLAIN, Cursor, DrawOptions, Look, Picture
from explorer.views.by import step_of
from explorer.views.heat import heat_chart
from explorer.views.line_view import other_tasks
from explorer.views.rows import Rows, layers_of
from explorer.views.trust import spread
from store.results import Result

COLUMNS = ("measure", "corpus", "task", "step", "layer", "head", "seed", "other_seed", "value", "sd", "seeds", "unit")


class StepMap:
    """Values [rows, columns] of one task at one step; subclasses say of what."""

    name = ""
    row_title = column_title = ""

    def __init__(self, data: Rows, look: Look = ANYWHERE) -> None:
        self.data = data
        self.task = data.tasks[0] if data.tasks else ""
        self.step = step_of(data, look)
        self.shown: list[Result] = []
        """The rows behind the map; ``made`` finds them."""
        self.values, self.spread, self.row_names, self.column_names = self.made(look)
        self.empty = not bool(np.isfinite(self.values).any())
        self.title = words.title(data, self.task, *self.where())
        self.subtitle = words.subtitle(data, self.shown)
        self.notes = words.notes(data, self.shown) + other_tasks(data, self.task)
        rows, columns = (self.row_title, self.row_names), (self.column_title, self.column_names)
        self.chart = heat_chart(data.measure, self.values, rows, columns)

    def made(self, look: Look) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], tuple[str, ...]]:
        """Values and their spread over seeds, both [rows, columns], and the names of both."""
        raise NotImplementedError

    def where(self) -> tuple[str, ...]:
        """What the title says after the task."""
        raise NotImplementedError

    def nothing(self) -> str:
        """What an empty picture says."""
        return words.nothing(self.data)

    def place(self, row: int, column: int) -> str:
        """A cell in words."""
        raise NotImplementedError

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead(self.nothing(), width, height, palette, self.notes)
        at = cursor.clamped(len(self.column_names), len(self.row_names))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.digits, options.log_y, options.ascii)
        targets = self.chart.targets(width, height, palette, options.digits, options.log_y, options.ascii)
        reading = self._read(at) if at.x >= 0 and at.y >= 0 else ""
        notes = self.notes + spread("±" if reading and np.isfinite(self.spread).any() else "")
        notes += words.on_log(self.data.measure, options) + words.on_noise(self.data.measure, self.shown)
        return Picture(tuple(lines), reading, at, notes, targets)

    def _read(self, at: Cursor) -> str:
        value, sd = float(self.values[at.y, at.x]), float(self.spread[at.y, at.x])
        if np.isnan(value):
            return clean(f"{self.place(at.y, at.x)}: no value")
        spread = f" ± {number(sd)}" if np.isfinite(sd) else ""
        return clean(f"{self.place(at.y, at.x)}: {number(value)}{spread}, {words.against(self.data)}".rstrip(", "))


class HeadMap(StepMap):
    """x is the head, y the layer, counted upwards; the mean over the chosen seeds."""

    name = "heads"

    def __init__(self, data: Rows, heads: Sequence[Result] = (), look: Look = ANYWHERE) -> None:
        """``heads``: values of single heads at that step."""
        self._by_head = heads
        super().__init__(data, look)

    row_title, column_title = "layer", "head"

    def made(self, look: Look) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], tuple[str, ...]]:
        """See StepMap."""
        found: dict[tuple[int, int], list[float]] = {}
        for r in self._by_head:
            self.shown.append(r)
            found.setdefault((r.layer or 0, r.head or 0), []).extend(() if r.value is None else (r.value,))
        self.layers, self.heads = (tuple(sorted({place[i] for place in found})) for i in (0, 1))
        values = np.full((len(self.layers), len(self.heads)), np.nan)
        sds = values.copy()
        for (layer, head), each in found.items():
            at = self.layers.index(layer), self.heads.index(head)
            values[at] = np.mean(each) if each else np.nan
            sds[at] = np.std(each, ddof=1) if len(each) > 1 else np.nan
        return values, sds, names_of(self.layers), names_of(self.heads)

    def where(self) -> tuple[str, ...]:
        """See StepMap."""
        seeds = self.data.seeds(self.task)
        return (*((words.seeds(seeds),) if seeds else ()), f"step {self.step:,}, layer by head")

    def nothing(self) -> str:
        """See StepMap."""
        if self.data.cells:
            return f"{self.data.measure.title} has no values of single heads at step {self.step:,}: js has."
        return words.nothing(self.data)

    def place(self, row: int, column: int) -> str:
        """See StepMap."""
        return f"layer {self.layers[row]}, head {self.heads[column]}, step {self.step:,}"

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a layer and head."""
        return COLUMNS, [
            (
                *(self.data.measure.name, self.data.question.corpus, self.task, self.step, layer, head, None, None),
                *(_real(self.values[i, j]), _real(self.spread[i, j]), len(self.data.seeds(self.task))),
                self.data.measure.unit,
            )
            for i, layer in enumerate(self.layers)
            for j, head in enumerate(self.heads)
        ]


class SeedMap(StepMap):
    """x and y are seeds, y counted upwards; the layer is fixed (``look.layer``, unset: the highest)."""

    name = "seed-pairs"
    row_title = column_title = "seed"

    def made(self, look: Look) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], tuple[str, ...]]:
        """See StepMap; symmetrical, nothing on the diagonal."""
        layers = sorted(layers_of(self.data.wanted))
        wanted = layers[-1] if look.layer is None and layers else look.layer or 0
        self.layer = layers[at_or_before(layers, wanted)] if layers else wanted
        self.seeds = self.data.seeds(self.task)
        values = np.full((len(self.seeds), len(self.seeds)), np.nan)
        for r in self.data.main:
            fits = r.recipe == self.task and r.step == self.step and r.layer == self.layer
            if fits and r.seed in self.seeds and r.ref_seed in self.seeds:
                self.shown.append(r)
                i, j = self.seeds.index(r.seed), self.seeds.index(r.ref_seed)
                values[i, j] = values[j, i] = np.nan if r.value is None else r.value
        return values, np.full_like(values, np.nan), self.seeds, self.seeds

    def where(self) -> tuple[str, ...]:
        """See StepMap."""
        return f"step {self.step:,}", f"layer {self.layer}, seed by seed"

    def nothing(self) -> str:
        """See StepMap."""
        if len(self.seeds) < 2:
            return f"{self.task} has one seed at step {self.step:,}: there is no other to compare it with."
        return (
            f"Nothing computed yet between the seeds of {self.task} at step {self.step:,}. The explorer computes "
            f"what it shows; bertdyn compute {self.data.measure.name} STORE --against seeds computes every step."
            if not self.data.main
            else words.nothing(self.data)
        )

    def place(self, row: int, column: int) -> str:
        """See StepMap."""
        who = f"seeds {self.seeds[row]} and {self.seeds[column]}"
        if row == column:
            who = f"seed {self.seeds[row]} beside itself"
        return f"{who}, layer {self.layer}, step {self.step:,}"

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a pair of seeds."""
        return COLUMNS, [
            (
                *(self.data.measure.name, self.data.question.corpus, self.task, self.step, self.layer, None),
                *(one, other, _real(self.values[i, j]), None, 2, self.data.measure.unit),
            )
            for i, one in enumerate(self.seeds)
            for j, other in enumerate(self.seeds)
            if j < i
        ]


def _real(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
