"""Draw a list of things that changed: each with its size as a bar, and what changed most in it with both values."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from explorer.render.axes import number
from explorer.render.cells import Grid, Line
from explorer.render.palette import Palette
from explorer.render.targets import Target
from explorer.render.text import crop, pad

_GAP = 2
_ARROW, _PLAIN_ARROW = "→", "->"
_LONGEST = 28
"""Most cells of the name of a row."""
_NAME = 20
"""Most cells of the name of a part."""
_MOST = 6
"""Most parts in a row."""
UNCHANGED = "each within .005 of the reference"


@dataclass(frozen=True)
class PartShift:
    """One part of a row: a weight before and after."""

    name: str
    before: float
    after: float

    @property
    def change(self) -> str:
        """The change with two places: '-.59'."""
        return places(self.after - self.before, signed=True)


@dataclass(frozen=True)
class Shift:
    """One row."""

    name: str
    value: float
    parts: tuple[PartShift, ...]
    """What changed most, the largest change first."""


@dataclass(frozen=True)
class Shifts:
    """Rows, the largest value first, on a scale from 0 to ``high``."""

    rows: tuple[Shift, ...]
    high: float
    row_title: str
    value_title: str
    part_title: str
    """May have arrows, as between the values."""


@dataclass(frozen=True)
class _Columns:
    name: int
    value: int
    """0: there is no room for values."""
    bar: int
    parts: int
    """First cell of the parts."""


def places(value: float, signed: bool = False) -> str:
    """Return a weight with two places: '.71', '1.00', with ``signed`` '-.59' and '+.29'."""
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    return text.replace("0.", ".", 1)


def draw(
    shifts: Shifts, width: int, height: int, palette: Palette, at: int = -1, ascii_only: bool = False
) -> tuple[list[Line], tuple[int, int]]:
    """Return lines of exactly width x height cells, a title above the rows, and the rows that are drawn: the first, and
    one past the last.

    Args:
        at: the row that is pointed at, which is always drawn; -1: none.
    """
    grid, columns = Grid(width, height), _columns(shifts, width)
    first, past = _window(shifts, height, at)
    top = int(height >= 2)
    if top:
        grid.put(0, 1, crop(shifts.row_title, columns.name, ascii_only), palette.axis)
        after = 1 + columns.name + _GAP
        if columns.value:
            grid.put(0, after, crop(shifts.value_title, columns.parts - after - 1, ascii_only), palette.axis)
        title = shifts.part_title.replace(_ARROW, _PLAIN_ARROW) if ascii_only else shifts.part_title
        grid.put(0, columns.parts, crop(title, max(0, width - columns.parts), ascii_only), palette.axis)
    for line, i in enumerate(range(first, past), top):
        row, here = shifts.rows[i], i == at
        if here:
            grid.put(line, 0, ">" if ascii_only else "▸", palette.strong)
        grid.put(line, 1, crop(row.name, columns.name, ascii_only), palette.strong if here else palette.text)
        if columns.value:
            text = number(row.value).rjust(columns.value)
            grid.put(line, 1 + columns.name + _GAP, text, palette.strong if here else palette.text)
        if columns.bar:
            start = 1 + columns.name + _GAP + columns.value + 1
            grid.put(line, start, _bar(row.value / shifts.high, columns.bar, ascii_only), palette.axis)
    _parts(grid, shifts, range(first, past), columns.parts, top, palette, ascii_only)
    return grid.lines(), (first, past)


def targets(shifts: Shifts, height: int, at: int = -1) -> tuple[Target, ...]:
    """Return the jump targets in the same picture: the rows, counted from the top."""
    first, past = _window(shifts, height, at)
    return tuple(Target(0, line, row=i) for line, i in enumerate(range(first, past), int(height >= 2)))


def _window(shifts: Shifts, height: int, at: int) -> tuple[int, int]:
    room = max(1, height - 1)
    first = min(max(0, at - room // 2), max(0, len(shifts.rows) - room))
    return first, min(len(shifts.rows), first + room)


def _columns(shifts: Shifts, width: int) -> _Columns:
    """Return the widths of the columns: a value is shown whole or not at all."""
    value = max(len(number(row.value)) for row in shifts.rows)
    if width < 1 + 4 + _GAP + value:
        return _Columns(max(0, width - 1), 0, 0, width)
    longest = max(cell_len(text) for text in (shifts.row_title, *(row.name for row in shifts.rows)))
    name = min(longest, _LONGEST, max(8, width * 3 // 10), width - 1 - _GAP - value)
    bar = 10 if width >= 76 else 5 if width >= 44 else 0
    return _Columns(name, value, bar, 1 + name + _GAP + value + (bar + 1) * bool(bar) + _GAP)


def _bar(share: float, cells: int, ascii_only: bool) -> str:
    """Return a bar; every value above zero has at least the smallest one."""
    if ascii_only:
        return "#" * max(1, round(share * cells))
    halves = max(1, round(2 * share * cells))
    return "█" * (halves // 2) + "▌" * (halves % 2)


def _parts(grid: Grid, shifts: Shifts, rows: range, at: int, top: int, palette: Palette, ascii_only: bool) -> None:
    """Write the parts below each other in columns, as many as fit: first with both values, then with the change."""
    arrow = f" {_PLAIN_ARROW if ascii_only else _ARROW} "
    shown = [shifts.rows[i] for i in rows]
    for line, row in enumerate(shown, top):
        if not row.parts and at + cell_len(UNCHANGED) <= grid.width:
            grid.put(line, at, UNCHANGED, palette.axis)
    whole = True
    for k in range(min(_MOST, max((len(row.parts) for row in shifts.rows), default=0))):
        # Of all rows, also those out of sight: columns do not move while the cursor does.
        column = [row.parts[k] for row in shifts.rows if len(row.parts) > k]
        name = min(_NAME, max(cell_len(part.name) for part in column))
        change = max(len(part.change) for part in column)
        before = max(len(places(part.before)) for part in column)
        after = max(len(places(part.after)) for part in column)
        both = before + len(arrow) + after + 1
        whole = whole and at + name + 1 + both + change <= grid.width
        wide = name + 1 + both * whole + change
        if at + wide > grid.width:
            return
        for line, row in enumerate(shown, top):
            if len(row.parts) > k:
                part = row.parts[k]
                values = f"{places(part.before):>{before}}{arrow}{places(part.after):>{after}} " if whole else ""
                grid.put(line, at, pad(crop(part.name, name, ascii_only), name), palette.text)
                grid.put(line, at + name + 1, values, palette.axis)
                grid.put(line, at + wide - change, f"{part.change:>{change}}", palette.strong)
        at += wide + 3
