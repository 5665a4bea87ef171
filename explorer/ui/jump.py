"""Jump labels: every place on the screen that can be reached gets one or two letters. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from explorer.render.targets import Target

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Those under the fingers first."""

Place = TypeVar("Place", bound=Hashable)


def labels(many: int) -> tuple[str, ...]:
    """Return ``many`` labels, short ones first, none a prefix of another; at most the square of the letters."""
    long = max(0, -(-(many - len(LETTERS)) // (len(LETTERS) - 1)))
    long = min(long, len(LETTERS))
    short = LETTERS[: len(LETTERS) - long]
    return (*short, *(a + b for a in reversed(LETTERS[len(short) :]) for b in LETTERS))[:many]


@dataclass(frozen=True)
class Jump(Generic[Place]):
    """Labels of places, and the letters typed so far."""

    places: tuple[tuple[str, Place], ...]
    typed: str = ""

    @classmethod
    def to(cls, places: Sequence[Place]) -> Jump[Place]:
        """Label places, the first ones with one letter; when labels run out the rest get none."""
        return cls(tuple(zip(labels(len(places)), places, strict=False)))

    def type(self, letter: str) -> Jump[Place]:
        """Add a letter."""
        return replace(self, typed=self.typed + letter.lower())

    @property
    def left(self) -> tuple[tuple[str, Place], ...]:
        """Places that may still be meant, each with the letters that remain to be typed."""
        return tuple((label[len(self.typed) :], place) for label, place in self.places if label.startswith(self.typed))

    @property
    def reached(self) -> Place | None:
        """The place whose label was typed in full."""
        return next((place for label, place in self.left if not label), None)


@dataclass(frozen=True)
class JumpPlace:
    """A cell of a widget that can be reached."""

    x: int
    y: int
    target: Target | None = None
    """A target of the picture; None: the panel's row in that line."""


def along(first: Target, spots: Sequence[JumpPlace]) -> tuple[JumpPlace, ...]:
    """Return the cells of a map's row below its column labels, or of a column beside its row labels."""
    there = [(spot, spot.target) for spot in spots if spot.target is not None]
    if first.column < 0 <= first.row:
        return tuple(JumpPlace(s.x, first.y, t) for s, t in there if t.row < 0 <= t.column)
    if first.row < 0 <= first.column:
        return tuple(JumpPlace(first.x, s.y, t) for s, t in there if t.column < 0 <= t.row)
    return ()
