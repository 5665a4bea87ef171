"""How far apart are the convex hulls of two sets of points? Between two bounds, both verified in float64.

With z = A'l - B'm from any convex weights l, m (A [n1, d], B [n2, d]; interior.py finds good ones):
* |z| is an upper bound of the distance;
* (min A z - max B z) / |z| is a lower bound: if it is positive, a plane separates the sets;
* where |z| is nothing but rounding, the point A'l = B'm lies in both hulls: the distance is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.interior import nearest
from explorer.measures.separable import COMMON, PLANE, Sets, by_linear_programme


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


def compare(a: np.ndarray, b: np.ndarray) -> Hulls:
    """Separability of the points a [n1, d] and b [n2, d] and bounds of the distance of their convex hulls."""
    a, b = (np.unique(np.asarray(x, dtype=np.float64), axis=0) for x in (a, b))
    if {row.tobytes() for row in a + 0.0} & {row.tobytes() for row in b + 0.0}:  # + 0.0: -0 and 0 have other bytes
        return Hulls(False, 0.0, 0.0, "a vector in both sets")
    sets = Sets.of(a, b)
    weights, upper = sets.convex(nearest(sets.points, sets.n1))
    source = "nearest points of the hulls"
    if upper <= COMMON:
        return Hulls(False, 0.0, 0.0, f"common point ({source})")
    lower = sets.margin(sets.points.T @ weights)
    if lower > PLANE:
        return Hulls(True, lower * sets.scale, max(upper, lower) * sets.scale, f"plane ({source})")
    found = by_linear_programme(sets)
    if found.separable is False:
        return Hulls(False, 0.0, 0.0, found.proof)
    return Hulls(found.separable, found.margin, max(upper * sets.scale, found.margin), found.proof)
