"""Curves: the measure against step, a line a layer; one seed, or the mean over the chosen seeds with its spread."""

from __future__ import annotations

from explorer.render.chart import Series
from explorer.views.base import Cursor
from explorer.views.line_view import LineView, between, cube_series


class Curves(LineView):
    """x is the step, y (the line) the layer."""

    name = "curves"
    x_name = "step"

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
