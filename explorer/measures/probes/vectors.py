"""Read the vectors of points as often as a probe needs them, without holding more of them than HELD bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from explorer.measures.probes.points import Points
from explorer.measures.protocols import Layer

HELD = 1 << 28
"""Bytes of the vectors of one layer up to which they are held; beyond it, each use reads the layer again."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of n points in one layer."""

    n: int
    blocks: Callable[[], Iterable[np.ndarray]]
    """Function that returns the vectors in order, float32 [m, d] at a time."""

    def chunks(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the vectors of some points in order, float32 [m, d] at a time.

        Args:
            rows: positions of the points, ascending, int64.
        """
        at = 0
        for block in self.blocks():
            first, last = np.searchsorted(rows, (at, at + len(block)))
            if last > first:
                yield block[rows[first:last] - at]
            at += len(block)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of some points, ascending, float32 [len(rows), d]; there must be at least one."""
        return np.concatenate(list(self.chunks(rows)))

    def mapped(self, change: Callable[[np.ndarray], np.ndarray]) -> Vectors:
        """Return the vectors changed by a function of some of them, [m, d] to [m, d]."""
        return Vectors(self.n, lambda: map(change, self.blocks()))


def vectors_of(points: Points, layer: Layer) -> Vectors:
    """Return the vectors of points in one layer.

    Raises:
        MeasureError: (here or when they are read) some hidden states are not finite.
    """
    n = len(points.labels)
    if 4 * n * points.parts * layer.width > HELD:
        return Vectors(n, partial(points.blocks, layer))
    held = list(points.blocks(layer))
    return Vectors(n, lambda: held)
