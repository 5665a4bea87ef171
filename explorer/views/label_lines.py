"""Labels: the distance to the nearest other label along the steps, one line per label, and the number of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.segment import Segment

from explorer.answers.coordinates import SEED, STEP
from explorer.answers.labels import Spot, label_layer
from explorer.answers.look import Look
from explorer.answers.rows import Rows, layers_of
from explorer.fields.field import real
from explorer.fields.labels import label_steps
from explorer.measures.declaration import LAYER
from explorer.render.axes import number
from explorer.render.cells import Line
from explorer.render.chart import Chart, Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.render.text import clean
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.clusters import DISTANCES, STATISTIC_OF, brief, nothing
from explorer.views.field_view import between, other_tasks
from explorer.views.lines import series_of
from store.results import Result

COLUMNS = (
    *("corpus", "task", "seed", "step", "layer", "label", "value", "sd", "seeds", "nearest", "clusters"),
    *("label_clusters", "unit"),
)
_SIDE_BY_SIDE = 110
_STACKED = 18
"""Lines from which the number of clusters has room above the distances."""


class LabelLines(Base):
    """x is the step, y the label; several seeds are shown by their mean."""

    name = "labels"

    def __init__(
        self,
        data: Rows,
        layer: int | None = None,
        statistic: str = "hull_distance",
        layers: Sequence[int] | None = None,
    ) -> None:
        """``layer``: None for the highest that has values; ``statistic``: one of ``clusters.DISTANCES``."""
        self.data, self.stored, self.statistic = data, data, statistic
        self.task = data.tasks[0] if data.tasks else ""
        self.seeds = data.seeds(self.task)
        known = layers_of(r for r in data.results if r.recipe == self.task and r.label_a is not None)
        self.layers = tuple(sorted(known if layers is None else layers))
        """Layers that have values, whether or not their rows are here."""
        self.layer = layer if layer is not None else max(self.layers, default=0)
        self.at = label_steps(data, self.task, self.seeds, self.layer, statistic)
        self.field = self.at.least.over(SEED)
        """Distance to the nearest other label, by label and step."""
        self.labels, self.steps = self.field.axes[0].places, self.field.axes[1].places
        self.count = self.at.clusters.over(SEED).values
        self.empty = self.field.empty
        who = (words.seeds(self.seeds),) if self.seeds else ()
        self.title = words.title(data, self.task, *who, f"layer {self.layer}, each label to its nearest")
        shown = self._shown()
        self.subtitle = words.subtitle(data, shown or data.main)
        self.chart = LineChart(self._least_chart())
        self.counting = LineChart(self._count_chart())
        self.notes = self._notes(shown)

    def places(self, axis: str) -> Sequence[int]:
        """See ``View.places``."""
        return {STEP: self.steps, LAYER.name: self.layers}.get(axis, ())  # type: ignore[return-value]

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that label and dims the others."""
        if self.empty:
            text = nothing(self.data, "Lines of labels")
            return words.instead(text, width, height, palette, self.notes)
        at = cursor.clamped(len(self.steps), len(self.labels))
        where, log, plain = at.x, options.log, options.ascii
        lines: list[Line]
        moved, room = (0, 0), (width, height)
        if self.counting.empty or (width < _SIDE_BY_SIDE and height < _STACKED):
            lines = self.chart.draw(width, height, palette, where, at.y, log, plain)
        elif width >= _SIDE_BY_SIDE:
            left = width // 3
            counts = self.counting.draw(left, height, palette, where, -1, False, plain)
            least = self.chart.draw(width - left - 2, height, palette, where, at.y, log, plain)
            lines = [[*a, Segment("  "), *b] for a, b in zip(counts, least, strict=True)]
            moved, room = (left + 2, 0), (width - left - 2, height)
        else:
            tall = height // 3
            lines = self.counting.draw(width, tall, palette, where, -1, False, plain)
            lines += self.chart.draw(width, height - tall, palette, where, at.y, log, plain)
            moved, room = (0, tall), (width, height - tall)
        targets = (target.moved(*moved) for target in self.chart.targets(*room, palette, at.y, log, plain))
        return Picture(tuple(lines), self._read(at), at, self.notes, tuple(targets))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per step and label."""
        seed = self.seeds[0] if len(self.seeds) == 1 else f"mean of {','.join(self.seeds)}"
        own, unit = self.at.own.over(SEED), self.data.measure.unit
        found: list[tuple[object, ...]] = []
        for s, step in enumerate(self.steps):
            for i, label in enumerate(self.labels):
                point, clusters = self.field.point(i, s), (real(float(self.count[s])), own.point(i, s).value)
                value = point.value, point.spread, point.count, self.at.nearest_of(i, s)
                found.append(
                    (self.data.question.corpus, self.task, seed, step, self.layer, label, *value, *clusters, unit)
                )
        return COLUMNS, found

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        least = Part(self.chart, log=options.log, shares=(2.0,))
        return Sheet((least,) if self.counting.empty else (Part(self.counting, focus=False), least))

    def _shown(self) -> list[Result]:
        return [
            r
            for r in self.data.results
            if (r.recipe, r.layer) == (self.task, self.layer)
            and r.statistic == self.statistic
            and r.label_b is not None
        ]

    def _least_chart(self) -> Chart:
        what = f"distance of the {DISTANCES[self.statistic]} to the nearest other label"
        return Chart(series_of(self.field, (0.0, np.inf), companions=False), STEP, what, bands_in_focus_only=True)

    def _count_chart(self) -> Chart:
        steps = np.array(self.steps, np.float64)
        series = Series("clusters", steps, self.count, 1.0)
        labels = Series("labels", steps, np.where(np.isfinite(self.count), float(len(self.labels)), np.nan), 0.0)
        return Chart((labels, series), STEP, "number of clusters", values=False)

    def _read(self, at: Cursor) -> str:
        """'label NOUN, step 40: 0.523 to its nearest other label, PROPN; 18 clusters of 17 labels'."""
        if at.x < 0:
            return ""
        step, counted = f"step {self.steps[at.x]:,}", self.count[at.x]
        beside = f"; {counted:g} clusters of {len(self.labels)} labels" if np.isfinite(counted) else ""
        if at.y < 0:
            doubts = [doubt for i in range(len(self.labels)) if (doubt := self.at.doubt_of(i, at.x))]
            if doubts:
                beside += f"; ! unreliable for {len(doubts)} of {len(self.labels)} labels: {brief(doubts[0])}"
            return clean(f"{step}: {between(self.field.values[:, at.x], list(map(str, self.labels)))}{beside}")
        point, nearest = self.field.point(at.y, at.x), self.at.nearest_of(at.y, at.x)
        text = f"label {self.labels[at.y]}, {step}: "
        if point.value is None:
            return clean(text + "no value" + beside)
        doubt = self.at.doubt_of(at.y, at.x)
        beside += f"; ! {doubt}" if doubt else ""
        text += number(point.value) + words.spread_words(point.spread)
        return clean(text + " to its nearest other label" + (f", {nearest}" if nearest else "") + beside)

    def _notes(self, shown: list[Result]) -> tuple[str, ...]:
        said = []
        vacuous = [r for r in shown if r.value is not None and r.reason]
        if vacuous:
            said.append(f"! {len(vacuous):,} of {len(shown):,} pairs are unreliable: {brief(vacuous[0].reason)}")
        if shown and not self.empty and np.nanmax(self.field.values) == 0:
            said.append("every label's hull meets another one's: all distances are 0; look at the centroids")
        if self.data.missing:
            said.append(f"not computed: {self.data.missing:,} of {self.data.asked:,} values")
        if not self.empty and self.counting.empty:
            said.append("the number of clusters comes with method directprobe")
        return tuple(clean(note) for note in said) + other_tasks(self.data, self.task)


def labels(data: Rows, there: tuple[Spot, ...], rows: tuple[Result, ...], look: Look) -> LabelLines:
    """Labels along the steps in the layer that is looked at."""
    both = replace(data, results=(*data.results, *rows))
    layers = tuple({s.layer for s in there})
    return LabelLines(both, label_layer(there, look), STATISTIC_OF[look.part], layers)
