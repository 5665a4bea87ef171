"""Where on a picture the things stand that one can go to: lines, steps, rows and columns. Pure, and cheap to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

ROOM = 3
"""Cells from one target of a line to the next: a label of two letters and a blank."""


class Target(NamedTuple):
    """A cell of a picture, and what it stands for: indices into the data, -1 = this does not change."""

    x: int
    """Cells from the left edge."""
    y: int
    """Lines from the top."""
    column: int = -1
    """Place on the horizontal axis."""
    row: int = -1
    """Line, or row."""

    def moved(self, x: int, y: int) -> Target:
        """The same in a picture that holds this one, so many cells further right and down."""
        return self._replace(x=self.x + x, y=self.y + y)


def apart(cells: Sequence[int], first: Iterable[int] = (), room: int = ROOM) -> list[int]:
    """Indices of cells of one line that leave each other room, in order.

    Args:
        cells: places of the candidates.
        first: candidates to be considered before the others.
    """
    taken: set[int] = set()
    kept = set()
    for i in (*first, *range(len(cells))):
        if all(cells[i] + by not in taken for by in range(1 - room, room)):
            taken.add(cells[i])
            kept.add(i)
    return sorted(kept)


def upwards(found: Iterable[Target], rows: int) -> tuple[Target, ...]:
    """The same with rows counted from the lowest of so many up."""
    return tuple(t._replace(row=rows - 1 - t.row) if t.row >= 0 else t for t in found)
