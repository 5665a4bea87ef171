"""Decide whether a plane separates two sets of points or their convex hulls meet, with a proof checked in float64.

* A direction w proves separability by its margin, min A w - max B w > 0.
* Convex weights l, m with A'l = B'm prove that no plane can separate: the point lies in both hulls.

The cheapest tests come first: known planes, the plane that has the value 1 on one set and 0 on the other (it exists in
general position for at most d + 1 points), the interior point method, an active-set method if hulls nearly touch, and
linear programmes (HiGHS), whose multipliers are the weights (Farkas). The result of a solver counts only if it passes
the check.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from explorer.measures.interior import finish, nearest

COMMON = 1e-9
"""Distance of hulls, relative to the largest distance of a point from the middle, below which they have a common
point."""
PLANE = 1e-12
"""Minimum margin of a verified plane, on the same scale; it is above the rounding of its evaluation."""
NEARLY = 1e-2
"""Relative difference of a distance's bounds at which the search for a plane ends."""
METHODS = ("highs-ds", "highs-ipm")


@dataclass(frozen=True, eq=False)
class Separability:
    """The proved facts about two sets of points."""

    separable: bool | None
    """Whether a plane separates them; None: neither a plane nor a common point could be verified."""
    proof: str
    plane: np.ndarray | None = None
    """Unit normal [d] of a separating plane; the first set lies on its positive side."""
    margin: float = 0.0
    """Verified distance of the sets along the normal."""
    weights: np.ndarray | None = None
    """Convex weights [n1 + n2] of a point in both hulls."""


@dataclass(frozen=True, eq=False)
class Sets:
    """Two sets of points, shifted and scaled to unit size."""

    points: np.ndarray
    """The first set, then the second with opposite sign, so that z = points.T @ weights; [n1 + n2, d]."""
    n1: int
    scale: float
    """Largest distance of a point from the middle of the two means, in the points' units."""

    @classmethod
    def of(cls, a: np.ndarray, b: np.ndarray) -> Sets:
        """Return the sets of points a [n1, d] and b [n2, d], float64."""
        middle = (a.mean(0) + b.mean(0)) / 2
        points = np.concatenate([a - middle, middle - b])
        scale = float(np.sqrt(np.einsum("ij,ij->i", points, points).max()))
        return cls(points / scale if scale > 0 else points, len(a), scale)

    def margin(self, direction: np.ndarray) -> float:
        """Return the distance of the sets along a direction, in units of the scale; above 0, a plane separates them."""
        length = float(np.linalg.norm(direction))
        if not length > 0:
            return -np.inf
        along = self.points @ direction
        return float(along[: self.n1].min() + along[self.n1 :].min()) / length

    def convex(self, weights: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the nearest convex weights, and the distance of their two points in units of the scale."""
        u = np.maximum(weights, 0)
        sums = u[: self.n1].sum(), u[self.n1 :].sum()
        if not min(sums) > 0:
            return u, np.inf
        u = np.concatenate([u[: self.n1] / sums[0], u[self.n1 :] / sums[1]])
        return u, float(np.linalg.norm(self.points.T @ u))

    def judge(self, weights: np.ndarray, direction: np.ndarray, source: str) -> Separability:
        """Return the verdict that weights and a direction prove, if any."""
        u, apart = self.convex(weights)
        if apart <= COMMON:
            return Separability(False, f"common point ({source})", weights=u)
        margin = self.margin(direction)
        if margin > PLANE:
            plane = direction / np.linalg.norm(direction)
            return Separability(True, f"plane ({source})", plane=plane, margin=margin * self.scale)
        return Separability(None, "none")


def decide(a: np.ndarray, b: np.ndarray, planes: Iterable[np.ndarray] = ()) -> Separability:
    """Decide whether a plane separates a [n1, d] from b [n2, d] (float64); ``planes`` are normals to try first."""
    sets = Sets.of(a, b)
    if sets.scale == 0:
        return Separability(False, "common point (all points are equal)", weights=np.full(len(a) + len(b), 1.0))
    for plane in planes:
        margin = sets.margin(plane)
        if margin > PLANE:
            return Separability(True, "plane (known before)", plane=plane, margin=margin * sets.scale)
    if len(sets.points) <= a.shape[1] + 1:
        direction = interpolating(sets)
        margin = sets.margin(direction)
        if margin > PLANE:
            plane = direction / np.linalg.norm(direction)
            return Separability(True, "plane (interpolating)", plane=plane, margin=margin * sets.scale)
    weights = nearest(sets.points, sets.n1, decide=True)
    found = sets.judge(weights, sets.points.T @ weights, "interior point method")
    if found.separable is not None:
        return found
    for better, direction in finish(sets.points, sets.n1, weights, NEARLY):
        found = sets.judge(better, direction, "active-set method")
        if found.separable is not None:
            return found
    return by_linear_programme(sets)


def by_linear_programme(sets: Sets) -> Separability:
    """Decide as a last resort with HiGHS, by one method after the other, until an answer passes the check."""
    for method in METHODS:
        answer = _linear_programme(sets.points, sets.n1, method)
        if answer is not None:
            found = sets.judge(*answer, f"linear programme, {method}")
            if found.separable is not None:
                return found
    return Separability(None, "none")


def interpolating(sets: Sets) -> np.ndarray:
    """Return the shortest direction [d] that is 1 on the first set, 0 on the second, up to a constant; else zeros."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    signs = np.where(np.arange(len(sets.points)) < sets.n1, 1.0, -1.0)
    P = sets.points * signs[:, None]
    K = P @ P.T + 1.0  # + 1: the constant
    K.flat[:: len(K) + 1] += 1e-12 * len(K)
    try:
        return P.T @ cho_solve(cho_factor(K, lower=True, check_finite=False), signs, check_finite=False)
    except LinAlgError:
        return np.zeros(sets.points.shape[1])


def _linear_programme(points: np.ndarray, n1: int, method: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Maximise t with A w - c >= t, c - B w >= t, |w_i| <= 1. Return (weights from multipliers, w) or None."""
    from scipy.optimize import linprog

    n, d = points.shape
    side = np.where(np.arange(n) < n1, 1.0, -1.0)
    got = linprog(
        np.append(np.zeros(d + 1), -1.0),
        A_ub=np.column_stack([-points, side, np.ones(n)]),
        b_ub=np.zeros(n),
        bounds=[(-1, 1)] * d + [(None, None), (0, 4 * d)],
        method=method,
        options={"time_limit": 60.0},
    )
    return (-got.ineqlin.marginals, got.x[:d]) if got.status == 0 else None
