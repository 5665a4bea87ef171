"""Confusion: the labels that a probe gives the points of each label, in one layer of one checkpoint, as a matrix."""

from __future__ import annotations

import numpy as np

from explorer.answers.confusion import COLUMNS, Confused
from explorer.answers.labels import Spot, spot_of
from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.measures.registry import all_measures
from explorer.render.fitting import DOT
from explorer.render.matrix import Matrix, Panel
from explorer.render.text import clean
from explorer.views import words
from explorer.views.label_matrix import LabelMatrix, place_words, rest
from store.results import Result


class Confusion(LabelMatrix):
    """Rows are true labels, columns are predicted labels."""

    name = "confusion"

    def __init__(self, data: Rows, there: tuple[Spot, ...], rows: tuple[Result, ...], look: Look) -> None:
        self.data, self.stored, self.by_share = data, data, look.part != "counts"
        self.found = Confused.of(rows, data.measure.confusion)
        self.labels, self.empty = self.found.labels, not self.found.labels
        spot = spot_of(there, data, look)
        self.title = clean(
            DOT.join(["Confusion of labels by a probe", *([", ".join(place_words(spot))] if spot else [])])
        )
        self.subtitle = words.subtitle(data, self.found.behind)
        self.notes = tuple(map(clean, rest(data, len(there))))

    def nothing(self) -> str:
        """See LabelMatrix."""
        asked = self.data.question
        if not asked.measure.confusion:
            able = ", ".join(one.name for one in all_measures() if one.confusion)
            return f"{asked.measure.title} confuses no labels. These measures do: {able}."
        return (
            f"Confusions are not stored: 'bertdyn compute {asked.measure.name} STORE --corpus {asked.corpus} "
            f"--annotation {asked.annotation} --detail label' stores them."
        )

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a pair of labels that occurs."""
        return COLUMNS, self.found.rows()

    def matrix(self, log: bool = False) -> Matrix:
        """See LabelMatrix."""
        counts = self.found.counts
        values, high = (self.found.shares, 1.0) if self.by_share else (counts, float(counts.max()))
        low = float(values[values > 0].min()) / 1.05 if log else 0.0
        shown, title = np.where(counts > 0, values, np.nan), "share of each label" if self.by_share else "points"
        return Matrix((Panel(title, shown, low, high, log=log),), self.labels, self.labels, "label", "read as")

    def read(self, row: int, column: int) -> str:
        """See LabelMatrix."""
        return clean(self.found.said(row, column)) if row >= 0 else ""
