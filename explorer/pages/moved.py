"""Moved and matters: how far each layer moved beside the damage of its rollback, as lines on one axis of layers."""

from __future__ import annotations

from explorer.answers.moved import MovedLayers
from explorer.measures.declaration import LAYER
from explorer.pages.profiles import BAND, Profiles, ProfileWords
from explorer.render.chart import Chart
from explorer.render.fitting import DOT
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Part, Picture, Sheet

SCALED = "each line is a share of its own largest mean"
COLUMNS = (
    *("corpus", "annotation", "task", "step", "against", "measure", "layer", "value", "sd", "seeds", "unit"),
    *("of_maximum", "spearman", "spearman_layers"),
)


class Moved(Profiles):
    """x is the layer, y the quantity; the damage is the last one. Units differ: lines are scaled to their maximum."""

    def __init__(self, found: MovedLayers) -> None:
        self.found = found
        asked = found.rows.question
        where = ", ".join((found.task, words.seeds(found.seeds) if found.seeds else "", f"step {found.step:,}"))
        said = ProfileWords(
            DOT.join((f"Moved and matters {words.against(found.rows)}", where)),
            f"{asked.annotation} of corpus {asked.corpus}{DOT}{SCALED}",
            self._correlations(),
            "Neither how far the layers moved nor what their rollback costs is computed at this step.",
        )
        super().__init__("moved", found.rows, found.profiles, LAYER.name, said)
        lines = tuple(self.line(i, profile.title, profile.largest) for i, profile in enumerate(self.profiles))
        signed = any(mean < 0 for profile in self.profiles for mean in profile.means.values())
        name = "share of the own maximum"
        self.chart = LineChart(Chart(lines, LAYER.name, name, signed=signed, bands_in_focus_only=True))

    def _correlations(self) -> tuple[str, ...]:
        """A note on how well each quantity orders the layers as the damage does."""
        found = []
        for profile in self.found.moved:
            value, layers = profile.correlation(self.found.damage)
            found += [f"{profile.title} {value:.2f} ({layers} layers)"] if value is not None else []
        return (f"rank correlation with {self.found.damage.title}: {', '.join(found)}",) * bool(found)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that line and dims the others."""
        if self.empty:
            return words.instead(self.nothing, width, height, palette, self.notes)
        at = cursor.clamped(len(self.along), len(self.profiles))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.log, options.ascii)
        targets = self.chart.targets(width, height, palette, at.y, options.log, options.ascii)
        notes = self.notes + (BAND,) * (at.y >= 0 and bool(self.profiles[at.y].spreads))
        return Picture(tuple(lines), self.read(at), at, notes, targets)

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet((Part(self.chart, log=options.log),))

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


def moved(rows: object, found: MovedLayers) -> Moved:
    """Return the view; the rows of the rollback were only needed to find its step."""
    return Moved(found)
