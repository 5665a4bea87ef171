"""Group examples into batches (pure functions).

Sorting by length keeps padding small, and results are wanted in the file's order. Sorting inside windows gives both:
a window is a stretch of the file whose results fit in memory; it is filled in any order and handed on whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """Examples ``start`` to ``stop`` of the corpus, and batches that contain each of them once."""

    start: int
    stop: int
    batches: tuple[np.ndarray, ...]
    """Example numbers of each batch, int64, short examples first."""


def windows(lengths: Sequence[int] | np.ndarray, sizes: np.ndarray, batch_tokens: int, size: int) -> Iterator[Window]:
    """Yield windows in the file's order, with the examples of each window sorted by length.

    Args:
        lengths: tokens of each example, [E].
        sizes: size of each example's results, [E], in the unit of ``size`` (bytes).
        batch_tokens: maximum padded tokens of a batch (examples x longest); a longer example is a batch by itself.
        size: maximum size of a window's results; a larger example is a window by itself.

    Raises:
        ValueError: a budget below 1.
    """
    if batch_tokens < 1 or size < 1:
        raise ValueError("budgets are at least 1")
    counts = np.asarray(lengths, dtype=np.int64)
    start, used = 0, 0
    for example, more in enumerate(np.asarray(sizes).tolist()):
        if example > start and used + more > size:
            yield _window(counts, start, example, batch_tokens)
            start, used = example, 0
        used += more
    if start < len(counts):
        yield _window(counts, start, len(counts), batch_tokens)


def _window(lengths: np.ndarray, start: int, stop: int, batch_tokens: int) -> Window:
    order = start + np.argsort(lengths[start:stop], kind="stable")
    batches: list[np.ndarray] = []
    begin = 0
    for place in range(1, len(order) + 1):
        if place == len(order) or (place - begin + 1) * lengths[order[place]] > batch_tokens:
            batches.append(order[begin:place])
            begin = place
    return Window(start, stop, tuple(batches))
