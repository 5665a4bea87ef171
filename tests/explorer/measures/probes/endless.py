"""A layer of any number of tokens that takes no memory, for tests of how much a probe holds."""

from __future__ import annotations

import numpy as np

from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels

PERIOD, LENGTH, CLASSES = 997, 10, 5
"""Number of different tokens, tokens of a sentence, and labels."""


class EndlessLayer:
    """Tokens that say their label and repeat themselves; each is made when it is read."""

    heads = 0
    hidden_chunk = 1_000

    def __init__(self, width: int, clear: float = 2.0) -> None:
        """``clear``: how far a label is from the others."""
        rng = np.random.default_rng(0)
        self.width, self.identity = width, f"endless-{width}-{clear}"
        self._tokens = rng.standard_normal((PERIOD, width)).astype(np.float16)
        self._tokens[np.arange(PERIOD), np.arange(PERIOD) % CLASSES] += np.float16(clear)

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Return some tokens."""
        return self._tokens[np.arange(start, stop) % PERIOD]


def endless_corpus(words: int) -> MemoryCorpus:
    """Sentences of LENGTH words of one token each."""
    return MemoryCorpus([LENGTH] * (words // LENGTH), [(n, 1) for n in range(words)], types=np.arange(words) % PERIOD)


def endless_labels(words: int) -> MemoryLabels:
    """The labels that the tokens say."""
    return MemoryLabels("word", tuple("abcde"), np.arange(words) % PERIOD % CLASSES)
