"""Line chart: series with direct labels, one in focus, bands of spread, a cursor column, linear or logarithmic."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from explorer.render import axes, labels
from explorer.render.canvas import Canvas
from explorer.render.cells import Grid, Line, crop
from explorer.render.palette import Palette

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KEPT = 4
_BANDS = 3
"""Bands shown at once: more of them overlap into one stain."""


@dataclass(frozen=True, eq=False)
class Series:
    """One line: points [n] of rising x, NaN where there is no value."""

    label: str
    x: np.ndarray
    y: np.ndarray
    rank: float = 0.0
    """Place in the ordinal ramp, 0..1."""
    low: np.ndarray | None = None
    """Lower and upper edge of the spread [n]."""
    high: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Chart:
    """What to draw, without how."""

    series: tuple[Series, ...]
    x_name: str
    y_name: str
    scale_of: np.ndarray | None = None
    """The values that the y axis must hold where several charts share one; None: its own."""
    floor: float = 0.0
    """Values below it are noise; a dotted line on a logarithmic axis."""
    values: bool = True
    """Labels carry the last value."""


@dataclass(frozen=True)
class _Frame:
    """Where things stand: the plot's cells are rows top.. and columns left..; scales of both axes."""

    left: int
    top: int
    width: int
    height: int
    x: axes.Scale
    y: axes.Scale

    def dot_x(self, x: np.ndarray) -> np.ndarray:
        return 0.5 + (x - self.x.low) / (self.x.high - self.x.low) * (2 * self.width - 1)

    def dot_y(self, y: np.ndarray) -> np.ndarray:
        if self.y.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                y = np.where(y > 0, np.log10(y), np.nan)
            low, high = np.log10(self.y.low), np.log10(self.y.high)
        else:
            low, high = self.y.low, self.y.high
        place = (y - low) / (high - low)
        return 0.5 + place * (4 * self.height - 1)

    def column(self, x: float) -> int:
        """Column of the grid of a place on the x axis."""
        return self.left + int(self.dot_x(np.array(x)) // 2)

    def row(self, y: float) -> float:
        """Row of the grid of a value, a real number; NaN where it cannot be shown."""
        return self.top + self.height - 0.5 - float(self.dot_y(np.array(y))) / 4


class LineChart:
    """A chart that can be drawn at any size; what a moving cursor does not change is kept."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        xs = [s.x for s in chart.series if len(s.x)]
        self.xs: np.ndarray = np.unique(np.concatenate(xs)) if xs else np.zeros(0)
        """Every place on the x axis that has a point; the cursor walks along them."""
        self._kept: OrderedDict[tuple[object, ...], tuple[Grid, _Frame]] = OrderedDict()

    @property
    def empty(self) -> bool:
        """No finite value."""
        return not any(np.isfinite(s.y).any() for s in self.chart.series)

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
        """Lines of exactly width x height cells. ``cursor`` is an index into ``xs``, ``focus`` into the series."""
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
        """The same as cells, to be put beside others."""
        key = (width, height, palette.depth, palette.dark, focus, log_y, ascii_only)
        if key not in self._kept:
            self._kept[key] = self._drawn(width, height, palette, focus, log_y, ascii_only)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        grid, frame = self._kept[key]
        if not 0 <= cursor < len(self.xs) or frame.width < 1 or frame.height < 1:
            return grid
        return self._with_cursor(grid.copy(), frame, palette, cursor, focus, ascii_only)

    def _drawn(
        self, width: int, height: int, palette: Palette, focus: int, log_y: bool, ascii_only: bool
    ) -> tuple[Grid, _Frame]:
        grid = Grid(width, height)
        series = self.chart.series
        y_scale = self._y_scale(log_y)
        texts = [_label(s, self.chart.values and width >= 40) for s in series]
        room = max((cell_len(t) for t in texts), default=0) + 3 if width >= 28 and any(texts) else 0
        # A group's label ("L0-L12 <=0.0123") is longer than its members'.
        right = min(room + (5 if room and len(series) > 1 else 0), width // 3)
        top = 1 if height >= 10 and self.chart.y_name else 0
        bottom = 2 if height >= 6 else 1 if height >= 4 else 0
        plot_height = max(1, height - top - bottom)
        ticks = y_scale.ticks(max(2, min(8, plot_height // 3))) if plot_height >= 3 else ()
        names = axes.tick_labels(ticks)
        left = max((len(n) for n in names), default=0) + 1 if width >= 16 and names else 0
        low, high = (float(self.xs[0]), float(self.xs[-1])) if len(self.xs) else (0.0, 1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        frame = _Frame(left, top, max(1, width - left - right), plot_height, axes.Scale(low, high), y_scale)
        self._y_axis(grid, frame, palette, ticks, names, ascii_only)
        self._x_axis(grid, frame, palette, bottom, right, ascii_only)
        self._lines(grid, frame, palette, focus, ascii_only)
        if right:
            self._labels(grid, frame, palette, focus, texts, right, ascii_only)
        return grid, frame

    def _y_scale(self, log_y: bool) -> axes.Scale:
        if self.chart.scale_of is not None:
            values = np.ravel(self.chart.scale_of)
        else:
            edges = [v for s in self.chart.series for v in (s.y, s.low, s.high) if v is not None]
            values = np.concatenate(edges) if edges else np.zeros(0)
        values = values[np.isfinite(values)]
        if log_y:
            values = values[values > 0]
        return axes.value_scale(values.min(), values.max(), log_y) if len(values) else axes.value_scale(0.0, 1.0, log_y)

    def _y_axis(
        self,
        grid: Grid,
        frame: _Frame,
        palette: Palette,
        ticks: Sequence[float],
        names: Sequence[str],
        ascii_only: bool,
    ) -> None:
        line, mark, dots = ("|", "+", ".") if ascii_only else ("│", "┤", "┈")
        if frame.top:
            grid.put(0, max(0, frame.left - 1), crop(self.chart.y_name, grid.width - frame.left + 1), palette.axis)
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
            grid.put(row, frame.left + 1, " noise floor ", palette.faint)

    def _x_axis(
        self, grid: Grid, frame: _Frame, palette: Palette, bottom: int, right: int, ascii_only: bool
    ) -> None:
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
        most = max(2, frame.width // 10)
        ticks = axes.step_ticks(round(float(self.xs[0])), round(float(self.xs[-1])), most)
        last = -1
        for tick in ticks:
            text = axes.count(tick)
            at = min(max(0, frame.column(tick) - len(text) // 2), end + 1 - len(text))
            if at <= last or at + len(text) >= name_at or frame.column(tick) >= end:
                continue
            grid.put(row, at, text, palette.axis)
            if bottom == 2:
                grid.put(row - 1, frame.column(tick), tick_mark, palette.axis)
            last = at + len(text)
        if name_at > last:
            grid.put(row, name_at, name, palette.axis)

    def _style(self, palette: Palette, index: int, focus: int) -> Style:
        if focus < 0 or focus == index:
            style = palette.line(self.chart.series[index].rank)
            return style + Style(bold=True) if focus == index else style
        return palette.faint

    def _lines(self, grid: Grid, frame: _Frame, palette: Palette, focus: int, ascii_only: bool) -> None:
        canvas = Canvas(frame.width, frame.height)
        series = self.chart.series
        order = [i for i in range(len(series)) if i != focus] + ([focus] if 0 <= focus < len(series) else [])
        for i in self._banded(focus):
            one = series[i]
            if one.low is None or one.high is None:
                continue
            x, low, high = frame.dot_x(one.x), frame.dot_y(one.low), frame.dot_y(one.high)
            low = np.where(np.isnan(low) & np.isfinite(high), 0.0, low)  # a logarithm that does not exist: the floor
            if palette.band:
                canvas.fill(x, low, high, i)
            else:
                self._edges(canvas, x, low, high, i)
        for i in order:
            canvas.line(frame.dot_x(series[i].x), frame.dot_y(series[i].y), i)
        part = slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width)
        chars, styles = grid.chars[part], grid.styles[part]
        numbers = np.array([grid.style(self._style(palette, i, focus)) for i in range(len(series))] + [0], np.int16)
        drawn = canvas.bits > 0
        chars[drawn] = canvas.bits[drawn].astype(np.uint32) + 0x2800
        styles[drawn] = numbers[canvas.owner[drawn]]
        self._marks(chars, canvas, frame, palette, order, ascii_only)
        if palette.band and (canvas.band >= 0).any():
            banded = canvas.band >= 0
            tint = palette.band[0]
            both = np.array([grid.style(grid._table[n] + tint) for n in numbers[:-1]] + [grid.style(tint)], np.int16)
            styles[banded] = both[np.where(drawn, canvas.owner, -1)[banded]]

    def _banded(self, focus: int) -> list[int]:
        spread = [i for i, s in enumerate(self.chart.series) if s.low is not None and s.high is not None]
        if focus >= 0:
            return [focus] if focus in spread else []
        if len(spread) <= _BANDS:
            return spread
        return [spread[0], spread[len(spread) // 2], spread[-1]]

    @staticmethod
    def _edges(canvas: Canvas, x: np.ndarray, low: np.ndarray, high: np.ndarray, owner: int) -> None:
        """Dotted edges, one dot in two cells: how a spread looks where there are no backgrounds."""
        if len(x) < 2:
            return
        at = np.arange(x[0], x[-1] + 1e-9, 4.0)
        for edge in (low, high):
            canvas.dots(at, np.interp(at, x, edge), owner)

    def _marks(
        self, chars: np.ndarray, canvas: Canvas, frame: _Frame, palette: Palette, order: Sequence[int], ascii_only: bool
    ) -> None:
        """Checkpoints as marks where there is room between them; letters where colours do not tell lines apart."""
        if ascii_only:
            for i in order:
                chars[canvas.owner == i] = ord(_letter(i) if palette.letters or len(order) > 1 else "*")
        for i in order:
            x = self.chart.series[i].x[np.isfinite(self.chart.series[i].y)]
            if not len(x):
                continue
            columns = np.unique((frame.dot_x(x) // 2).astype(np.int64))
            roomy = len(columns) == 1 or int(np.diff(columns).min()) >= 6
            if palette.letters and not roomy:
                columns = np.arange((i * 5) % 16, frame.width, 16)
            elif not roomy:
                continue
            mark = _letter(i) if palette.letters else "*" if ascii_only else "•"
            columns = columns[(columns >= 0) & (columns < frame.width)]
            own = canvas.owner[:, columns] == i
            for column, row, there in zip(columns, own.argmax(axis=0), own.any(axis=0), strict=True):
                if there:
                    chars[self._nearest(own, columns, column, row, frame, i, roomy), column] = ord(mark)

    def _nearest(
        self, own: np.ndarray, columns: np.ndarray, column: int, row: int, frame: _Frame, index: int, roomy: bool
    ) -> int:
        """Of a steep line's cells in a column the one that holds the point."""
        if not roomy:
            return row
        one = self.chart.series[index]
        at = np.flatnonzero((frame.dot_x(one.x) // 2).astype(np.int64) == column)
        wanted = frame.height - 1 - int(np.nan_to_num(frame.dot_y(one.y[at]), nan=0.0)[0] // 4)
        rows = np.flatnonzero(own[:, np.searchsorted(columns, column)])
        return int(rows[np.abs(rows - wanted).argmin()])

    def _labels(
        self,
        grid: Grid,
        frame: _Frame,
        palette: Palette,
        focus: int,
        texts: Sequence[str],
        right: int,
        ascii_only: bool,
    ) -> None:
        ends = {}
        for i, one in enumerate(self.chart.series):
            good = np.flatnonzero(np.isfinite(frame.dot_y(one.y)))
            if len(good) and texts[i]:
                ends[i] = frame.row(float(one.y[good[-1]])) - frame.top
        index = list(ends)
        for group in labels.place([ends[i] for i in index], frame.height):
            members = [index[m] for m in group.members]
            chosen = focus if focus in members else members[0]
            text = texts[chosen] if focus in members or len(members) == 1 else self._together(members, right - 1)
            if (palette.letters and len(members) == 1) or focus in members:
                text = f"{_letter(chosen)} {text}" if palette.letters else text
            text = text.replace("≤", "<=") if ascii_only else text
            style = self._style(palette, chosen, focus)
            grid.put(
                frame.top + group.row,
                frame.left + frame.width + 1,
                crop(text, right - 1, "~" if ascii_only else "…"),
                style,
            )

    def _together(self, members: Sequence[int], room: int) -> str:
        """One label for several lines: their names as ranges, and the largest of their last values."""
        series = self.chart.series
        parts: list[list[int]] = []
        for i in sorted(members):
            if parts and parts[-1][-1] == i - 1:
                parts[-1].append(i)
            else:
                parts.append([i])
        named = [
            series[p[0]].label if len(p) == 1 else f"{series[p[0]].label}-{series[p[-1]].label}" for p in parts
        ]
        names = " ".join(named)
        if not self.chart.values:
            return names
        largest = max(float(s.y[np.isfinite(s.y)][-1]) for s in (series[i] for i in members))
        value = f" ≤{axes.number(largest, 2)}"
        for text in (names, f"{named[0]} +{len(members) - len(parts[0])}" if len(named) > 1 else names):
            if cell_len(text + value) <= room:
                return text + value
        return crop(f"{len(members)} lines", room - cell_len(value)) + value

    def _with_cursor(
        self, grid: Grid, frame: _Frame, palette: Palette, cursor: int, focus: int, ascii_only: bool
    ) -> Grid:
        x = float(self.xs[cursor])
        column = min(frame.column(x), frame.left + frame.width - 1)
        rows = slice(frame.top, frame.top + frame.height)
        blank = grid.chars[rows, column] == 32
        grid.chars[rows, column][blank] = ord("|" if ascii_only else "│")
        grid.styles[rows, column][blank] = grid.style(palette.cursor)
        if 0 <= focus < len(self.chart.series):
            one = self.chart.series[focus]
            at = np.flatnonzero(one.x == x)
            if len(at) and np.isfinite(frame.dot_y(one.y[at])).all():
                row = min(max(round(frame.row(float(one.y[at[0]]))), frame.top), frame.top + frame.height - 1)
                grid.put(row, column, "X" if ascii_only else "◆", palette.strong)
        if frame.top + frame.height < grid.height:
            text = axes.count(round(x))
            grid.replace_word(grid.height - 1, column, text, palette.strong)
        return grid


def _letter(index: int) -> str:
    return LETTERS[index % len(LETTERS)]


def _label(series: Series, value: bool) -> str:
    good = series.y[np.isfinite(series.y)]
    if not len(good) or not series.label:
        return ""
    return f"{series.label} {axes.number(float(good[-1]))}" if value else series.label
