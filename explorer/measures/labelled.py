"""The labelled points of one layer: first tokens of sentences, or means of words' sub-words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from explorer.measures import tokens as rows
from explorer.measures.protocols import Corpus, Labels, Layer
from explorer.measures.resampling import example_order


@dataclass(frozen=True, eq=False)
class Labelled:
    """Points with labels; those without one are left out."""

    points: np.ndarray
    """float64 [n, width]."""
    labels: np.ndarray
    """int64 [n], ids of the corpus's label names."""
    example: np.ndarray
    """int64 [n]: the example each point is from."""
    examples: int
    """Of the corpus."""

    @property
    def present(self) -> np.ndarray:
        """Labels that have points, int64 [P], rising."""
        return np.unique(self.labels)

    def only(self, which: np.ndarray) -> Labelled:
        """Those points (bool [n])."""
        return Labelled(self.points[which], self.labels[which], self.example[which], self.examples)

    def split(self, share: float, seed: int) -> tuple[Labelled, Labelled]:
        """Points of the examples kept, and of a random share of the examples held out."""
        order = np.random.default_rng([seed, 2 << 20]).permutation(self.examples)
        out = np.isin(self.example, order[: round(share * self.examples)])
        return self.only(~out), self.only(out)

    def group_sums(self, vectors: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums [G, P, d] and counts [G, P] of vectors [n, d], one a point, by group of examples and label.

        Args:
            group: int64 [examples], from 0.
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
        """The same points under permuted labels.

        The examples' sequences of labels are laid one after the other in a random order of the examples: as many
        points a label as before, and neighbouring words keep neighbouring labels.
        """
        place = np.empty(self.examples, np.int64)
        place[example_order(self.examples, seed, draw)] = np.arange(self.examples)
        moved = self.labels[np.argsort(place[self.example], kind="stable")]
        return Labelled(self.points, moved, self.example, self.examples)


def labelled_points(layer: Layer, corpus: Corpus, labels: Labels) -> Labelled:
    """Return the labelled points of a layer; negative label ids are unlabelled.

    Raises:
        MeasureError: hidden states that are not finite.
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
    """Digest of which rows are labelled, and how."""
    parts = (rows.rows_digest(corpus, _tokens(labels)).encode(), np.asarray(labels.values, np.int64).tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _tokens(labels: Labels) -> str:
    return "words" if labels.level == "word" else "cls"
