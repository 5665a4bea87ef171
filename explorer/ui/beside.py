"""The second view, shown beside the picture on wide terminals: its state, made from the state of the screen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from explorer.ui.modes import MODES, Variant
from explorer.ui.state import State

FROM = 200
"""Width from which two views are shown side by side. With the panel each then has 85 columns, enough for curves and
maps."""
NOTHING = ""


@dataclass(frozen=True)
class CompanionView:
    """A view that can be shown beside another one."""

    mode: str
    numbers: tuple[int, ...] = (0,)
    """Numbers of the mode's variants that it can show; it prefers the variant with the same part as the picture."""

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Variants that it can show."""
        return tuple(MODES[self.mode].variants[number] for number in self.numbers)

    def number(self, part: str) -> int:
        """Return the number of the variant to show beside a view of a part."""
        fitting = (number for number, v in zip(self.numbers, self.variants, strict=True) if v.part == part)
        return next(fitting, self.numbers[0])


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
"""Second views by name, in the order in which a key cycles through them; other views cannot be second views."""

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
"""Default second views, by first view; other first views get the whole width."""


def shown(state: State) -> str:
    """Return the name of the second view; empty if there is none."""
    view = _view(state)
    name = dict(state.beside).get(view, _USUAL.get(view, NOTHING))
    return name if name in possible(state) else NOTHING


def possible(state: State) -> tuple[str, ...]:
    """Return the names of all second views that differ from the picture."""
    return tuple(name for name, companion in COMPANIONS.items() if state.variant not in companion.variants)


def put(state: State, name: str) -> State:
    """Return the state with another second view, which is remembered for this first view."""
    return replace(state, beside=tuple({**dict(state.beside), _view(state): name}.items()))


def cycled(state: State, by: int = 1) -> State:
    """Return the state with the next second view; after the last one there is none."""
    there = (*possible(state), NOTHING)
    return put(state, there[(there.index(shown(state)) + by) % len(there)])


def companion(state: State) -> State | None:
    """Return the state of the second view; None if there is none."""
    name = shown(state)
    if not name:
        return None
    number = COMPANIONS[name].number(state.variant.part)
    mode = COMPANIONS[name].mode
    there = state.pointing(state.cursor)  # stores the cursor even if it was never moved
    return replace(there, mode=mode, variants=tuple({**dict(state.variants), mode: number}.items()))


def swapped(state: State) -> State | None:
    """Return the state with both views swapped; None if the picture cannot be a second view."""
    other = companion(state)
    mine = next((name for name, c in COMPANIONS.items() if state.variant in c.variants), NOTHING)
    return put(other, mine) if other is not None and mine else None


def title(state: State) -> str:
    """Return the title of the view: 'Profile', 'Heat, layer by head, at one step'."""
    mode = MODES[state.mode]
    return mode.title if len(mode.variants) == 1 else f"{mode.title}, {state.variant.title}"


def _view(state: State) -> str:
    return state.variant.view or state.mode
