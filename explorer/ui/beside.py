"""The second view shown on wide terminals: from the state to the state of that view. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from explorer.ui.modes import MODES, Variant
from explorer.ui.state import State

FROM = 200
"""Columns from which two views stand side by side: beside the panel each has 85 then, enough for curves and maps."""
NOTHING = ""


@dataclass(frozen=True)
class CompanionView:
    """A view that can stand beside another one."""

    mode: str
    ways: tuple[int, ...] = (0,)
    """Variants of the mode; of several the one with the same part as the picture is shown."""

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Variants that it can show."""
        return tuple(MODES[self.mode].variants[way] for way in self.ways)

    def way(self, part: str) -> int:
        """Return the variant to show beside a view of a part."""
        return next((way for way, v in zip(self.ways, self.variants, strict=True) if v.part == part), self.ways[0])


COMPANIONS: Mapping[str, CompanionView] = {
    "profile": CompanionView("profile", (0, 1, 2)),
    "curves": CompanionView("curves"),
    "seed-curves": CompanionView("curves", (1,)),
    "heat": CompanionView("heat"),
    "heads": CompanionView("heat", (1,)),
    "seeds": CompanionView("seeds", (0, 1)),
    "clusters": CompanionView("clusters", (0, 1)),
    "labels": CompanionView("clusters", (2, 3)),
    "example": CompanionView("example"),
}
"""By name, in the order of the key that cycles through them; all other views stand alone."""

_USUAL: Mapping[str, str] = {
    "curves": "profile",
    "profile": "curves",
    "heat": "curves",
    "heads": "heat",
    "layers": "curves",
    "seed-pairs": "seed-curves",
    "clusters": "labels",
    "labels": "clusters",
    "paths": "clusters",
}
"""Second views until the user chooses, by first view; other views get the whole width."""


def shown(state: State) -> str:
    """Return the name of the second view; empty for none."""
    view = _view(state)
    name = dict(state.beside).get(view, _USUAL.get(view, NOTHING))
    return name if name in possible(state) else NOTHING


def possible(state: State) -> tuple[str, ...]:
    """Return the names of all second views that differ from the picture."""
    return tuple(name for name, companion in COMPANIONS.items() if state.variant not in companion.variants)


def put(state: State, name: str) -> State:
    """Return the state with a second view, remembered for this first view."""
    return replace(state, beside=tuple({**dict(state.beside), _view(state): name}.items()))


def cycled(state: State, by: int = 1) -> State:
    """Return the state with the next second view, and after the last one none."""
    there = (*possible(state), NOTHING)
    return put(state, there[(there.index(shown(state)) + by) % len(there)])


def companion(state: State) -> State | None:
    """Return the state of the second view; None where there is none."""
    name = shown(state)
    if not name:
        return None
    way = COMPANIONS[name].way(state.variant.part)
    mode = COMPANIONS[name].mode
    there = state.pointing(state.cursor)  # also where it was never moved
    return replace(there, mode=mode, variants=tuple({**dict(state.variants), mode: way}.items()))


def swapped(state: State) -> State | None:
    """Return the state with both views swapped; None where the picture cannot stand beside."""
    other = companion(state)
    mine = next((name for name, c in COMPANIONS.items() if state.variant in c.variants), NOTHING)
    return put(other, mine) if other is not None and mine else None


def title(state: State) -> str:
    """Return the view in words: 'Profile', 'Heat, layer by head, at one step'."""
    mode = MODES[state.mode]
    return mode.title if len(mode.variants) == 1 else f"{mode.title}, {state.variant.title}"


def _view(state: State) -> str:
    return state.variant.view or state.mode
