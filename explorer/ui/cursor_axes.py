"""Convert cursors: a state points at values (step 80, layer 3), a picture points at places on its axes.

With values, the cursor means the same step in two views even if their other steps differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.answers.look import END
from explorer.ui.modes import HEAD, LAYER, STEP
from explorer.ui.state import State, looking
from explorer.views.base import NOWHERE, Cursor

if TYPE_CHECKING:
    from explorer.views.base import View

_AS_THEY_ARE = (NOWHERE.x, END)
"""No place, and the last place. They are stored unchanged: the last place stays the last when steps are added."""


def drawn(state: State, view: View) -> Cursor:
    """Return the place where a view draws the state's cursor: at its value, or at the view's next smaller value."""
    x, y = _axes(state, view)
    return Cursor(_place(x, state.cursor.x), _place(y, state.cursor.y))


def meant(state: State, view: View, at: Cursor) -> Cursor:
    """Return the values at a place of a view, as a state stores them."""
    x, y = _axes(state, view)
    return Cursor(_value(x, at.x), _value(y, at.y))


def known(state: State, view: View, at: Cursor) -> dict[str, int]:
    """Return the step, layer and head at a place of a view; of those that are no axis of it, what is looked at."""
    look = state.look
    found = {STEP: look.step if look.step != END else None, LAYER: look.layer, HEAD: look.head or None}
    for name, there, place in zip(state.variant.meaning, _axes(state, view), (at.x, at.y), strict=True):
        if name and there and place >= 0:
            found[name] = there[min(place, len(there) - 1)]
    return {name: number for name, number in found.items() if number is not None}


def pointed(state: State, view: View, before: Cursor, now: Cursor) -> State:
    """Return the state with the cursor moved from one place in a view to another.

    A coordinate that did not move keeps its value, even if this view does not have the value and draws the cursor
    elsewhere. If the cursor moves to another layer or head, views of a single layer or head show that one from then on,
    until the user chooses another one there.
    """
    old, new = state.cursor, meant(state, view, now)
    moved = before.x != now.x, before.y != now.y
    state = state.pointing(Cursor(new.x if moved[0] else old.x, new.y if moved[1] else old.y))
    for name, there, at, other in zip(
        state.variant.meaning, _axes(state, view), (now.x, now.y), (before.x, before.y), strict=True
    ):
        if name in (LAYER, HEAD) and there and at >= 0:
            number = there[min(at, len(there) - 1)]
            if other < 0 or number != there[min(other, len(there) - 1)]:
                state = replace(state, look=looking(state.look, name, number))
    return state


def aligned(companion: State, state: State, view: View) -> State:
    """Return the state of the second view, with its cursor on the picture's layer if the picture shows a single one."""
    kind, layer, at = state.variant.kind, state.look.layer, companion.cursor
    if kind is None or "layer" not in kind.depends or LAYER in state.variant.meaning:
        return companion
    there = dict(zip(companion.variant.meaning, _axes(companion, view), strict=True)).get(LAYER, ())
    if layer is None or layer not in there:
        return companion
    return companion.pointing(Cursor(layer, at.y) if companion.variant.meaning[0] == LAYER else Cursor(at.x, layer))


def _axes(state: State, view: View) -> tuple[Sequence[int], Sequence[int]]:
    """Return the values along x and y of a view; an axis that no other view shares has none."""
    x, y = (view.places(name) if name else () for name in state.variant.meaning)
    return x, y


def _place(there: Sequence[int], value: int) -> int:
    """Return the place of a value, else of the next smaller one, else of the smallest; values may be in any order."""
    if not there or value in _AS_THEY_ARE:
        return value
    return there.index(max((other for other in there if other <= value), default=min(there)))


def _value(there: Sequence[int], place: int) -> int:
    return place if not there or place in _AS_THEY_ARE else there[min(place, len(there) - 1)]
