"""Clusters: the distance of each pair of labels in one layer of one checkpoint, as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from explorer.answers.labels import Spot, first_run, labelled_in, spot_of
from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.fields.labels import label_names
from explorer.render.axes import number
from explorer.render.matrix import Matrix, Panel
from explorer.render.text import clean
from explorer.views import words
from explorer.views.label_matrix import LabelMatrix, place_words, rest
from store.results import Result

COLUMNS = (
    *("corpus", "task", "seed", "step", "layer", "label_a", "label_b", "statistic", "value", "unit", "n", "reason"),
)
DISTANCES = {"hull_distance": "hulls", "centroid_distance": "centroids"}
"""Statistics of a pair of labels that are distances, and between what."""
_SCALE = "in units of the hidden states"
STATISTIC_OF = {"": "hull_distance", "hulls": "hull_distance", "centroids": "centroid_distance"}
"""Statistic that each part of the views of labels shows."""
MEASURE = "clusters"


def nothing(data: Rows, what: str) -> str:
    """Return the text of an empty view of labels."""
    if data.measure.name != MEASURE:
        return f"{what} come with the measure '{MEASURE}', not with '{data.measure.name}': choose it."
    return words.nothing(data)


def brief(reason: str) -> str:
    """A reason of many pairs, without the figures of one of them."""
    return reason.partition(":")[0] + (", too few points for the width" if reason.startswith("everything") else "")


class Clusters(LabelMatrix):
    """Distances between labels, which lie in the same order along both axes."""

    name = "clusters"

    def __init__(
        self,
        data: Rows,
        spot: Spot | None = None,
        statistic: str = "hull_distance",
        there: Sequence[Spot] | None = None,
    ) -> None:
        """``spot``: None for the last layer of the last step that has values; ``statistic``: one of DISTANCES;
        ``there``: where values are that the rows may lack."""
        self._there = labelled_in(data) if there is None else there
        self.data, self.stored, self.statistic = data, data, statistic
        self.spot = spot or max(first_run(self._there, data.tasks), default=None)
        shown = [
            r for r in data.results if r.label_b is not None and self.spot is not None and self.spot == (r.key, r.layer)
        ]
        self.labels = label_names(shown)
        self._by_pair: dict[tuple[frozenset[str | None], str], Result] = {
            (frozenset((r.label_a, r.label_b)), r.statistic): r for r in shown
        }
        many = len(self.labels)
        self.values, self.refused = np.full((many, many), np.nan), np.zeros((many, many), bool)
        self.vacuous = np.zeros((many, many), bool)
        for i, j in combinations(range(many), 2):
            r = self._at(i, j, statistic)
            if r is None:
                continue
            for at in ((i, j), (j, i)):
                self.values[at] = np.nan if r.value is None else r.value
                self.refused[at] = r.value is None
                self.vacuous[at] = r.value is not None and bool(r.reason)
        self.empty = not bool(np.isfinite(self.values).any())
        where = () if self.spot is None else place_words(self.spot)
        self.title = words.title(data, *where)
        chosen = [r for r in shown if r.statistic == statistic]
        self.subtitle = words.subtitle(data, chosen) if chosen else words.subtitle(data, data.main)
        self.notes = self._notes(chosen)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a pair of labels and statistic of the layer that is shown."""
        return COLUMNS, [
            (
                *(r.corpus, r.recipe, r.seed, r.step, r.layer, r.label_a, r.label_b, r.statistic, r.value),
                *(r.unit, r.n, r.reason),
            )
            for r in self._by_pair.values()
        ]

    def nothing(self) -> str:
        """See LabelMatrix."""
        return nothing(self.data, "Distances between labels")

    def matrix(self, log: bool = False) -> Matrix:
        """The map without a size; ``log``: levels even in the logarithm."""
        known = self.values[np.isfinite(self.values)]
        positive = known[known > 0]
        log = log and len(positive) > 0
        low = float(positive.min()) / 1.05 if log else 0.0
        high = float(known.max()) or 1.0
        values = np.where(self.values > 0, self.values, np.where(np.isfinite(self.values), low, np.nan))
        panel = Panel(
            f"distance of the {DISTANCES[self.statistic]}",
            values if log else self.values,
            low,
            high,
            log=log,
            refused=self.refused,
            marked=self.vacuous,
            scale=f"0 = they overlap, {_SCALE}" if self.statistic == "hull_distance" else _SCALE,
        )
        return Matrix((panel,), self.labels, self.labels, "label", "label")

    def _at(self, a: int, b: int, statistic: str) -> Result | None:
        return self._by_pair.get((frozenset((self.labels[a], self.labels[b])), statistic))

    def read(self, row: int, column: int) -> str:
        """'ADJ and NOUN: hulls 0.523 apart; centroids 2.31 apart; ! everything separates: 12 points in 384 ...'."""
        if row < 0:
            return ""
        if column < 0 or row == column:
            return self._nearest(row)
        said, reason = [], ""
        order = sorted(DISTANCES, key=lambda name: name != self.statistic)
        for statistic in order:
            r = self._at(row, column, statistic)
            if r is None:
                said.append(f"distance of the {DISTANCES[statistic]} not computed")
            elif r.value is None:
                said.append(f"distance of the {DISTANCES[statistic]}: no value, {r.reason or 'no reason given'}")
            else:
                overlap = statistic == "hull_distance" and r.value == 0
                said.append("hulls overlap" if overlap else f"{DISTANCES[statistic]} {number(r.value)} apart")
                reason = reason or r.reason
        beside = [*said, f"! {reason}"] if reason else said
        return clean(f"{self.labels[row]} and {self.labels[column]}: {'; '.join(beside)}")

    def _nearest(self, row: int) -> str:
        values = self.values[row]
        if not np.isfinite(values).any():
            return clean(f"{self.labels[row]}: no distance to another label is known")
        best = int(np.nanargmin(values))
        what = DISTANCES[self.statistic]
        r = self._at(row, best, self.statistic)
        doubt = f"; ! {r.reason}" if r is not None and r.reason else ""
        return clean(
            f"{self.labels[row]}: nearest label {self.labels[best]}, {what} {number(float(values[best]))} apart{doubt}"
        )

    def _notes(self, shown: Sequence[Result]) -> tuple[str, ...]:
        said = []
        pairs = len(shown)
        vacuous = sum(1 for r in shown if r.value is not None and r.reason)
        if vacuous:
            reason = next(r.reason for r in shown if r.value is not None and r.reason)
            said.append(f"! marks {vacuous} of {pairs} pairs that are unreliable: {brief(reason)}")
        without = [r for r in shown if r.value is None]
        if without:
            said.append(f"{len(without)} of {pairs} pairs have no value: {without[0].reason or 'no reason given'}")
        if pairs and all(r.value == 0 for r in shown):
            said.append(f"all {pairs} pairs overlap: the distance of every two hulls is 0; look at the centroids")
        said += rest(self.data, len(self._there))
        return tuple(clean(note) for note in said)


def clusters(data: Rows, there: tuple[Spot, ...], rows: tuple[Result, ...], look: Look) -> Clusters:
    """Label by label at the step and layer that are looked at."""
    both = replace(data, results=(*data.results, *rows))
    return Clusters(both, spot_of(there, data, look), STATISTIC_OF[look.part], there)
