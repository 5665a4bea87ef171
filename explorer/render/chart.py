"""What a line chart shows (series and axes) and where its parts stand on a screen of some size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.render import axes

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


REACH = 0.6
"""Companions may make the value axis longer by this share of it; what lies further away is named at its end."""


@dataclass(frozen=True, eq=False)
class Companion:
    """A broken line beside the line in focus, at the same places: what its values would be for another reason."""

    label: str
    y: np.ndarray
    dashed: bool = False
    """Long dashes; else dots far apart."""

    @property
    def last(self) -> float:
        """The last finite value, NaN when there is none."""
        return last_finite(self.y)


def last_finite(values: np.ndarray) -> float:
    """The last finite value of [n], NaN when there is none."""
    good = values[np.isfinite(values)]
    return float(good[-1]) if len(good) else np.nan


@dataclass(frozen=True, eq=False)
class Series:
    """One line: points [n] of rising x, NaN where there is no value."""

    label: str
    x: np.ndarray
    y: np.ndarray
    rank: float = 0.0
    """Place in the ordinal ramp, 0..1."""
    low: np.ndarray | None = None
    """Lower and upper edge of the spread [n]."""
    high: np.ndarray | None = None
    number: int = 0
    """Which letter stands for the line where colours do not tell lines apart."""
    companions: tuple[Companion, ...] = ()
    """Shown while the line is in focus."""

    @property
    def letter(self) -> str:
        """One character; numbers from ten on are letters."""
        return _LETTERS[self.number % len(_LETTERS)]

    def marked(self, text: str) -> str:
        """A text that begins with the label, behind the line's letter unless that is the label's own number."""
        head = self.label.removesuffix(self.letter)
        said = self.letter.isdigit() and head != self.label and (head == "L" or head.endswith(" "))
        return text if said else f"{self.letter} {text}"

    @property
    def last(self) -> float:
        """The last finite value, NaN when there is none."""
        return last_finite(self.y)


@dataclass(frozen=True, eq=False)
class Chart:
    """What to draw, without how."""

    series: tuple[Series, ...]
    x_name: str
    y_name: str
    scale_of: np.ndarray | None = None
    """The values that the y axis must hold where several charts share one; None: its own."""
    xs_of: np.ndarray | None = None
    """Places that the x axis must hold, and the cursor walks along, where several charts share one."""
    floor: float = 0.0
    """Values below it are noise; a dotted line on a logarithmic axis."""
    values: bool = True
    """Labels carry the last value."""
    anchor: float = 0.0
    """The value of no difference: the axis starts (or, where it is 1, ends) there when that costs little."""
    signed: bool = False
    """Values are changes: zero is on the axis, and the axis is linear."""
    fades: bool = True
    """Lines out of focus fade. Else the one in focus stands out: of many small charts fewer cells change with it."""
    bands_in_focus_only: bool = False
    """``low`` and ``high`` are drawn for the line in focus alone."""

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
        """Values of companions not far off the axis: a chance level far away would press all lines flat."""
        beside = [c.y[np.isfinite(c.y)] for s in self.series for c in s.companions]
        found = np.concatenate(beside) if beside else np.zeros(0)
        reach = REACH * (scale.high - scale.low)
        near = (found >= scale.low - reach) & (found <= scale.high + reach)
        return found[near & (found > 0) if scale.log else near]


@dataclass(frozen=True)
class Frame:
    """The plot's cells are rows top.. and columns left.. of the grid; both axes with their scales."""

    left: int
    top: int
    width: int
    height: int
    x: axes.Scale
    y: axes.Scale

    def dot_x(self, x: np.ndarray) -> np.ndarray:
        """Places on the x axis in dots of the canvas."""
        return 0.5 + (x - self.x.low) / (self.x.high - self.x.low) * (2 * self.width - 1)

    def dot_y(self, y: np.ndarray) -> np.ndarray:
        """Values in dots of the canvas, NaN where a logarithm does not exist."""
        low, high = self.y.low, self.y.high
        if self.y.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                y = np.where(y > 0, np.log10(y), np.nan)
            low, high = np.log10(low), np.log10(high)
        return 0.5 + (y - low) / (high - low) * (4 * self.height - 1)

    def column(self, x: float) -> int:
        """Column of the grid of a place on the x axis."""
        return self.left + int(self.dot_x(np.array(x)) // 2)

    def cell_row(self, y: float) -> int | None:
        """The row that a value's dot falls into; None where it cannot be shown."""
        dot = float(self.dot_y(np.array(y)))
        return self.top + self.height - 1 - min(self.height - 1, max(0, int(dot // 4))) if np.isfinite(dot) else None

    def row(self, y: float) -> float:
        """Row of the grid of a value, a real number; NaN where it cannot be shown."""
        return self.top + self.height - 0.5 - float(self.dot_y(np.array(y))) / 4
