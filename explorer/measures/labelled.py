"""Collect the labelled points of a layer: first tokens of sentences, or means of words' sub-words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from explorer.measures import tokens as rows
from explorer.measures.protocols import Corpus, Labels, Layer
from explorer.measures.resampling import example_order


@dataclass(frozen=True, eq=False)
class Labelled:
    """Points with labels; unlabelled points are left out."""

    points: np.ndarray
    """Coordinates, float64 [n, width]."""
    labels: np.ndarray
    """Label ids, int64 [n]."""
    example: np.ndarray
    """Example of each point, int64 [n]."""
    examples: int
    """Number of examples of the corpus."""

    @property
    def present(self) -> np.ndarray:
        """Labels that have points, ascending, int64 [P]."""
        return np.unique(self.labels)

    def only(self, which: np.ndarray) -> Labelled:
        """Return the points selected by a mask, bool [n]."""
        return Labelled(self.points[which], self.labels[which], self.example[which], self.examples)

    def split(self, share: float, seed: int) -> tuple[Labelled, Labelled]:
        """Return the points of the kept examples and of a random share of held-out examples."""
        order = np.random.default_rng([seed, 2 << 20]).permutation(self.examples)
        out = np.isin(self.example, order[: round(share * self.examples)])
        return self.only(~out), self.only(out)

    def group_sums(self, vectors: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return sums [G, P, d] and counts [G, P] of vectors [n, d], one per point, by group of examples and label.

        Args:
            group: group of each example, from 0, int64 [examples].
        """
        at = np.searchsorted(self.present, self.labels)
        cell = group[self.example] * len(self.present) + at
        shape = (int(group.max()) + 1, len(self.present))
        counts = np.bincount(cell, minlength=shape[0] * shape[1])
        sums = np.zeros((len(counts), vectors.shape[1]))
        order = np.argsort(cell, kind="stable")
        filled = np.flatnonzero(counts)
        begins = np.cumsum(counts)[filled] - counts[filled]
        sums[filled] = np.add.reduceat(vectors[order], begins, axis=0)
        return sums.reshape(*shape, -1), counts.reshape(shape)

    def shuffled(self, seed: int, draw: int) -> Labelled:
        """Return the same points with permuted labels (see ``shuffled_labels``)."""
        moved = shuffled_labels(self.labels, self.example, self.examples, seed, draw)
        return Labelled(self.points, moved, self.example, self.examples)


def shuffled_labels(labels: np.ndarray, example: np.ndarray, examples: int, seed: int, draw: int) -> np.ndarray:
    """Return permuted labels of points, int64 [n].

    The examples' sequences of labels are concatenated in a random order of the examples. So each label keeps its number
    of points, and neighbouring words keep neighbouring labels.

    Args:
        labels: label id of each point, int64 [n].
        example: example of each point, ascending, int64 [n].
        examples: number of examples of the corpus.
        seed: the same seed and draw (from 0) give the same order.
    """
    place = np.empty(examples, np.int64)
    place[example_order(examples, seed, draw)] = np.arange(examples)
    moved: np.ndarray = labels[np.argsort(place[example], kind="stable")]
    return moved


def labelled_points(layer: Layer, corpus: Corpus, labels: Labels) -> Labelled:
    """Return the labelled points of a layer; negative label ids are unlabelled.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    ids = np.asarray(labels.values).astype(np.int64)
    if labels.level == "word":
        example = np.searchsorted(corpus.word_offsets, np.arange(len(ids)), side="right") - 1
    else:
        example = np.flatnonzero(np.diff(corpus.offsets) > 0)
        ids = ids[example]
    found = [b[0].astype(np.float64) for b in rows.blocks((layer,), corpus, _tokens(labels))]
    points = np.concatenate(found) if found else np.empty((0, layer.width))
    rows.check_finite(float(points.sum()), "hidden states")
    every = Labelled(points, ids, example, len(corpus.offsets) - 1)
    return every.only(ids >= 0)


def labels_digest(corpus: Corpus, labels: Labels) -> str:
    """Return a digest of the labelled rows and their labels."""
    parts = (rows.rows_digest(corpus, _tokens(labels)).encode(), np.asarray(labels.values, np.int64).tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _tokens(labels: Labels) -> str:
    return "words" if labels.level == "word" else "cls"
