"""How far apart are the convex hulls of two sets of points? Between two bounds, both verified in float64.

With z = A'l - B'm from any convex weights l, m (A [n1, d], B [n2, d]; interior.py finds good ones):
* |z| is an upper bound of the distance;
* (min A z - max B z) / |z| is a lower bound: if it is positive, a plane separates the sets;
* where |z| is nothing but rounding, the point A'l = B'm lies in both hulls: the distance is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.interior import finish, nearest
from explorer.measures.separable import COMMON, PLANE, Sets, by_linear_programme

TOLERANCE = 1e-4
"""Relative tolerance of a hull distance; a wider gap between its bounds is no value."""


@dataclass(frozen=True)
class Hulls:
    """What was proved of two convex hulls."""

    separable: bool | None
    """None: neither a plane nor a common point could be verified."""
    lower: float
    """The distance is at least this (verified); 0 where the hulls overlap."""
    upper: float
    """The distance is at most this (verified)."""
    proof: str

    @property
    def gap(self) -> float:
        """Relative difference of the two bounds."""
        return (self.upper - self.lower) / self.upper if self.upper > 0 else 0.0

    @property
    def distance(self) -> float | None:
        """To TOLERANCE; None where the bounds are further apart."""
        return None if self.separable is None or self.gap > TOLERANCE else self.upper


@dataclass(frozen=True, eq=False)
class Cloud:
    """A set of points without repetitions, made once for all of its comparisons."""

    points: np.ndarray
    keys: frozenset[bytes]

    @classmethod
    def of(cls, points: np.ndarray) -> Cloud:
        """From points [n, d]."""
        points = np.asarray(points, dtype=np.float64) + 0.0  # + 0.0: -0 and 0 have other bytes
        rows = [row.tobytes() for row in np.ascontiguousarray(points)]
        first = {key: at for at, key in reversed(list(enumerate(rows)))}
        return cls(points[np.sort(np.fromiter(first.values(), np.int64))], frozenset(first))


def compare(a: np.ndarray | Cloud, b: np.ndarray | Cloud) -> Hulls:
    """Separability of the points a [n1, d] and b [n2, d] and bounds of the distance of their convex hulls."""
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
