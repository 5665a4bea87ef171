"""Lines of equal value and a path over a map of blocks. Pure: arrays in, places of signs out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

LINES, ASCII_LINES = "─╲│╱", "~\\|/"
"""Signs of a line by its direction, in steps of 45 degrees."""
_TALL = 2.0
"""Height of a character in widths."""


@dataclass(frozen=True, eq=False)
class MapPath:
    """Places on a map in order: row and column in units of the data's rows and columns, and a name of each."""

    rows: np.ndarray
    columns: np.ndarray
    names: tuple[str, ...]


def sampled(blocks: np.ndarray, cell: int, unit: int, height: int, width: int) -> np.ndarray:
    """Interpolate blocks between their centres.

    Args:
        blocks: values [rows, columns], the lowest row first.
        cell: characters of one block across.
        unit: half characters of one block upwards.

    Returns:
        Value at the centre of each character, [height, width], the top first; NaN beside a block without a value.
    """
    across = (np.arange(width) - (cell - 1) / 2) / cell
    upwards = blocks.shape[0] - 1 - (2 * np.arange(height) + 0.5 - (unit - 1) / 2) / unit
    row, column = (np.clip(at, 0, many - 1) for at, many in zip((upwards, across), blocks.shape, strict=True))
    low, left = np.floor(row).astype(int), np.floor(column).astype(int)
    high, right = np.minimum(low + 1, blocks.shape[0] - 1), np.minimum(left + 1, blocks.shape[1] - 1)
    up, along = (row - low)[:, None], (column - left)[None, :]
    below = blocks[np.ix_(low, left)] * (1 - along) + blocks[np.ix_(low, right)] * along
    above = blocks[np.ix_(high, left)] * (1 - along) + blocks[np.ix_(high, right)] * along
    found: np.ndarray = below * (1 - up) + above * up
    return found


def contours(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Find where values cross levels.

    Args:
        values: at the centre of each character [height, width]; NaN crosses nothing.

    Returns:
        int [height, width]: the direction of the line through each character, an index of ``LINES``; -1: none.
    """
    found = np.full(values.shape, -1)
    if min(values.shape) < 2:
        return found
    down, right = np.gradient(values)
    # Along a line of equal value; characters are twice as high as wide.
    angle = np.arctan2(right, -down / _TALL) % np.pi
    direction = np.rint(angle / (np.pi / 4)).astype(float) % 4
    for level in levels:
        off = values - level
        crossed = np.zeros(values.shape, bool)
        for one, other in (
            ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
            ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
        ):
            changes = (off[one] < 0) != (off[other] < 0)
            changes &= np.isfinite(off[one]) & np.isfinite(off[other])
            nearer = np.abs(off[one]) <= np.abs(off[other])
            crossed[one] |= changes & nearer
            crossed[other] |= changes & ~nearer
        found = np.where(crossed & np.isfinite(direction), np.nan_to_num(direction, nan=-1).astype(int), found)
    return found


def path_cells(
    path: MapPath, cell: int, unit: int, blocks: tuple[int, int], shape: tuple[int, int]
) -> Iterator[tuple[int, int, int]]:
    """Yield the characters that a path goes through: row, column, and the number of its place there or -1.

    Args:
        cell: characters of one block across; ``unit``: half characters of one block upwards.
        blocks: rows and columns of data; ``shape``: rows and columns of characters.
    """
    across = path.columns * cell + (cell - 1) / 2
    downwards = ((blocks[0] - 1 - path.rows) * unit + (unit - 1) / 2 - 0.5) / 2
    for i in range(len(path.names) - 1):
        ends = downwards[i : i + 2], across[i : i + 2]
        if not all(np.isfinite(end).all() for end in ends):
            continue
        many = int(np.ceil(max(np.ptp(ends[0]), np.ptp(ends[1])))) + 1
        ys, xs = (np.rint(np.linspace(end[0], end[1], many + 1)).astype(int) for end in ends)
        for y, x in zip(ys, xs, strict=True):
            if 0 <= y < shape[0] and 0 <= x < shape[1]:
                yield int(y), int(x), -1
    for i, (y, x) in enumerate(zip(downwards, across, strict=True)):
        if np.isfinite(y) and np.isfinite(x) and 0 <= round(y) < shape[0] and 0 <= round(x) < shape[1]:
            yield round(y), round(x), i
