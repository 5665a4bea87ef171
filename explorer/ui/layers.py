"""The layer that is pointed at: the same for views that show all layers and for those that show one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.ui.modes import LAYER
from explorer.ui.state import State
from explorer.views.base import NOWHERE, Cursor

if TYPE_CHECKING:
    from explorer.views.base import View


def pointed(state: State, view: View | None, drawn: Cursor, cursor: Cursor) -> State:
    """The state with the cursor moved from where it was drawn in a view.

    Another layer is from then on the one that views of one layer show, until the user chooses another one there.
    """
    before, now = (_layer(state, view, at) for at in (drawn, cursor))
    state = state.pointing(cursor)
    if now is None or now == before:
        return state
    return replace(state, look=replace(state.look, layer=now))


def aligned(companion: State, state: State, view: View) -> State:
    """The state of a view beside the picture; its cursor is on the picture's layer, where that shows one alone."""
    kind, there, layer = state.variant.kind, _layers(companion, view), state.look.layer
    if kind is None or "layer" not in kind.depends or LAYER in state.variant.meaning or layer not in there:
        return companion
    at, place = companion.cursor, there.index(layer)
    return companion.pointing(Cursor(place, at.y) if companion.variant.meaning[0] == LAYER else Cursor(at.x, place))


def _layer(state: State, view: View | None, at: Cursor) -> int | None:
    """Number of the layer at a cursor; None where it points at none."""
    there = () if view is None else _layers(state, view)
    place = next((i for name, i in zip(state.variant.meaning, (at.x, at.y), strict=True) if name == LAYER), NOWHERE.y)
    return there[min(place, len(there) - 1)] if there and place >= 0 else None


def _layers(state: State, view: View) -> tuple[int, ...]:
    """Numbers of the layers along an axis of a view."""
    return tuple(getattr(view, "layers", ())) if LAYER in state.variant.meaning else ()
