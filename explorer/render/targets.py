"""Jump targets of a picture: lines, steps, rows and columns. Pure, and cheap to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

ROOM = 3
"""Cells between two targets on a line: a label of two letters and a blank."""


class Target(NamedTuple):
    """A cell of a picture, and the indices into the data that a jump to it selects; -1: unchanged."""

    x: int
    """Number of cells from the left edge."""
    y: int
    """Number of lines from the top."""
    column: int = -1
    """Index of the place on the horizontal axis."""
    row: int = -1
    """Index of the line or row."""

    def moved(self, x: int, y: int) -> Target:
        """Return the same target in a larger picture, in which this one is shifted by x cells and y lines."""
        return self._replace(x=self.x + x, y=self.y + y)


def apart(cells: Sequence[int], first: Iterable[int] = (), room: int = ROOM) -> list[int]:
    """Return the indices of cells on a line that are at least ``room`` apart, in order.

    Args:
        cells: positions of the candidates.
        first: candidates that are considered before the others.
    """
    taken: set[int] = set()
    kept = set()
    for i in (*first, *range(len(cells))):
        if all(cells[i] + by not in taken for by in range(1 - room, room)):
            taken.add(cells[i])
            kept.add(i)
    return sorted(kept)


def upwards(found: Iterable[Target], rows: int) -> tuple[Target, ...]:
    """Return the targets with rows counted upwards from the lowest of ``rows``."""
    return tuple(t._replace(row=rows - 1 - t.row) if t.row >= 0 else t for t in found)
