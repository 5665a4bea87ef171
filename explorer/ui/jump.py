"""Jump mode: every place that one can go to gets a label of one or two letters. Pure, so that it is tested alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Those under the fingers first."""

Place = TypeVar("Place", bound=Hashable)


def labels(many: int) -> tuple[str, ...]:
    """So many labels, none the beginning of another, the short ones first; at most the square of the letters."""
    long = max(0, -(-(many - len(LETTERS)) // (len(LETTERS) - 1)))
    long = min(long, len(LETTERS))
    short = LETTERS[: len(LETTERS) - long]
    return (*short, *(a + b for a in reversed(LETTERS[len(short) :]) for b in LETTERS))[:many]


@dataclass(frozen=True)
class Jump(Generic[Place]):
    """Labels of places, and what was typed of one."""

    places: tuple[tuple[str, Place], ...]
    typed: str = ""

    @classmethod
    def to(cls, places: Sequence[Place]) -> Jump[Place]:
        """Label places, the first ones with one letter; what is beyond all labels has none."""
        return cls(tuple(zip(labels(len(places)), places, strict=False)))

    def type(self, letter: str) -> Jump[Place]:
        """One letter more."""
        return replace(self, typed=self.typed + letter.lower())

    @property
    def left(self) -> tuple[tuple[str, Place], ...]:
        """What may still be meant, each with the letters that are still to be typed."""
        return tuple((label[len(self.typed) :], place) for label, place in self.places if label.startswith(self.typed))

    @property
    def reached(self) -> Place | None:
        """Where the whole label leads."""
        return next((place for label, place in self.left if not label), None)
