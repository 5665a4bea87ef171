"""The part of the main screen that goes from sentence to sentence where one is shown at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.ui.screens.core import Core
from explorer.ui.state import State

if TYPE_CHECKING:
    from explorer.ui.widgets.pane import Pane
    from explorer.views.example_sources import Sentence


class Sentences(Core):
    """A screen that may show one sentence."""

    def action_example(self, by: int) -> None:
        """The next sentence of those that were found."""
        pane, key = self._asked, self.key_of("mode.example")
        if pane is None:
            self.tell(f"Sentences are shown one by one in Example: press {key} first.")
            return
        if pane.waiting and (self.typed_ahead or not _same_list(pane)):
            self.once_drawn(pane, lambda: self.action_example(by))
            return
        view = self._view
        if view is None:
            self.tell(f"No sentence is shown: {self.key_of('filter')} looks for others, an empty line for all.")
            return
        there = self.state.look.example if self.state.look.example >= 0 else view.data.focus.example
        at = view.found.index(there) + by if there in view.found else 0
        self.become(replace(self.state, look=replace(self.state.look, example=view.found[at % len(view.found)])))

    def pinned(self) -> State:
        """The state with the sentence that is shown, so that it stays while steps, layers and heads change."""
        view = self._view
        if view is None or self.state.look.example >= 0:
            return self.state
        return replace(self.state, look=replace(self.state.look, example=view.data.focus.example))

    def unpinned(self, act: Callable[[], None]) -> bool:
        """True where it is not known yet which sentence is to stay; the act then follows when it is."""
        pane = self._asked
        if pane is None or not pane.waiting or self.state.look.example >= 0:
            return False
        self.once_drawn(pane, act)
        return True

    @property
    def _asked(self) -> Pane | None:
        """The pane that was asked for a sentence."""
        return next((p for p in self.panes if p.wish is not None and p.wish.view == "example"), None)

    @property
    def _view(self) -> Sentence | None:
        """The view of one sentence that is on the screen."""
        return next((p.view for p in self.panes if hasattr(p.view, "found")), None)  # type: ignore[return-value]


def _same_list(pane: Pane) -> bool:
    """What is drawn is another one of the sentences that were asked for."""
    drawn, asked = (w and replace(w, look=replace(w.look, example=-1)) for w in (pane.answered, pane.wish))
    return drawn == asked
