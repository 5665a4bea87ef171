"""Each label's distance to its nearest other label along the steps, a line a label, and the number of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.segment import Segment

from explorer.render.axes import number
from explorer.render.cells import Line, clean
from explorer.render.chart import Chart, Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.clusters import DISTANCES, brief, labels_in, nothing
from explorer.views.line_view import other_tasks
from explorer.views.rows import Rows, layers_of
from store.results import Result

COLUMNS = (
    *("corpus", "task", "seed", "step", "layer", "label", "value", "sd", "seeds", "nearest", "clusters"),
    *("label_clusters", "unit"),
)
_SIDE_BY_SIDE = 110
_STACKED = 18
"""Lines from which the number of clusters has room above the distances."""


@dataclass(frozen=True, eq=False)
class LabelSteps:
    """Arrays of a task's seeds in one layer; NaN where there is no value."""

    labels: tuple[str, ...]
    steps: tuple[int, ...]
    least: np.ndarray
    """Distance to the nearest other label, float64 [seeds, labels, steps]."""
    nearest: dict[tuple[int, int, int], str]
    """Which label that is, by indices [seed, label, step]."""
    clusters: np.ndarray
    """Clusters of all labels, [seeds, steps]."""
    own: np.ndarray
    """Clusters of each label, [seeds, labels, steps]."""


def label_steps(data: Rows, task: str, seeds: tuple[str, ...], layer: int, statistic: str) -> LabelSteps:
    """Values of one task's seeds in one layer (pure).

    Where the measure gives a label's least distance itself (statistic ``label_min``) that is taken; else, and for
    centroids, the least over the stored pairs of labels.
    """
    rows = [r for r in data.results if r.recipe == task and r.seed in seeds and r.layer == layer]
    labels, steps = labels_in(rows), tuple(sorted({r.step for r in rows}))
    label_at, step_at = {name: i for i, name in enumerate(labels)}, {step: i for i, step in enumerate(steps)}
    shape = len(seeds), len(labels), len(steps)
    least, own, clusters = np.full(shape, np.nan), np.full(shape, np.nan), np.full((shape[0], shape[2]), np.nan)
    unknown, nearest = np.zeros(shape, bool), {}
    for r in rows:
        seed, step = seeds.index(r.seed), step_at[r.step]
        if r.statistic == "clusters" and r.value is not None:
            if r.label_a is None:
                clusters[seed, step] = r.value
            elif r.label_b is None:
                own[seed, label_at[r.label_a], step] = r.value
        if r.statistic != statistic or r.label_a is None or r.label_b is None:
            continue
        for one, other in ((r.label_a, r.label_b), (r.label_b, r.label_a)):
            at = seed, label_at[one], step
            if r.value is None:
                unknown[at] = True
            elif not least[at] <= r.value:
                least[at], nearest[at] = r.value, other
    least[unknown] = np.nan  # the nearest may be the one that is not known
    if statistic == "hull_distance":
        for r in rows:
            if r.statistic == "label_min" and r.label_a is not None and r.value is not None:
                least[seeds.index(r.seed), label_at[r.label_a], step_at[r.step]] = r.value
    return LabelSteps(labels, steps, least, nearest, clusters, own)


class LabelLines:
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
        self.data, self.statistic = data, statistic
        self.task = data.tasks[0] if data.tasks else ""
        self.seeds = data.seeds(self.task)
        known = layers_of(r for r in data.results if r.recipe == self.task and r.label_a is not None)
        self.layers = tuple(sorted(known if layers is None else layers))
        """Layers that have values, whether or not their rows are here."""
        self.layer = layer if layer is not None else max(self.layers, default=0)
        self.at = label_steps(data, self.task, self.seeds, self.layer, statistic)
        self.mean, self.spread = _mean_and_spread(self.at.least)
        self.count = _mean_and_spread(self.at.clusters)[0]
        self.empty = not bool(np.isfinite(self.mean).any())
        who = (words.seeds(self.seeds),) if self.seeds else ()
        self.title = words.title(data, self.task, *who, f"layer {self.layer}, each label to its nearest")
        shown = self._shown()
        self.subtitle = words.subtitle(data, shown or data.main)
        self.chart = LineChart(self._least_chart())
        self.counting = LineChart(self._count_chart())
        self.notes = self._notes(shown)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps, in the order of the axis."""
        return self.at.steps

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that label and dims the others."""
        if self.empty:
            text = nothing(self.data, "Lines of labels")
            return words.instead(text, width, height, palette, self.notes)
        at = cursor.clamped(len(self.at.steps), len(self.at.labels))
        where, log, plain = at.x, options.log_y, options.ascii
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
        """One row a step and label: the value, or the mean over seeds with its standard deviation."""
        at = self.at
        found: list[tuple[object, ...]] = []
        seed = self.seeds[0] if len(self.seeds) == 1 else f"mean of {','.join(self.seeds)}"
        own = _mean_and_spread(at.own)[0]
        for s, step in enumerate(at.steps):
            for i, label in enumerate(at.labels):
                many = int(np.isfinite(at.least[:, i, s]).sum())
                found.append(
                    (
                        *(self.data.question.corpus, self.task, seed, step, self.layer, label),
                        *(_real(self.mean[i, s]), _real(self.spread[i, s]), many, self._nearest(i, s)),
                        *(_real(self.count[s]), _real(own[i, s]), self.data.measure.unit),
                    )
                )
        return COLUMNS, found

    def _shown(self) -> list[Result]:
        return [
            r
            for r in self.data.results
            if (r.recipe, r.layer) == (self.task, self.layer)
            and r.statistic == self.statistic
            and r.label_b is not None
        ]

    def _least_chart(self) -> Chart:
        steps, many = np.array(self.at.steps, np.float64), max(1, len(self.at.labels) - 1)
        series = []
        for i, label in enumerate(self.at.labels):
            banded = bool(np.isfinite(self.spread[i]).any())
            low, high = (self.mean[i] - self.spread[i], self.mean[i] + self.spread[i]) if banded else (None, None)
            series.append(Series(clean(label), steps, self.mean[i], i / many, low, high, number=i))
        what = f"distance of the {DISTANCES[self.statistic]} to the nearest other label"
        return Chart(tuple(series), "step", what, bands_in_focus_only=True)

    def _count_chart(self) -> Chart:
        steps = np.array(self.at.steps, np.float64)
        series = Series("clusters", steps, self.count, 1.0)
        labels = Series("labels", steps, np.where(np.isfinite(self.count), float(len(self.at.labels)), np.nan), 0.0)
        return Chart((labels, series), "step", "number of clusters", values=False)

    def _nearest(self, label: int, step: int) -> str | None:
        """The nearest label, where all seeds agree."""
        found = {self.at.nearest.get((s, label, step)) for s in range(len(self.seeds))} - {None}
        return found.pop() if len(found) == 1 else None

    def _read(self, at: Cursor) -> str:
        """'step 40, label NOUN: 0.523 to its nearest, PROPN; 18 clusters'."""
        if at.x < 0:
            return ""
        step = self.at.steps[at.x]
        counted = self.count[at.x]
        beside = f"; {counted:g} clusters of {len(self.at.labels)} labels" if np.isfinite(counted) else ""
        column = self.mean[:, at.x]
        if at.y >= 0:
            value, nearest = column[at.y], self._nearest(at.y, at.x)
            spread = self.spread[at.y, at.x]
            text = f"step {step:,}, label {self.at.labels[at.y]}: "
            if not np.isfinite(value):
                return clean(text + "no value" + beside)
            text += number(float(value)) + (f" ± {number(float(spread))}" if np.isfinite(spread) else "")
            return clean(text + " to its nearest other label" + (f", {nearest}" if nearest else "") + beside)
        good = np.flatnonzero(np.isfinite(column))
        if not len(good):
            return clean(f"step {step:,}: no value" + beside)
        low, high = good[column[good].argmin()], good[column[good].argmax()]
        names = self.at.labels
        if len(good) > 1 and column[low] == column[high]:  # of two labels each is the other's nearest
            return clean(f"step {step:,}: {number(float(column[low]))} for each of {len(good)} labels{beside}")
        edges = [f"{number(float(column[i]))} ({names[i]})" for i in (low, high)]
        return clean(f"step {step:,}: {' to '.join(edges)}{beside}")

    def _notes(self, shown: list[Result]) -> tuple[str, ...]:
        said = []
        vacuous = [r for r in shown if r.value is not None and r.reason]
        if vacuous:
            said.append(f"! {len(vacuous):,} of {len(shown):,} pairs mean little: {brief(vacuous[0].reason)}")
        if shown and not self.empty and np.nanmax(self.mean) == 0:
            said.append("every label's hull meets another one's: all distances are 0; look at the centroids")
        if self.data.missing:
            said.append(f"not computed: {self.data.missing:,} of {self.data.asked:,} values")
        if not self.empty and self.counting.empty:
            said.append("the number of clusters comes with method directprobe")
        return tuple(clean(note) for note in said) + other_tasks(self.data, self.task)


def _mean_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (n - 1) over the first axis of what is finite; NaN where there is too little."""
    finite = np.isfinite(values)
    many = finite.sum(0)
    mean = np.where(many > 0, np.where(finite, values, 0).sum(0) / np.maximum(many, 1), np.nan)
    square = np.where(finite, values - mean, 0.0) ** 2
    return mean, np.where(many > 1, np.sqrt(square.sum(0) / np.maximum(many - 1, 1)), np.nan)


def _real(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
