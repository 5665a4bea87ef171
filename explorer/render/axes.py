"""Axes: round ticks, short numbers, and scales from values to places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

_TINIEST = 1e-290
_ENDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
"""Smallest extent of an axis: smaller ones vanish in division."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a value as readable text with ``digits`` significant digits: ``0.240``, ``12.4``, ``3.10e-7``."""
    if value is None or math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if power < -3 or power >= 6:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    # Values below one keep as many decimals as digits, so that a column of them lines up.
    decimals = digits if power < 0 else max(0, digits - 1 - power)
    if power == -3:
        decimals += 1
    return f"{value:.{decimals}f}"


def at_most(value: float) -> str:
    """Return a bound as readable text, rounded up, so that it is never below the value."""
    text = number(value)
    if not math.isfinite(value) or float(text) >= value:
        return text
    mantissa, _, power = text.partition("e")
    last = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    return number(float(text) + last)


def count(value: int) -> str:
    """Return a count as readable text: ``21,340``."""
    return f"{value:,}"


@dataclass(frozen=True)
class Scale:
    """Values low..high on an axis, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return the place of a value: 0 at low, 1 at high; NaN if the logarithm does not exist."""
        if self.log:
            if not value > 0:
                return math.nan
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> tuple[float, ...]:
        """Return at most ``most`` round values inside the scale (at least one)."""
        if most < 1:
            return ()
        if self.log:
            return _log_ticks(self.low, self.high, most)
        step = _round_step(self.low, self.high, most)
        first, last = _ticks_between(self.low, self.high, step)
        # abs: no "-0"
        return tuple(abs(i * step) if i == 0 else i * step for i in range(first, last + 1))[:most]


def value_scale(low: float, high: float, log: bool = False, anchor: float = 0.0) -> Scale:
    """Return the scale of a value axis that contains low..high, starting at ``anchor`` if that costs little space.

    The anchor is the value of no difference: 0 for distances, 1 for similarities. The scale always has an extent.
    """
    if anchor and not log:
        hung = value_scale(anchor - high, anchor - low)
        return Scale(anchor - hung.high, anchor - hung.low)
    if log:
        if not high > _TINIEST:
            return Scale(1e-3, 1.0, True)
        low = low if low > _TINIEST else high / 1e3
        return Scale(low / 1.15, high * 1.15, True)
    if -1e-3 * high <= low < 0.5 * high:  # rounding below zero is zero
        low = 0.0
    if high - low < _TINIEST:
        if abs(low) < _TINIEST:
            return Scale(0.0, 1.0)
        low, high = min(0.0, 1.05 * low), max(0.0, 1.05 * high)
    margin = 0.03 * (high - low)
    return Scale(low if low == 0 else low - margin, high + margin)


def round_end(value: float) -> float:
    """Return a round end, at most 1, of a scale from zero to a value: often the same for the steps of one run."""
    return next((end for end in _ENDS if value <= end), 1.0)


def tick_labels(ticks: tuple[float, ...]) -> tuple[str, ...]:
    """Return ticks as text with the same number of decimals, or as powers of ten if decimals would be long."""
    if not ticks:
        return ()
    largest = max(abs(t) for t in ticks)
    gaps = [b - a for a, b in pairwise(ticks)]
    gap = min(gaps) if gaps else largest
    if largest == 0:
        return tuple("0" for _ in ticks)
    if largest < 1e-3 or largest >= 1e7 or (gap > 0 and largest / gap > 1e5):
        return tuple(short(t) for t in ticks)
    decimals = max(0, -math.floor(math.log10(gap) + 1e-9)) if gap > 0 else 2
    if gaps and max(gaps) > 1.5 * gap:  # logarithmic: each tick its own decimals
        return tuple(short(t) for t in ticks)
    if any(abs(round(t, decimals) - t) > 1e-6 * largest for t in ticks):
        decimals += 1
    return tuple(f"{t:.{decimals}f}" if decimals else count(round(t)) for t in ticks)


def step_ticks(low: int, high: int, most: int) -> tuple[int, ...]:
    """Return at most ``most`` round whole numbers on an axis of steps."""
    if high <= low:
        return (low,)
    step = round(_round_step(low, high, max(2, most), whole=True))
    first = -(-low // step)
    return tuple(i * step for i in range(first, high // step + 1)) or (low,)


def short(value: float) -> str:
    """Return a round value as text without trailing zeros: ``0.002``, ``1e-6``."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.6g}"
    mantissa, _, exponent = f"{value:.3e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def _round_step(low: float, high: float, most: int, whole: bool = False) -> float:
    """Return the smallest of 1, 2, 2.5 or 5 times a power of ten that gives at most ``most`` ticks in low..high."""
    if not high > low:
        return 1.0
    base = 10.0 ** math.floor(math.log10((high - low) / most))
    if whole:
        base = max(base, 1.0)
    for step in (factor * power * base for power in (1, 10, 100) for factor in (1, 2, 2.5, 5)):
        first, last = _ticks_between(low, high, step)
        if first <= last < first + most and not (whole and step % 1):
            return step
    return base


def _ticks_between(low: float, high: float, step: float) -> tuple[int, int]:
    """Return the first and the last multiple of a step in low..high, in steps, tolerating rounding at the ends."""
    return math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)


def _log_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    powers = [10.0**i for i in range(first, last + 1)]
    if len(powers) >= 2:
        return tuple(powers[:: -(-len(powers) // most)])
    fine = [f * 10.0**i for i in range(first - 1, last + 1) for f in (1, 2, 5) if low <= f * 10.0**i <= high]
    return tuple(fine[:most]) if fine else (low,)
