"""Keys typed ahead: deciding when each can be acted on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from explorer.ui.action import Action
from explorer.ui.key_queue import Gate, KeyQueue
from explorer.ui.parts.screen_part import ScreenPart

if TYPE_CHECKING:
    from textual import events

    from explorer.ui.screens.main import MainScreen


class Typing(ScreenPart):
    """Decides when a key can be acted on, and owns the queue of the keys that come too early."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self._by_key = {key: action for action in screen.actions for key in action.keys}
        self.queue: KeyQueue[events.Key | events.Paste | Action] = KeyQueue(self._gate, self._act)
        self.act: Callable[[events.Key | events.Paste | Action], Awaitable[bool]] | None = None
        """Function that acts on a key and returns whether the key may move the focus; set by the app."""

    def command(self, key: str) -> Action | None:
        """Return the action of a key; None if keys are for a widget, or are letters of jump labels."""
        commanding = self.screen.focused is self.screen.chart and self.screen.jumps.jump is None
        return self._by_key.get(key) if commanding else None

    def leads_out(self, key: str) -> bool:
        """Return whether a key may end typing into a widget; the meaning of the keys after it depends on that."""
        focused, prompt = self.screen.focused, self.screen.prompt
        if focused is self.screen.panel or self.screen.mode.leads_out(key):
            return True
        return focused is not None and focused.parent is prompt and key in prompt.ENDS

    async def _act(self, typed: events.Key | events.Paste | Action) -> bool:
        return self.act is not None and await self.act(typed)

    def _gate(self, typed: events.Key | events.Paste | Action) -> Gate:
        screen, key = self.screen, getattr(typed, "key", "")
        if screen.app.screen is not screen:  # the key before opened a list or dialog, which gets it
            return Gate.OPEN
        bound = typed if isinstance(typed, Action) else self._by_key.get(key)
        opening = screen.catalogue is None and not screen.pictures.refused
        if screen.prompt.opening or (opening and not (bound is not None and bound.storeless)):
            return Gate.SHUT
        action = typed if isinstance(typed, Action) else self.command(key)
        if action is None:
            return Gate.OPEN
        waits = action.waits == "picture" and screen.pane.waiting
        waits = waits or any(screen.modes[s.mode].holds(action, pane) for pane, s in screen.pictures.shown)
        return Gate.OPEN if not waits else Gate.SHUT if action.leads else Gate.PASSABLE
