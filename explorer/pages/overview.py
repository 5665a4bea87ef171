"""Overview: what a store says about a selection, in sentences, each with the picture that shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from explorer.answers import overview as answers
from explorer.answers.findings import COLUMNS, Finding, Findings, Price, said
from explorer.answers.rows import Rows
from explorer.render import signs
from explorer.render.axes import count
from explorer.render.cells import Grid
from explorer.render.palette import Palette
from explorer.render.small_bars import SmallBars
from explorer.render.targets import Target
from explorer.render.text import clean, crop, pad
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Picture

NO_PRICES: Mapping[Price, str] = {}
_WIDEST = 28
"""Largest width of a subject, in cells."""
_MARKS, _GAP = 4, 2
"""Width of the marks before a row, and of the gaps between its columns."""


@dataclass(frozen=True)
class _Line:
    """One line of the screen: a heading, or a line of a finding's text."""

    row: int
    """Number of the finding; -1 for a heading or an empty line."""
    subject: str = ""
    bars: str = ""
    text: str = ""
    begins: bool = False


@dataclass(frozen=True)
class _Columns:
    """Columns of the rows, after their marks."""

    subject: int
    """Width of the subjects."""
    layers: SmallBars | None
    """Bars by layer; None: there are none."""

    @property
    def bars(self) -> int:
        """First cell of the bars."""
        return _MARKS + self.subject + _GAP

    @property
    def text(self) -> int:
        """First cell of the sentences."""
        return self.bars if self.layers is None else self.bars + self.layers.width + _GAP


class Overview(Base):
    """y is the finding, counted from the top; x does nothing."""

    name = "overview"

    def __init__(
        self,
        rows: Rows,
        data: Findings,
        before: tuple[Finding, ...] = (),
        prices: Mapping[Price, str] = NO_PRICES,
    ) -> None:
        """
        Args:
            before: findings to show first, which are not of the store.
            prices: prices in words, where more is known of them than the number of values.
        """
        self._prices = prices
        self.data, self.stored, self._rows = data, rows, rows
        self._before, self._findings = before, (*before, *data.findings)
        tasks = ", ".join(rows.tasks[:3]) + (f" and {len(rows.tasks) - 3} more" if rows.tasks[3:] else "")
        self.title = words.title(rows, tasks, "overview")
        self.subtitle = words.subtitle(rows, rows.main)
        self.empty = not self._findings
        self.notes = self._notes(rows)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead("The selection has no value.", width, height, palette, self.notes)
        findings = self._findings
        at = Cursor(-1, cursor.clamped(1, len(findings)).y)
        columns = self._columns(width)
        lines = list(self._lines(width, options.ascii))
        page, number, many = _page(lines, max(1, height), at.y)
        grid = Grid(width, height)
        targets = []
        for i, line in enumerate(page):
            self._put(grid, i, line, columns, palette, options.ascii, line.row == at.y >= 0)
            if line.begins:
                targets.append(Target(0, i, row=line.row))
        reading = clean(self._read(findings[at.y])) if at.y >= 0 else ""
        reading = _plain(reading) if options.ascii else reading
        turned = (f"page {number} of {many}",) if many > 1 else ()
        return Picture(tuple(grid.lines()), reading, at, (*turned, *self.notes), tuple(targets))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row per number; a finding without numbers has one row."""
        return COLUMNS, self.data.rows()

    def lines_needed(self, width: int) -> int:
        """See ``View.lines_needed``."""
        return sum(1 for _ in self._lines(width, False))

    def finding(self, y: int) -> Finding | None:
        """Return the finding of a row; None if there is none."""
        return self._findings[y] if 0 <= y < len(self._findings) else None

    def row_of(self, finding: Finding, near: int) -> int:
        """Return the row of a finding that another overview of the same selection had in a row ``near`` it.

        Findings are the same if all but their sentences, numbers and prices are; without the finding, ``near`` itself.
        """
        rows = [y for y, one in enumerate(self._findings) if _about(one) == _about(finding)]
        return min(rows, key=lambda y: abs(y - near), default=near)

    def after(self, before: tuple[Finding, ...], prices: Mapping[Price, str]) -> Overview:
        """Return the view with other findings before those of the store, and prices in words."""
        same = before == self._before and prices == self._prices
        return self if same else Overview(self._rows, self.data, before, prices)

    def _columns(self, width: int) -> _Columns:
        longest = max(len(clean(f.subject)) for f in self._findings)
        subject = min(_WIDEST, width // 4, longest)
        layers = [layer for f in self._findings for layer, _ in f.layers] if width >= 80 else []
        return _Columns(subject, SmallBars(min(layers), max(layers)) if layers else None)

    def _lines(self, width: int, plain: bool) -> Iterator[_Line]:
        columns, topic = self._columns(width), ""
        for i, finding in enumerate(self._findings):
            bars = "" if columns.layers is None else columns.layers.row(finding.layers, plain)
            if finding.topic != topic:
                if topic:
                    yield _Line(-1)
                topic = finding.topic
                named = "" if columns.layers is None or not finding.layers else columns.layers.name
                yield _Line(-1, subject=topic[:1].upper() + topic[1:], bars=named)
            text = _plain(clean(finding.text)) if plain else clean(finding.text)
            for j, part in enumerate(textwrap.wrap(text, max(10, width - columns.text)) or [""]):
                yield _Line(i, clean(finding.subject) if not j else "", bars if not j else "", part, not j)

    def _put(
        self, grid: Grid, row: int, line: _Line, columns: _Columns, palette: Palette, plain: bool, pointed: bool
    ) -> None:
        width, findings = grid.width, self._findings
        if line.row < 0:
            grid.put(row, 1, crop(line.subject, width - 1, plain), palette.strong)
            if 1 + len(line.subject) < columns.bars:
                grid.put(row, columns.bars, line.bars, palette.axis)
            return
        warned = findings[line.row].warning
        if line.begins:
            mark = (">" if plain else "▸") if pointed else "!" if warned else " "
            grid.put(row, 1, mark, palette.strong if pointed else palette.warning)
        if pointed and warned and line.begins:
            grid.put(row, 2, "!", palette.warning)
        subject = pad(crop(line.subject, columns.subject, plain), columns.subject)
        grid.put(row, _MARKS, subject, palette.strong if pointed else palette.axis)
        grid.put(row, columns.bars, line.bars, palette.line(0.6))
        style = palette.strong if pointed else palette.warning if warned else palette.text
        grid.put(row, columns.text, crop(line.text, width - columns.text, plain), style)

    def _read(self, finding: Finding) -> str:
        price = finding.price
        then = "enter opens its picture"
        if price:
            then = f"enter computes {self._prices.get(price, f'{count(price.values)} values')}"
        return f"{then}; {said(finding)}" if price or finding.door else said(finding)

    def _notes(self, rows: Rows) -> tuple[str, ...]:
        data, notes = self.data, [*words.notes(rows, rows.main)]
        if not data.whole:
            notes.append("reading the other measures …")
        if data.left_out:
            notes.append(f"{count(data.left_out)} more tasks are not described: choose them in the panel")
        notes += words.on_noise(rows.measure, rows.main)
        return tuple(map(clean, notes))


def overview(found: Rows, findings: Findings | None = None) -> Overview:
    """Return the view of all findings, or of those of the chosen measure while the others are being read."""
    return Overview(found, answers.first(found) if findings is None else findings)


def _plain(text: str) -> str:
    """Return a text with only characters that every font has; from ... to is no comparison."""
    return signs.plain(text.replace("→", "->"))


def _about(finding: Finding) -> tuple[object, ...]:
    return finding.topic, finding.subject, finding.door


def _page(lines: Sequence[_Line], height: int, row: int) -> tuple[Sequence[_Line], int, int]:
    """Return the page that holds a finding whole, its number from 1, and the number of pages.

    Each page begins with the heading of its first finding.
    """
    pages: list[list[_Line]] = [[]]
    heading = _Line(-1)
    for block in _blocks(lines):
        heading = next((line for line in block if line.row < 0 and line.subject), heading)
        if pages[-1] and len(pages[-1]) + len(block) > height:
            pages.append([])
        if not pages[-1]:
            block = [line for line in block if line.row >= 0]
            block = [heading, *block] if height > len(block) else block
        pages[-1] += block
    at = next((i for i, page in enumerate(pages) if any(line.row == max(0, row) for line in page)), 0)
    return pages[at][:height], at + 1, len(pages)


def _blocks(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Yield the lines of each finding, with the heading before them."""
    block: list[_Line] = []
    for line in lines:
        if block and block[-1].row >= 0 and (line.begins or line.row < 0):
            yield block
            block = []
        block.append(line)
    yield block
