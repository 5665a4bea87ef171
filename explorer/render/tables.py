"""Draw text tables: aligned columns, one page of rows, and a cursor row; columns that do not fit are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.cells import cell_len

from explorer.render.axes import count, number
from explorer.render.cells import Grid, Line
from explorer.render.palette import Palette
from explorer.render.targets import Target
from explorer.render.text import clean, crop, pad

_SAMPLE = 300
"""Number of rows that determine the columns' widths, so that paging does not change them."""
_GAP = 2
_WIDEST = 60
_PART = 12
"""Minimum number of cells for showing part of a text."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """Columns and rows; numbers are aligned to the right."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    warned: frozenset[int] = frozenset()
    """Numbers of rows with a warning."""
    order: tuple[str, bool] = ("", False)
    """Column by which the rows are sorted, and whether the order is descending."""
    absent: str = ""
    """Text of a value that is not there."""

    def page(self, height: int) -> int:
        """Return the number of rows on a page of ``height`` lines, of which two are the header and the position."""
        return max(1, height - 2)

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: int = -1,
        column: int = -1,
        ascii_only: bool = False,
    ) -> list[Line]:
        """Return lines of exactly width x height cells: the page with row ``cursor``, scrolled to show ``column``."""
        grid = Grid(width, height)
        size = self.page(height)
        top = max(0, cursor) // size * size
        shown = self.rows[top : top + size]
        texts = [[self._text(v) for v in row] for row in shown]
        numeric, widths = self._numeric, self._widths(texts)
        first = self._first(widths, width - 2, column)
        at = 2
        drawn = first
        for j in range(first, len(self.columns)):
            if at >= width:
                break
            wide = min(widths[j], width - at)
            if first < j and wide < widths[j] and (numeric[j] or wide < _PART):
                break  # half a number, or a few letters, would be misleading
            grid.put(0, at, pad(crop(self.columns[j], wide, ascii_only), wide, numeric[j]), palette.strong)
            if self.columns[j] == self.order[0]:
                grid.put(0, at + wide, ("v" if ascii_only else "↓") if self.order[1] else ("^" if ascii_only else "↑"))
            for i, row in enumerate(texts):
                style = palette.strong if top + i == cursor else palette.text
                grid.put(1 + i, at, pad(crop(row[j], wide, ascii_only), wide, numeric[j]), style)
            at += wide + _GAP
            drawn += at - _GAP <= width
        for i in range(len(texts)):
            if top + i in self.warned:
                grid.put(1 + i, 1, "!", palette.warning)
            if top + i == cursor:
                grid.put(1 + i, 0, ">" if ascii_only else "▸", palette.strong)
        if height > 1:
            hidden = len(self.columns) - drawn + first
            where = f"rows {count(top + 1)}-{count(top + len(texts))} of {count(len(self.rows))}"
            more = f", {hidden} of {len(self.columns)} columns do not fit" if hidden > 0 else ""
            grid.put(height - 1, 2, crop(where + more if self.rows else "no rows", width - 2, ascii_only), palette.axis)
        return grid.lines()

    def targets(self, width: int, height: int, cursor: int = -1, column: int = -1) -> tuple[Target, ...]:
        """Return the jump targets in the same picture: the rows of the page, then the shown columns at their names."""
        size = self.page(height)
        top = max(0, cursor) // size * size
        shown = self.rows[top : top + size]
        rows = [Target(0, 1 + i, row=top + i) for i in range(min(len(shown), height - 1))]
        widths = self._widths([[self._text(v) for v in row] for row in shown])
        at, columns = 2, []
        for j in range(self._first(widths, width - 2, column), len(self.columns)):
            if at >= width - 1:
                break
            columns.append(Target(at, 0, j))
            at += widths[j] + _GAP
        return (*rows, *columns)

    @cached_property
    def _numeric(self) -> list[bool]:
        """Which columns hold numbers only."""
        sample = self.rows[:_SAMPLE]
        return [
            bool(sample) and all(r[j] is None or isinstance(r[j], (int, float)) for r in sample)
            for j in range(len(self.columns))
        ]

    @cached_property
    def _least_widths(self) -> list[int]:
        """Widths of the columns that the names and the sample need."""
        return _widest(map(cell_len, self.columns), [[self._text(v) for v in row] for row in self.rows[:_SAMPLE]])

    def _widths(self, texts: Sequence[Sequence[str]]) -> list[int]:
        return _widest(self._least_widths, texts)

    def _text(self, value: object) -> str:
        return self.absent if value is None else cell(value)

    @staticmethod
    def _first(widths: Sequence[int], room: int, column: int) -> int:
        """Return the first column of a window that shows all of ``column``."""
        first = 0
        while first < column and sum(w + _GAP for w in widths[first : column + 1]) - _GAP > room:
            first += 1
        return first


def _widest(least: Iterable[int], texts: Sequence[Sequence[str]]) -> list[int]:
    return [min(_WIDEST, max([width, *(cell_len(row[j]) for row in texts)])) for j, width in enumerate(least)]


def order_of(values: Sequence[Any], descending: bool = False) -> list[int]:
    """Return the numbers of rows sorted by their values; equal ones keep their order, those without one are last."""
    there = [i for i, value in enumerate(values) if value is not None]
    there.sort(key=lambda i: values[i], reverse=descending)
    return there + [i for i, value in enumerate(values) if value is None]


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return number(value, 4)
    return clean(str(value).replace("\n", " "))
