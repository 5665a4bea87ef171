"""Dynamics: weight change, sharpness and path of a task's runs, each in a small chart along the steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rich.cells import cell_len

from explorer.answers.coordinates import STEP
from explorer.answers.dynamics import Dynamics
from explorer.answers.profiles import Profile
from explorer.pages.profiles import BAND, Profiles, ProfileWords
from explorer.render.cells import Grid
from explorer.render.chart import Chart
from explorer.render.fitting import DOT
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.render.panels import tiled
from explorer.render.targets import Target
from explorer.render.text import clean, crop
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Part, Picture, Sheet

COLUMNS = (
    *("corpus", "annotation", "task", "step", "measure", "statistic", "value", "sd", "seeds", "unit", "of_maximum"),
)


class Panel(NamedTuple):
    """The chart of one quantity."""

    name: str
    unit: str
    chart: LineChart

    @property
    def whole(self) -> str:
        """Name with the unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def said(self, sign: str, room: int) -> str:
        """Return a sign and the name, with the unit if there is room for it."""
        found = f"{sign} {self.whole}".strip()
        return found if cell_len(found) <= room else f"{sign} {self.name}".strip()


class DynamicsView(Profiles):
    """x is the step, y the quantity; each quantity has a scale of its own."""

    def __init__(self, found: Dynamics) -> None:
        self.found = found
        asked = found.rows.question
        said = ProfileWords(
            DOT.join(("Dynamics", ", ".join((found.task, words.seeds(found.seeds))))),
            f"{asked.annotation} of corpus {asked.corpus}{DOT}weight change as mean over layers",
            tuple(filter(None, (_fewer(profile, len(found.seeds)) for profile in found.profiles))),
            "Neither weight change nor sharpness nor trajectory of these runs is computed.",
        )
        super().__init__("dynamics", found.rows, found.profiles, STEP, said)
        self.panels = tuple(self._panel(i) for i in range(len(self.profiles)))

    def _panel(self, place: int) -> Panel:
        profile = self.profiles[place]
        signed = any(mean < 0 for mean in profile.means.values())
        xs = np.array(self.along, np.float64)
        chart = Chart((self.line(place, ""),), STEP, "", xs_of=xs, values=False, signed=signed)
        return Panel(clean(profile.title), profile.unit, LineChart(chart))

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; a cursor with y makes that quantity stand out."""
        if self.empty:
            return words.instead(self.nothing, width, height, palette, self.notes)
        at = cursor.clamped(len(self.along), len(self.panels))
        grid = Grid(width, height)
        boxes = tiled(len(self.panels), width, height)
        first = max(0, min(at.y - len(boxes) + 1, len(self.panels) - len(boxes)))
        targets: list[Target] = []
        for i, (x, y, size, high) in enumerate(boxes, first):
            chart = self.panels[i].chart
            name = self.panels[i].said(chart.chart.series[0].letter * palette.letters, size)
            grid.put(y, x, crop(name, size, options.ascii), palette.strong if at.y in (-1, i) else palette.axis)
            if high > 1:
                focus = 0 if at.y == i else -1
                panel = chart.grid(size, high - 1, palette, at.x, focus, options.log, options.ascii)
                grid.paste(panel, y + 1, x)
                found = chart.targets(size, high - 1, palette, focus, options.log, options.ascii)
                targets += [t.moved(x, y + 1) for t in found if t.row < 0 and i == first]
                targets.append(Target(x, y, row=i))
        hidden = len(self.panels) - len(boxes)
        notes = (f"{hidden} of {len(self.panels)} charts do not fit on this screen",) if hidden else ()
        banded = any(profile.spreads for profile in self.profiles)
        return Picture(tuple(grid.lines()), self.read(at), at, (*notes, *self.notes, *(BAND,) * banded), tuple(targets))

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet(tuple(Part(one.chart, one.whole, options.log) for one in self.panels), shared=True)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per quantity and step."""
        asked = self.found.rows.question
        rows: list[tuple[object, ...]] = []
        for profile in self.profiles:
            measure, spreads = profile.measure, profile.spreads
            for step, mean in profile.means.items():
                place = (asked.corpus, asked.annotation, self.found.task, step)
                numbers = (mean, spreads.get(step), len(profile.values[step]), profile.unit, mean / profile.largest)
                rows.append((*place, measure.name, profile.statistic or measure.main, *numbers))
        return COLUMNS, rows


def _fewer(profile: Profile, seeds: int) -> str:
    """Return a note on steps at which a quantity is not the mean over all seeds; empty if there are none."""
    few = [f"{step:,}" for step, values in profile.values.items() if len(values) < seeds]
    return f"{profile.title}: not of every seed at step{'s' * (len(few) > 1)} {', '.join(few)}" if few else ""


def dynamics(rows: object, found: Dynamics) -> DynamicsView:
    """Return the view; the rows of the sharpness were only needed to find its runs."""
    return DynamicsView(found)
