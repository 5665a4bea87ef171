"""Place labels at the ends of lines without overlaps; lines whose labels would be too close share a label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from rich.cells import cell_len

from explorer.render.axes import at_most, number
from explorer.render.chart import Chart


@dataclass(frozen=True)
class Group:
    """Lines that share a label in one row (0 = top), sorted by height."""

    row: int
    members: tuple[int, ...]


@dataclass(frozen=True)
class Label:
    """A text in a row of the plot, in the style of a line."""

    row: int
    text: str
    line: int
    shared: bool
    """True if it names several lines."""


def at_ends(chart: Chart, ends: Sequence[float], height: int, room: int, focus: int, values: bool) -> list[Label]:
    """Return labels of the lines that end at rows ``ends`` (NaN: no label), with their last values if ``values``.

    The focused line always has its own label; lines that would share it are not named.
    """
    index = [i for i, end in enumerate(ends) if math.isfinite(end)]
    found = []
    groups = place([ends[i] for i in index], height)
    rows = [-1, *(group.row for group in groups), height]
    for at, group in enumerate(groups):
        members = [index[m] for m in group.members]
        line = focus if focus in members else members[0]
        if line == focus:  # near its own end, not those of the lines that go unnamed
            near = min(max(round(ends[focus]), rows[at] + 1), rows[at + 2] - 1)
            group = replace(group, row=near)
        shared = len(members) > 1 and focus not in members
        series = chart.series[line]
        alone = f"{series.label} {number(series.last)}" if values else series.label
        found.append(Label(group.row, _together(chart, members, room, values) if shared else alone, line, shared))
    return found


def _together(chart: Chart, members: Sequence[int], room: int, values: bool) -> str:
    """Return one label for several lines: their names as ranges, and the largest of their last values."""
    series = chart.series
    parts: list[list[int]] = []
    for i in sorted(members):
        if parts and parts[-1][-1] == i - 1:
            parts[-1].append(i)
        else:
            parts.append([i])
    named = [series[p[0]].label if len(p) == 1 else _range(series[p[0]].label, series[p[-1]].label) for p in parts]
    value = f" ≤{at_most(float(np.nanmax([series[i].last for i in members])))}" if values else ""
    for text in (_listed(named), f"{named[0]} +{len(members) - len(parts[0])}"):
        if cell_len(text + value) <= room:
            return text + value
    return f"{len(members)} lines{value}"


def _listed(names: Sequence[str]) -> str:
    """Join names, with a common prefix before numbers only once: 'head 2', 'head 5-7' become 'head 2, 5-7'."""
    same = _before_numbers(names)
    return ", ".join([names[0], *(name[same:] for name in names[1:])])


def _range(first: str, last: str) -> str:
    """Return a range of names: 'L0', 'L7' become 'L0-7'; 'step 0', 'step 800' 'step 0-800'; words 'ADV-AUX'."""
    return f"{first}-{last[_before_numbers((first, last)) :]}"


def _before_numbers(names: Sequence[str]) -> int:
    """Return the length of the common prefix before a number in all names; 0 if no number follows."""
    for same, signs in enumerate(zip(*names, strict=False)):
        if all(sign.isdigit() for sign in signs):
            return same
        if len(set(signs)) > 1:
            break
    return 0


def place(wanted: Sequence[float], height: int) -> list[Group]:
    """Assign labels at wanted rows (real numbers, 0 = top) to different rows in 0..height-1.

    A label that would move far from its line is joined with its neighbour, since a displaced label could be read as
    another value.
    """
    if height < 1 or not wanted:
        return []
    furthest = max(1.5, height / 12)
    groups = [[i] for i in sorted(range(len(wanted)), key=lambda i: (wanted[i], -i))]
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
    """Return integer rows, at least one apart, that move labels least (least squares, pool adjacent violators)."""
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
