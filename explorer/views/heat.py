"""Heat: layer by step as a map; one seed, or the mean over the chosen seeds."""

from __future__ import annotations

import numpy as np

from explorer.render.cells import message
from explorer.render.heat import HeatChart, HeatMap, names_of
from explorer.render.palette import Palette
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.cells import signed
from explorer.views.line_view import CubeView
from explorer.views.rows import Rows


class Heat(CubeView):
    """x is the step, in the order of the checkpoints; y the layer, counted upwards."""

    name = "heat"

    def __init__(self, data: Rows) -> None:
        super().__init__(data)
        cube = self.cube
        refused = np.zeros(cube.mean.shape, bool)
        layer_at, step_at = ({v: i for i, v in enumerate(axis)} for axis in (cube.layers, cube.steps))
        for r in self.shown:
            if r.value is None and r.step in step_at and r.layer in layer_at:
                refused[layer_at[r.layer], step_at[r.step]] = True
        self.chart = HeatChart(
            HeatMap(
                values=cube.mean,
                row_names=names_of(cube.layers),
                column_names=names_of(cube.steps),
                row_title="layer",
                column_title="step",
                name=words.y_name(data.measure),
                refused=refused,
                anchor=data.measure.same,
                signed=signed(data.measure),
            )
        )

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
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.digits, options.log_y, options.ascii)
        reading = self.at(at.y, at.x, width) if at.x >= 0 and at.y >= 0 else ""
        return Picture(tuple(lines), reading, at, self.told(options))
