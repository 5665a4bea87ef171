"""The widget of a picture: it draws a view at its own size, or shows a message in place of the view."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.message import Message

from explorer.ui.widgets.text_lines import SegmentLine, TextLines, over
from explorer.views.base import Cursor, DrawOptions

if TYPE_CHECKING:
    from explorer.render.palette import Palette
    from explorer.views.base import Picture, View


MARK = "M"
"""Sign of the marked value."""


class PictureBox(TextLines, can_focus=True):
    """Draws a view, and draws it again when the data, the size, the cursor or the options change."""

    DEFAULT_CSS = "PictureBox { height: 1fr; }"

    class Drawn(Message):
        """A picture was drawn."""

        def __init__(self, picture: Picture) -> None:
            super().__init__()
            self.picture = picture

    class Turned(Message):
        """The wheel was turned over the picture: by 1 downwards, by -1 upwards."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._view: View | None = None
        self._words = ""
        self.picture: Picture | None = None
        """The picture that was drawn last."""
        self._cursor, self._options = Cursor(), DrawOptions()

    @property
    def view(self) -> View | None:
        """The view; None while a message is shown in its place."""
        return self._view

    def draw(self, view: View, cursor: Cursor, options: DrawOptions) -> None:
        """Draw a view."""
        self._view, self._cursor, self._options = view, cursor, options
        self._paint()

    def say(self, words: str) -> None:
        """Show a message in place of the picture."""
        self._view, self._words = None, words
        self._paint()

    def recolour(self, palette: Palette) -> None:
        """Draw with the colours of another palette."""
        self._palette = palette
        self._paint()

    def on_resize(self) -> None:
        super().on_resize()
        self._paint()

    def on_mouse_scroll_down(self) -> None:
        self.post_message(self.Turned(1))

    def on_mouse_scroll_up(self) -> None:
        self.post_message(self.Turned(-1))

    def _paint(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        if self._view is None:
            self.show(centred(self._words, width, height, self._palette.text))
            return
        try:
            picture = self._view.draw(width, height, self._palette, self._cursor, self._options)
        except Exception as error:  # an error in one view must not end the app
            self.picture = None
            words = f"This view could not be drawn ({type(error).__name__}: {error}). The others still work."
            self.show(centred(words, width, height, self._palette.warning))
            return
        self.picture = picture
        lines = list(picture.lines)
        if picture.marked is not None:
            x, y = picture.marked
            lines[y] = over(lines[y], [(x, Segment(MARK, self._palette.strong + Style(reverse=True)))])
        self.show(lines)
        self.post_message(self.Drawn(picture))


def centred(words: str, width: int, height: int, style: Style) -> list[SegmentLine]:
    """Return lines with a text in the middle of a field, wrapped to at most 72 cells."""
    room = max(1, min(72, width - 4))
    wrapped = [line for part in words.split("\n") for line in (textwrap.wrap(part, room) or [""])][:height]
    top = max(0, (height - len(wrapped)) // 2)
    left = max(0, (width - room) // 2)
    return [*([] for _ in range(top)), *([Segment(" " * left), Segment(line, style)] for line in wrapped)]
