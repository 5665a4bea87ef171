"""Read the vectors of points as often as a probe needs them, without holding more of them than HELD bytes.

A probe that needs sums reads the layer again in each pass. One that iterates, or needs the points in another order,
gets a copy: in memory or, beyond HELD, in a file. Both are read in the same blocks, so no result depends on HELD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from explorer.measures.probes.parts import parts_of_layers
from explorer.measures.probes.points import Points
from explorer.measures.probes.scratch import Rows, Scratch
from explorer.measures.protocols import Layer

HELD = 1 << 28
"""Bytes up to which the vectors of a layer, or of layers that are fitted at once, are held in memory; and as many again
for a copy of some of them."""


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

    def of(self, rows: np.ndarray) -> Rows:
        """Return a copy of the vectors of some points, float32 [len(rows), d], in memory or, beyond HELD, in a file.

        Args:
            rows: positions of the points in the order of the copy, all different and at least one, int64.

        Raises:
            MeasureError: there is no room for the file.
        """
        order = np.argsort(rows, kind="stable")
        found, at = None, 0
        for chunk in self.chunks(rows[order]):
            if found is None:
                found = _room((len(rows), chunk.shape[1]), chunk.dtype)
            found[order[at : at + len(chunk)]] = chunk
            at += len(chunk)
        assert found is not None
        return found

    def mapped(self, change: Callable[[np.ndarray], np.ndarray]) -> Vectors:
        """Return the vectors changed by a function of some of them, [m, d] to [m, d]."""
        return Vectors(self.n, lambda: map(change, self.blocks()))


def parts_together(points: Points, layers: Sequence[Layer]) -> list[np.ndarray]:
    """Return the layers of each part whose vectors are held together, int64: as many as fit into HELD bytes."""
    return parts_of_layers(len(layers), _size(points, layers[0]), HELD)


def _size(points: Points, layer: Layer) -> int:
    """Return the bytes of the vectors of points in one layer."""
    return 4 * len(points.labels) * points.parts * layer.width


def _room(shape: tuple[int, int], dtype: np.dtype[Any]) -> np.ndarray | Scratch:
    large = shape[0] * shape[1] * dtype.itemsize > HELD
    return Scratch.empty(shape, dtype) if large else np.empty(shape, dtype)


def vectors_of(points: Points, layer: Layer) -> Vectors:
    """Return the vectors of points in one layer.

    Raises:
        MeasureError: (here or when they are read) some hidden states are not finite.
    """
    n = len(points.labels)
    if _size(points, layer) > HELD:
        return Vectors(n, partial(points.blocks, layer))
    held = list(points.blocks(layer))
    return Vectors(n, lambda: held)
