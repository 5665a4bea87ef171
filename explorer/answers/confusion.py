"""Count which labels a probe gives the units of each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from store.results import Result

COLUMNS = ("corpus", "task", "seed", "step", "layer", "label", "given", "share", "value", "unit")


@dataclass(frozen=True, eq=False)
class Confused:
    """The confusion of K labels in one layer of one checkpoint."""

    behind: tuple[Result, ...]
    """The rows that it is made of: one per pair of labels that occurs."""
    labels: tuple[str, ...]
    """Names of the labels, sorted."""
    counts: np.ndarray
    """Number of units of each label (rows) that are given each label (columns), float64 [K, K]."""

    @classmethod
    def of(cls, rows: Sequence[Result], statistic: str) -> Confused:
        """Return the confusion that rows hold; without labels if they hold none.

        Args:
            statistic: ``Measure.confusion``.
        """
        found = tuple(r for r in rows if r.label_b is not None and r.statistic == statistic)
        labels = tuple(sorted({str(name) for r in found for name in (r.label_a, r.label_b)}))
        place = {label: i for i, label in enumerate(labels)}
        counts = np.zeros((len(labels), len(labels)))
        for r in found:
            counts[place[str(r.label_a)], place[str(r.label_b)]] = r.value or 0
        return cls(found, labels, counts)

    @cached_property
    def shares(self) -> np.ndarray:
        """Share of the units of each label that are given each label, float64 [K, K]."""
        return np.asarray(self.counts / np.maximum(self.counts.sum(1, keepdims=True), 1))

    def said(self, row: int, column: int = -1) -> str:
        """Return 'NOUN read as VERB: 12 of 340 points (3.5 %); 75.9 % right'.

        Args:
            row: place of the label.
            column: place of the label that it is given; -1: its most frequent error.
        """
        counts = self.counts[row]
        at = column if column >= 0 else int(np.where(np.arange(len(counts)) == row, -1, counts).argmax())
        right = f"; {self.shares[row, row]:.1%} right" if at != row else ""
        said = f"{counts[at]:,.0f} of {counts.sum():,.0f} points ({self.shares[row, at]:.1%})"
        return f"{self.labels[row]} read as {self.labels[at]}: {said}{right}".replace("%", " %")

    def rows(self) -> list[tuple[object, ...]]:
        """Return one row per pair of labels that occurs, in the order of COLUMNS."""
        place = {label: i for i, label in enumerate(self.labels)}
        rows: list[tuple[object, ...]] = []
        for r in self.behind:
            share = float(self.shares[place[str(r.label_a)], place[str(r.label_b)]])
            rows.append((r.corpus, r.recipe, r.seed, r.step, r.layer, r.label_a, r.label_b, share, r.value, r.unit))
        return rows
