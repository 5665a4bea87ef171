"""Profile: the measure against layer, a line a step; one seed, or the mean over the chosen seeds."""

from __future__ import annotations

from explorer.render.chart import Series
from explorer.views.base import Cursor
from explorer.views.line_view import LineView, between, cube_series


class Profile(LineView):
    """x is the layer, y (the line) the step."""

    name = "profile"
    x_name = "layer"

    def series(self) -> tuple[Series, ...]:
        """A line a step."""
        labels = [f"step {step:,}" for step in self.cube.steps]
        return cube_series(self.cube, labels, range(len(labels)), steps=False, extras=True)

    def read(self, cursor: Cursor, room: int) -> str:
        """One value, one layer's extremes, or one checkpoint's."""
        if cursor.x >= 0 and cursor.y >= 0:
            return self.at(cursor.x, cursor.y, room)
        if cursor.x >= 0:
            names = [f"step {step:,}" for step in self.cube.steps]
            return f"layer {self.cube.layers[cursor.x]}: {between(self.cube.mean[cursor.x], names)}"
        if cursor.y >= 0:
            names = [f"layer {layer}" for layer in self.cube.layers]
            return f"step {self.cube.steps[cursor.y]:,}: {between(self.cube.mean[:, cursor.y], names)}"
        return ""
