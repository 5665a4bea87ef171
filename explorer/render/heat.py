"""Draw heat maps in half blocks: 16 levels, a colour bar with ticks, marks for missing values, and optional digits.

On a terminal with few colours, levels are glyphs (ink.py).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from explorer.render import axes
from explorer.render.cells import Grid, Line
from explorer.render.contours import ASCII_LINES, LINES, MapPath, contours, path_cells, sampled
from explorer.render.ink import Ink, fill, half_block, ink
from explorer.render.palette import Palette
from explorer.render.targets import Target, apart
from explorer.render.text import crop, pad

_MISSING, _REFUSED, _OUTSIDE = -1, -2, -3
_KEPT = 4
_TALLEST = 14
"""Maximum height of a row of data in half rows, so that a single layer does not fill the screen."""
_WIDEST = 20
"""Maximum width of a column of data in cells."""


@dataclass(frozen=True, eq=False)
class HeatMap:
    """The content of a heat map: values [rows, columns], row 0 at the bottom, NaN if missing."""

    values: np.ndarray
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    row_title: str
    column_title: str
    name: str
    """Name of the values, above the colour bar."""
    refused: np.ndarray | None = None
    """Whether there is a reason for a missing value, bool [rows, columns]."""
    anchor: float = 0.0
    """Value of no difference, at which the scale starts (or, if it is 1, ends) if that costs little space."""
    signed: bool = False
    """True if values are changes: the scale is linear, with zero in the middle."""
    floor: float = 0.0
    """Noise level: on a logarithmic scale, smaller values all look alike."""
    contours: bool = False
    """Lines of equal value are drawn over the map, at the ticks of the colour bar, which begins at the smallest value:
    both axes are numbers, and no value means no difference."""
    paths: tuple[MapPath, ...] = ()
    """Drawn over the map, with a mark for each of their places."""


@dataclass(frozen=True)
class _Frame:
    """The layout of the map; ``cell`` is the width of a column of data, ``unit`` the height of a row in half rows."""

    left: int
    top: int
    columns: np.ndarray
    """First column of the map for each column of data; several share one if there are too many."""
    cell: int
    rows: np.ndarray
    """First half row, counted from the top of the map, of each row of data."""
    unit: int
    width: int
    height: int
    shown: np.ndarray
    """Values [map rows, map columns], averaged over data that share a place, bottom row first."""
    row_of: np.ndarray
    column_of: np.ndarray
    """Place in ``shown`` of each row and column of data."""


class HeatChart:
    """A heat map that can be drawn at any size; parts that do not depend on the cursor are cached."""

    def __init__(self, heat: HeatMap) -> None:
        self.heat = heat
        self._kept: OrderedDict[tuple[object, ...], tuple[Grid, _Frame, np.ndarray]] = OrderedDict()

    @property
    def empty(self) -> bool:
        """Whether there is no finite value."""
        return not bool(np.isfinite(self.heat.values).any())

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        column: int = -1,
        row: int = -1,
        digits: bool = False,
        log: bool = False,
        ascii_only: bool = False,
    ) -> list[Line]:
        """Return lines of exactly width x height cells; ``column`` and ``row`` are the cursor's indices."""
        grid, frame, levels = self._whole(width, height, palette, digits, log, ascii_only)
        if column < 0 and row < 0:
            return grid.lines()
        grid = grid.copy()
        self._mark(
            grid, frame, levels, ink(palette, self.heat.signed, ascii_only), palette, column, row, digits, ascii_only
        )
        return grid.lines()

    def targets(
        self, width: int, height: int, palette: Palette, digits: bool = False, log: bool = False, plain: bool = False
    ) -> tuple[Target, ...]:
        """Return the jump targets in a picture of that size: rows at their names, then columns on the lowest line."""
        _, frame, _ = self._whole(width, height, palette, digits, log, plain)
        lines: dict[int, int] = {}
        for i in range(len(self.heat.row_names)):  # where rows share a line the lowest is named
            lines.setdefault(frame.top + int(frame.rows[i] + frame.unit / 2) // 2, i)
        # Beside the cells of the rows' own labels.
        at = np.maximum(frame.left + frame.columns + frame.cell // 2, frame.left + 1)
        cells, index = np.unique(at, return_index=True)
        bottom = min(frame.top + frame.height, height) - 1
        index[-1] = len(self.heat.column_names) - 1
        across = apart(cells.tolist(), (0, len(cells) - 1))
        return (
            *(Target(max(0, frame.left - 1), y, row=i) for y, i in sorted(lines.items()) if y < height),
            *(Target(int(cells[i]), bottom, int(index[i])) for i in across),
        )

    def cell(
        self,
        width: int,
        height: int,
        palette: Palette,
        column: int,
        row: int,
        digits: bool = False,
        log: bool = False,
        plain: bool = False,
    ) -> tuple[int, int] | None:
        """Return column and line of the middle of a cell in a picture of that size; None if it is not drawn there."""
        if min(column, row) < 0:
            return None
        _, frame, _ = self._whole(width, height, palette, digits, log, plain)
        y = frame.top + int(frame.rows[row] + frame.unit / 2) // 2
        return (frame.left + int(frame.columns[column]) + frame.cell // 2, y) if y < height else None

    def _whole(
        self, width: int, height: int, palette: Palette, digits: bool, log: bool, ascii_only: bool
    ) -> tuple[Grid, _Frame, np.ndarray]:
        key = (width, height, palette.depth, palette.dark, digits, log, ascii_only)
        if key not in self._kept:
            self._kept[key] = self._drawn(width, height, palette, digits, log, ascii_only)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def scale(self, log: bool = False) -> axes.Scale:
        """Return the scale of the colours."""
        values = self.heat.values[np.isfinite(self.heat.values)]
        if self.heat.signed:
            most = float(np.abs(values).max(initial=0.0)) or 1.0
            return axes.Scale(-most, most)
        if log:
            values = values[values > 0]
            if (values > self.heat.floor).any():
                values = np.maximum(values, self.heat.floor)
            return axes.value_scale(values.min(), values.max(), True) if len(values) else axes.value_scale(0, 1, True)
        # The anchor's distance from the values, so that one rule serves distances (0) and similarities (1).
        anchor, turned = self.heat.anchor, self.heat.anchor > 0
        away = anchor - values if turned else values
        low, high = (float(away.min()), float(away.max())) if len(values) else (0.0, 1.0)
        near = 0 <= low < 0.5 * high and not self.heat.contours
        low = 0.0 if near or low == high >= 0 else low
        high = high if high > low else low + 1.0
        return axes.Scale(anchor - high, anchor - low) if turned else axes.Scale(low, high)

    def _drawn(
        self, width: int, height: int, palette: Palette, digits: bool, log: bool, ascii_only: bool
    ) -> tuple[Grid, _Frame, np.ndarray]:
        grid = Grid(width, height)
        scale = self.scale(log)
        looks = ink(palette, self.heat.signed, ascii_only)
        frame, bar = self._frame(width, height, bool(looks.colours) and not digits)
        levels = _levels(frame.shown, scale, looks.levels)
        if self.heat.refused is not None:
            refused = np.zeros(levels.shape, bool)
            np.logical_or.at(refused, (frame.row_of[:, None], frame.column_of[None, :]), self.heat.refused)
            levels = np.where(refused & (levels == _MISSING), _REFUSED, levels)
        halves = np.full((2 * frame.height, frame.width), _OUTSIDE, np.int16)
        body = np.repeat(np.repeat(levels[::-1], frame.unit, axis=0), frame.cell, axis=1)
        halves[: body.shape[0], : body.shape[1]] = body[: halves.shape[0], : halves.shape[1]]
        self._paint(grid, frame, halves, looks, palette, ascii_only)
        self._names(grid, frame, palette, ascii_only)
        if digits:
            self._digits(grid, frame, levels, looks, palette, scale)
        else:
            self._over(grid, frame, levels, looks, palette, scale, ascii_only)
        if bar:
            self._bar(grid, frame, looks, palette, scale, bar, ascii_only)
        return grid, frame, levels

    def _frame(self, width: int, height: int, halves: bool) -> tuple[_Frame, int]:
        heat = self.heat
        left = max((cell_len(n) for n in heat.row_names), default=0) + 1 if width >= 12 else 0
        bar = 12 if width >= 40 else 0
        top = 1 if height >= 8 else 0
        bottom = 1 if height >= 4 else 0
        room, tall = max(1, width - left - bar), max(1, height - top - bottom)
        split = 2 if halves else 1
        row_of, rows, unit = _share(len(heat.row_names), split * tall, _TALLEST * split // 2)
        column_of, columns, cell = _share(len(heat.column_names), room, _WIDEST)
        unit *= 2 // split
        shown = _pooled(heat.values, row_of, column_of, rows, columns)
        firsts = (rows - 1 - row_of) * unit
        size = columns * cell, -(-rows * unit // 2)
        return _Frame(left, top, column_of * cell, cell, firsts, unit, *size, shown, row_of, column_of), bar

    @staticmethod
    def _paint(grid: Grid, frame: _Frame, halves: np.ndarray, looks: Ink, palette: Palette, ascii_only: bool) -> None:
        upper, lower = halves[0::2], halves[1::2]
        dot, cross = (".", "x") if ascii_only else ("·", "×")
        middle = (np.arange(frame.width) % frame.cell == frame.cell // 2)[None, :]
        for code in np.unique(upper.astype(np.int32) * 64 + lower).tolist():
            above, below = (code + 32) // 64, (code + 32) % 64 - 32
            here = (upper == above) & (lower == below)
            if above < 0 and below < 0:
                worst = _REFUSED if _REFUSED in (above, below) else max(above, below)
                char = {_REFUSED: cross, _MISSING: dot, _OUTSIDE: " "}[worst]
                style, here = palette.faint, here & middle
            else:
                char, style = half_block(looks, above, below)
            part = slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width)
            height, width = grid.chars[part].shape
            grid.chars[part][here[:height, :width]] = ord(char)
            grid.styles[part][here[:height, :width]] = grid.style(style)

    def _names(self, grid: Grid, frame: _Frame, palette: Palette, ascii_only: bool) -> None:
        heat = self.heat
        if frame.top:
            grid.put(0, 0, crop(heat.row_title, grid.width, ascii_only), palette.axis)
        if frame.left:
            last = grid.height
            for i in reversed(range(len(heat.row_names))):  # where rows share a line the lowest keeps its name
                row = frame.top + int(frame.rows[i] + frame.unit / 2) // 2
                if row < last:
                    grid.put(row, 0, pad(heat.row_names[i], frame.left - 1, right=True), palette.axis)
        bottom = frame.top + frame.height
        if bottom >= grid.height:
            return
        taken = frame.left - 2
        title_at = max(frame.left + frame.width + 1, 0)
        for j, name in enumerate(heat.column_names):
            size = cell_len(name)
            at = frame.left + int(frame.columns[j]) + max(0, (frame.cell - size) // 2)
            if at > taken + 1 and at + size <= frame.left + frame.width + 1:
                grid.put(bottom, at, name, palette.axis)
                taken = at + size
        title_at = max(min(title_at, grid.width - cell_len(heat.column_title)), taken + 1)
        grid.put(bottom, title_at, crop(heat.column_title, grid.width - title_at, ascii_only), palette.axis)

    def _digits(
        self, grid: Grid, frame: _Frame, levels: np.ndarray, looks: Ink, palette: Palette, scale: axes.Scale
    ) -> None:
        cells = list(zip(*np.nonzero(levels >= 0), strict=True))
        texts = [_written(float(frame.shown[cell]), frame.cell - 1) for cell in cells]
        if not all(texts):  # a map that mixes values and tenths would be misread
            places = [scale.place(float(frame.shown[cell])) for cell in cells]
            texts = [str(min(9, int(10 * min(1.0, max(0.0, place))))) for place in places]
        for (i, j), text in zip(cells, texts, strict=True):
            level = int(levels[i, j])
            row = frame.top + ((levels.shape[0] - 1 - i) * frame.unit + frame.unit // 2) // 2
            at = frame.left + j * frame.cell + (frame.cell - len(text)) // 2
            if not looks.colours:  # glyphs next to digits would look like part of the number
                text, at = text.center(frame.cell), frame.left + j * frame.cell
            grid.put(row, at, text, looks.on(level) if looks.colours else looks.styles[level])

    def _over(
        self,
        grid: Grid,
        frame: _Frame,
        levels: np.ndarray,
        looks: Ink,
        palette: Palette,
        scale: axes.Scale,
        ascii_only: bool,
    ) -> None:
        """Draw lines of equal value, then the paths: o where one starts, x where it ends, O at the places between."""
        heat, shape = self.heat, (min(frame.height, grid.height - frame.top), min(frame.width, grid.width - frame.left))

        def put(row: int, column: int, sign: str) -> None:
            block = levels[::-1][
                min(2 * row // frame.unit, len(levels) - 1), min(column // frame.cell, levels.shape[1] - 1)
            ]
            style = looks.on(int(block)) if block >= 0 and looks.colours else palette.strong
            grid.put(frame.top + row, frame.left + column, sign, style)

        if heat.contours:
            ticks = scale.ticks(max(2, min(5, shape[0])))
            lines = contours(sampled(frame.shown, frame.cell, frame.unit, *shape), ticks)
            for row, column in np.argwhere(lines >= 0).tolist():
                put(row, column, (ASCII_LINES if ascii_only else LINES)[lines[row, column]])
        marks: list[tuple[int, int, str]] = []
        for path in heat.paths:
            last = len(path.names) - 1
            for row, column, i in path_cells(path, frame.cell, frame.unit, frame.shown.shape, shape):
                put(row, column, ("," if ascii_only else "•") if i < 0 else {0: "o", last: "x"}.get(i, "O"))
                marks += [(row, column, path.names[i])] if i >= 0 else []
        for row, column, name in marks:
            after = range(column + 1, column + 1 + cell_len(name))
            free = not any(r == row and c in range(column + 1, after.stop + 1) for r, c, _ in marks)
            for place, sign in zip(after, name, strict=False) if free and after.stop <= shape[1] else ():
                put(row, place, sign)

    def _bar(
        self,
        grid: Grid,
        frame: _Frame,
        looks: Ink,
        palette: Palette,
        scale: axes.Scale,
        room: int,
        ascii_only: bool,
    ) -> None:
        at = min(grid.width - room, frame.left + frame.width) + 2
        tall = min(frame.height, grid.height - frame.top)
        if frame.top:
            name = crop(self.heat.name, max(room - 2, grid.width - frame.left - 12), ascii_only)
            grid.put(0, min(at, grid.width - cell_len(name)), name, palette.axis)
        for row in range(tall):
            above = (2 * (tall - row) - 0.5) / (2 * tall)
            below = (2 * (tall - row) - 1.5) / (2 * tall)
            upper, lower = (min(looks.levels - 1, int(p * looks.levels)) for p in (above, below))
            if looks.colours:
                pair = looks.colours[upper], looks.colours[lower]
                same = upper == lower
                grid.put(frame.top + row, at, "  " if same else "▀▀", fill(None, pair[0]) if same else fill(*pair))
            else:
                grid.put(frame.top + row, at, looks.glyphs[lower] * 2, looks.styles[lower])
        ticks = scale.ticks(max(2, min(5, tall)))
        for tick, name in zip(ticks, axes.tick_labels(ticks), strict=True):
            row = round((1 - scale.place(tick)) * tall - 0.5)
            grid.put(frame.top + min(tall - 1, max(0, row)), at + 3, name, palette.axis)

    def _mark(
        self,
        grid: Grid,
        frame: _Frame,
        levels: np.ndarray,
        looks: Ink,
        palette: Palette,
        column: int,
        row: int,
        digits: bool,
        ascii_only: bool,
    ) -> None:
        heat = self.heat
        at_row = frame.top + int(frame.rows[row] + frame.unit / 2) // 2
        if row >= 0 and frame.left:
            grid.put(at_row, 0, pad(heat.row_names[row], frame.left - 1, right=True), palette.strong)
            grid.put(at_row, frame.left - 1, ">" if ascii_only else "▸", palette.strong)
        at = frame.left + int(frame.columns[column])
        bottom = frame.top + frame.height
        if column >= 0 and bottom < grid.height:
            grid.replace_word(bottom, at + frame.cell // 2, heat.column_names[column], palette.strong)
        if row < 0 or column < 0:
            return
        level = int(levels[frame.row_of[row], frame.column_of[column]])
        style = looks.on(level) if level >= 0 and looks.colours else palette.strong
        inside = slice(at, at + frame.cell)
        if digits and frame.cell >= 2:  # brackets would cover figures
            grid.styles[at_row, inside] = grid.style(style + Style(reverse=True))
        elif frame.cell >= 3:
            grid.put(at_row, at, "[", style)
            grid.put(at_row, at + frame.cell - 1, "]", style)
        else:
            grid.put(at_row, at, "X" if ascii_only else "◆", style)


def _written(value: float, room: int) -> str:
    """Return a value as text of at most ``room`` cells; empty if fewer than two decimals fit."""
    tries = [axes.number(value, 3), axes.number(value, 2)]
    tries += [f"{round(value, n) + 0.0:.{n}f}" for n in (3, 2)]  # 0.0: no "-0"
    return next((text for text in tries if len(text) <= room), "")


def _levels(values: np.ndarray, scale: axes.Scale, many: int) -> np.ndarray:
    """Return the level of each value, from 0; -1 for NaN."""
    low, high = (np.log10(scale.low), np.log10(scale.high)) if scale.log else (scale.low, scale.high)
    finite = np.isfinite(values)
    filled = np.where(finite, values, scale.low)
    if scale.log:
        filled = np.log10(np.maximum(filled, scale.low))
    level = np.clip(np.floor((filled - low) / (high - low) * many), 0, many - 1)
    return np.where(finite, level, _MISSING).astype(np.int16)


def _share(count: int, room: int, most: int) -> tuple[np.ndarray, int, int]:
    """Return the place of each row or column, the number of places, and the cells per place."""
    if count <= room:
        return np.arange(count), count, max(1, min(most, room // max(1, count)))
    return np.arange(count) * room // count, room, 1


def _pooled(values: np.ndarray, row_of: np.ndarray, column_of: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Average the values that share a place, [rows, columns]; NaN if none is finite."""
    total, many = np.zeros((rows, columns)), np.zeros((rows, columns))
    finite = np.isfinite(values)
    at = (row_of[:, None], column_of[None, :])
    np.add.at(total, at, np.where(finite, values, 0.0))
    np.add.at(many, at, finite)
    return np.where(many > 0, total / np.maximum(many, 1), np.nan)
