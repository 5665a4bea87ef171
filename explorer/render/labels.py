"""Labels at the ends of lines: each near its line, none on another; what cannot be told apart is named together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Lines that share a label: members in order of height, drawn in one row (0 = top)."""

    row: int
    members: tuple[int, ...]


def place(wanted: Sequence[float], height: int) -> list[Group]:
    """Rows for labels that want to stand at ``wanted`` rows (real numbers, 0 = top), one a row inside 0..height-1.

    A label that would have to move far from its line is drawn together with its neighbour instead: a displaced label
    reads as another value.
    """
    if height < 1 or not wanted:
        return []
    furthest = max(1.5, height / 12)
    groups = [[i] for i in sorted(range(len(wanted)), key=lambda i: wanted[i])]
    while True:
        places = [sum(wanted[i] for i in g) / len(g) for g in groups]
        rows = _spread(places, height) if len(groups) <= height else []
        shift = [abs(r - p) for r, p in zip(rows, places, strict=False)]
        if len(groups) == 1 or (rows and max(shift) <= furthest):
            return [Group(row, tuple(g)) for row, g in zip(rows, groups, strict=True)]
        gaps = [places[i + 1] - places[i] for i in range(len(groups) - 1)]
        # Near the label that had to move furthest, else the closest two anywhere.
        at = (
            min(range(len(gaps)), key=lambda i: (round(gaps[i], 1), -max(shift[i], shift[i + 1])))
            if rows
            else min(range(len(gaps)), key=lambda i: gaps[i])
        )
        groups[at : at + 2] = [groups[at] + groups[at + 1]]


def _spread(places: Sequence[float], height: int) -> list[int]:
    """Integer rows, one apart at least, that move the labels least (least squares, pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for i, place_ in enumerate(places):
        value, size = place_ - i, 1
        while blocks and blocks[-1][0] >= value:
            last, many = blocks.pop()
            value, size = (last * many + value * size) / (many + size), many + size
        blocks.append((value, size))
    free = height - len(places)
    rows: list[int] = []
    for value, size in blocks:
        for _ in range(size):
            rows.append(len(rows) + min(free, max(0, round(value))))
    return rows
