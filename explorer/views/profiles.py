"""Several quantities as lines on one axis, each scaled to its own maximum, since their units differ.

Rows and readings have the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.answers.profiles import Profile, places_of
from explorer.answers.rows import Rows
from explorer.render.axes import number
from explorer.render.chart import Chart, Series
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.render.text import clean
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet

SCALED = "each line is a share of its own largest mean"


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
        self.title, self.subtitle, self._nothing = clean(said.title), clean(said.subtitle), said.nothing
        absent = (f"{p.title}: {p.absent}" for p in profiles if p.absent)
        self.notes = tuple(map(clean, (*said.notes, *absent)))
        lines = tuple(self._line(i, profile) for i, profile in enumerate(profiles))
        signed = any(mean < 0 for profile in profiles for mean in profile.means.values())
        name = "share of the own maximum"
        self.chart = LineChart(Chart(lines, axis, name, signed=signed, bands_in_focus_only=True))

    def _line(self, place: int, profile: Profile) -> Series:
        scaled = {at: mean / profile.largest for at, mean in profile.means.items()}
        around = {at: spread / profile.largest for at, spread in profile.spreads.items()}
        y, half = (np.array([of.get(at, np.nan) for at in self.along]) for of in (scaled, around))
        low, high = (end / profile.largest for end in profile.range)
        return Series(
            profile.title,
            np.array(self.along, np.float64),
            y,
            rank=place / max(1, len(self.profiles) - 1),
            low=np.clip(y - half, low, high) if around else None,
            high=np.clip(y + half, low, high) if around else None,
            number=place + 1,
        )

    def places(self, axis: str) -> Sequence[int]:
        """See View."""
        return self.along if axis == self.axis else ()

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; a cursor with y shows that line and dims the others."""
        if self.empty:
            return words.instead(self._nothing, width, height, palette, self.notes)
        at = cursor.clamped(len(self.along), len(self.profiles))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.log, options.ascii)
        targets = self.chart.targets(width, height, palette, at.y, options.log, options.ascii)
        banded = at.y >= 0 and self.profiles[at.y].spreads
        notes = self.notes + (("band: standard deviation over seeds",) if banded else ())
        return Picture(tuple(lines), self.read(at), at, notes, targets)

    def read(self, at: Cursor) -> str:
        """Return the numbers that a cursor points at: of one quantity, or of all of them at a place."""
        if at.x < 0:
            return ""
        place = self.along[at.x]
        shown = self.profiles if at.y < 0 else (self.profiles[at.y],)
        return clean(f"{self.axis} {place:,}: " + "; ".join(_said(profile, place) for profile in shown))

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet((Part(self.chart, log=options.log),))


def _said(profile: Profile, place: int) -> str:
    mean = profile.means.get(place)
    if mean is None:
        return f"{profile.title} no value"
    return f"{profile.title} {number(mean)}{words.spread_words(profile.spreads.get(place))}"
