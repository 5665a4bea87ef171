"""Two views side by side: which one stands beside the picture, and swapping them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.ui import beside, cursor_axes
from explorer.ui.parts.screen_part import ScreenPart

if TYPE_CHECKING:
    from explorer.ui.screens.main import MainScreen
    from explorer.ui.state import State


class TwoViews(ScreenPart):
    """Chooses the companion view."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.allowed = True
        """A view may stand beside the picture."""

    @property
    def companion(self) -> State | None:
        """The state as the view beside the picture shows it; None where there is no such view."""
        return None if self._alone() else beside.companion(self.screen.state)

    def cycle(self, by: int) -> None:
        """Show the next view beside the picture, and after the last one none."""
        screen = self.screen
        if self.companion is None and (why := self._alone()):
            screen.tell(why)
            return
        screen.become(beside.cycled(screen.state, by))
        name, there = beside.shown(screen.state), beside.possible(screen.state)
        at = f"{there.index(name) + 1} of {len(there)}, " if name else ""
        what = f"Beside it: {beside.title(self.companion)}" if self.companion else "Nothing stands beside it"
        screen.tell(f"{what} ({at}{screen.key_of('beside')} goes on)")

    def swap(self) -> None:
        """Make the view beside the picture, and the picture the view beside."""
        screen = self.screen
        if self.companion is None:
            screen.tell(self._alone() or f"Nothing stands beside it: {screen.key_of('beside')} brings a view there.")
            return
        swapped = beside.swapped(screen.state)
        if swapped is None:
            screen.tell(f"{beside.title(screen.state)} stands on the left only.")
            return
        screen.pictures.accompany()  # the cursor may have moved since
        if screen.other.view is not None and screen.other.picture is not None:
            swapped = cursor_axes.aligned(swapped, screen.state, screen.other.view)
        screen.become(swapped)

    def _alone(self) -> str:
        """Why nothing can stand beside the picture; empty where something can."""
        if not self.allowed:
            return "The setting 'beside' is off: one view at a time."
        if self.screen.has_class("-zoom"):
            return f"The picture stands alone: {self.screen.key_of('zoom')} brings everything back."
        if self.screen.size.width < beside.FROM:
            return f"Two views stand side by side from {beside.FROM} columns on; here are {self.screen.size.width}."
        return ""
