"""Collect the labelled points of a corpus once, and their vectors in each layer.

A point is a sentence (its first token, or the mean of its tokens without special ones), a word (the mean of its
sub-words), or an arc (the vectors of the word and of its head, one after the other).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures import tokens
from explorer.measures.protocols import Corpus, Labels, Layer

SENTENCE = ("cls", "mean")
"""Vectors that can stand for a sentence."""


@dataclass(frozen=True, eq=False)
class Points:
    """The labelled points of a corpus, n in all; those without a label are left out."""

    corpus: Corpus
    level: str
    names: tuple[str, ...]
    """Names of the labels."""
    labels: np.ndarray
    """Label id of each point, int64 [n]."""
    example: np.ndarray
    """Example of each point, int64 [n]."""
    place: np.ndarray
    """Position of each point among the sentences, words or arcs of the corpus, int64 [n]."""
    words: np.ndarray
    """Words whose vectors make up a point, int64 [n, 1 or 2]; of sentences, the example."""
    sentence: str = "cls"
    """Vector that stands for a sentence, one of SENTENCE."""

    @property
    def types(self) -> np.ndarray | None:
        """Type of each point, the same for the same word or pair of words, int64 [n]; None if there are no types."""
        known = None if self.level == "sentence" else self.corpus.word_types
        if known is None:
            return None
        return np.unique(known[self.words], axis=0, return_inverse=True)[1].reshape(-1)

    def vectors(self, layer: Layer) -> np.ndarray:
        """Return the vectors of the points in one layer, float32 [n, width] ([n, 2 width] for arcs).

        Raises:
            MeasureError: some hidden states are not finite.
        """
        if self.level == "sentence" and self.sentence == "mean":
            every = sentence_means(layer, self.corpus)
        else:
            every = _rows(layer, self.corpus, "cls" if self.level == "sentence" else "words")
            if self.level == "sentence":  # an empty example has no first token
                filled = np.zeros((len(self.corpus.offsets) - 1, layer.width), np.float32)
                filled[np.diff(self.corpus.offsets) > 0] = every
                every = filled
        tokens.check_finite(float(every.sum(dtype=np.float64)), "hidden states")
        return every[self.words].reshape(len(self.words), -1)


def labelled(corpus: Corpus, labels: Labels, sentence: str = "cls") -> Points:
    """Return the points of a corpus that have a label.

    Args:
        sentence: vector that stands for a sentence, one of SENTENCE.
    """
    ids = np.asarray(labels.values).astype(np.int64)
    counted = np.diff(corpus.offsets) if sentence == "cls" else np.diff(tokens.row_offsets(corpus, "content"))
    if labels.level == "sentence":
        words = np.arange(len(ids))[:, None]
        there = counted > 0
        example = words[:, 0]
    else:
        words = np.arange(len(ids))[:, None] if labels.items is None else np.asarray(labels.items, np.int64)
        there = np.ones(len(ids), bool)
        example = np.searchsorted(corpus.word_offsets, words[:, 0], side="right") - 1
    place = np.flatnonzero((ids >= 0) & there)
    return Points(corpus, labels.level, labels.names, ids[place], example[place], place, words[place], sentence)


def word_means(layer: Layer, corpus: Corpus) -> np.ndarray:
    """Return the mean of each word's sub-words, float32 [W, width].

    Raises:
        MeasureError: some hidden states are not finite.
    """
    found = _rows(layer, corpus, "words")
    tokens.check_finite(float(found.sum(dtype=np.float64)), "hidden states")
    return found


def _rows(layer: Layer, corpus: Corpus, chosen: str) -> np.ndarray:
    read = [block[0].astype(np.float32) for block in tokens.blocks((layer,), corpus, chosen)]
    return np.concatenate(read) if read else np.empty((0, layer.width), np.float32)


def sentence_means(layer: Layer, corpus: Corpus) -> np.ndarray:
    """Return the mean of each example's tokens without special ones, float32 [E, width]; zero where there is none."""
    bounds = tokens.row_offsets(corpus, "content")
    sums = np.zeros((len(bounds) - 1, layer.width))
    at = 0
    for (rows,) in tokens.blocks((layer,), corpus, "content"):
        example = np.searchsorted(bounds, np.arange(at, at + len(rows)), side="right") - 1
        begins = np.flatnonzero(np.diff(example, prepend=-1))
        sums[example[begins]] += np.add.reduceat(rows.astype(np.float64), begins, axis=0)
        at += len(rows)
    return (sums / np.maximum(np.diff(bounds), 1)[:, None]).astype(np.float32)
