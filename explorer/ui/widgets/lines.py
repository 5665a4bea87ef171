"""Widgets that show ready-made lines and repaint only the cells that changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.render.signs import plain
from explorer.ui.widgets.spans import changed

SegmentLine = list[Segment]
PLAIN = "-ascii"
"""Class of an app that writes plain characters only."""


class Lines(Widget):
    """Some lines of segments, as wide and as high as the widget; what is missing is blank."""

    DEFAULT_CSS = "Lines { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[SegmentLine] = []
        self._strips: dict[int, Strip] = {}

    def show(self, lines: Sequence[SegmentLine]) -> None:
        """Replace the lines; cells that stay the same send nothing."""
        old, self._lines = self._lines, [list(line) for line in lines]
        self._strips.clear()
        width, height = self.size
        if not width or not height:
            return
        regions = []
        for y in range(height):
            before, after = (self._fitted(ls[y] if y < len(ls) else [], width) for ls in (old, self._lines))
            if before != after:
                regions += [Region(start, y, stop - start, 1) for start, stop in changed(before, after)]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One line, from the cache; never raises, since an exception here would end the app."""
        strip = self._strips.get(y)
        if strip is None:
            line = self._lines[y] if y < len(self._lines) else []
            strip = self._strips[y] = Strip(self._fitted(line, self.size.width), self.size.width)
        return strip

    def on_resize(self) -> None:
        self._strips.clear()

    def anew(self) -> None:
        """Paint everything again: which characters may be used has changed."""
        self._strips.clear()
        self.refresh()

    def _fitted(self, line: SegmentLine, width: int) -> SegmentLine:
        if self.app.has_class(PLAIN):
            line = [Segment(plain(text), style, control) for text, style, control in line]
        return _fitted(line, width)


def _fitted(line: SegmentLine, width: int) -> SegmentLine:
    return Segment.adjust_line_length(line, width, style=Style())


def spread(left: SegmentLine, right: SegmentLine, width: int) -> SegmentLine:
    """Two pieces at the ends of a line; the left one gives way."""
    taken = Segment.get_line_length(right)
    return [*_fitted(left, max(0, width - taken)), *right]
