"""Collect the labelled points of a corpus once, and their vectors in each layer.

A point is a sentence (its first token, or the mean of its tokens without special ones), a word (the mean of its
sub-words), a span (the mean of its words), an arc (the vectors of the word and of its head, one after the other), or a
pair (the vectors of both spans, one after the other).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from explorer.measures import tokens
from explorer.measures.computation import MeasureError
from explorer.measures.probes.spans import spans_of
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
    """Row of each point in the annotation, int64 [n]."""
    spans: np.ndarray
    """First and last word of each span of a point, int64 [n, 1 or 2, 2]; of sentences, the example twice."""
    sentence: str = "cls"
    """Vector that stands for a sentence, one of SENTENCE."""

    @property
    def types(self) -> np.ndarray | None:
        """Type of each point, equal for equal words and for equal tuples of the spans' words, int64 [n]; None if there
        are no types."""
        known = None if self.level == "sentence" else self.corpus.word_types
        if known is None:
            return None
        found, base = np.zeros(len(self.spans), np.int64), int(known.max(initial=0)) + 2
        for first, last in self.spans.transpose(1, 2, 0):
            for step in range(int((last - first).max(initial=0)) + 1):
                word = np.where(first + step <= last, known[np.minimum(first + step, last)] + 1, 0)
                found = np.unique(found * base + word, return_inverse=True)[1]
        return found

    @property
    def parts(self) -> int:
        """Number of vectors of width d that a point's vector consists of: 2 for arcs and pairs."""
        return self.spans.shape[1]

    def blocks(self, layer: Layer) -> Iterator[np.ndarray]:
        """Yield the vectors of the points in order, some at a time: float32 [m, width] or [m, 2 width].

        Only those rows of the layer are held that points to come need, which lie near each other: the words of a
        sentence, if the points are in the order of their sentences.

        Raises:
            MeasureError: some hidden states are not finite.
        """
        stream, spans = self._rows(layer)
        ends = np.maximum.accumulate(spans[..., 1].max(1, initial=-1) + 1)  # of the rows that are needed so far
        begins = np.minimum.accumulate(spans[::-1, :, 0].min(1, initial=len(ends) and spans.max()))[::-1]
        held, base, done = np.empty((0, layer.width), np.float32), 0, 0
        for rows in stream:
            tokens.check_finite(float(rows.sum(dtype=np.float64)), "hidden states")
            held = np.concatenate([held, rows])
            stop = base + len(held)
            ready = int(np.searchsorted(ends, stop, side="right"))
            if ready > done:
                yield _means(held, spans[done:ready] - base)
                done = ready
            keep = min(max(int(begins[done]), base), stop) if done < len(ends) else stop
            held, base = held[keep - base :], keep

    def _rows(self, layer: Layer) -> tuple[Iterable[np.ndarray], np.ndarray]:
        """Return a stream of rows, float32 [m, width], and the first and last row of each span, int64 [n, 1 or 2, 2].

        Rows are words, the first tokens of examples, or means of examples.
        """
        if self.level != "sentence":
            return _streamed(layer, self.corpus, "words"), self.spans
        if self.sentence == "mean":
            return sentence_means(layer, self.corpus), self.spans
        # an empty example has no first token, and no point
        return _streamed(layer, self.corpus, "cls"), tokens.row_offsets(self.corpus, "cls")[self.spans]


def labelled(corpus: Corpus, labels: Labels, sentence: str = "cls") -> Points:
    """Return the points of a corpus that have a label.

    Args:
        sentence: vector that stands for a sentence, one of SENTENCE.

    Raises:
        MeasureError: a point has several labels.
    """
    ids = np.asarray(labels.values).astype(np.int64)
    counted = np.diff(corpus.offsets) if sentence == "cls" else np.diff(tokens.row_offsets(corpus, "content"))
    if labels.level == "sentence":
        spans = np.repeat(np.arange(len(ids)), 2).reshape(-1, 1, 2)
        there = counted > 0
        example = spans[:, 0, 0]
    else:
        spans = spans_of(labels)
        there = np.ones(len(ids), bool)
        example = np.searchsorted(corpus.word_offsets, spans[:, 0, 0], side="right") - 1
    place = np.flatnonzero((ids >= 0) & there)
    if labels.items is not None:
        place = place[_once(spans[place], ids[place], labels.level)]
    return Points(corpus, labels.level, labels.names, ids[place], example[place], place, spans[place], sentence)


def _once(spans: np.ndarray, ids: np.ndarray, level: str) -> np.ndarray:
    """Return the first row of each of several units, ascending: rows with equal positions are one unit.

    Raises:
        MeasureError: a unit has several labels.
    """
    _, first, unit = np.unique(spans, axis=0, return_index=True, return_inverse=True)
    if (ids != ids[first][unit.reshape(-1)]).any():
        raise MeasureError(f"Some {level}s have several labels: only edge-probe reads sets of labels.")
    return np.sort(first)


def word_means(layer: Layer, corpus: Corpus) -> np.ndarray:
    """Return the mean of each word's sub-words, float32 [W, width].

    Raises:
        MeasureError: some hidden states are not finite.
    """
    found = np.concatenate([np.empty((0, layer.width), np.float32), *_streamed(layer, corpus, "words")])
    tokens.check_finite(float(found.sum(dtype=np.float64)), "hidden states")
    return found


def _streamed(layer: Layer, corpus: Corpus, chosen: str) -> Iterator[np.ndarray]:
    for (block,) in tokens.blocks((layer,), corpus, chosen):
        yield block.astype(np.float32, copy=False)


def _means(rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Return the mean of the rows of each span, those of a point one after the other, float32 [n, spans * width]."""
    first, last = spans[..., 0], spans[..., 1]
    found = rows[first]
    for step in range(1, int((last - first).max(initial=0)) + 1):
        longer = first + step <= last
        found[longer] += rows[first[longer] + step]
    many = last > first
    found[many] /= (last - first + 1)[many, None]
    return found.reshape(len(found), -1)


def sentence_means(layer: Layer, corpus: Corpus) -> Iterator[np.ndarray]:
    """Yield the mean of each example's tokens without special ones, in order, float32 [m, width]; zero without any."""
    bounds = tokens.row_offsets(corpus, "content")
    counts = np.maximum(np.diff(bounds), 1)[:, None]
    at = done = 0
    sums = np.zeros((min(1, len(counts)), layer.width))  # of the examples from ``done`` on, the last one not complete
    for (rows,) in tokens.blocks((layer,), corpus, "content"):
        example = np.searchsorted(bounds, np.arange(at, at + len(rows)), side="right") - 1 - done
        begins = np.flatnonzero(np.diff(example, prepend=-1))
        sums = np.concatenate([sums, np.zeros((example[-1] + 1 - len(sums), layer.width))])
        sums[example[begins]] += np.add.reduceat(rows.astype(np.float64), begins, axis=0)
        yield (sums[:-1] / counts[done : done + len(sums) - 1]).astype(np.float32)
        at, done, sums = at + len(rows), done + len(sums) - 1, sums[-1:].copy()
    rest = np.zeros((len(counts) - done, layer.width))
    rest[: len(sums)] = sums
    yield (rest / counts[done:]).astype(np.float32)
