"""Undo and redo of the selection. Cursors and drawing options are not part of it."""

from __future__ import annotations

from dataclasses import replace

from explorer.ui.state import State

MOST = 200
_HOW = ("mode", "variants", "look", "cursors", "options", "beside")
"""Fields of a State that are not part of the selection."""


def about(state: State) -> State:
    """Return a state with only the selection; it is equal for all states that show the same values."""
    plain = State()
    return replace(state, **{name: getattr(plain, name) for name in _HOW})


def taken(selection: State, state: State) -> State:
    """Return the data fields of ``selection`` with the view fields of ``state``."""
    return replace(selection, **{name: getattr(state, name) for name in _HOW})


class SelectionHistory:
    """Keeps the earlier selections, and the selections that were undone."""

    def __init__(self) -> None:
        self._past: list[State] = []
        self._future: list[State] = []

    def note(self, old: State, new: State) -> None:
        """Record a change of the state by the user; forget the selections that were undone."""
        if about(old) != about(new):
            self._past = [*self._past[1 - MOST :], about(old)]
            self._future.clear()

    def back(self, state: State) -> State | None:
        """Return the state with the previous selection; None if there is none."""
        return self._step(state, self._past, self._future)

    def forth(self, state: State) -> State | None:
        """Return the state with the selection that was undone last; None if none was."""
        return self._step(state, self._future, self._past)

    @staticmethod
    def _step(state: State, source: list[State], target: list[State]) -> State | None:
        if not source:
            return None
        target.append(about(state))
        return taken(source.pop(), state)
