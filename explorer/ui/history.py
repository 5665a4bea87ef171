"""Undo of the selection: what is shown of the store, not where the cursor is or how it is drawn."""

from __future__ import annotations

from dataclasses import replace

from explorer.ui.state import State

MOST = 200
_HOW = ("mode", "variants", "look", "cursors", "options", "beside")
"""Fields of a State that say how the selection is looked at."""


def about(state: State) -> State:
    """The selection alone: equal where two states show the same values."""
    plain = State()
    return replace(state, **{name: getattr(plain, name) for name in _HOW})


def taken(selection: State, state: State) -> State:
    """A selection in the mode, with the cursors and the way of drawing that a state has."""
    return replace(selection, **{name: getattr(state, name) for name in _HOW})


class History:
    """Selections before and after the one that is shown."""

    def __init__(self) -> None:
        self._past: list[State] = []
        self._future: list[State] = []

    def note(self, old: State, new: State) -> None:
        """A state was left for another by the user's hand; forgets what had been undone."""
        if about(old) != about(new):
            self._past = [*self._past[1 - MOST :], about(old)]
            self._future.clear()

    def back(self, state: State) -> State | None:
        """The state with the selection before; None at the beginning."""
        return self._step(state, self._past, self._future)

    def forth(self, state: State) -> State | None:
        """The state with the selection that was undone; None where nothing was."""
        return self._step(state, self._future, self._past)

    @staticmethod
    def _step(state: State, source: list[State], target: list[State]) -> State | None:
        if not source:
            return None
        target.append(about(state))
        return taken(source.pop(), state)
