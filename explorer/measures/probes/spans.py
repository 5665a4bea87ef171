"""Say which words the units of an annotation are made of: one span of words each, or two."""

from __future__ import annotations

import numpy as np

from explorer.measures.protocols import Labels

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
