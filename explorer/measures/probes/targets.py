"""Collect the targets of an edge probe: one or two spans of tokens of a sentence, and the set of their labels.

A word is a span of one word, and an arc is a pair: the word and its head. The tokens of a span are all sub-words of its
words. Only tokens that lie in a span are kept of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures import tokens as rows
from explorer.measures.probes.spans import SETS, spans_of, token_spans
from explorer.measures.protocols import Corpus, Labels, Layer


@dataclass(frozen=True, eq=False)
class Targets:
    """The n targets of an annotation with K labels, in the order of their words."""

    corpus: Corpus
    names: tuple[str, ...]
    """Names of the labels."""
    labels: np.ndarray
    """Whether each target has each label, bool [n, K]."""
    example: np.ndarray
    """Example of each target, ascending, int64 [n]."""
    tokens: np.ndarray
    """Tokens that lie in a span, ascending positions on the packed axis, int64 [t]."""
    spans: np.ndarray
    """First and last token of each span, as positions in ``tokens``, int64 [n, 1 or 2, 2]."""

    @property
    def sets(self) -> np.ndarray:
        """Number of each target's set of labels, equal for equal sets, int64 [n]."""
        return np.unique(self.labels, axis=0, return_inverse=True)[1].reshape(-1)

    def states(self, layers: Sequence[Layer]) -> np.ndarray:
        """Return the vectors of the kept tokens, float16 if they are stored so, else float32, [layers, t, width].

        Raises:
            MeasureError: some hidden states are not finite.
        """
        first = self._states(layers[0])
        found = np.empty((len(layers), *first.shape), first.dtype)
        found[0] = first
        for n, layer in enumerate(layers[1:], 1):
            found[n] = self._states(layer)
        return found

    def _states(self, layer: Layer) -> np.ndarray:
        parts, start, total = [np.empty((0, layer.width), np.float16)], 0, 0.0
        for (block,) in rows.blocks((layer,), self.corpus, "all"):
            here = self.tokens[(self.tokens >= start) & (self.tokens < start + len(block))] - start
            parts.append(block[here].astype(np.float16 if block.dtype == np.float16 else np.float32))
            total += float(parts[-1].sum(dtype=np.float64))
            start += len(block)
        rows.check_finite(total, "hidden states")
        return np.concatenate(parts)


def targets_of(corpus: Corpus, labels: Labels) -> Targets:
    """Return the targets of words, arcs, spans or pairs of spans.

    Rows of an annotation with equal positions are one target, which has all of their labels. The set of a span or a
    pair may be empty; a word or an arc without a label is left out.
    """
    ids, words = np.asarray(labels.values).astype(np.int64), spans_of(labels)
    if labels.level not in SETS:
        words, ids = words[ids >= 0], ids[ids >= 0]
    bounds, of = np.unique(words, axis=0, return_inverse=True)
    has = np.zeros((len(bounds), len(labels.names)), bool)
    has[of.reshape(-1)[ids >= 0], ids[ids >= 0]] = True
    places = token_spans(corpus, bounds)
    first, last = places[..., 0], places[..., 1]
    inside = np.zeros(int(corpus.offsets[-1]) + 1, np.int64)  # +1 where spans begin, -1 behind their ends
    np.add.at(inside, first.ravel(), 1)
    np.add.at(inside, last.ravel() + 1, -1)
    kept = np.flatnonzero(np.cumsum(inside) > 0)
    spans = np.searchsorted(kept, places)
    example = np.searchsorted(corpus.word_offsets, bounds[:, 0, 0], side="right") - 1
    return Targets(corpus, labels.names, has, example, kept, spans)
