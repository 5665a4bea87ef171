"""Draw points in a plane of two scales, one dot per point; the points of a cell get the colour of their mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.render import axes
from explorer.render.canvas import Canvas
from explorer.render.cells import Grid, Line
from explorer.render.palette import Palette
from explorer.render.plane import draw_axes

_LEVELS = 11
"""Number of colours of points: tenths of the scale."""


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points [n] and their axes."""

    x: np.ndarray
    y: np.ndarray
    share: np.ndarray
    """Value that the colour shows, 0 to 1."""
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_name: str
    y_name: str
    regions: tuple[tuple[str, float, float], ...] = ()
    """Names of places in the plane, written where no point is."""
    signs: tuple[str, ...] = ()
    """Sign of each point, one cell wide; empty: points are dots."""


@dataclass(frozen=True)
class _Frame:
    """The plot's cells."""

    left: int
    width: int
    height: int
    ranges: tuple[tuple[float, float], tuple[float, float]]

    def scale(self, axis: int) -> axes.Scale:
        """Return the scale of the horizontal (0) or vertical (1) axis."""
        return axes.Scale(*self.ranges[axis])

    def dots(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return places in dots, 2 x 4 per cell, from the lower left corner."""
        (x0, x1), (y0, y1) = self.ranges
        across, up = 2 * self.width, 4 * self.height
        return (
            np.clip((x - x0) / (x1 - x0) * across, 0, across - 1),
            np.clip((y - y0) / (y1 - y0) * up, 0, up - 1),
        )

    def cells(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows, from the top of the plot, and columns of places."""
        across, up = self.dots(x, y)
        return self.height - 1 - (up // 4).astype(np.int64), (across // 2).astype(np.int64)


def _frame(scatter: Scatter, width: int, height: int) -> _Frame:
    left = 8 if width >= 24 else 0
    tall = max(1, height - 3 if height >= 6 else height - 1)
    return _Frame(left, max(1, width - left), tall, (scatter.x_range, scatter.y_range))


def cells(scatter: Scatter, width: int, height: int) -> list[tuple[int, int]]:
    """Return the cell of each point in a picture of that size: cells from the left, lines from the top."""
    frame = _frame(scatter, width, height)
    rows, columns = frame.cells(scatter.x, scatter.y)
    return [(frame.left + column, 1 + row) for row, column in zip(rows.tolist(), columns.tolist(), strict=True)]


def on_top(scatter: Scatter, width: int, height: int) -> list[tuple[int, int, int]]:
    """Return the number and the cell (see ``cells``) of each point that no later point covers."""
    frame = _frame(scatter, width, height)
    rows, columns = frame.cells(scatter.x, scatter.y)
    _, last = np.unique((rows * frame.width + columns)[::-1], return_index=True)
    shown = len(rows) - 1 - last
    places = shown, frame.left + columns[shown], 1 + rows[shown]
    return list(zip(*(place.tolist() for place in places), strict=True))


def draw(
    scatter: Scatter, width: int, height: int, palette: Palette, marked: int = -1, ascii_only: bool = False
) -> list[Line]:
    """Return the lines of ``drawn``."""
    return drawn(scatter, width, height, palette, marked, ascii_only).lines()


def drawn(
    scatter: Scatter, width: int, height: int, palette: Palette, marked: int = -1, ascii_only: bool = False
) -> Grid:
    """Return a grid of exactly width x height cells, with the point ``marked`` highlighted.

    If colours do not distinguish shares, or with ``ascii_only``, a cell shows its mean share in tenths (9: at least
    nine tenths).
    """
    grid = Grid(width, height)
    frame = _frame(scatter, width, height)
    draw_axes(grid, frame, scatter.x_name, scatter.y_name, palette, ascii_only)
    rows, columns = frame.cells(scatter.x, scatter.y)
    shape = frame.height, frame.width
    flat = np.ravel_multi_index((rows, columns), shape)
    many = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
    mean = np.bincount(flat, scatter.share, shape[0] * shape[1]).reshape(shape) / np.maximum(many, 1)
    canvas = Canvas(frame.width, frame.height)
    canvas.dots(*frame.dots(scatter.x, scatter.y), 0)
    part = slice(1, 1 + frame.height), slice(frame.left, frame.left + frame.width)
    chars, styles = grid.chars[part], grid.styles[part]
    there = many[: chars.shape[0], : chars.shape[1]] > 0
    level = np.rint(mean * (_LEVELS - 1)).astype(np.int64)[: chars.shape[0], : chars.shape[1]]
    digits = ord("0") + np.minimum(level, 9)
    dots = canvas.bits.astype(np.uint32)[: chars.shape[0], : chars.shape[1]] + 0x2800
    chars[there] = digits[there] if ascii_only or palette.letters else dots[there]
    colours = np.array([grid.style(palette.line(n / (_LEVELS - 1))) for n in range(_LEVELS)], np.int16)
    styles[there] = colours[level[there]]
    for point, column, row in on_top(scatter, width, height) if scatter.signs else ():
        grid.put(row, column, scatter.signs[point], palette.line(float(scatter.share[point])))
    for name, x, y in scatter.regions:
        _region(grid, frame, name, x, y, palette)
    if 0 <= marked < len(scatter.x):
        grid.put(1 + int(rows[marked]), frame.left + int(columns[marked]), "*" if ascii_only else "◆", palette.strong)
    return grid


def _region(grid: Grid, frame: _Frame, name: str, x: float, y: float, palette: Palette) -> None:
    """Write a name at a place, or nearby if there are points; leave it out if there is no room."""
    (row,), (column,) = frame.cells(np.array([x]), np.array([y]))
    at = frame.left + min(max(0, int(column) - len(name) // 2), frame.width - len(name))
    if at < frame.left:
        return
    for away in (0, 1, -1, 2, -2, 3, -3):
        line = 1 + int(row) + away
        if 1 <= line <= min(frame.height, grid.height - 1) and (grid.chars[line, at : at + len(name)] == 32).all():
            grid.put(line, at, name, palette.faint)
            return
