"""Curves: the measure against step, a line a layer; one seed, or the mean over the chosen seeds with its spread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from explorer.render.cells import Grid
from explorer.render.chart import Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.views import training as logged
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.line_view import LineView, between, cube_series
from explorer.views.rows import Rows
from explorer.views.training import NONE, Training


class Curves(LineView):
    """x is the step, y (the line) the layer; under it how training went, where that was logged and there is room."""

    name = "curves"
    x_name = "step"

    def __init__(self, data: Rows, training: Training = NONE) -> None:
        super().__init__(data)
        self.training = training

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``."""
        return with_training(self.training, self.chart, super().draw, width, height, palette, cursor, options)

    def series(self) -> tuple[Series, ...]:
        """A line a layer."""
        labels = [f"L{layer}" for layer in self.cube.layers]
        return cube_series(self.cube, labels, self.cube.layers, steps=True, extras=True)

    def read(self, cursor: Cursor, room: int) -> str:
        """One value, one checkpoint's extremes, or one layer's."""
        if cursor.x >= 0 and cursor.y >= 0:
            return self.at(cursor.y, cursor.x, room)
        if cursor.x >= 0:
            names = [f"layer {layer}" for layer in self.cube.layers]
            return f"step {self.cube.steps[cursor.x]:,}: {between(self.cube.mean[:, cursor.x], names)}"
        if cursor.y >= 0:
            names = [f"step {step:,}" for step in self.cube.steps]
            return f"layer {self.cube.layers[cursor.y]}: {between(self.cube.mean[cursor.y], names)}"
        return ""


def with_training(
    training: Training,
    chart: LineChart,
    draw: Callable[..., Picture],
    width: int,
    height: int,
    palette: Palette,
    cursor: Cursor,
    options: DrawOptions,
) -> Picture:
    """A picture of lines against steps that ``draw`` makes, with training's quantities under it on the same axis."""
    tall = 0 if chart.empty else logged.lines(training, height)
    below = tall * len(training.tracks)
    picture = draw(width, height - below, palette, cursor, options)
    if not below:
        return picture
    at = picture.cursor
    step = int(chart.xs[at.x]) if at.x >= 0 else -1
    frame = chart.frame(width, height - below, palette, at.y, options.log_y, options.ascii)
    grid = Grid(width, below)
    logged.draw(grid, 0, tall, training, frame, palette, step, options.ascii)
    beside = training.at(step)
    reading = f"{picture.reading}; {beside}" if beside and picture.reading else picture.reading
    if len(reading) > width - 2:  # the tracks show the same at their right ends
        reading = picture.reading
    return replace(picture, lines=(*picture.lines, *grid.lines()), reading=reading)
