"""Draw line charts: series with labels at their ends, a focused series, bands of spread, and a cursor."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from explorer.render import axes, companions, labels
from explorer.render.canvas import Canvas
from explorer.render.cells import Grid, Line
from explorer.render.chart import Chart, Frame
from explorer.render.palette import Palette
from explorer.render.targets import Target, apart
from explorer.render.text import crop

_KEPT = 4
_APART = 5
"""Number of cells between round names on the x axis."""
_LETTERS_APART = 16
"""Number of columns between two letters of a line."""
_NAMED = 3
"""Minimum number of cells per named place on the x axis."""
MOST = 40
"""Maximum number of lines drawn, evenly spread over all, besides the focused one: more cost 50 ms per key press."""
_BANDS = 3
"""Maximum number of bands shown at once: more of them overlap too much."""


class LineChart:
    """A chart that can be drawn at any size; parts that do not depend on the cursor are cached."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        xs = [x for x in (*(s.x for s in chart.series), chart.xs_of) if x is not None and len(x)]
        self.xs: np.ndarray = np.unique(np.concatenate(xs)) if xs else np.zeros(0)
        """Places on the x axis with a point, which the cursor visits."""
        self._kept: OrderedDict[tuple[object, ...], tuple[Grid, Frame]] = OrderedDict()

    @property
    def empty(self) -> bool:
        """Whether there is no finite value."""
        return not any(np.isfinite(s.y).any() for s in self.chart.series)

    def shown(self, focus: int = -1) -> tuple[int, ...]:
        """Return the indices of the lines that are drawn, in order."""
        many = len(self.chart.series)
        if many <= MOST:
            return tuple(range(many))
        spread = {round(i * (many - 1) / (MOST - 1)) for i in range(MOST)}
        return tuple(sorted(spread | ({focus} if 0 <= focus < many else set())))

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: int = -1,
        focus: int = -1,
        log_y: bool = False,
        ascii_only: bool = False,
    ) -> list[Line]:
        """Return lines of exactly width x height cells. ``cursor`` is an index into ``xs``, ``focus`` into series."""
        return self.grid(width, height, palette, cursor, focus, log_y, ascii_only).lines()

    def grid(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: int = -1,
        focus: int = -1,
        log_y: bool = False,
        ascii_only: bool = False,
    ) -> Grid:
        """Return the same picture as a grid, to be combined with others."""
        grid, frame = self._whole(width, height, palette, focus, log_y, ascii_only)
        if not 0 <= cursor < len(self.xs) or frame.width < 1 or frame.height < 1:
            return grid
        return self._with_cursor(grid.copy(), frame, palette, cursor, focus, ascii_only)

    def frame(
        self, width: int, height: int, palette: Palette, focus: int = -1, log_y: bool = False, ascii_only: bool = False
    ) -> Frame:
        """Return the layout of the axes in a picture of that size, for other parts on the same axes."""
        return self._whole(width, height, palette, focus, log_y, ascii_only)[1]

    def targets(
        self, width: int, height: int, palette: Palette, focus: int = -1, log_y: bool = False, ascii_only: bool = False
    ) -> tuple[Target, ...]:
        """Return the jump targets in a picture of that size: labelled ends of lines, then places on the x axis.

        Round places come first, as far as there is room.
        """
        frame = self.frame(width, height, palette, focus, log_y, ascii_only)
        edge = frame.left + frame.width - 1
        named = self._labels(frame, palette, focus, width, ascii_only)
        found = [Target(edge, frame.top + name.row, row=name.line) for name in named]
        if not len(self.xs):
            return tuple(found)
        columns, index = np.unique(np.minimum(frame.dot_x(self.xs) // 2, frame.width - 1), return_index=True)
        ticks = self._x_ticks(frame)
        # Of several points in a column, take the round one.
        for tick in np.searchsorted(self.xs, ticks).tolist():
            if tick < len(self.xs):
                index[np.searchsorted(index, tick, side="right") - 1] = tick
        index[-1] = len(self.xs) - 1
        first = [0, len(index) - 1, *np.flatnonzero(np.isin(self.xs[index], ticks)).tolist()]
        cells = (frame.left + columns.astype(np.int64)).tolist()
        row = min(frame.top + frame.height, height - 1)
        return (*found, *(Target(cells[i], row, index[i].item()) for i in apart(cells, first)))

    def cell(
        self,
        width: int,
        height: int,
        palette: Palette,
        place: int,
        line: int,
        focus: int = -1,
        log_y: bool = False,
        ascii_only: bool = False,
    ) -> tuple[int, int] | None:
        """Return column and row of a value in a picture of that size; None if it is not drawn there.

        Args:
            place: index into ``xs``.
            line: index into series.
        """
        if place < 0 or line not in self.shown(focus):
            return None
        series, frame = self.chart.series[line], self.frame(width, height, palette, focus, log_y, ascii_only)
        at = np.flatnonzero(series.x == self.xs[place])
        row = frame.cell_row(float(series.y[at[0]])) if len(at) and min(frame.width, frame.height) > 0 else None
        return None if row is None else (min(frame.column(float(self.xs[place])), frame.left + frame.width - 1), row)

    def _whole(
        self, width: int, height: int, palette: Palette, focus: int, log_y: bool, ascii_only: bool
    ) -> tuple[Grid, Frame]:
        key = (width, height, palette.depth, palette.dark, focus, log_y, ascii_only)
        if key not in self._kept:
            self._kept[key] = self._drawn(width, height, palette, focus, log_y, ascii_only)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _drawn(
        self, width: int, height: int, palette: Palette, focus: int, log_y: bool, ascii_only: bool
    ) -> tuple[Grid, Frame]:
        grid = Grid(width, height)
        y_scale = self.chart.y_scale(log_y)
        top = 1 if height >= 10 and self.chart.y_name else 0
        bottom = 2 if height >= 6 else 1 if height >= 4 else 0
        plot_height = max(1, height - top - bottom)
        ticks = y_scale.ticks(max(2, min(8, plot_height // 3))) if plot_height >= 3 else ()
        names = axes.tick_labels(ticks)
        left = max((len(n) for n in names), default=0) + 1 if width >= 16 and names else 0
        low, high = (float(self.xs[0]), float(self.xs[-1])) if len(self.xs) else (0.0, 1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        frame = Frame(left, top, max(1, width - left), plot_height, axes.Scale(low, high), y_scale)
        named = self._labels(frame, palette, focus, width, ascii_only)
        valued = self.chart.values and width >= 40
        beside = companions.room(self.chart, valued) if width >= 28 else 0
        right = max([cell_len(n.text) for n in named] + [beside or -1]) + 1
        frame = replace(frame, width=max(1, width - left - right))
        self._y_axis(grid, frame, palette, ticks, names, ascii_only)
        self._x_axis(grid, frame, palette, bottom, right, ascii_only)
        self._lines(grid, frame, palette, focus, ascii_only)
        self._floor_name(grid, frame, palette, ascii_only)
        kept = next((name.row for name in named if name.line == focus), -1)
        rows = plot_height + (bottom == 2)  # beside the axis too
        others = companions.names(self.chart, frame, focus, kept, rows, valued, ascii_only) if beside else []
        at = frame.left + frame.width + 1
        for name in named:
            if name.row not in {other.row for other in others}:
                grid.put(frame.top + name.row, at, name.text, self._style(palette, name.line, focus))
        for other in others:
            grid.put(frame.top + other.row, at, other.text, palette.text)
        return grid, frame

    def _labels(self, frame: Frame, palette: Palette, focus: int, width: int, ascii_only: bool) -> list[labels.Label]:
        if width < 28:
            return []
        ends = [math.nan] * len(self.chart.series)
        for i in self.shown(focus):
            one = self.chart.series[i]
            ends[i] = frame.row(one.last) - frame.top if one.label else math.nan
        room = width // 3
        found = labels.at_ends(self.chart, ends, frame.height, room, focus, self.chart.values and width >= 40)
        if self._lettered(palette, ascii_only):
            found = [n if n.shared else replace(n, text=self.chart.series[n.line].marked(n.text)) for n in found]
        if ascii_only:
            found = [replace(n, text=n.text.replace("≤", "<=").replace("…", "~")) for n in found]
        return [replace(n, text=crop(n.text, room, ascii_only)) for n in found]

    def _y_axis(
        self,
        grid: Grid,
        frame: Frame,
        palette: Palette,
        ticks: Sequence[float],
        names: Sequence[str],
        ascii_only: bool,
    ) -> None:
        line, mark, dots = ("|", "+", ".") if ascii_only else ("│", "┤", "┈")
        if frame.top:
            at = max(0, frame.left - 1)
            grid.put(0, at, crop(self.chart.y_name, grid.width - at, ascii_only), palette.axis)
        if not frame.left:
            return
        for row in range(frame.top, frame.top + frame.height):
            grid.put(row, frame.left - 1, line, palette.axis)
        for tick, name in zip(ticks, names, strict=True):
            row = round(frame.row(tick))
            if frame.top <= row < frame.top + frame.height:
                grid.put(row, 0, name.rjust(frame.left - 1) + mark, palette.axis)
        if frame.y.log and frame.y.low < self.chart.floor < frame.y.high:
            row = round(frame.row(self.chart.floor))
            grid.put(row, frame.left, dots * frame.width, palette.faint)
        if not frame.y.log and frame.y.low < 0 < frame.y.high:
            grid.put(frame.cell_row(0.0) or 0, frame.left, dots * frame.width, palette.faint)

    def _floor_name(self, grid: Grid, frame: Frame, palette: Palette, ascii_only: bool) -> None:
        """Write the name of the noise floor as far to the right as possible, where no line crosses it."""
        if not frame.left or not frame.y.log or not frame.y.low < self.chart.floor < frame.y.high:
            return
        name, row = " noise floor ", round(frame.row(self.chart.floor))
        free = grid.chars[row, frame.left : frame.left + frame.width] == ord("." if ascii_only else "┈")
        for at in range(frame.width - len(name) - 1, 0, -1):
            if free[at : at + len(name)].all():
                grid.put(row, frame.left + at, name, palette.axis)
                return

    def _x_axis(self, grid: Grid, frame: Frame, palette: Palette, bottom: int, right: int, ascii_only: bool) -> None:
        if not bottom:
            return
        across, tick_mark, corner = ("-", "+", "+") if ascii_only else ("─", "┬", "└")
        row = frame.top + frame.height
        if bottom == 2:
            grid.put(row, frame.left, across * frame.width, palette.axis)
            if frame.left:
                grid.put(row, frame.left - 1, corner, palette.axis)
            row += 1
        name = self.chart.x_name
        end = frame.left + frame.width
        name_at = min(end + 3, grid.width - len(name)) if right > len(name) else end - len(name)
        if not len(self.xs):
            return
        last = -1
        for tick in self._x_ticks(frame):
            at, text = _tick(frame, tick)
            if at <= last or at + len(text) >= name_at or frame.column(tick) >= end:
                continue
            grid.put(row, at, text, palette.axis)
            if bottom == 2:
                grid.put(row - 1, frame.column(tick), tick_mark, palette.axis)
            last = at + len(text)
        if name_at > last:
            grid.put(row, name_at, name, palette.axis)

    def _x_ticks(self, frame: Frame) -> tuple[int, ...]:
        """Return all places with a point if all names fit, else round places."""
        low, high = round(float(self.xs[0])), round(float(self.xs[-1]))
        if _NAMED * len(self.xs) <= frame.width:
            found = [_tick(frame, round(x)) for x in self.xs.tolist()]
            if all(at + len(text) + 1 < other for (at, text), (other, _) in pairwise(found)):
                return tuple(round(x) for x in self.xs.tolist())
        return axes.step_ticks(low, high, max(2, frame.width // (len(axes.count(high)) + _APART)))

    def _style(self, palette: Palette, index: int, focus: int) -> Style:
        if focus == index and not self.chart.fades:
            return palette.strong
        if focus < 0 or focus == index or not self.chart.fades:
            style = palette.line(self.chart.series[index].rank)
            return style + Style(bold=True) if focus == index else style
        return palette.faint

    def _lines(self, grid: Grid, frame: Frame, palette: Palette, focus: int, ascii_only: bool) -> None:
        canvas = Canvas(frame.width, frame.height)
        series = self.chart.series
        order = [i for i in self.shown(focus) if i != focus] + ([focus] if 0 <= focus < len(series) else [])
        for i in self._banded(focus):
            one = series[i]
            if one.low is None or one.high is None:
                continue
            x, low, high = one.joined(one.low, one.high)
            x, low, high = frame.dot_x(x), frame.dot_y(low), frame.dot_y(high)
            low = np.where(
                np.isnan(low) & np.isfinite(high), 0.0, low
            )  # if the logarithm does not exist, use the floor
            if palette.band:
                canvas.fill(x, low, high, i)
            else:
                self._edges(canvas, x, low, high, i)
        edges = canvas.bits.copy()
        beside = () if focus in order else companions.draw(canvas, frame, self.chart, -1)
        for i in order:
            if i == focus:  # above the other lines, below the focused line
                beside = companions.draw(canvas, frame, self.chart, focus)
            x, y = series[i].joined(series[i].y)
            canvas.line(frame.dot_x(x), frame.dot_y(y), i)
        part = slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width)
        chars, styles = grid.chars[part], grid.styles[part]
        looks = (
            [self._style(palette, i, focus) for i in range(len(series))] + [palette.text for _ in beside] + [Style()]
        )
        numbers = np.array([grid.style(style) for style in looks], np.int16)
        drawn = canvas.bits > 0
        chars[drawn] = canvas.bits[drawn].astype(np.uint32) + 0x2800
        styles[drawn] = numbers[canvas.owner[drawn]]
        if ascii_only:
            for i, companion in enumerate(beside):
                chars[canvas.owner == len(series) + i] = ord(companions.mark(companion, True))
        self._marks(chars, canvas, frame, palette, order, ascii_only)
        if ascii_only:  # as dots, since letters would look like more lines
            chars[(edges > 0) & (canvas.bits == edges)] = ord(".")
        if palette.band and (canvas.band >= 0).any():
            banded = canvas.band >= 0
            tint = palette.band
            both = np.array([grid.style(grid._table[n] + tint) for n in numbers[:-1]] + [grid.style(tint)], np.int16)
            styles[banded] = both[np.where(drawn, canvas.owner, -1)[banded]]

    def _banded(self, focus: int) -> list[int]:
        series = self.chart.series
        spread = [i for i in self.shown(focus) if series[i].low is not None and series[i].high is not None]
        if focus >= 0 or self.chart.bands_in_focus_only:
            return [focus] if focus in spread else []
        if len(spread) <= _BANDS:
            return spread
        return [spread[0], spread[len(spread) // 2], spread[-1]]

    @staticmethod
    def _edges(canvas: Canvas, x: np.ndarray, low: np.ndarray, high: np.ndarray, owner: int) -> None:
        """Draw dotted edges of a spread, one dot per two cells, on terminals without backgrounds."""
        if len(x) < 2:
            return
        at = np.arange(x[0], x[-1] + 1e-9, 4.0)
        for edge in (low, high):
            canvas.dots(at, np.interp(at, x, edge), owner)

    def _marks(
        self, chars: np.ndarray, canvas: Canvas, frame: Frame, palette: Palette, order: Sequence[int], ascii_only: bool
    ) -> None:
        """Mark checkpoints if there is room between them; add letters if colours do not distinguish the lines."""
        lettered = self._lettered(palette, ascii_only)
        if ascii_only:
            for i in order:
                chars[canvas.owner == i] = ord(self.chart.series[i].letter if lettered else "*")
        for i in order:
            x = self.chart.series[i].x[np.isfinite(self.chart.series[i].y)]
            if not len(x):
                continue
            columns = np.unique((frame.dot_x(x) // 2).astype(np.int64))
            roomy = len(columns) == 1 or int(np.diff(columns).min()) >= 6
            if palette.letters and not roomy:
                columns = self._spread(canvas.owner == i, i)
            elif not roomy:
                continue
            mark = self.chart.series[i].letter if palette.letters else "*" if ascii_only else "•"
            columns = columns[(columns >= 0) & (columns < frame.width)]
            own = canvas.owner[:, columns] == i
            for column, row, there in zip(columns, own.argmax(axis=0), own.any(axis=0), strict=True):
                if there:
                    chars[self._nearest(own, columns, column, row, frame, i, roomy), column] = ord(mark)
        for i in order:
            self._signs(chars, canvas.owner == i, frame, i, ascii_only)

    def _signs(self, chars: np.ndarray, own: np.ndarray, frame: Frame, index: int, ascii_only: bool) -> None:
        """Write the signs of a line's marked points, where no other line covers them.

        Args:
            own: cells that the line owns, bool [height, width].
        """
        for mark in self.chart.series[index].marks:
            columns = (frame.dot_x(np.array([mark.x])) // 2).astype(np.int64)
            column = int(columns[0])
            if 0 <= column < frame.width and own[:, column].any():
                row = self._nearest(own[:, columns], columns, column, 0, frame, index, True)
                chars[row, column] = ord(mark.plain if ascii_only else mark.sign)

    def _lettered(self, palette: Palette, ascii_only: bool) -> bool:
        """Return whether lines are distinguished by letters."""
        return palette.letters or (ascii_only and len(self.chart.series) > 1)

    @staticmethod
    def _spread(own: np.ndarray, index: int) -> np.ndarray:
        """Return columns for a line's letters, from the right end, different for each line.

        Args:
            own: cells that the line owns, bool [height, width].
            index: number of the line.
        """
        width = own.shape[1]
        apart = max(1, min(_LETTERS_APART, 2 * width // 3))
        columns = width - 1 - np.arange((index * 3) % apart, width, apart)
        there = np.flatnonzero(own.any(axis=0))
        if not own[:, columns].any() and len(there):  # other lines cover it in these columns
            return there[[len(there) * 3 // 4]]
        return columns[::-1]

    def _nearest(
        self, own: np.ndarray, columns: np.ndarray, column: int, row: int, frame: Frame, index: int, roomy: bool
    ) -> int:
        """Return the cell of a steep line in a column that holds the point."""
        if not roomy:
            return row
        one = self.chart.series[index]
        at = np.flatnonzero((frame.dot_x(one.x) // 2).astype(np.int64) == column)
        wanted = frame.height - 1 - int(np.nan_to_num(frame.dot_y(one.y[at]), nan=0.0)[0] // 4)
        rows = np.flatnonzero(own[:, np.searchsorted(columns, column)])
        return int(rows[np.abs(rows - wanted).argmin()])

    def _with_cursor(
        self, grid: Grid, frame: Frame, palette: Palette, cursor: int, focus: int, ascii_only: bool
    ) -> Grid:
        x = float(self.xs[cursor])
        column = min(frame.column(x), frame.left + frame.width - 1)
        rows = slice(frame.top, frame.top + frame.height)
        blank = grid.chars[rows, column] == 32
        grid.chars[rows, column][blank] = ord("|" if ascii_only else "│")
        grid.styles[rows, column][blank] = grid.style(palette.cursor)
        if 0 <= focus < len(self.chart.series):
            one = self.chart.series[focus]
            value = one.y[one.x == x]
            row = frame.cell_row(float(value[0])) if len(value) else None
            if row is not None:
                grid.put(row, column, "X" if ascii_only else "◆", palette.strong)
        if frame.top + frame.height < grid.height:
            text = axes.count(round(x))
            grid.replace_word(grid.height - 1, column, text, palette.strong)
        return grid


def _tick(frame: Frame, x: int) -> tuple[int, str]:
    """Return the start column and the name of a place on the x axis."""
    text = axes.count(x)
    return min(max(0, frame.column(x) - len(text) // 2), frame.left + frame.width + 1 - len(text)), text
