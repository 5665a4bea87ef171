"""Moved and matters: how far each layer moved beside the damage of its rollback, as lines on one axis of layers.

Each line is scaled to its own maximum, since the quantities have different units; rows and readings have the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.answers.moved import MovedLayers, Profile
from explorer.measures.declaration import LAYER
from explorer.render.axes import number
from explorer.render.cells import clean
from explorer.render.chart import Chart, Series
from explorer.render.fitting import DOT
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet

COLUMNS = (
    *("corpus", "annotation", "task", "step", "against", "measure", "layer", "value", "sd", "seeds", "unit"),
    *("of_maximum", "spearman", "spearman_layers"),
)


class Moved(Base):
    """x is the layer, y the quantity; the damage is the last one."""

    name = "moved"

    def __init__(self, found: MovedLayers) -> None:
        self.found, self.data, self.stored = found, found.rows, found.rows
        self.layers = found.layers
        self.empty = not self.layers
        where = ", ".join((found.task, words.seeds(found.seeds) if found.seeds else "", f"step {found.step:,}"))
        self.title = clean(DOT.join((f"Moved and matters {words.against(found.rows)}", where)))
        corpus, labels = found.rows.question.corpus, found.rows.question.annotation
        self.subtitle = clean(f"{labels} of corpus {corpus}{DOT}each line is a share of its own largest mean")
        self.notes = tuple(map(clean, (*self._correlations(), *self._absent())))
        lines = tuple(self._line(i, profile) for i, profile in enumerate(found.profiles))
        signed = any(mean < 0 for profile in found.profiles for mean in profile.means.values())
        name = "share of the own maximum"
        self.chart = LineChart(Chart(lines, "layer", name, signed=signed, bands_in_focus_only=True))

    def _line(self, place: int, profile: Profile) -> Series:
        scaled = {layer: mean / profile.largest for layer, mean in profile.means.items()}
        around = {layer: spread / profile.largest for layer, spread in profile.spreads.items()}
        y, half = (np.array([of.get(layer, np.nan) for layer in self.layers]) for of in (scaled, around))
        last = len(self.found.moved)
        return Series(
            profile.measure.title,
            np.array(self.layers, np.float64),
            y,
            rank=place / last,
            low=y - half if around else None,
            high=y + half if around else None,
            number=place + 1,
        )

    def _correlations(self) -> tuple[str, ...]:
        """A note on how well each quantity orders the layers as the damage does."""
        found = []
        for profile in self.found.moved:
            value, layers = profile.correlation(self.found.damage)
            found += [f"{profile.measure.title} {value:.2f} ({layers} layers)"] if value is not None else []
        return (f"rank correlation with {self.found.damage.measure.title}: {', '.join(found)}",) * bool(found)

    def _absent(self) -> tuple[str, ...]:
        return tuple(f"{p.measure.title}: {p.absent}" for p in self.found.profiles if p.absent)

    def places(self, axis: str) -> Sequence[int]:
        """See View."""
        return self.layers if axis == LAYER.name else ()

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that line and dims the others."""
        if self.empty:
            text = "Neither how far the layers moved nor what their rollback costs is computed at this step."
            return words.instead(text, width, height, palette, self.notes)
        at = cursor.clamped(len(self.layers), len(self.found.profiles))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.log_y, options.ascii)
        targets = self.chart.targets(width, height, palette, at.y, options.log_y, options.ascii)
        banded = at.y >= 0 and self.found.profiles[at.y].spreads
        notes = self.notes + (("band: standard deviation over seeds",) if banded else ())
        return Picture(tuple(lines), self.read(at), at, notes, targets)

    def read(self, at: Cursor) -> str:
        """Return the numbers that a cursor points at: of one quantity, or of all of them in a layer."""
        if at.x < 0:
            return ""
        layer = self.layers[at.x]
        shown = self.found.profiles if at.y < 0 else (self.found.profiles[at.y],)
        return clean(f"layer {layer}: " + "; ".join(_said(profile, layer) for profile in shown))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per quantity and layer, not scaled."""
        found, asked = self.found, self.found.rows.question
        place = (asked.corpus, asked.annotation, found.task, found.step, str(asked.against or ""))
        rows: list[tuple[object, ...]] = []
        for profile in found.profiles:
            spearman, layers = (None, None) if profile is found.damage else profile.correlation(found.damage)
            spreads, measure = profile.spreads, profile.measure
            for layer, mean in profile.means.items():
                of_maximum, seeds = mean / profile.largest, len(profile.values[layer])
                values = (mean, spreads.get(layer), seeds, measure.unit, of_maximum, spearman, layers)
                rows.append((*place, measure.name, layer, *values))
        return COLUMNS, rows

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet((Part(self.chart, log=options.log_y),))


def _said(profile: Profile, layer: int) -> str:
    mean = profile.means.get(layer)
    if mean is None:
        return f"{profile.measure.title} no value"
    return f"{profile.measure.title} {number(mean)}{words.spread_words(profile.spreads.get(layer))}"


def moved(rows: object, found: MovedLayers) -> Moved:
    """Return the view; the rows of the rollback were only needed to find its step."""
    return Moved(found)
