"""Draw paths in a plane on axes of equal scale: o at the start of a path, x at its end, its letter in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from explorer.render import axes
from explorer.render.canvas import Canvas
from explorer.render.cells import Grid, Line
from explorer.render.chart import Series
from explorer.render.palette import Palette
from explorer.render.targets import ROOM, Target
from explorer.render.text import crop

_APART = 4
"""Minimum number of cells between two marks of a path."""
_MARGIN = 0.04


@dataclass(frozen=True, eq=False)
class Path:
    """One path: places [n] in order, NaN where the path is interrupted."""

    label: str
    x: np.ndarray
    y: np.ndarray
    rank: float = 0.0
    """Place in the ordinal ramp, 0..1."""
    number: int = 0
    """Number of the path's letter."""

    @property
    def letter(self) -> str:
        """Mark of the path: a digit or, for numbers from ten, a letter."""
        return Series(self.label, self.x, self.y, number=self.number).letter


@dataclass(frozen=True, eq=False)
class Plane:
    """Paths and the names of their axes."""

    paths: tuple[Path, ...]
    x_name: str
    y_name: str


@dataclass(frozen=True)
class _Frame:
    """Position and size of the plot, and its map from places to square dots, 2 x 4 per cell."""

    left: int
    width: int
    height: int
    centre: tuple[float, float]
    unit: float
    """Size of a dot in units of the axes."""

    def dots(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Convert places to dots from the lower left corner."""
        return self.width + (x - self.centre[0]) / self.unit, 2 * self.height + (y - self.centre[1]) / self.unit

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """Return row and column in the grid; None for a place that is not finite."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        across, up = self.dots(np.array(x), np.array(y))
        column = min(self.width - 1, max(0, int(across // 2)))
        return 1 + min(self.height - 1, max(0, self.height - 1 - int(up // 4))), self.left + column

    def scale(self, axis: int) -> axes.Scale:
        """Return the scale of the horizontal (0) or vertical (1) axis."""
        half = self.unit * (self.width, 2 * self.height)[axis]
        return axes.Scale(self.centre[axis] - half, self.centre[axis] + half)


def draw(
    plane: Plane,
    width: int,
    height: int,
    palette: Palette,
    place: int = -1,
    focus: int = -1,
    ascii_only: bool = False,
) -> list[Line]:
    """Return lines of exactly width x height cells; ``place`` is marked on all paths, path ``focus`` is on top."""
    grid = Grid(width, height)
    frame, legend = _placed(plane, width, height)
    draw_axes(grid, frame, plane.x_name, plane.y_name, palette, ascii_only)
    styles = [_style(palette, path, i, focus) for i, path in enumerate(plane.paths)]
    order = [i for i in range(len(plane.paths)) if i != focus] + ([focus] if 0 <= focus < len(plane.paths) else [])
    _trails(grid, frame, plane, styles, order, ascii_only)
    ways = grid.chars.copy()
    for i in order:
        _letters(grid, frame, plane, i, place, styles[i])
    for i in order:
        _ends(grid, frame, plane.paths[i], styles[i])
    for i in order:
        if 0 <= place < len(plane.paths[i].x):
            at = frame.cell(float(plane.paths[i].x[place]), float(plane.paths[i].y[place]))
            if at:
                strong = palette.strong if focus in (-1, i) else styles[i]
                grid.put(*at, "*" if ascii_only else "◆", strong)
    # Names come last, in free cells, that of the focused path first: names without contact to a path, then names that
    # touch one, then single letters. Paths without room for either are only named in the list beside the plot.
    names = _Names(grid, frame, plane, place, ways)
    left = list(reversed(order))
    for letters, close in ((False, False), (False, True), (True, True)):
        texts = {i: p.letter if letters else crop(p.label, 16, ascii_only) for i, p in enumerate(plane.paths)}
        left = [i for i in left if not names.put(i, texts[i], styles[i], close)]
    if legend:
        _legend(grid, plane, styles, width - legend + 1, legend - 1, focus, ascii_only)
    return grid.lines()


def targets(plane: Plane, width: int, height: int, focus: int = -1) -> tuple[Target, ...]:
    """Return the jump targets in the same picture: paths at their names, then the places of the focused path."""
    frame, legend = _placed(plane, width, height)
    shown = _listed(plane, height, focus) if legend else range(0)
    named = [Target(width - legend, line, row=i) for line, i in enumerate(shown, start=1)]
    if not 0 <= focus < len(plane.paths):
        return tuple(named)
    taken: list[tuple[int, int]] = []
    places = []
    path = plane.paths[focus]
    found = [frame.cell(float(x), float(y)) for x, y in zip(path.x, path.y, strict=True)]
    for i in reversed(range(len(found))):  # of places that share cells, take the last one
        cell = found[i]
        if cell is not None and all(cell[0] != row or abs(cell[1] - column) >= ROOM for row, column in taken):
            taken.append(cell)
            places.append(Target(cell[1], cell[0], column=i))
    return (*named, *reversed(places))


def _placed(plane: Plane, width: int, height: int) -> tuple[_Frame, int]:
    """Return the layout of the plot, and the width of the names beside it."""
    names = max((cell_len(p.label) for p in plane.paths), default=0)
    legend = min(names + 3, width // 4) if width >= 50 else 0
    left = 8 if width >= 30 else 0
    tall = max(1, height - 3 if height >= 6 else height - 1)
    return _frame(plane, left, max(1, width - left - legend), tall), legend


def _frame(plane: Plane, left: int, width: int, height: int) -> _Frame:
    centre, extents = [], []
    for values in ([p.x for p in plane.paths], [p.y for p in plane.paths]):
        joined = np.concatenate(values) if values else np.zeros(0)
        joined = joined[np.isfinite(joined)]
        low, high = (float(joined.min()), float(joined.max())) if len(joined) else (0.0, 1.0)
        centre.append((low + high) / 2)
        extents.append((1 + 2 * _MARGIN) * (high - low))
    unit = max(extents[0] / (2 * width), extents[1] / (4 * height))
    return _Frame(left, width, height, (centre[0], centre[1]), unit if unit > 0 else 1.0)


class PlotFrame(Protocol):
    """The position of a plot in a grid, and the scales of its axes."""

    @property
    def left(self) -> int:
        """First column of the plot; its first row is 1."""
        ...

    @property
    def width(self) -> int:
        """Number of columns of the plot."""
        ...

    @property
    def height(self) -> int:
        """Number of rows of the plot."""
        ...

    def scale(self, axis: int) -> axes.Scale:
        """Return the scale of the horizontal (0) or vertical (1) axis."""
        ...


def draw_axes(grid: Grid, frame: PlotFrame, x_name: str, y_name: str, palette: Palette, ascii_only: bool) -> None:
    """Draw both axes of a plot with ticks and names, as far as there is room."""
    across, up, corner, tick = ("-", "|", "+", "+") if ascii_only else ("─", "│", "└", "┬")
    at = max(0, frame.left - 1)
    grid.put(0, at, crop(y_name, grid.width - at, ascii_only), palette.axis)
    scale = frame.scale(1)
    if frame.left:
        for row in range(1, 1 + frame.height):
            grid.put(row, frame.left - 1, up, palette.axis)
        ticks = scale.ticks(max(2, min(6, frame.height // 3)))
        for value, name in zip(ticks, axes.tick_labels(ticks), strict=True):
            row = 1 + frame.height - 1 - int(scale.place(value) * frame.height - 1e-9)
            if 1 <= row <= frame.height:
                text = crop(name, frame.left - 1, ascii_only).rjust(frame.left - 1)
                grid.put(row, 0, text + ("+" if ascii_only else "┤"), palette.axis)
    bottom = 1 + frame.height
    if bottom + 1 >= grid.height:
        return
    grid.put(bottom, max(0, frame.left - 1), corner + across * frame.width, palette.axis)
    end = frame.left + frame.width
    name_at = max(frame.left, end - cell_len(x_name))
    scale, last = frame.scale(0), -1
    ticks = scale.ticks(max(2, frame.width // 8))
    for value, name in zip(ticks, axes.tick_labels(ticks), strict=True):
        column = frame.left + int(scale.place(value) * frame.width - 1e-9)
        at = max(0, column - len(name) // 2)
        if at > last and at + len(name) < name_at:
            grid.put(bottom, column, tick, palette.axis)
            grid.put(bottom + 1, at, name, palette.axis)
            last = at + len(name)
    grid.put(bottom + 1, max(name_at, last + 1), crop(x_name, grid.width, ascii_only), palette.axis)


def _style(palette: Palette, path: Path, index: int, focus: int) -> Style:
    if focus < 0 or focus == index:
        style = palette.line(path.rank)
        return style + Style(bold=True) if focus == index else style
    return palette.faint


def _trails(
    grid: Grid, frame: _Frame, plane: Plane, styles: Sequence[Style], order: Sequence[int], ascii_only: bool
) -> None:
    canvas = Canvas(frame.width, frame.height)
    for i in order:
        x, y = frame.dots(plane.paths[i].x, plane.paths[i].y)
        for a in range(len(x) - 1):
            far = max(abs(x[a + 1] - x[a]), abs(y[a + 1] - y[a]))
            if math.isfinite(far):
                share = np.linspace(0, 1, int(far) + 2)
                canvas.dots(x[a] + share * (x[a + 1] - x[a]), y[a] + share * (y[a + 1] - y[a]), i)
    part = slice(1, 1 + frame.height), slice(frame.left, frame.left + frame.width)
    chars, numbers = grid.chars[part], grid.styles[part]
    height, width = chars.shape
    bits, owner = canvas.bits[:height, :width], canvas.owner[:height, :width]
    drawn = bits > 0
    chars[drawn] = ord(".") if ascii_only else bits[drawn].astype(np.uint32) + 0x2800
    if drawn.any():
        numbers[drawn] = np.array([grid.style(style) for style in styles], np.int16)[owner[drawn]]


def _cells(frame: _Frame, path: Path) -> list[tuple[int, int]]:
    found = [frame.cell(float(x), float(y)) for x, y in zip(path.x, path.y, strict=True)]
    return [cell for cell in found if cell is not None]


def _marked(frame: _Frame, path: Path, place: int) -> set[tuple[int, int]]:
    """Return the cells of a path's end and of its point under the cursor."""
    pointed = frame.cell(float(path.x[place]), float(path.y[place])) if 0 <= place < len(path.x) else None
    return {cell for cell in (*_cells(frame, path)[-1:], pointed) if cell is not None}


def _letters(grid: Grid, frame: _Frame, plane: Plane, path: int, place: int, style: Style) -> None:
    """Write the path's letter along a long path, where it cannot be taken for the name of another path."""
    cells = _cells(frame, plane.paths[path])
    others = set[tuple[int, int]]().union(*(_marked(frame, p, place) for i, p in enumerate(plane.paths) if i != path))
    kept = [cells[0], cells[-1]] if cells else []
    for cell in cells[1:-1]:
        clear = all(max(abs(cell[0] - row) * 2, abs(cell[1] - column)) >= _APART for row, column in kept)
        if clear and all(max(2 * abs(cell[0] - row), abs(cell[1] - column)) > 2 for row, column in others):
            grid.put(*cell, plane.paths[path].letter, style)
            kept.append(cell)


def _ends(grid: Grid, frame: _Frame, path: Path, style: Style) -> None:
    cells = _cells(frame, path)
    if cells:
        grid.put(*cells[0], "o", style)
    if cells and cells[-1] != cells[0]:
        grid.put(*cells[-1], "x", style)


class _Names:
    """Places names at the ends of paths in free cells, each nearer to its own end than to any other end."""

    def __init__(self, grid: Grid, frame: _Frame, plane: Plane, place: int, ways: np.ndarray) -> None:
        self._grid, self._frame, self._ways = grid, frame, ways
        found = [_cells(frame, path) for path in plane.paths]
        self._ends = [path[-1] if path else None for path in found]
        self._marked = set[tuple[int, int]]().union(*(_marked(frame, path, place) for path in plane.paths))

    def put(self, path: int, text: str, style: Style, close: bool) -> bool:
        """Write a name if there is room for it; ``close``: it may touch a path, even its own."""
        end, size = self._ends[path], cell_len(text)
        if end is None:
            return True
        row, column = end
        beside = 2 if size > 1 else 1
        places = [(row, column + beside), (row, column - size - beside + 1)]
        for line in (row - 1, row + 1):
            places += [(line, column - size // 2), (line, column + 1), (line, column - size)]
        for line, at in places:
            if self._free(end, line, at, size, close) and self._of(end, line, at, size):
                self._grid.put(line, at, text, style)
                return True
        return False

    def _free(self, end: tuple[int, int], line: int, at: int, size: int, close: bool) -> bool:
        frame, chars = self._frame, self._grid.chars
        inside = 1 <= line < min(self._grid.height, 1 + frame.height) and frame.left <= at
        if not inside or at + size > min(self._grid.width, frame.left + frame.width):
            return False
        around = slice(max(frame.left, at - 1), at + size + 1)
        touched = chars[line, around]
        clear = touched == 32
        if close:
            clear |= touched == self._ways[line, around]
        if line == end[0] and around.start <= end[1] < around.stop:
            clear[end[1] - around.start] = True
        return bool(clear.all() and (chars[line, at : at + size] == 32).all())

    def _of(self, end: tuple[int, int], line: int, at: int, size: int) -> bool:
        """Return whether the name cannot be taken for that of another mark."""

        def away(mark: tuple[int, int]) -> int:
            return max(at - mark[1], mark[1] - (at + size - 1), 2 * abs(mark[0] - line))

        own = away(end)
        return all(away(mark) > own for mark in self._marked if mark != end)


def _legend(
    grid: Grid, plane: Plane, styles: Sequence[Style], at: int, room: int, focus: int, ascii_only: bool
) -> None:
    """Letters and names, as many as there are lines; the one in focus always."""
    shown = _listed(plane, grid.height, focus)
    if len(shown) < len(plane.paths):
        grid.put(grid.height - 1, at, crop(f"+{len(plane.paths) - len(shown)} more", room, ascii_only), styles[-1])
    for row, i in enumerate(shown, start=1):
        text = f"{plane.paths[i].letter} {plane.paths[i].label}"
        grid.put(row, at, crop(text, room, ascii_only), styles[i])


def _listed(plane: Plane, height: int, focus: int) -> range:
    """Paths that the list beside the plot has room for."""
    tall, many = height - 1, len(plane.paths)
    if many <= tall:
        return range(many)
    first = min(max(0, focus - (tall - 1) // 2), many - tall + 1)
    return range(first, first + max(0, tall - 1))
