"""The broken lines beside the line in focus: their patterns, and their names at the right end of the plot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from explorer.render import axes
from explorer.render.canvas import Canvas
from explorer.render.chart import Chart, Companion, Frame

_DOTTED, _DASHED = (2, 8), (6, 8)
"""Columns of dots that are drawn, of how many."""
_FAR = 1e6


@dataclass(frozen=True)
class Name:
    """A text in a row of the plot (0 = top)."""

    row: int
    text: str


def mark(one: Companion, ascii_only: bool) -> str:
    """The line's pattern as one character, for its name (and in ASCII for the line itself)."""
    plain, drawn = ("=", "╌") if one.dashed else (":", "┈")
    return plain if ascii_only else drawn


def draw(canvas: Canvas, frame: Frame, chart: Chart, focus: int) -> tuple[Companion, ...]:
    """Rasterise the companions of the line in focus; the owner of the first is the number of lines."""
    if not 0 <= focus < len(chart.series):
        return ()
    one = chart.series[focus]
    for i, companion in enumerate(one.companions):
        pattern = _DASHED if companion.dashed else _DOTTED
        # Far off the axis a dot's number can be too large for an integer.
        heights = np.clip(frame.dot_y(companion.y), -_FAR, _FAR)
        canvas.broken(frame.dot_x(one.x), heights, len(chart.series) + i, *pattern)
    return one.companions


def room(chart: Chart, values: bool) -> int:
    """Cells for the longest name of any line's companions: the plot is as wide whichever line is in focus."""
    found = (companion for one in chart.series for companion in one.companions)
    return max((cell_len(_text(c, values, False)) + 2 for c in found), default=0)


def names(chart: Chart, frame: Frame, focus: int, own: int, rows: int, values: bool, ascii_only: bool) -> list[Name]:
    """Names of the companions of the line in focus, each in one of so many rows of its own near its end.

    None stands above the line's ``own`` label (-1: there is none) that ends below the line, or the other way round. A
    line beyond the axis is named at the edge, with an arrow.
    """
    if not 0 <= focus < len(chart.series):
        return []
    used, found = {own}, []
    for one in chart.series[focus].companions:
        end = frame.row(one.last)
        free = [row for row in range(rows) if row not in used]
        if not math.isfinite(end) or not free:
            continue
        below = one.last < chart.series[focus].last
        right = [row for row in free if own < 0 or (row > own) == below]
        row = min(right or free, key=lambda row: abs(row - (end - frame.top)))
        used.add(row)
        up, down = ("^", "v") if ascii_only else ("↑", "↓")
        where = frame.y.place(one.last)
        arrow = "" if 0 <= where <= 1 else f" {up if where > 1 else down}"
        found.append(Name(row, _text(one, values, ascii_only) + arrow))
    return found


def _text(one: Companion, values: bool, ascii_only: bool) -> str:
    return f"{mark(one, ascii_only)} {one.label}" + (f" {axes.number(one.last)}" if values else "")
