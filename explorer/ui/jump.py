"""Jump labels: each place on the screen that can be reached gets one or two letters. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from explorer.render.targets import Target

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Letters of the labels; the letters of the home row come first."""

Place = TypeVar("Place", bound=Hashable)


def labels(many: int) -> tuple[str, ...]:
    """Return ``many`` labels, short ones first. No label is a prefix of another, and there are at most 26 * 26."""
    long = max(0, -(-(many - len(LETTERS)) // (len(LETTERS) - 1)))
    long = min(long, len(LETTERS))
    short = LETTERS[: len(LETTERS) - long]
    return (*short, *(a + b for a in reversed(LETTERS[len(short) :]) for b in LETTERS))[:many]


@dataclass(frozen=True)
class Jump(Generic[Place]):
    """The labels of places, and the letters typed so far."""

    places: tuple[tuple[str, Place], ...]
    typed: str = ""

    @classmethod
    def to(cls, places: Sequence[Place]) -> Jump[Place]:
        """Return labels for places. The first places get one letter; if labels run out, the last places get none."""
        return cls(tuple(zip(labels(len(places)), places, strict=False)))

    def type(self, letter: str) -> Jump[Place]:
        """Return the jump after a letter is typed."""
        return replace(self, typed=self.typed + letter.lower())

    @property
    def left(self) -> tuple[tuple[str, Place], ...]:
        """Places that can still be reached, each with the letters that remain to be typed."""
        return tuple((label[len(self.typed) :], place) for label, place in self.places if label.startswith(self.typed))

    @property
    def reached(self) -> Place | None:
        """The place whose label was typed in full; None if there is none yet."""
        return next((place for label, place in self.left if not label), None)


@dataclass(frozen=True)
class JumpPlace:
    """A cell of a widget that can be reached."""

    x: int
    y: int
    target: Target | None = None
    """Target of the picture; None: the panel's row in line ``y``."""


def along(first: Target, spots: Sequence[JumpPlace]) -> tuple[JumpPlace, ...]:
    """Return the cells along a map's row (one per column label), or along its column (one per row label)."""
    there = [(spot, spot.target) for spot in spots if spot.target is not None]
    if first.column < 0 <= first.row:
        return tuple(JumpPlace(s.x, first.y, t) for s, t in there if t.row < 0 <= t.column)
    if first.row < 0 <= first.column:
        return tuple(JumpPlace(first.x, s.y, t) for s, t in there if t.column < 0 <= t.row)
    return ()
