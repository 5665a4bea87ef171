"""Values of labels in one layer along the steps: how near the nearest other label is, and how many clusters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.answers.coordinates import SEED, STEP
from explorer.answers.rows import Rows
from explorer.fields.field import Field, FieldAxis, plain_field
from store.results import Result


def label_names(results: Sequence[Result]) -> tuple[str, ...]:
    """Return the labels that occur, by name."""
    found = {label for r in results for label in (r.label_a, r.label_b) if label is not None}
    return tuple(sorted(found))


@dataclass(frozen=True, eq=False)
class LabelSteps:
    """Values of a task's seeds in one layer, by seed, label and step."""

    least: Field
    """Distance to the nearest other label."""
    nearest: dict[tuple[int, int, int], str]
    """Which label that is, by indices of seed, label and step."""
    clusters: Field
    """Clusters of all labels, by seed and step."""
    own: Field
    """Clusters of each label."""
    doubts: dict[tuple[int, int, int], str]
    """Why a least distance is unreliable, by indices of seed, label and step."""

    def nearest_of(self, label: int, step: int) -> str | None:
        """Return the label nearest to another one at a step, by their indices; None where seeds disagree."""
        found = {self.nearest.get((seed, label, step)) for seed in range(len(self.least.axes[0].places))} - {None}
        return found.pop() if len(found) == 1 else None

    def doubt_of(self, label: int, step: int) -> str:
        """Return why the least distance of a label at a step is unreliable, by their indices; empty if it is not."""
        seeds = range(len(self.least.axes[0].places))
        return next((self.doubts[seed, label, step] for seed in seeds if (seed, label, step) in self.doubts), "")


def label_steps(data: Rows, task: str, seeds: tuple[str, ...], layer: int, statistic: str) -> LabelSteps:
    """Lay out the values of one task's seeds in one layer (pure).

    Where the measure gives a label's least distance itself (statistic ``label_min``) that is taken; else, and for
    centroids, the least over the stored pairs of labels.
    """
    rows = [r for r in data.results if r.recipe == task and r.seed in seeds and r.layer == layer]
    labels, steps = label_names(rows), tuple(sorted({r.step for r in rows}))
    label_at, step_at = {name: i for i, name in enumerate(labels)}, {step: i for i, step in enumerate(steps)}
    shape = len(seeds), len(labels), len(steps)
    least, own, clusters = np.full(shape, np.nan), np.full(shape, np.nan), np.full((shape[0], shape[2]), np.nan)
    unknown, nearest, reasons = np.zeros(shape, bool), {}, {}
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
                least[at], nearest[at], reasons[at] = r.value, other, r.reason
    least[unknown] = np.nan  # the nearest may be the one that is not known
    if statistic == "hull_distance":
        for r in rows:
            if r.statistic == "label_min" and r.label_a is not None and r.value is not None:
                at = seeds.index(r.seed), label_at[r.label_a], step_at[r.step]
                least[at], reasons[at] = r.value, r.reason
    axes = FieldAxis(SEED, seeds), FieldAxis("label", labels), FieldAxis(STEP, steps)
    of_all = plain_field((axes[0], axes[2]), clusters)
    doubts = {at: reason for at, reason in reasons.items() if reason and np.isfinite(least[at])}
    return LabelSteps(plain_field(axes, least, data.measure.unit), nearest, of_all, plain_field(axes, own), doubts)
