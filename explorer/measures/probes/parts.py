"""Divide the layers of a checkpoint into parts whose probes are trained at once."""

from __future__ import annotations

import numpy as np

AT_ONCE = 1 << 30
"""Bytes of hidden states that are held at once, unless one layer, or a mix of layers, needs more."""


def parts_of_layers(layers: int, size: int, room: int | None = None) -> list[np.ndarray]:
    """Return the layers of each part, int64, ascending: as many as fit into some bytes, and at least one.

    Args:
        layers: number of layers.
        size: bytes of one layer.
        room: bytes of a part; None: AT_ONCE.
    """
    many = max(1, (AT_ONCE if room is None else room) // max(1, size))
    return np.split(np.arange(layers), range(many, layers, many))
