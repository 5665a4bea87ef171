"""The content of a line chart (series and axes), and its layout on a screen of a given size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from explorer.render import axes

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


REACH = 0.6
"""Share by which reference curves may extend the value axis; curves further away are only named at its end."""


@dataclass(frozen=True, eq=False)
class Companion:
    """A reference curve of the focused series (chance level, seed-to-seed distance), drawn dashed."""

    label: str
    y: np.ndarray
    dashed: bool = False
    """True for long dashes, False for sparse dots."""

    @property
    def last(self) -> float:
        """The last finite value, NaN when there is none."""
        return last_finite(self.y)


class Mark(NamedTuple):
    """A point of a line that is marked."""

    x: float
    sign: str
    plain: str
    """The sign in ASCII."""
    share: float
    """Filled share of the marker in figures, 0..1."""


def last_finite(values: np.ndarray) -> float:
    """Return the last finite value of [n]; NaN if there is none."""
    good = values[np.isfinite(values)]
    return float(good[-1]) if len(good) else np.nan


@dataclass(frozen=True, eq=False)
class Series:
    """One line: points [n] of ascending x, NaN for missing values."""

    label: str
    x: np.ndarray
    y: np.ndarray
    rank: float = 0.0
    """Place in the ordinal ramp, 0..1."""
    low: np.ndarray | None = None
    """Lower and upper edge of the spread [n]."""
    high: np.ndarray | None = None
    number: int = 0
    """Number of the letter that marks the line if colours do not distinguish lines."""
    companions: tuple[Companion, ...] = ()
    """Reference curves, shown while the line is in focus."""
    marks: tuple[Mark, ...] = ()
    """Marked points; at one place the last mark is drawn."""
    foreign: np.ndarray | None = None
    """Points that only other lines have, bool [n]; the line goes on across them, but not across missing values."""

    def joined(self, *values: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return x and values [n] without the points that only other lines have."""
        own = np.ones(len(self.x), bool) if self.foreign is None else ~self.foreign
        return tuple(each[own] for each in (self.x, *values))

    @property
    def letter(self) -> str:
        """Mark of the line: a digit or, for numbers from ten, a letter."""
        return _LETTERS[self.number % len(_LETTERS)]

    def marked(self, text: str) -> str:
        """Return a text that begins with the label, prefixed by the line's letter unless the label ends in it."""
        head = self.label.removesuffix(self.letter)
        said = self.letter.isdigit() and head != self.label and (head == "L" or head.endswith(" "))
        return text if said else f"{self.letter} {text}"

    @property
    def last(self) -> float:
        """The last finite value, NaN when there is none."""
        return last_finite(self.y)


@dataclass(frozen=True, eq=False)
class Chart:
    """The content of a line chart, without its looks."""

    series: tuple[Series, ...]
    x_name: str
    y_name: str
    scale_of: np.ndarray | None = None
    """Values that the y axis must contain if several charts share a scale; None: those of this chart."""
    xs_of: np.ndarray | None = None
    """Places that the x axis must contain and the cursor visits, if several charts share them."""
    floor: float = 0.0
    """Noise level, drawn as a dotted line on a logarithmic axis; smaller values are noise."""
    values: bool = True
    """True if labels show the last value."""
    anchor: float = 0.0
    """Value of no difference, at which the axis starts (or, if it is 1, ends) if that costs little space."""
    signed: bool = False
    """True if values are changes: the axis is linear and contains zero."""
    fades: bool = True
    """True if lines out of focus fade; False if the focused line is emphasised, which changes fewer cells."""
    bands_in_focus_only: bool = False
    """True if ``low`` and ``high`` are drawn only for the focused line."""
    shared: tuple[Companion, ...] = ()
    """Reference curves of all lines, on the points of the first one, which are always shown."""

    def beside(self, focus: int) -> tuple[Companion, ...]:
        """Return the reference curves that are shown while a line (-1: none) is in focus."""
        return self.shared + (self.series[focus].companions if 0 <= focus < len(self.series) else ())

    def y_scale(self, log: bool) -> axes.Scale:
        """The scale of the value axis."""
        if self.scale_of is not None:
            values = np.ravel(self.scale_of)
        else:
            edges = [v for s in self.series for v in (s.y, s.low, s.high) if v is not None]
            values = np.concatenate(edges) if edges else np.zeros(0)
        values = values[np.isfinite(values)]
        if self.signed:
            values = np.append(values, 0.0)
        noise = 0.0
        if log and not self.signed:
            values = values[values > 0]
            if (values > self.floor).any():  # noise has no lower end: it would take the whole axis
                noise = self.floor / 3
                values = np.maximum(values, noise)
        else:
            log = False
        if not len(values):
            return axes.value_scale(0.0, 1.0, log)
        scale = axes.value_scale(values.min(), values.max(), log, self.anchor)
        near = self._near_companions(scale)
        if self.scale_of is not None or not len(near):
            return scale
        least = max(noise, near.min())
        return axes.value_scale(min(values.min(), least), max(values.max(), near.max()), log, self.anchor)

    def _near_companions(self, scale: axes.Scale) -> np.ndarray:
        """Return the values of reference curves near the axis; distant ones would flatten all lines."""
        every = (*self.shared, *(c for s in self.series for c in s.companions))
        beside = [c.y[np.isfinite(c.y)] for c in every]
        found = np.concatenate(beside) if beside else np.zeros(0)
        reach = REACH * (scale.high - scale.low)
        near = (found >= scale.low - reach) & (found <= scale.high + reach)
        return found[near & (found > 0) if scale.log else near]


@dataclass(frozen=True)
class Frame:
    """Position and size of the plot in the grid, in cells, and the scales of both axes."""

    left: int
    top: int
    width: int
    height: int
    x: axes.Scale
    y: axes.Scale

    def dot_x(self, x: np.ndarray) -> np.ndarray:
        """Convert places on the x axis to dots of the canvas."""
        return 0.5 + (x - self.x.low) / (self.x.high - self.x.low) * (2 * self.width - 1)

    def dot_y(self, y: np.ndarray) -> np.ndarray:
        """Convert values to dots of the canvas; NaN if the logarithm does not exist."""
        low, high = self.y.low, self.y.high
        if self.y.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                y = np.where(y > 0, np.log10(y), np.nan)
            low, high = np.log10(low), np.log10(high)
        return 0.5 + (y - low) / (high - low) * (4 * self.height - 1)

    def column(self, x: float) -> int:
        """Return the grid column of a place on the x axis."""
        return self.left + int(self.dot_x(np.array(x)) // 2)

    def cell_row(self, y: float) -> int | None:
        """Return the grid row of a value's dot; None if the value cannot be shown."""
        dot = float(self.dot_y(np.array(y)))
        return self.top + self.height - 1 - min(self.height - 1, max(0, int(dot // 4))) if np.isfinite(dot) else None

    def row(self, y: float) -> float:
        """Return the grid row of a value as a real number; NaN if the value cannot be shown."""
        return self.top + self.height - 0.5 - float(self.dot_y(np.array(y))) / 4
