"""A pane: a view with its title and subtitle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from explorer.ui import bars
from explorer.ui.cursor_axes import drawn
from explorer.ui.widgets.picture_box import PictureBox
from explorer.ui.widgets.text_lines import TextLines
from explorer.views.base import PLAIN

if TYPE_CHECKING:
    from explorer.render.palette import Palette
    from explorer.ui.state import State, Wish
    from explorer.views.base import Picture, View
    from explorer.views.spot import Spot


class Pane(Vertical):
    """Keeps the request for a view and its answer, and draws the view. The screen writes its notes and its reading."""

    DEFAULT_CSS = "Pane { width: 1fr; height: 1fr; }"

    def __init__(self, palette: Palette, place: int, *between: Widget, id: str, of: str = "") -> None:
        """
        Args:
            place: number of the pane for the data thread.
            between: widgets above the chart.
            of: prefix of the ids of its widgets.
        """
        super().__init__(id=id)
        self._palette, self._between = palette, between
        self.place = place
        self.chart = PictureBox(palette, id=f"{of}chart")
        self._heading, self._subheading = TextLines(id=f"{of}heading"), TextLines(id=f"{of}subheading")
        self.wish: Wish | None = None
        """The latest request for a view."""
        self.answered: Wish | None = None
        """The request that the picture, or the message in its place, answers."""
        self.late = False
        """Whether the answer takes so long that the screen says so."""
        self.missing = 0
        """Number of values of the picture that are not computed."""
        self.mark: Spot | None = None
        """The value that is marked; the readings of others say how far they are from it."""
        self.options = PLAIN
        """Options that the picture was drawn with."""
        self.word = ""
        """Message to show until the next change."""

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._subheading
        yield from self._between
        yield self.chart

    @property
    def view(self) -> View | None:
        """The view; None while a message is shown in its place."""
        return self.chart.view

    @property
    def picture(self) -> Picture | None:
        """The picture as last drawn; None while a message is shown in its place."""
        return self.chart.picture if self.view is not None else None

    @property
    def waiting(self) -> bool:
        """Whether the requested view is still being read; until then an earlier one is drawn."""
        return self.wish is not None and self.wish != self.answered

    def settled(self) -> None:
        """Mark the latest request as answered by the picture, or by the message in its place."""
        self.answered, self.late = self.wish, False

    @property
    def remarks(self) -> bars.Remarks:
        """Texts about the picture, for the lines below it."""
        if self.view is None or self.picture is None:
            return bars.Remarks(self.word, self.late, (), "")
        here = self.view.valued(self.picture.cursor, self.options) if self.mark is not None else None
        reading = bars.beside_mark(self.picture.reading, self.mark, here)
        return bars.Remarks(self.word, self.late, self.picture.notes, reading)

    def recolour(self, palette: Palette) -> None:
        """Draw with the colours of another palette."""
        self._palette = palette
        self.chart.recolour(palette)

    @property
    def about(self) -> tuple[str, ...]:
        """Title, subtitle and notes in full."""
        return (self.view.title, self.view.subtitle, *self.remarks.notes) if self.view is not None else ()

    def draw(self, view: View, state: State) -> None:
        """Draw a view with the cursor and the options of a state."""
        options = state.drawing
        if self.mark is not None:
            options = replace(options, mark=view.place_of(self.mark, options))
        self.options = options
        self.chart.draw(view, drawn(state, view), options)

    def say(self, words: str) -> None:
        """Show a message in place of the picture."""
        self.missing = 0
        self.chart.say(words)

    def title(self, named: str = "") -> None:
        """Write the lines above the picture.

        Args:
            named: title of the mode, if it must be shown here.
        """
        view, width = self.view, self.chart.size.width
        words = ": ".join(filter(None, (named, view.title))) if view else named
        self._heading.show([bars.heading(words, self._palette.strong, width)])
        self._subheading.show([bars.heading(view.subtitle if view else "", self._palette.axis, width)])
