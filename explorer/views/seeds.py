"""Seeds: is this fine-tuning, or this seed? Seeds side by side on one scale, then their mean with its spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import Grid, clean, crop, message
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.render.targets import Target
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.line_view import COLUMNS, CubeView, between, cube_rows, cube_series, line_chart
from explorer.views.rows import Cube, Rows

_NARROWEST, _LOWEST = 20, 7
_LABELLED = 10
"""Cells that the last panel gets more than the others, for the lines' labels."""


class Seeds(CubeView):
    """x is the step, y (the line) the layer, the same in every panel."""

    name = "seeds"

    def __init__(self, data: Rows) -> None:
        super().__init__(data)
        cube = self.cube
        few = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"{len(self.seeds)} seeds side by side"
        self.title = words.title(data, self.task, few) if self.seeds else words.title(data)
        several = len(self.seeds) > 1
        apart = bool(np.isfinite(cube.yardstick).any())
        shown = [cube.values, cube.low, cube.high, cube.yardstick, cube.mean - cube.spread, cube.mean + cube.spread]
        scale = np.concatenate([np.ravel(e) for e in shown])

        def chart(part: Cube, extras: bool) -> LineChart:
            series = cube_series(part, [f"L{layer}" for layer in cube.layers], cube.layers, True, extras)
            whole = line_chart(data, series, "step", len(part.seeds) == 1)
            return LineChart(replace(whole, y_name="", scale_of=scale, values=False, fades=False))

        self.panels = [(f"seed {seed}", chart(data.cube(self.task, (seed,)), not several)) for seed in self.seeds]
        if several:
            self.panels.append(("mean ± sd, ╌ between seeds" if apart else "mean ± sd over seeds", chart(cube, True)))
        if apart:
            none = np.full_like(cube.values, np.nan)[:1]
            between = Cube(cube.task, ("",), cube.layers, cube.steps, cube.yardstick[None], none, none, none, none[0])
            self.panels.append(("between seeds", chart(between, False)))

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
            return Picture(
                tuple(message(words.nothing(self.data), width, height, palette.text)), "", NOWHERE, self.notes
            )
        at = cursor.clamped(len(self.cube.steps), len(self.cube.layers))
        grid = Grid(width, height)
        across = max(1, min(len(self.panels), width // _NARROWEST))
        down = max(1, min(-(-len(self.panels) // across), height // _LOWEST))
        across = min(across, -(-len(self.panels) // down))
        room = across * down
        # The mean and the yardstick are the answer; they stay when seeds must go.
        order = sorted(range(len(self.panels)), key=lambda i: i < len(self.seeds) and len(self.seeds) > 1)
        panels = [self.panels[i] for i in sorted(order[:room])]
        targets: list[Target] = []
        extra = _LABELLED if width // across >= _NARROWEST + _LABELLED else 0
        wide, tall = (width - extra) // across, height // down
        for i, (name, chart) in enumerate(panels):
            row, column = divmod(i, across)
            last = i == len(panels) - 1 or column == across - 1
            size = width - column * wide if last and column == across - 1 else wide - 1 if across > 1 else wide
            if i == len(panels) - 1 and column < across - 1:
                size = wide + extra
            high = height - row * tall if row == down - 1 else tall
            name = name.replace("±", "+-").replace("╌", "=") if options.ascii else name
            grid.put(row * tall, column * wide, crop(name, size, options.ascii), palette.strong)
            if high > 1:
                panel = chart.grid(size, high - 1, palette, at.x, at.y, options.log_y, options.ascii)
                grid.paste(panel, row * tall + 1, column * wide)
                found = chart.targets(size, high - 1, palette, at.y, options.log_y, options.ascii)
                # The panels share their axes: lines are named in the one with room, steps are marked in the first.
                new = {t.row for t in found if t.row >= 0} - {t.row for t in targets}
                targets += [
                    t.moved(column * wide, row * tall + 1) for t in found if t.row in new or (t.row < 0 and not i)
                ]
        hidden = len(self.panels) - len(panels)
        notes = (*self.notes, f"{hidden} of {len(self.panels)} panels do not fit on this screen")
        notes = notes if hidden else self.notes
        return Picture(tuple(grid.lines()), self._read(at, width), at, notes, tuple(targets))

    def _read(self, at: Cursor, room: int) -> str:
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
            mean, spread = float(self.cube.mean[at.y, at.x]), float(self.cube.spread[at.y, at.x])
            text += f"; mean {number(mean)} ± {number(spread)}"
        yard, chance = float(self.cube.yardstick[at.y, at.x]), float(self.cube.null[at.y, at.x])
        return clean(words.together(text, words.yardstick(self.data, yard) + words.chance(chance), "", room))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Every seed's values, then their mean with its standard deviation."""
        found = [row for seed in self.seeds for row in cube_rows(self.data, self.data.cube(self.task, (seed,)))]
        return COLUMNS, found + (cube_rows(self.data, self.cube) if len(self.seeds) > 1 else [])
