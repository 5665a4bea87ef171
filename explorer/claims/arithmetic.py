"""Compute the numbers that claims compare: thirds of layers, rank correlations, places where a curve reaches a level.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from explorer.answers.profiles import rank_correlation
from explorer.claims.verdict import UndecidableError
from explorer.measures.rollback import THIRDS, layers_in

_FEWEST = 4
"""Smallest number of places for a rank correlation: with three, the only positive values are 0.5 and 1."""


def thirds(values: Mapping[int, float], layers: int) -> tuple[float, float, float]:
    """Return the means over the lower, middle and upper third of the layers 1 to ``layers``.

    The thirds are those of the measure rollback.

    Raises:
        UndecidableError: there are fewer than three layers.
    """
    if layers < len(THIRDS):
        raise UndecidableError(f"{layers} layers have no thirds")
    lower, middle, upper = (fmean(values[n] for n in layers_in(third, None, layers)) for third in THIRDS)
    return lower, middle, upper


def ordering(pairs: Iterable[tuple[float, float]]) -> float:
    """Return Spearman's rank correlation of pairs of numbers.

    Raises:
        UndecidableError: there are fewer than four pairs, or one side is constant.
    """
    both = list(pairs)
    if len(both) < _FEWEST:
        raise UndecidableError(f"a rank correlation of {len(both)} places says nothing: {_FEWEST} are needed")
    found = rank_correlation([a for a, _ in both], [b for _, b in both])
    if found is None:
        raise UndecidableError("all values are equal: there is no rank correlation")
    return found


def crossing(places: Sequence[float], values: Sequence[float], level: float) -> tuple[float, float, float]:
    """Return where a curve first reaches a level, by linear interpolation, and the two places around it.

    If the first value already reaches it, that is the first place, three times.

    Raises:
        UndecidableError: no value reaches the level.
    """
    for i, value in enumerate(values):
        if value >= level:
            if i == 0:
                return places[0], places[0], places[0]
            share = (level - values[i - 1]) / (value - values[i - 1])
            return places[i - 1] + share * (places[i] - places[i - 1]), places[i - 1], places[i]
    raise UndecidableError(f"no value reaches {level:.3g}")


def width_around(places: Sequence[float], values: Sequence[float], centre: float, level: float) -> tuple[float, bool]:
    """Return the length of the interval around a place on which a curve stays below a level.

    Its ends are interpolated linearly. The second value tells whether both ends lie within the curve; if not, the
    interval is longer than the length.
    """
    at = min(range(len(places)), key=lambda i: abs(places[i] - centre))
    ends, closed = [], True
    for step in (-1, 1):
        i = at
        while 0 <= i + step < len(places) and values[i + step] < level:
            i += step
        if 0 <= i + step < len(places):
            share = (level - values[i]) / (values[i + step] - values[i])
            ends.append(places[i] + share * (places[i + step] - places[i]))
        else:
            ends.append(places[i])
            closed = False
    return ends[1] - ends[0], closed
