"""Widgets that show ready-made lines and repaint only the cells that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.render.printable import may_be_obeyed
from explorer.render.signs import plain
from explorer.render.text import clean
from explorer.ui.widgets.spans import changed

SegmentLine = list[Segment]
PLAIN = "-ascii"
"""Class of an app that writes plain characters only."""


class TextLines(Widget):
    """Lines of segments, as wide and as high as the widget; missing lines are blank."""

    DEFAULT_CSS = "TextLines { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[SegmentLine] = []
        self._strips: dict[int, Strip] = {}
        self._marks: dict[tuple[int, int], Segment] = {}

    def show(self, lines: Sequence[SegmentLine]) -> None:
        """Replace the lines; only changed cells are painted."""
        self._change([list(line) for line in lines], self._marks)

    def mark(self, texts: Mapping[tuple[int, int], str], style: Style) -> None:
        """Write short texts in reverse over the lines, in place of earlier ones.

        Args:
            texts: texts by the column and the line of their first cell.
        """
        style += Style(reverse=True)
        self._change(self._lines, {place: Segment(text, style) for place, text in texts.items()})

    def _change(self, lines: list[SegmentLine], marks: dict[tuple[int, int], Segment]) -> None:
        width, height = self.size
        old = [self._drawn(y, width) for y in range(height)]
        self._lines, self._marks = lines, marks
        self._strips.clear()
        if not width or not height:
            return
        regions = []
        for y, before in enumerate(old):
            after = self._drawn(y, width)
            if before != after:
                regions += [Region(start, y, stop - start, 1) for start, stop in changed(before, after)]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Return one line, from the cache. Never raises: an exception here would end the app."""
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = Strip(self._drawn(y, self.size.width), self.size.width)
        return strip

    def on_resize(self) -> None:
        self._strips.clear()

    def repaint(self) -> None:
        """Paint everything again, because other characters are used now."""
        self._strips.clear()
        self.refresh()

    def _drawn(self, y: int, width: int) -> SegmentLine:
        line = self._fitted(self._lines[y] if y < len(self._lines) else [], width)
        here = sorted((x, mark) for (x, row), mark in self._marks.items() if row == y)
        return over(line, here) if here else line

    def _fitted(self, line: SegmentLine, width: int) -> SegmentLine:
        if any(may_be_obeyed(text) for text, _, _ in line):
            line = [Segment(clean(text), style, control) for text, style, control in line]
        if self.app.has_class(PLAIN):
            line = [Segment(plain(text), style, control) for text, style, control in line]
        return _fitted(line, width)


def _fitted(line: SegmentLine, width: int) -> SegmentLine:
    return Segment.adjust_line_length(line, width, style=Style())


def over(line: SegmentLine, marks: Sequence[tuple[int, Segment]]) -> SegmentLine:
    """Return a line with texts written over its cells.

    Args:
        marks: first cell and text of each, from left to right, without overlap.
    """
    strip, done, parts = Strip(line), 0, []
    for x, mark in marks:
        parts += [*strip.crop(done, x), mark]
        done = x + mark.cell_length
    return [*parts, *strip.crop(done, None)]


def spread(left: SegmentLine, right: SegmentLine, width: int) -> SegmentLine:
    """Return a line with two pieces at its ends; the left piece is cut if both do not fit."""
    taken = Segment.get_line_length(right)
    return [*_fitted(left, max(0, width - taken)), *right]


def abreast(left: SegmentLine, right: SegmentLine, at: int, width: int) -> SegmentLine:
    """Return a line with two pieces, the right one from column ``at`` on; text that does not fit is cut."""
    return [*_fitted(left, at), *_fitted(right, max(0, width - at))]
