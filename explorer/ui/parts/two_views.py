"""Two views side by side: choosing the second view, and swapping both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.ui import beside, cursor_axes
from explorer.ui.parts.screen_part import ScreenPart

if TYPE_CHECKING:
    from explorer.ui.screens.main import MainScreen
    from explorer.ui.state import State


class TwoViews(ScreenPart):
    """Chooses the second view, which is shown beside the picture."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.allowed = True
        """Whether there may be a second view (a setting of the user)."""

    @property
    def companion(self) -> State | None:
        """State of the second view; None if there is none."""
        return None if self._alone() else beside.companion(self.screen.state)

    def cycle(self, by: int) -> None:
        """Show the next second view; after the last one, none."""
        screen = self.screen
        if self.companion is None and (why := self._alone()):
            screen.tell(why)
            return
        screen.become(beside.cycled(screen.state, by))
        name, there = beside.shown(screen.state), beside.possible(screen.state)
        at = f"{there.index(name) + 1} of {len(there)}, " if name else ""
        what = f"Second view: {beside.title(self.companion)}" if self.companion else "No second view"
        screen.tell(f"{what} ({at}{screen.key_of('beside')}: next)")

    def swap(self) -> None:
        """Swap the picture and the second view."""
        screen = self.screen
        if self.companion is None:
            screen.tell(self._alone() or f"There is no second view: {screen.key_of('beside')} shows one.")
            return
        swapped = beside.swapped(screen.state)
        if swapped is None:
            screen.tell(f"{beside.title(screen.state)} cannot be the second view.")
            return
        screen.pictures.accompany()  # the cursor may have moved since
        if screen.other.view is not None and screen.other.picture is not None:
            swapped = cursor_axes.aligned(swapped, screen.state, screen.other.view)
        screen.become(swapped)

    def _alone(self) -> str:
        """Return why there cannot be a second view; empty if there can."""
        if not self.allowed:
            return "The setting 'beside' is off: one view at a time."
        if self.screen.has_class("-zoom"):
            return f"Only the picture is shown: {self.screen.key_of('zoom')} shows everything again."
        if self.screen.size.width < beside.FROM:
            return f"Two views need {beside.FROM} columns; the screen has {self.screen.size.width}."
        return ""
