"""Find when a curve of steps has made half, and 90 %, of its change. Pure.

The change is that from the first stored value to the last one: values before the first step are not known, even where
the measure would be 0 there. The onset of a share p is the first stored step s with (v(s) - v(first)) / (v(last) -
v(first)) >= p, whatever the curve does later. So curves that rise, fall or cross zero follow one rule, and the onset
does not depend on the unit.

Nothing is interpolated. Between two checkpoints the curve may have jumped at either end, and a line through them would
claim a step that nobody measured. All that is known is that the share was reached after one stored step and by the
next one, so both are given.

No onset is claimed of a curve with fewer than two values, nor where the change is not larger than the noise of the
measure and than the rounding of the arithmetic. The SQL view ``onsets`` follows the same rule, number for number
(``store.onsets``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

HALF, MOST = 0.5, 0.9
ROUNDING = 1e-6
"""Change, as a share of the largest value, that float32 products can produce by rounding alone."""


class Between(NamedTuple):
    """A share of the change was reached after one stored step and by the next one."""

    after: int
    by: int


@dataclass(frozen=True)
class Onsets:
    """When a curve had made half and most of its change."""

    first: int
    """First step with a value."""
    last: int
    half: Between
    most: Between
    """For 90 % of the change."""


def onsets(steps: Sequence[int], values: Sequence[float], noise: float = 0.0) -> Onsets | None:
    """Return when a curve first reached half and 90 % of its change; None where nothing may be claimed.

    Args:
        steps: in ascending order.
        values: one per step; what is not finite is missing.
        noise: differences of values up to this mean nothing (``Measure.floor``).
    """
    known = [(step, float(value)) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]
    if len(known) < 2:
        return None
    (first, start), (last, end) = known[0], known[-1]
    change = end - start
    if not abs(change) > max(noise, ROUNDING * max(abs(value) for _, value in known)):
        return None
    shares = [(value - start) / change for _, value in known]

    def reached(share: float) -> Between:
        at = next(i for i, made in enumerate(shares) if made >= share)
        return Between(known[at - 1][0], known[at][0])

    return Onsets(first, last, reached(HALF), reached(MOST))
