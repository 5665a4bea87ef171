"""Does a plane separate two sets of points, or do their convex hulls meet? Every answer is checked in float64.

* A direction w proves separability by its margin, min A w - max B w > 0.
* Convex weights l, m with A'l = B'm prove that no plane can separate: the point lies in both hulls.

Tests come cheapest first: planes that are already known, the plane that takes the value 1 on one set and 0 on the other
(exists in general position for at most d + 1 points), the interior point method, an active-set method where hulls
nearly touch, and linear programmes (HiGHS), whose multipliers are the weights (Farkas). A solver's word counts for
nothing, only what passes the check.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from explorer.measures.interior import finish, nearest

COMMON = 1e-9
"""Hulls this close, relative to the largest distance of a point from the middle, have a point in common."""
PLANE = 1e-12
"""Margin, relative to the same, that a verified plane needs: above the rounding of its evaluation."""
NEARLY = 1e-2
"""Relative difference of a distance's bounds at which looking for a plane near it ends."""
METHODS = ("highs-ds", "highs-ipm")


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was proved of two sets of points."""

    separable: bool | None
    """None: neither a plane nor a common point could be verified."""
    proof: str
    plane: np.ndarray | None = None
    """Unit normal [d] of a separating plane; the first set lies on its positive side."""
    margin: float = 0.0
    """Verified distance of the sets along the normal."""
    weights: np.ndarray | None = None
    """Convex weights [n1 + n2] of a point of both hulls."""


@dataclass(frozen=True, eq=False)
class Sets:
    """Two sets of points made ready: moved and scaled to unit size."""

    points: np.ndarray
    """[n1 + n2, d]: the first set, then the second with its sign turned, so that z = points.T @ weights."""
    n1: int
    scale: float
    """Largest distance of a point from the middle of the two means, in the points' units."""

    @classmethod
    def of(cls, a: np.ndarray, b: np.ndarray) -> Sets:
        """From a [n1, d] and b [n2, d], float64."""
        middle = (a.mean(0) + b.mean(0)) / 2
        points = np.concatenate([a - middle, middle - b])
        scale = float(np.sqrt(np.einsum("ij,ij->i", points, points).max()))
        return cls(points / scale if scale > 0 else points, len(a), scale)

    def margin(self, direction: np.ndarray) -> float:
        """Distance of the sets along a direction, in units of the scale; positive: a plane separates them."""
        length = float(np.linalg.norm(direction))
        if not length > 0:
            return -np.inf
        along = self.points @ direction
        return float(along[: self.n1].min() + along[self.n1 :].min()) / length

    def convex(self, weights: np.ndarray) -> tuple[np.ndarray, float]:
        """Nearest convex weights and the distance of the two points they make, in units of the scale."""
        u = np.maximum(weights, 0)
        sums = u[: self.n1].sum(), u[self.n1 :].sum()
        if not min(sums) > 0:
            return u, np.inf
        u = np.concatenate([u[: self.n1] / sums[0], u[self.n1 :] / sums[1]])
        return u, float(np.linalg.norm(self.points.T @ u))

    def judge(self, weights: np.ndarray, direction: np.ndarray, source: str) -> Verdict:
        """What weights and a direction prove, if anything."""
        u, apart = self.convex(weights)
        if apart <= COMMON:
            return Verdict(False, f"common point ({source})", weights=u)
        margin = self.margin(direction)
        if margin > PLANE:
            plane = direction / np.linalg.norm(direction)
            return Verdict(True, f"plane ({source})", plane=plane, margin=margin * self.scale)
        return Verdict(None, "none")


def decide(a: np.ndarray, b: np.ndarray, planes: Iterable[np.ndarray] = ()) -> Verdict:
    """Whether a plane separates the points a [n1, d] from b [n2, d] (float64); ``planes`` are normals to try first."""
    sets = Sets.of(a, b)
    if sets.scale == 0:
        return Verdict(False, "common point (all points are one)", weights=np.full(len(a) + len(b), 1.0))
    for plane in planes:
        margin = sets.margin(plane)
        if margin > PLANE:
            return Verdict(True, "plane (known before)", plane=plane, margin=margin * sets.scale)
    if len(sets.points) <= a.shape[1] + 1:
        direction = interpolating(sets)
        margin = sets.margin(direction)
        if margin > PLANE:
            plane = direction / np.linalg.norm(direction)
            return Verdict(True, "plane (interpolating)", plane=plane, margin=margin * sets.scale)
    weights = nearest(sets.points, sets.n1, decide=True)
    found = sets.judge(weights, sets.points.T @ weights, "interior point method")
    if found.separable is not None:
        return found
    for better, direction in finish(sets.points, sets.n1, weights, NEARLY):
        found = sets.judge(better, direction, "active-set method")
        if found.separable is not None:
            return found
    return by_linear_programme(sets)


def by_linear_programme(sets: Sets) -> Verdict:
    """The last resort: HiGHS by one method after the other, until an answer passes the check."""
    for method in METHODS:
        answer = _linear_programme(sets.points, sets.n1, method)
        if answer is not None:
            found = sets.judge(*answer, f"linear programme, {method}")
            if found.separable is not None:
                return found
    return Verdict(None, "none")


def interpolating(sets: Sets) -> np.ndarray:
    """The shortest direction [d] that is 1 on the first set and 0 on the second, up to a constant; zeros if none."""
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
    """Largest t with A w - c >= t, c - B w >= t, |w_i| <= 1: (weights from its multipliers, w), None if it failed."""
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
