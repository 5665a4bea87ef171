"""Marking one value: readings elsewhere say how far other values are from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.ui.parts.screen_part import ScreenPart

if TYPE_CHECKING:
    from explorer.views.spot import Spot


class Marking(ScreenPart):
    """Marks the value that is pointed at, and takes the mark away."""

    def switch(self) -> None:
        """Mark the value under the cursor; if one is marked, take the mark away."""
        screen = self.screen
        if screen.pane.mark is not None:
            self._mark(None)
            screen.tell("The mark is gone.")
            return
        view, picture = screen.pane.view, screen.picture
        spot = view.valued(picture.cursor, screen.pane.options) if view is not None and picture is not None else None
        if spot is None:
            screen.tell("No single value is pointed at: lines (up, down), maps, rows and tokens have one.")
            return
        self._mark(spot)
        screen.tell(f"{spot.said} is marked: readings say how far other values are from it")

    def _mark(self, spot: Spot | None) -> None:
        for pane in (self.screen.pane, self.screen.other):
            pane.mark = spot
        self.screen.pictures.show()
