"""Draw matrices with named rows and columns, side by side on common axes: attention maps, labels against labels.

Unlike in a heat map, values are not averaged to fit, since a mean over neighbouring tokens or labels means nothing. If
there is not enough room, only a window around the cursor is drawn, and the caller receives its bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from explorer.render.axes import number
from explorer.render.cells import Grid, Line
from explorer.render.ink import Ink, fill, half_block, ink
from explorer.render.palette import Palette
from explorer.render.targets import Target, apart
from explorer.render.text import clean, crop, pad

_MISSING, _REFUSED, _OUTSIDE = -1, -2, -3
_GAP = 2
_LEGEND = 26
"""Width of a legend in cells: its colours and both ends."""
_SIDE = 8
_FIGURES = 5
"""Width of a value in digits, in cells."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One matrix: values [rows, columns], row 0 on top, NaN if missing."""

    title: str
    values: np.ndarray
    low: float
    high: float
    signed: bool = False
    """True if values are changes: zero is in the middle of low..high."""
    log: bool = False
    root: bool = False
    """True if levels are linear in the signed square roots of the values, so that small values are visible."""
    refused: np.ndarray | None = None
    """Whether there is a reason for a missing value, bool [rows, columns]."""
    marked: np.ndarray | None = None
    """Whether the value is unreliable, bool [rows, columns]."""
    scale: str = ""
    """Name of the quantity, next to the legend if there is room."""

    def levels(self, many: int) -> np.ndarray:
        """Return the level of each value out of ``many``; below 0 if there is none."""
        finite = np.isfinite(self.values)
        values = np.where(finite, self.values, self.low)
        values, low, high = (self._place(v) for v in (np.maximum(values, self.low), self.low, self.high))
        level = np.clip(np.floor((values - low) / (high - low) * many), 0, many - 1)
        level = np.where(finite, level, _MISSING).astype(np.int32)
        return level if self.refused is None else np.where(self.refused & ~finite, _REFUSED, level)

    def _place(self, values: np.ndarray | float) -> np.ndarray:
        if self.log:
            return np.asarray(np.log10(values))
        return np.asarray(np.sign(values) * np.sqrt(np.abs(values)) if self.root else values)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Panels over the same rows and columns, and perhaps one further value per row."""

    panels: tuple[Panel, ...]
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    row_title: str
    column_title: str
    side: Panel | None = None
    """Values [rows, 1] in a thin column at the right."""

    @property
    def shares(self) -> tuple[float, ...]:
        """Widths of the panels and the column beside each other."""
        return (1.0,) * len(self.panels) + (0.12,) * (self.side is not None)


@dataclass(frozen=True)
class MatrixWindow:
    """The rows and columns that are drawn: the first, and one past the last."""

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class _Frame:
    left: int
    room: int
    """Cells from a panel's first column to that of the next panel."""
    cell: int
    unit: int
    """Lines per row; 0: two rows per line, in half blocks."""
    top: int
    tall: int
    """Height of the panels in lines."""
    names: int
    """Number of lines for the columns' names."""
    level: bool
    """True if the columns' names are written along the line, not downwards."""
    legend: bool
    side: int
    window: MatrixWindow

    def row(self, index: int) -> int:
        """Return the line of a row of data."""
        at = index - self.window.rows[0]
        return self.top + (at // 2 if not self.unit else at * self.unit + (self.unit - 1) // 2)

    def column(self, panel: int, index: int) -> int:
        """Return the first cell of a column of data."""
        return self.left + panel * self.room + (index - self.window.columns[0]) * self.cell


def whole(matrix: Matrix, width: int) -> bool:
    """Return whether all columns of all panels fit in a picture of this width."""
    return _room(matrix, width)[2] - _GAP >= len(matrix.column_names)


def draw(
    matrix: Matrix,
    width: int,
    height: int,
    palette: Palette,
    row: int = -1,
    column: int = -1,
    digits: bool = False,
    ascii_only: bool = False,
) -> tuple[list[Line], MatrixWindow]:
    """Return lines of exactly width x height cells and their window; ``row`` and ``column`` are the cursor."""
    grid = Grid(width, height)
    halves = bool(palette.heat) and not digits and not ascii_only
    frame = _frame(matrix, width, height, row, column, digits, halves)
    _row_names(grid, frame, matrix, palette, row, ascii_only)
    for i, panel in enumerate(matrix.panels):
        looks = ink(palette, panel.signed, ascii_only)
        at = frame.column(i, frame.window.columns[0])
        levels = _shown(panel.levels(looks.levels), frame.window)
        _paint(grid, frame, levels, at, frame.cell, looks, palette, ascii_only)
        if frame.top:
            grid.put(0, at, crop(panel.title, frame.room - _GAP, ascii_only), palette.strong)
        _column_names(grid, frame, matrix.column_names, i, palette, column, ascii_only)
        if frame.legend:
            room = frame.room - _GAP if i < len(matrix.panels) - 1 else width - at - frame.side
            legend(grid, frame.top + frame.tall + frame.names, at, room, panel, looks, palette)
        if digits:
            _figures(grid, frame, panel, levels, i, looks)
        if panel.marked is not None:
            _marks(grid, frame, panel.marked, levels, i, looks, palette, digits)
        if row >= 0 and column >= 0:
            _cursor(grid, frame, i, row, column, levels, looks, palette, digits, ascii_only)
    if matrix.side is not None and frame.side:
        _side(grid, frame, matrix, palette, ascii_only)
    return grid.lines(), frame.window


def targets(
    matrix: Matrix,
    width: int,
    height: int,
    palette: Palette,
    row: int = -1,
    column: int = -1,
    digits: bool = False,
    ascii_only: bool = False,
) -> tuple[Target, ...]:
    """Return the jump targets in the same picture: rows at their names, columns on the first panel's lowest line."""
    frame = _frame(matrix, width, height, row, column, digits, bool(palette.heat) and not digits and not ascii_only)
    lines: dict[int, int] = {}
    for i in range(*frame.window.rows):  # where two rows share a line the upper one is named
        lines.setdefault(frame.row(i), i)
    first, past = frame.window.columns
    cells = [frame.column(0, j) + (frame.cell - 1) // 2 for j in range(first, past)]
    bottom = min(frame.top + frame.tall, height) - 1
    return (
        *(Target(max(0, frame.left - 2), y, row=i) for y, i in lines.items() if y < height),
        *(Target(cells[j], bottom, first + j) for j in apart(cells)),
    )


def cell(
    matrix: Matrix,
    width: int,
    height: int,
    palette: Palette,
    place: tuple[int, int],
    row: int = -1,
    column: int = -1,
    digits: bool = False,
    ascii_only: bool = False,
) -> tuple[int, int] | None:
    """Return the cell of a row and column in the last panel of the same picture; None if it is not drawn."""
    frame = _frame(matrix, width, height, row, column, digits, bool(palette.heat) and not digits and not ascii_only)
    window = frame.window
    if not all(first <= at < past for at, (first, past) in zip(place, (window.rows, window.columns), strict=True)):
        return None
    x, y = frame.column(len(matrix.panels) - 1, place[1]) + (frame.cell - 1) // 2, frame.row(place[0])
    return (x, y) if x < width and y < height else None


def _room(matrix: Matrix, width: int) -> tuple[int, int, int]:
    """Return the widths of the rows' names, of the side column, and of a panel with the gap after it."""
    titles = matrix.row_title, matrix.column_title
    longest = max(cell_len(clean(n)) for n in (*titles, *matrix.row_names))
    left = min(longest, max(10 if width >= 40 else 4, width // 8), 16) + 2 if width >= 16 else 0
    side = _SIDE if matrix.side is not None and width >= 40 else 0
    return left, side, max(1 + _GAP, (width - left - side + _GAP) // len(matrix.panels))


def _frame(matrix: Matrix, width: int, height: int, row: int, column: int, digits: bool, halves: bool) -> _Frame:
    rows, columns = len(matrix.row_names), len(matrix.column_names)
    left, side, room = _room(matrix, width)
    inside = room - _GAP
    cell = max(_FIGURES if digits else 1, min(12 if columns <= 12 else 6, inside // max(1, columns)))
    seen = min(columns, max(1, inside // cell))
    top, legend = int(height >= 6), height >= 9
    longest = max((cell_len(clean(n)) for n in matrix.column_names), default=0)
    down = min(longest, max(1, (height - top) // 4))
    level = cell > down
    names = 0 if height < 6 else 1 if level else down
    tall = max(1, height - top - names - legend)
    if rows <= tall:
        # Narrow cells stay low, since tall and thin ones look like stripes.
        unit, lines = max(1, min(5, tall // max(1, rows), -(-3 * cell // 4))), rows
    elif halves and rows <= 2 * tall:
        unit, lines = 0, rows
    else:
        unit, lines = 1, tall
    window = MatrixWindow(_around(row, lines, rows), _around(column, seen, columns))
    used = -(-lines // 2) if not unit else lines * unit
    # Panels are close together, so that they are easy to compare.
    room = min(room, max(seen * cell, _LEGEND if columns * cell < inside else 0) + 2 * _GAP)
    return _Frame(left, room, cell, unit, top, used, names, level, legend, side, window)


def _around(at: int, seen: int, there: int) -> tuple[int, int]:
    start = min(max(0, at - seen // 2), max(0, there - seen))
    return start, min(there, start + seen)


def _shown(values: np.ndarray, window: MatrixWindow) -> np.ndarray:
    return values[slice(*window.rows), slice(*window.columns)]


def _paint(
    grid: Grid, frame: _Frame, levels: np.ndarray, at: int, cell: int, looks: Ink, palette: Palette, ascii_only: bool
) -> None:
    dot, cross = (".", "x") if ascii_only else ("·", "×")
    wide = np.repeat(levels, cell, axis=1)
    if frame.unit:
        upper = lower = np.repeat(wide, frame.unit, axis=0)
    else:
        odd = np.full((len(wide) % 2, wide.shape[1]), _OUTSIDE, wide.dtype)
        padded = np.concatenate([wide, odd])
        upper, lower = padded[0::2], padded[1::2]
    upper, lower = (half[: max(0, grid.height - frame.top), : max(0, grid.width - at)] for half in (upper, lower))
    height, width = upper.shape
    chars = grid.chars[frame.top : frame.top + height, at : at + width]
    styles = grid.styles[frame.top : frame.top + height, at : at + width]
    centre = (np.arange(width) % cell == (cell - 1) // 2)[None, :]
    if frame.unit:
        centre = centre & (np.arange(height) % frame.unit == (frame.unit - 1) // 2)[:, None]
    for code in np.unique(upper * 64 + lower).tolist():
        above, below = (code + 32) // 64, (code + 32) % 64 - 32
        here = (upper == above) & (lower == below)
        if above < 0 and below < 0:
            char, style = cross if _REFUSED in (above, below) else dot, palette.faint
            here = here & centre
        else:
            char, style = half_block(looks, above, below)
        chars[here] = ord(char)
        styles[here] = grid.style(style)


def _row_names(grid: Grid, frame: _Frame, matrix: Matrix, palette: Palette, row: int, ascii_only: bool) -> None:
    if not frame.left:
        return
    wide = frame.left - 2
    if frame.top:
        grid.put(0, 0, crop(matrix.row_title, wide, ascii_only), palette.axis)
    if frame.names:
        grid.put(
            frame.top + frame.tall, 0, pad(crop(matrix.column_title, wide, ascii_only), wide, right=True), palette.axis
        )
    for i in reversed(range(*frame.window.rows)):  # where two rows share a line the upper one keeps its name
        grid.put(frame.row(i), 0, pad(crop(matrix.row_names[i], wide, ascii_only), wide, right=True), palette.axis)
    if row >= 0:
        name = pad(crop(matrix.row_names[row], wide, ascii_only), wide, right=True)
        grid.put(frame.row(row), 0, name, palette.strong)
        grid.put(frame.row(row), wide, ">" if ascii_only else "▸", palette.strong)


def _column_names(
    grid: Grid, frame: _Frame, names: Sequence[str], panel: int, palette: Palette, column: int, ascii_only: bool
) -> None:
    for j in range(*frame.window.columns):
        at, style = frame.column(panel, j), palette.strong if j == column else palette.axis
        if frame.level:
            text = crop(names[j], max(1, frame.cell - 1), ascii_only)
            grid.put(frame.top + frame.tall, at + (frame.cell - cell_len(text)) // 2, text, style)
            continue
        for i, char in enumerate(clean(names[j])[: frame.names]):
            letter = "?" if cell_len(char) > frame.cell else char
            grid.put(frame.top + frame.tall + i, at + (frame.cell - 1) // 2, letter, style)


def legend(grid: Grid, row: int, at: int, room: int, panel: Panel, looks: Ink, palette: Palette) -> None:
    """Write the colours of a panel with both ends of its scale, if they fit, and the scale's name if that fits too."""
    low, high = (number(v, 2) if v else "0" for v in (panel.low, panel.high))
    high = f"+{high}" if panel.signed else high
    shown = range(0, looks.levels, 1 if room >= len(low) + len(high) + looks.levels + 2 else 2)
    if room < len(low) + len(high) + len(shown) + 2:
        return
    grid.put(row, at, low, palette.axis)
    for i, level in enumerate(shown):
        cell = at + len(low) + 1 + i
        if looks.colours:
            grid.put(row, cell, " ", fill(None, looks.colours[level]))
        else:
            grid.put(row, cell, looks.glyphs[level], looks.styles[level])
    grid.put(row, at + len(low) + 2 + len(shown), high, palette.axis)
    after = at + len(low) + 4 + len(shown) + len(high)
    if panel.scale and cell_len(panel.scale) <= at + room - after:
        grid.put(row, after, panel.scale, palette.axis)


def _figures(grid: Grid, frame: _Frame, panel: Panel, levels: np.ndarray, index: int, looks: Ink) -> None:
    (first, _), (left, _) = frame.window.rows, frame.window.columns
    for i, j in zip(*np.nonzero(levels >= 0), strict=True):
        text = figures(float(panel.values[first + i, left + j]), frame.cell - 1).rjust(frame.cell)
        level = int(levels[i, j])
        style = looks.on(level) if looks.colours else looks.styles[level]
        grid.put(frame.row(first + i), frame.column(index, left + j), text, style)


def figures(value: float, room: int) -> str:
    """Return a value as text of at most ``room`` cells, with as many digits as fit: '.21', '-.04', '12'.

    No number is cut: '~0' stands for a value too small for the room, and signs # for one that is too large.
    """
    for digits in (3, 2, 1):
        text = number(value, digits)
        text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
        if len(text) <= room and (value == 0 or float(text) != 0):
            return text
    return "~0"[-room:] if abs(value) < 1 else "#" * room


def _marks(
    grid: Grid,
    frame: _Frame,
    marked: np.ndarray,
    levels: np.ndarray,
    index: int,
    looks: Ink,
    palette: Palette,
    digits: bool,
) -> None:
    (first, _), (left, _) = frame.window.rows, frame.window.columns
    for i, j in zip(*np.nonzero(_shown(marked, frame.window) & (levels >= 0)), strict=True):
        at = frame.column(index, left + j) + (frame.cell - 1 if frame.cell > 2 and not digits else 0)
        style = looks.on(int(levels[i, j])) if looks.colours else palette.warning
        grid.put(frame.row(first + i), at, "!", style)


def _cursor(
    grid: Grid,
    frame: _Frame,
    panel: int,
    row: int,
    column: int,
    levels: np.ndarray,
    looks: Ink,
    palette: Palette,
    digits: bool,
    ascii_only: bool,
) -> None:
    level = int(levels[row - frame.window.rows[0], column - frame.window.columns[0]])
    style = looks.on(level) if level >= 0 and looks.colours else palette.strong
    line, at = frame.row(row), frame.column(panel, column)
    if digits:
        if line < grid.height:
            inside = slice(at, min(grid.width, at + frame.cell))
            grid.styles[line, inside] = grid.style(style + Style(reverse=True))
    elif frame.cell >= 3:
        grid.put(line, at, "[", style)
        grid.put(line, at + frame.cell - 1, "]", style)
    else:
        grid.put(line, at, "X" if ascii_only else "◆", style)


def _side(grid: Grid, frame: _Frame, matrix: Matrix, palette: Palette, ascii_only: bool) -> None:
    side = matrix.side
    assert side is not None, "drawn only where there is one"
    at = frame.column(len(matrix.panels), frame.window.columns[0]) - _GAP + 1
    looks = ink(palette, side.signed, ascii_only)
    levels = side.levels(looks.levels)[slice(*frame.window.rows)]
    _paint(grid, frame, levels, at, 2, looks, palette, ascii_only)
    if frame.top:
        grid.put(0, at, crop(side.title, _SIDE - 1, ascii_only), palette.strong)
    if frame.unit:
        for i in range(*frame.window.rows):
            grid.put(frame.row(i), at + 3, figures(float(side.values[i, 0]), 4), palette.axis)


def spans(window: MatrixWindow, rows: int, columns: int, row_word: str, column_word: str) -> str:
    """Describe the window on axes that are cut off: 'query tokens 12-45 of 131 and key tokens 0-60 of 131'."""
    said = []
    for (start, stop), there, word in ((window.rows, rows, row_word), (window.columns, columns, column_word)):
        if stop - start < there:
            said.append(f"{word} {start}-{stop - 1} of {there}")
    return " and ".join(said)
