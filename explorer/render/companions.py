"""Draw the reference curves of all lines and of the focused one, and their names at the right end of the plot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from explorer.render import axes
from explorer.render.canvas import Canvas
from explorer.render.chart import Chart, Companion, Frame

_DOTTED, _DASHED = (2, 8), (6, 8)
"""Patterns: number of drawn columns of dots, and length of the period."""
_FAR = 1e6


@dataclass(frozen=True)
class Name:
    """A text in a row of the plot (0 = top)."""

    row: int
    text: str


def mark(one: Companion, ascii_only: bool) -> str:
    """Return a curve's pattern as one character, for its name (and in ASCII for the curve itself)."""
    plain, drawn = ("=", "╌") if one.dashed else (":", "┈")
    return plain if ascii_only else drawn


def draw(canvas: Canvas, frame: Frame, chart: Chart, focus: int) -> tuple[Companion, ...]:
    """Rasterise the reference curves of all lines and of the focused one; the owner of the first is the number of
    lines."""
    found = chart.beside(focus)
    for i, companion in enumerate(found):
        pattern = _DASHED if companion.dashed else _DOTTED
        # Far from the axis, a dot's number may be too large for an integer.
        heights = np.clip(frame.dot_y(companion.y), -_FAR, _FAR)
        canvas.broken(frame.dot_x(chart.series[max(focus, 0)].x), heights, len(chart.series) + i, *pattern)
    return found


def room(chart: Chart, values: bool) -> int:
    """Return the width of the longest name of any line's curves, so that the plot's width does not depend on focus."""
    found = (*chart.shared, *(companion for one in chart.series for companion in one.companions))
    return max((cell_len(_text(c, values, False)) + 2 for c in found), default=0)


def names(chart: Chart, frame: Frame, focus: int, own: int, rows: int, values: bool, ascii_only: bool) -> list[Name]:
    """Return the names of the reference curves that are shown, each in its own row near the curve's end.

    Names keep their order relative to the line's ``own`` label (-1: none): no curve that ends below the line is named
    above it, or the reverse. A curve beyond the axis is named at the edge, with an arrow.
    """
    used, found = {own}, []
    for one in chart.beside(focus):
        end = frame.row(one.last)
        free = [row for row in range(rows) if row not in used]
        if not math.isfinite(end) or not free:
            continue
        right = [row for row in free if own < 0 or (row > own) == (one.last < chart.series[focus].last)]
        row = min(right or free, key=lambda row: abs(row - (end - frame.top)))
        used.add(row)
        up, down = ("^", "v") if ascii_only else ("↑", "↓")
        where = frame.y.place(one.last)
        arrow = "" if 0 <= where <= 1 else f" {up if where > 1 else down}"
        found.append(Name(row, _text(one, values, ascii_only) + arrow))
    return found


def _text(one: Companion, values: bool, ascii_only: bool) -> str:
    return f"{mark(one, ascii_only)} {one.label}" + (f" {axes.number(one.last)}" if values else "")
