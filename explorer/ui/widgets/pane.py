"""A view with its words: the title, in which definition and on how much, and the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from explorer.ui import bars
from explorer.ui.places import drawn
from explorer.ui.widgets.chart import Chart
from explorer.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from explorer.render.palette import Palette
    from explorer.ui.state import State, Wish
    from explorer.views.base import Picture, View


class Pane(Vertical):
    """What was asked for here, what came, and how it was drawn. Its notes and reading are for the screen to write."""

    DEFAULT_CSS = "Pane { width: 1fr; height: 1fr; }"

    def __init__(self, palette: Palette, place: int, *between: Widget, id: str, of: str = "") -> None:
        """``place``: the data thread's; ``between`` stands over the chart; ``of`` begins the names of its parts."""
        super().__init__(id=id)
        self._palette, self._between = palette, between
        self.place = place
        self.chart = Chart(palette, id=f"{of}chart")
        self._heading, self._subheading = Lines(id=f"{of}heading"), Lines(id=f"{of}subheading")
        self.wish: Wish | None = None
        """What was asked of the data thread last."""
        self.answered: Wish | None = None
        """The wish that what is shown answers, be it with words."""
        self.late = False
        """The answer takes so long that the screen says so."""
        self.missing = 0
        """Values of what is shown that nobody has computed yet."""
        self.word = ""
        """The last thing to tell that is in no picture; gone with the next change."""

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._subheading
        yield from self._between
        yield self.chart

    @property
    def view(self) -> View | None:
        """What is drawn; None while words stand in its place."""
        return self.chart.view

    @property
    def picture(self) -> Picture | None:
        """How it was drawn last; None while words stand in its place."""
        return self.chart.picture if self.view is not None else None

    @property
    def waiting(self) -> bool:
        """What was asked for is still being read; what is drawn is of before."""
        return self.wish is not None and self.wish != self.answered

    def settled(self) -> None:
        """Take what is shown for the answer."""
        self.answered, self.late = self.wish, False

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the picture must know."""
        return self.picture.notes if self.picture is not None else ()

    @property
    def reading(self) -> str:
        """What the cursor points at."""
        return self.picture.reading if self.picture is not None else ""

    def recolour(self, palette: Palette) -> None:
        """Draw with other colours."""
        self._palette = palette
        self.chart.recolour(palette)

    @property
    def about(self) -> tuple[str, ...]:
        """All that is said of what is drawn, in full: title, subtitle, notes."""
        return (self.view.title, self.view.subtitle, *self.notes) if self.view is not None else ()

    def draw(self, view: View, state: State) -> None:
        """Draw a view with the cursor and the options of a state."""
        self.chart.draw(view, drawn(state, view), state.options)

    def say(self, words: str) -> None:
        """Words in the picture's place."""
        self.missing = 0
        self.chart.say(words)

    def title(self, named: str = "") -> None:
        """Write the lines above the picture; ``named``: what kind of view it is, where the footer does not say so."""
        view, width = self.view, self.chart.size.width
        words = ": ".join(filter(None, (named, view.title))) if view else named
        self._heading.show([bars.heading(words, self._palette.strong, width)])
        self._subheading.show([bars.heading(view.subtitle if view else "", self._palette.axis, width)])
