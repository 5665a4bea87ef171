"""Jumping: labels over the picture and the panel, and the letters that are typed to reach a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.ui.jump import Jump, JumpPlace, along
from explorer.ui.parts.screen_part import ScreenPart

if TYPE_CHECKING:
    from textual import events

    from explorer.render.targets import Target
    from explorer.ui.screens.main import MainScreen


class Jumps(ScreenPart):
    """Labels all places that can be reached, and goes to the one whose label is typed."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.jump: Jump[JumpPlace] | None = None
        """The labels that are shown; None if there are none."""
        self._first: Target | None = None
        """The row or column of a map that was reached; the cells along it are labelled now."""

    def start(self) -> None:
        """Label all places."""
        spots = self._spots()
        if not spots:
            self.screen.tell("There is no place to jump to.")
            return
        self._label(Jump.to(spots))
        self.screen.tell("Type the letters of the place to go to; escape cancels.")

    def key(self, event: events.Key) -> None:
        """Handle a key as a letter of a label, or as the end of jumping.

        After a row (or column) of a map was reached, labels are only an offer: other keys are commands again.
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
            self._land(f"No place has the letters '{said}': {self.screen.key_of('jump')} shows the letters again.")

    def check(self) -> bool:
        """End jumping if the labelled places have moved; return whether they have."""
        if self.jump is None or tuple(spot for _, spot in self.jump.places) == self._spots():
            return False
        self._land(f"The picture has changed: {self.screen.key_of('jump')} shows letters again.")
        return True

    def drop(self) -> None:
        """Take the labels away."""
        if self.jump is not None:
            self._land()

    def _land(self, word: str = "") -> None:
        self._first = None
        self._label(None)
        self.screen.tell(word)

    def _spots(self) -> tuple[JumpPlace, ...]:
        """Return the places that can be labelled now. Those of the picture come first, to get the short labels."""
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
            # At the right edge a label moves to the left, so that no letter is cut off.
            room = widget.size.width
            here = [(text, spot) for text, spot in left if (spot.target is None) == of_panel]
            widget.mark({(min(s.x, room - len(text)), s.y): text for text, s in here}, self.screen.palette.strong)

    def _go(self, spot: JumpPlace) -> None:
        picture, to = self.screen.picture, spot.target
        if to is None:
            self.screen.panel.take(spot.y)
        elif picture is not None:
            self.screen.pictures.point(picture.cursor.at(to))

    def _go_on_along(self, reached: Target) -> None:
        """Label the cells along the row or column of a map that was reached."""
        self._first = reached
        spots = self._spots()
        if not spots:
            self._first = None
            return
        self._label(Jump.to(spots))
        here, there = ("row", "column") if reached.row >= 0 else ("column", "row")
        self.screen.tell(f"For a cell, type the letters of its {there}; escape stays in this {here}.")
