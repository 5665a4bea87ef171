"""What stands beside the picture where there is room for two: pure, from the state to that of the second view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from explorer.ui.modes import MODES, Variant
from explorer.ui.state import State

FROM = 200
"""Columns from which two views stand side by side: beside the panel each then has 85, enough for curves and maps."""
NOTHING = ""


@dataclass(frozen=True)
class Companion:
    """A view that may stand beside another one."""

    mode: str
    ways: tuple[int, ...] = (0,)
    """Variants of the mode; of several the one that shows the same part as the picture."""

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What it may show."""
        return tuple(MODES[self.mode].variants[way] for way in self.ways)

    def way(self, part: str) -> int:
        """The variant to show beside a view of that part."""
        return next((way for way, v in zip(self.ways, self.variants, strict=True) if v.part == part), self.ways[0])


COMPANIONS: Mapping[str, Companion] = {
    "profile": Companion("profile", (0, 1, 2)),
    "curves": Companion("curves"),
    "seed-curves": Companion("curves", (1,)),
    "heat": Companion("heat"),
    "heads": Companion("heat", (1,)),
    "seeds": Companion("seeds", (0, 1)),
    "clusters": Companion("clusters", (0, 1)),
    "labels": Companion("clusters", (2, 3)),
    "example": Companion("example"),
}
"""By name, in the order in which one key walks them; tables and what must be computed apart stand alone."""

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
"""What stands beside a view until the user chooses; the others want the whole width."""


def shown(state: State) -> str:
    """Name of what stands beside; empty for nothing."""
    view = _view(state)
    name = dict(state.beside).get(view, _USUAL.get(view, NOTHING))
    return name if name in possible(state) else NOTHING


def possible(state: State) -> tuple[str, ...]:
    """What may stand beside: everything but the view itself."""
    return tuple(name for name, companion in COMPANIONS.items() if state.variant not in companion.variants)


def put(state: State, name: str) -> State:
    """The state with that beside its view; remembered for this view."""
    return replace(state, beside=tuple({**dict(state.beside), _view(state): name}.items()))


def cycled(state: State, by: int = 1) -> State:
    """The next thing beside, and after the last one nothing."""
    there = (*possible(state), NOTHING)
    return put(state, there[(there.index(shown(state)) + by) % len(there)])


def companion(state: State) -> State | None:
    """The same selection as the view beside shows it; None where nothing stands there."""
    name = shown(state)
    if not name:
        return None
    way = COMPANIONS[name].way(state.variant.part)
    mode = COMPANIONS[name].mode
    there = state.pointing(state.cursor)  # also where it was never moved
    return replace(there, mode=mode, variants=tuple({**dict(state.variants), mode: way}.items()))


def swapped(state: State) -> State | None:
    """The view beside as the picture, and the picture beside it; None where the one or the other cannot be."""
    other = companion(state)
    mine = next((name for name, c in COMPANIONS.items() if state.variant in c.variants), NOTHING)
    return put(other, mine) if other is not None and mine else None


def title(state: State) -> str:
    """The view in words: 'Profile', 'Heat, layer by head, at one step'."""
    mode = MODES[state.mode]
    return mode.title if len(mode.variants) == 1 else f"{mode.title}, {state.variant.title}"


def _view(state: State) -> str:
    return state.variant.view or state.mode
