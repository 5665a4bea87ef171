"""Say which words and tokens the units of an annotation are made of: one span each, or two."""

from __future__ import annotations

import numpy as np

from explorer.measures.protocols import Corpus, Labels

SETS = ("span", "pair")
"""Units whose positions are bounds of spans, and whose labels may be a set: it has a row for each label."""


def spans_of(labels: Labels) -> np.ndarray:
    """Return the first and the last word of each span of each unit, int64 [N, 1 or 2, 2].

    A word is a span of one word. An arc has two of them: the word and its head.

    Args:
        labels: labels of words, arcs, spans or pairs of spans.
    """
    words = np.arange(len(labels.values))[:, None] if labels.items is None else np.asarray(labels.items, np.int64)
    bounds = words if labels.level in SETS else np.repeat(words, 2, axis=1)
    return bounds.reshape(len(bounds), bounds.shape[1] // 2, 2)


def token_spans(corpus: Corpus, words: np.ndarray) -> np.ndarray:
    """Return the first and the last token of spans of words, int64 [..., 2].

    Args:
        words: first and last word of each span, int64 [..., 2].
    """
    first, last = words[..., 0], words[..., 1]
    ends = np.asarray(corpus.word_first)[last] + np.asarray(corpus.word_length)[last] - 1
    return np.stack([np.asarray(corpus.word_first)[first], ends], axis=-1).astype(np.int64)
