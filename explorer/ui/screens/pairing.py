"""The part of the main screen that puts a second view beside the picture."""

from __future__ import annotations

from explorer.ui import beside, places
from explorer.ui.screens.keeping import Keeping


class Pairing(Keeping):
    """A screen with room for two."""

    def action_beside(self, by: int) -> None:
        """The next thing to stand beside the picture, and after the last one nothing."""
        if self.companion is None and (why := self._alone()):
            self.tell(why)
            return
        self.become(beside.cycled(self.state, by))
        name, there = beside.shown(self.state), beside.possible(self.state)
        at = f"{there.index(name) + 1} of {len(there)}, " if name else ""
        what = f"Beside it: {beside.title(self.companion)}" if self.companion else "Nothing stands beside it"
        self.tell(f"{what} ({at}{self.key_of('beside')} goes on)")

    def action_swap(self) -> None:
        """The view beside becomes the picture, and the picture stands beside it."""
        if self.companion is None:
            self.tell(self._alone() or f"Nothing stands beside it: {self.key_of('beside')} brings a view there.")
            return
        swapped = beside.swapped(self.state)
        if swapped is None:
            self.tell(f"{beside.title(self.state)} stands on the left only.")
            return
        self.accompany()  # where the cursor is now
        view, drawn = self.other.view, self.other.picture
        if view is not None and drawn is not None:
            swapped = places.aligned(swapped, self.state, view)
        self.become(swapped)

    def _alone(self) -> str:
        """Why nothing can stand beside the picture; empty where something can."""
        if not self.pairs:
            return "The setting 'beside' is off: one view at a time."
        if self.has_class("-zoom"):
            return f"The picture stands alone: {self.key_of('zoom')} brings everything back."
        if self.size.width < beside.FROM:
            return f"Two views stand side by side from {beside.FROM} columns on; here are {self.size.width}."
        return ""
