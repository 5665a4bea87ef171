"""Bound the distance of the convex hulls of two sets of points, with both bounds verified in float64.

With z = A'l - B'm from any convex weights l, m (A [n1, d], B [n2, d]; interior.py finds good ones):
* |z| is an upper bound of the distance;
* (min A z - max B z) / |z| is a lower bound: if it is positive, a plane separates the sets;
* if |z| is only rounding, the point A'l = B'm lies in both hulls: the distance is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.interior import finish, nearest
from explorer.measures.separable import COMMON, PLANE, Sets, by_linear_programme

TOLERANCE = 1e-4
"""Relative tolerance of a hull distance; if the gap between its bounds is wider, there is no value."""


@dataclass(frozen=True)
class Hulls:
    """The proved facts about two convex hulls."""

    separable: bool | None
    """Whether a plane separates them; None: neither a plane nor a common point could be verified."""
    lower: float
    """Verified lower bound of the distance; 0 if the hulls overlap."""
    upper: float
    """Verified upper bound of the distance."""
    proof: str

    @property
    def gap(self) -> float:
        """Relative difference of the two bounds."""
        return (self.upper - self.lower) / self.upper if self.upper > 0 else 0.0

    @property
    def distance(self) -> float | None:
        """Distance within TOLERANCE; None if the bounds are further apart."""
        return None if self.separable is None or self.gap > TOLERANCE else self.upper


@dataclass(frozen=True, eq=False)
class Cloud:
    """A set of points without duplicates, made once for all its comparisons."""

    points: np.ndarray
    keys: frozenset[bytes]

    @classmethod
    def of(cls, points: np.ndarray) -> Cloud:
        """Return the set of points [n, d]."""
        points = np.asarray(points, dtype=np.float64) + 0.0  # + 0.0: -0 and 0 have different bytes
        rows = [row.tobytes() for row in np.ascontiguousarray(points)]
        first = {key: at for at, key in reversed(list(enumerate(rows)))}
        return cls(points[np.sort(np.fromiter(first.values(), np.int64))], frozenset(first))


def compare(a: np.ndarray | Cloud, b: np.ndarray | Cloud) -> Hulls:
    """Return whether the points a [n1, d] and b [n2, d] are separable, and bounds of the distance of their hulls."""
    one, two = (x if isinstance(x, Cloud) else Cloud.of(x) for x in (a, b))
    if one.keys & two.keys:
        return Hulls(False, 0.0, 0.0, "a vector in both sets")
    sets = Sets.of(one.points, two.points)
    weights, upper = sets.convex(nearest(sets.points, sets.n1))
    source = "nearest points of the hulls"
    if upper <= COMMON:
        return Hulls(False, 0.0, 0.0, f"common point ({source})")
    lower = sets.margin(sets.points.T @ weights)
    if upper - lower > TOLERANCE * upper:
        for better, direction in finish(sets.points, sets.n1, weights, TOLERANCE / 100):
            upper, lower = min(upper, sets.convex(better)[1]), max(lower, sets.margin(direction))
            if upper <= COMMON:
                return Hulls(False, 0.0, 0.0, "common point (active-set method)")
    if lower > PLANE:
        return Hulls(True, lower * sets.scale, max(upper, lower) * sets.scale, f"plane ({source})")
    found = by_linear_programme(sets)
    if found.separable is False:
        return Hulls(False, 0.0, 0.0, found.proof)
    return Hulls(found.separable, found.margin, max(upper * sets.scale, found.margin), found.proof)
