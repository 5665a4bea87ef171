"""Cursors of states and of pictures: a state points at values (step 80, layer 3), a picture at places on its axes.

Two views so mean the same step, whatever other steps each of them has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.answers.look import END
from explorer.selection import at_or_before
from explorer.ui.modes import HEAD, LAYER
from explorer.ui.state import State
from explorer.views.base import NOWHERE, Cursor

if TYPE_CHECKING:
    from explorer.views.base import View

_AS_THEY_ARE = (NOWHERE.x, END)
"""No place and the last place: they are their own values, also when more steps come."""


def drawn(state: State, view: View) -> Cursor:
    """Return where a view draws the state's cursor: at its value, or at the nearest smaller one that the view has."""
    x, y = _axes(state, view)
    return Cursor(_place(x, state.cursor.x), _place(y, state.cursor.y))


def meant(state: State, view: View, at: Cursor) -> Cursor:
    """Return the values of a place in a view, as a state remembers them."""
    x, y = _axes(state, view)
    return Cursor(_value(x, at.x), _value(y, at.y))


def pointed(state: State, view: View, before: Cursor, now: Cursor) -> State:
    """Return the state with the cursor moved from one place in a view to another.

    A coordinate that has not moved keeps its value, also one that this view has not and draws elsewhere. Another layer
    or head is from then on the one that views of one layer or head show, until the user chooses another one there.
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
                look = state.look
                state = replace(
                    state, look=replace(look, layer=number) if name == LAYER else replace(look, head=number)
                )
    return state


def aligned(companion: State, state: State, view: View) -> State:
    """Return the state of a view beside the picture, with its cursor on the picture's layer where that shows one."""
    kind, layer, at = state.variant.kind, state.look.layer, companion.cursor
    if kind is None or "layer" not in kind.depends or LAYER in state.variant.meaning:
        return companion
    there = dict(zip(companion.variant.meaning, _axes(companion, view), strict=True)).get(LAYER, ())
    if layer is None or layer not in there:
        return companion
    return companion.pointing(Cursor(layer, at.y) if companion.variant.meaning[0] == LAYER else Cursor(at.x, layer))


def _axes(state: State, view: View) -> tuple[Sequence[int], Sequence[int]]:
    """Return the values along x and y of a view; empty where no other view shares them."""
    x, y = (view.places(name) if name else () for name in state.variant.meaning)
    return x, y


def _place(there: Sequence[int], value: int) -> int:
    return value if not there or value in _AS_THEY_ARE else at_or_before(there, value)


def _value(there: Sequence[int], place: int) -> int:
    return place if not there or place in _AS_THEY_ARE else there[min(place, len(there) - 1)]
