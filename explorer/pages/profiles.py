"""Several quantities at the same layers or steps, each as a mean over seeds: what their pictures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.answers.profiles import Profile, places_of
from explorer.answers.rows import Rows
from explorer.render.axes import number
from explorer.render.chart import Series
from explorer.render.text import clean
from explorer.views import words
from explorer.views.base import Base, Cursor

BAND = "band: standard deviation over seeds"


@dataclass(frozen=True)
class ProfileWords:
    """Words of a picture of profiles."""

    title: str
    subtitle: str
    notes: tuple[str, ...]
    nothing: str
    """Text of an empty picture."""


class Profiles(Base):
    """x is the place, y the quantity."""

    own_unit = True

    def __init__(self, name: str, rows: Rows, profiles: Sequence[Profile], axis: str, said: ProfileWords) -> None:
        """
        Args:
            rows: stored values that the view shows and counts.
            axis: name of the axis of places: layer or step.
        """
        self.name, self.data, self.stored = name, rows, rows
        self.profiles, self.axis = tuple(profiles), axis
        self.along = places_of(profiles)
        self.empty = not self.along
        self.title, self.subtitle, self.nothing = clean(said.title), clean(said.subtitle), said.nothing
        absent = (f"{p.title}: {p.absent}" for p in profiles if p.absent)
        self.notes = tuple(map(clean, (*said.notes, *absent)))

    def line(self, place: int, label: str, divisor: float = 1.0) -> Series:
        """Return a quantity as a line, its means and spreads divided by a number.

        Args:
            place: index of the quantity.
        """
        profile = self.profiles[place]
        means, spreads = profile.means, profile.spreads
        y, half = (np.array([of.get(at, np.nan) for at in self.along]) / divisor for of in (means, spreads))
        low, high = (end / divisor for end in profile.range)
        return Series(
            label,
            np.array(self.along, np.float64),
            y,
            rank=place / max(1, len(self.profiles) - 1),
            low=np.clip(y - half, low, high) if spreads else None,
            high=np.clip(y + half, low, high) if spreads else None,
            number=place + 1,
        )

    def places(self, axis: str) -> Sequence[int]:
        """See View."""
        return self.along if axis == self.axis else ()

    def read(self, at: Cursor) -> str:
        """Return the numbers that a cursor points at: of one quantity, or of all of them at a place."""
        if at.x < 0:
            return ""
        place = self.along[at.x]
        shown = self.profiles if at.y < 0 else (self.profiles[at.y],)
        return clean(f"{self.axis} {place:,}: " + "; ".join(_said(profile, place) for profile in shown))


def _said(profile: Profile, place: int) -> str:
    mean = profile.means.get(place)
    if mean is None:
        return f"{profile.title} no value"
    return f"{profile.title} {number(mean)}{words.spread_words(profile.spreads.get(place))}"
