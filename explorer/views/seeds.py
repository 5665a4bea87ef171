"""Seeds: is this fine-tuning, or this seed? Seeds side by side on one scale, then their mean with its spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import clean
from explorer.render.lines import LineChart
from explorer.views import words
from explorer.views.base import Cursor
from explorer.views.line_view import COLUMNS, CubeView, between, cube_rows, cube_series, line_chart
from explorer.views.rows import Cube, Rows
from explorer.views.side_by_side import Panel, SideBySide
from explorer.views.trust import spread


class Seeds(CubeView, SideBySide):
    """x is the step, y (the line) the layer, the same in every panel."""

    name = "seeds"

    def __init__(self, data: Rows) -> None:
        super().__init__(data)
        cube = self.cube
        few = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"{len(self.seeds)} seeds side by side"
        self.title = words.title(data, self.task, few) if self.seeds else words.title(data)
        several = len(self.seeds) > 1
        self.spare = len(self.seeds) if several else 0  # the mean and the yardstick are the answer
        shown = [cube.values, cube.low, cube.high, cube.yardstick, cube.mean - cube.spread, cube.mean + cube.spread]
        scale = np.concatenate([np.ravel(e) for e in shown])

        def chart(part: Cube, extras: bool) -> LineChart:
            series = cube_series(part, [f"L{layer}" for layer in cube.layers], cube.layers, True, extras)
            whole = line_chart(data, series, "step", len(part.seeds) == 1)
            return LineChart(replace(whole, y_name="", scale_of=scale, values=False, fades=False))

        beside = ", ╌ seeds" if self.apart else ""
        self.panels = [
            Panel(clean(f"seed {seed}"), chart(data.cube(self.task, (seed,)), not several), "" if several else beside)
            for seed in self.seeds
        ]
        if several:
            self.panels.append(Panel("mean ± sd", chart(cube, True), beside))
        if self.apart:
            none = np.full_like(cube.values, np.nan)[:1]
            between = Cube(cube.task, ("",), cube.layers, cube.steps, cube.yardstick[None], none, none, none, none[0])
            self.panels.append(Panel("between seeds", chart(between, False)))

    def marks(self, pointed: bool) -> tuple[str, ...]:
        """See ``SideBySide``."""
        several = len(self.seeds) > 1
        if not pointed:
            return spread("bands" if several and np.isfinite(self.cube.spread).any() else "")
        said = spread("± and band of the mean" if several and np.isfinite(self.cube.spread).any() else "")
        said += self.trust.notes("bands of seeds" if several else "band", chance=True)
        return said + (words.apart(self.data.measure),) * self.apart

    def read(self, at: Cursor, room: int) -> str:
        """See ``SideBySide``."""
        if at.x < 0 or at.y < 0:
            if at.x >= 0:
                names = [f"layer {layer}" for layer in self.cube.layers]
                return f"step {self.cube.steps[at.x]:,}, mean: {between(self.cube.mean[:, at.x], names)}"
            return ""
        values = self.cube.values[:, at.y, at.x]
        each = ", ".join(
            f"seed {seed} {number(float(v)) if np.isfinite(v) else 'none'}"
            for seed, v in zip(self.seeds[:6], values, strict=False)
        ) + (f" and {len(self.seeds) - 6} more" if len(self.seeds) > 6 else "")
        text = f"layer {self.cube.layers[at.y]}, step {self.cube.steps[at.x]:,}: {each}"
        if np.isfinite(values).sum() > 1:
            mean, sd = float(self.cube.mean[at.y, at.x]), float(self.cube.spread[at.y, at.x])
            text += f"; mean {number(mean)} ± {number(sd)}"
        yard, chance = float(self.cube.yardstick[at.y, at.x]), float(self.cube.null[at.y, at.x])
        return clean(words.together(text, words.yardstick(self.data, yard) + words.chance(chance), "", room))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Every seed's values, then their mean with its standard deviation."""
        found = [row for seed in self.seeds for row in cube_rows(self.data, self.data.cube(self.task, (seed,)))]
        return COLUMNS, found + (cube_rows(self.data, self.cube) if len(self.seeds) > 1 else [])
