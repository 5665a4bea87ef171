"""Undo of the selection; cursors and drawing options are not part of it."""

from __future__ import annotations

from dataclasses import replace

from explorer.ui.state import State

MOST = 200
_HOW = ("mode", "variants", "look", "cursors", "options", "beside")
"""Fields of a State that are not part of the selection."""


def about(state: State) -> State:
    """Return the selection alone: equal for two states of the same values."""
    plain = State()
    return replace(state, **{name: getattr(plain, name) for name in _HOW})


def taken(selection: State, state: State) -> State:
    """Return the data fields of ``selection`` with the view fields of ``state``."""
    return replace(selection, **{name: getattr(state, name) for name in _HOW})


class SelectionHistory:
    """Keeps the selections before and after the one that is shown."""

    def __init__(self) -> None:
        self._past: list[State] = []
        self._future: list[State] = []

    def note(self, old: State, new: State) -> None:
        """Note that the user left a state for another one; forget what had been undone."""
        if about(old) != about(new):
            self._past = [*self._past[1 - MOST :], about(old)]
            self._future.clear()

    def back(self, state: State) -> State | None:
        """Return the state with the selection before; None at the beginning."""
        return self._step(state, self._past, self._future)

    def forth(self, state: State) -> State | None:
        """Return the state with the selection that was undone; None where nothing was."""
        return self._step(state, self._future, self._past)

    @staticmethod
    def _step(state: State, source: list[State], target: list[State]) -> State | None:
        if not source:
            return None
        target.append(about(state))
        return taken(source.pop(), state)
