"""Jump targets of a picture: lines, steps, rows and columns. Pure, and cheap to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
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


def spread(targets: Iterable[Target], width: int, height: int) -> tuple[Target, ...]:
    """Return those of some points that lie inside a picture, and far enough apart on their line for a label."""
    lines: dict[int, list[Target]] = {}
    for target in targets:
        if 0 <= target.x < width and 0 <= target.y < height:
            lines.setdefault(target.y, []).append(target)
    return tuple(there[i] for _, there in sorted(lines.items()) for i in apart([t.x for t in there]))


def nearest(targets: Sequence[Target], x: int, y: int, lines: bool = False) -> Target | None:
    """Return the place nearest to a cell: its column, its row, or both; None where no place is near.

    Columns between two targets are interpolated. Points that lie anywhere in a plane are each one place.

    Args:
        lines: rows are lines of a chart, which are only reached at their names, to the right of it.
    """
    across = sorted((t.x, t.column) for t in targets if t.column >= 0)
    down = sorted((t.y, t.row) for t in targets if t.row >= 0)
    if len({t.y for t in targets if t.column >= 0}) > 1 or any(t.column >= 0 and t.row >= 0 for t in targets):
        return min(targets, key=lambda t: abs(t.x - x) + 2 * abs(t.y - y))  # a cell is twice as high as wide
    column = _between(across, x, 1 if lines else None)
    if not lines:
        row = _between(down, y, None)
    else:
        names = [(abs(t.y - y), t.row) for t in targets if t.row >= 0 and t.x < x and abs(t.y - y) <= 1]
        row = min(names)[1] if names and column < 0 else -1
    return Target(x, y, column, row) if column >= 0 or row >= 0 else None


def _between(places: Sequence[tuple[int, int]], at: int, beyond: int | None) -> int:
    """Return the index at a coordinate, interpolated between (coordinate, index); -1 if it lies outside.

    Args:
        beyond: distance outside the first and last place that still belongs to them; None: half of one index.
    """
    if not places:
        return -1
    (first, low), (last, high) = places[0], places[-1]
    if beyond is None:
        beyond = round((last - first) / abs(high - low) / 2) if high != low else 0
    if not first - beyond <= at <= last + beyond:
        return -1
    at = min(max(at, first), last)
    for (left, a), (right, b) in pairwise(places):
        if at <= right:
            return a if right == left else a + round((b - a) * (at - left) / (right - left))
    return low


def upwards(found: Iterable[Target], rows: int) -> tuple[Target, ...]:
    """Return the targets with rows counted upwards from the lowest of ``rows``."""
    return tuple(t._replace(row=rows - 1 - t.row) if t.row >= 0 else t for t in found)
