"""Jumping: labels over the picture and the panel, and the letters that are typed while they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.ui.jump import Jump, JumpPlace, along
from explorer.ui.parts.screen_part import ScreenPart
from explorer.views.base import Cursor

if TYPE_CHECKING:
    from textual import events

    from explorer.render.targets import Target
    from explorer.ui.screens.main import MainScreen


class Jumps(ScreenPart):
    """Labels every place that can be reached, and goes to the one that is typed."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.jump: Jump[JumpPlace] | None = None
        """The labels that are shown; None: none."""
        self._first: Target | None = None
        """The row or column of a map that was reached: the cells along it are labelled now."""

    def start(self) -> None:
        """Label all places."""
        spots = self._spots()
        if not spots:
            self.screen.tell("Nothing here can be jumped to.")
            return
        self._label(Jump.to(spots))
        self.screen.tell("Type the letters of the place to go to; escape stays.")

    def key(self, event: events.Key) -> None:
        """Take a key as a letter of a label, or as the end of jumping.

        Once a row (or column) of a map was reached, labels are an offer: other keys are commands again.
        """
        if self.jump is None:
            return
        offered, ends = self._first is not None and not self.jump.typed, event.key in ("escape", "enter")
        if offered and not ends and not self.jump.type(event.character or event.key).left:
            self._land()
            return
        event.stop()
        event.prevent_default()
        if self.check():
            return
        if event.key == "escape" or (offered and ends):
            self._land()
            return
        jump = self.jump.type(event.character or event.key)
        spot = jump.reached
        if spot is not None:
            half = self._first is None and not self.screen.state.variant.lines
            self._land()
            self._go(spot)
            if half and spot.target is not None:
                self._go_on_along(spot.target)
        elif jump.left:
            self._label(jump)
        else:
            said = jump.typed if event.is_printable else event.key
            self._land(f"No place is called '{said}': {self.screen.key_of('jump')} shows the letters again.")

    def check(self) -> bool:
        """End jumping when the labelled places have moved; True when that was so."""
        if self.jump is None or tuple(spot for _, spot in self.jump.places) == self._spots():
            return False
        self._land(f"The picture has changed: {self.screen.key_of('jump')} shows letters again.")
        return True

    def _land(self, word: str = "") -> None:
        self._first = None
        self._label(None)
        self.screen.tell(word)

    def _spots(self) -> tuple[JumpPlace, ...]:
        """Places that can be labelled now, the picture's first: their labels are the short ones."""
        chart, panel = self.screen.chart, self.screen.panel
        targets = chart.picture.targets if chart.picture is not None and chart.view is not None else ()
        there = [JumpPlace(t.x, t.y, t) for t in targets if t.x < chart.size.width and t.y < chart.size.height]
        if self._first is not None:
            return along(self._first, there)
        return (*there, *(JumpPlace(0, y) for y in (panel.places() if self.screen.surroundings.panel_open else ())))

    def _label(self, jump: Jump[JumpPlace] | None) -> None:
        self.jump = jump
        left = jump.left if jump is not None else ()
        for widget, of_panel in ((self.screen.chart, False), (self.screen.panel, True)):
            # At the right edge a label moves left rather than lose a letter.
            room = widget.size.width
            here = [(text, spot) for text, spot in left if (spot.target is None) == of_panel]
            widget.mark({(min(s.x, room - len(text)), s.y): text for text, s in here}, self.screen.palette.strong)

    def _go(self, spot: JumpPlace) -> None:
        picture, to = self.screen.picture, spot.target
        if to is None:
            self.screen.panel.take(spot.y)
        elif picture is not None:
            at = picture.cursor
            self.screen.pictures.point(Cursor(to.column if to.column >= 0 else at.x, to.row if to.row >= 0 else at.y))

    def _go_on_along(self, reached: Target) -> None:
        """Offer the other half of the way to a cell of a map."""
        self._first = reached
        spots = self._spots()
        if not spots:
            self._first = None
            return
        self._label(Jump.to(spots))
        here, there = ("row", "column") if reached.row >= 0 else ("column", "row")
        self.screen.tell(f"And the letters of the {there}, for a cell; escape stays in this {here}.")
