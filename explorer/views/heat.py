"""Heat: layer by step as a map; one seed, or the mean over the chosen seeds."""

from __future__ import annotations

import numpy as np

from explorer.measures import Measure
from explorer.render.heat import HeatChart, HeatMap, names_of
from explorer.render.palette import Palette
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.cells import signed
from explorer.views.line_view import CubeView
from explorer.views.rows import Rows


def heat_chart(
    measure: Measure,
    values: np.ndarray,
    rows: tuple[str, tuple[str, ...]],
    columns: tuple[str, tuple[str, ...]],
    refused: np.ndarray | None = None,
) -> HeatChart:
    """A map of a measure's values [rows, columns] on its own scale; of both axes the title and the names."""
    return HeatChart(
        HeatMap(
            values=values,
            row_names=rows[1],
            column_names=columns[1],
            row_title=rows[0],
            column_title=columns[0],
            name=words.y_name(measure),
            refused=refused,
            anchor=measure.same,
            signed=signed(measure),
            floor=0.0 if measure.same else measure.floor,
        )
    )


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
        self.chart = heat_chart(
            data.measure, cube.mean, ("layer", names_of(cube.layers)), ("step", names_of(cube.steps)), refused
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
            return words.instead(words.nothing(self.data), width, height, palette, self.notes)
        at = cursor.clamped(len(self.cube.steps), len(self.cube.layers))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.digits, options.log_y, options.ascii)
        reading = self.at(at.y, at.x, width) if at.x >= 0 and at.y >= 0 else ""
        targets = self.chart.targets(width, height, palette, options.digits, options.log_y, options.ascii)
        return Picture(tuple(lines), reading, at, self.told(options, self.beside("") if reading else ()), targets)
