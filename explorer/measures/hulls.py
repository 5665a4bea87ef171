"""Are two sets of points linearly separable, and how far apart are their convex hulls? With a proof of either answer.

The hulls' nearest points solve   min 1/2 |A'l - B'm|^2,   l, m >= 0,   sum l = sum m = 1   (A [n1, d], B [n2, d]):
the dual of the hard-margin SVM, whose margin is half the distance. A primal-dual interior point method (Mehrotra 1992)
solves it in a dozen or two Newton steps of n d^2 operations each. What it returns is believed after a check in float64:

* any weights l, m give an upper bound of the distance, |z| with z = A'l - B'm;
* any direction z gives a lower bound, (min A z - max B z) / |z|: if it is positive, a plane separates the sets;
* where |z| is nothing but rounding, the point A'l = B'm lies in both hulls, and no plane can separate them.

Where neither proof comes out, linear programmes (HiGHS) look for a plane or a common point, judged by the same checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STEPS = 80
GAP = 1e-6
"""Relative difference of the bounds at which the method stops."""
COMMON = 1e-9
"""Hulls this close, relative to the largest distance of a point from the middle, have a point in common."""
PLANE = 1e-12
"""Margin, relative to the same, that a verified plane needs: above the rounding of its evaluation."""


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
    middle = (a.mean(0) + b.mean(0)) / 2
    points = np.concatenate([a - middle, middle - b])  # the sign of b is turned: z is one product with all weights
    scale = float(np.sqrt((points**2).sum(1).max()))
    points /= scale
    weights = _nearest(points, len(a))
    found = _judge(points, len(a), weights, points.T @ weights, scale, "nearest points of the hulls")
    if found.separable is not None:
        return found
    for method in ("highs-ds", "highs-ipm"):
        answer = _linear_programme(points, len(a), method)
        if answer is not None:
            found = _judge(points, len(a), *answer, scale, f"linear programme, {method}")
            if found.separable is not None:
                return found
    return Hulls(None, 0.0, found.upper, "none")


def _judge(points: np.ndarray, n1: int, weights: np.ndarray, direction: np.ndarray, scale: float, source: str) -> Hulls:
    """Verify weights (upper bound, common point) and a direction (lower bound, plane) in float64."""
    u = np.maximum(weights, 0)
    u = np.concatenate([u[:n1] / max(u[:n1].sum(), 1e-300), u[n1:] / max(u[n1:].sum(), 1e-300)])
    upper = float(np.linalg.norm(points.T @ u)) if abs(u.sum() - 2) < 1e-6 else np.inf
    if upper <= COMMON:
        return Hulls(False, 0.0, 0.0, f"common point ({source})")
    length = float(np.linalg.norm(direction))
    along = points @ direction / length if length > 0 else np.zeros(len(points))
    lower = float(along[:n1].min() + along[n1:].min())
    if lower > PLANE:
        return Hulls(True, lower * scale, max(upper, lower) * scale, f"plane ({source})")
    return Hulls(None, 0.0, upper * scale, "none")


def _nearest(points: np.ndarray, n1: int) -> np.ndarray:
    """Weights [n1 + n2] of the hulls' nearest points, by the interior point method.

    Notation: C = points, u = weights, z = C'u, E = the two sets' indicators, nu = the two multipliers of E'u = 1,
    s = C z - E nu >= 0 = slacks; at the solution u s = 0. Start and steps keep all equations, u > 0 and s > 0.
    """
    from scipy.linalg import cho_solve

    n = len(points)
    # n points span at most n dimensions: there, the same geometry in fewer.
    C = points if n >= points.shape[1] else np.asarray(np.linalg.qr(points.T, mode="r")).T.copy()
    E = np.zeros((n, 2))
    E[:n1, 0] = E[n1:, 1] = 1
    u = E @ (1 / E.sum(0))
    z = C.T @ u
    along = C @ z
    nu = np.array([along[:n1].min(), along[n1:].min()]) - 0.1 * max(float(np.ptp(along)), 1e-12)
    s = along - E @ nu
    best, least = u, np.inf
    for _ in range(STEPS):
        along, length = C @ z, float(np.linalg.norm(z))
        lower = (along[:n1].min() + along[n1:].min()) / length if length > 0 else 0.0
        if length < least:
            best, least = u, length
        if length - lower <= GAP * length or length <= COMMON / 10:
            break
        # Newton: (S/U + C C') du = E dnu - rc / u, E'du = 0; (S/U + C C')^-1 by Woodbury, d x d.
        w = u / s
        factor = _cholesky(C, w)
        if factor is None:
            break
        KE = _solve(C, w, factor, E, cho_solve)
        G = E.T @ KE

        def step(
            rc: np.ndarray,
            u: np.ndarray = u,
            s: np.ndarray = s,
            w: np.ndarray = w,
            factor: tuple[np.ndarray, bool] = factor,
            KE: np.ndarray = KE,
            G: np.ndarray = G,
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
            r = _solve(C, w, factor, -(rc / u)[:, None], cho_solve)[:, 0]
            dnu = np.linalg.solve(G, -(E.T @ r))
            du = r + KE @ dnu
            dz = C.T @ du
            return du, dnu, dz, C @ dz - E @ dnu

        mu = float(u @ s) / n
        du, _, _, ds = step(u * s)  # predictor
        t = _longest(u, du, s, ds)
        centring = (float((u + t * du) @ (s + t * ds)) / n / mu) ** 3
        du, dnu, dz, ds = step(u * s - centring * mu + du * ds)  # corrector
        t = min(1.0, 0.99 * _longest(u, du, s, ds))
        u, s, z, nu = u + t * du, s + t * ds, z + t * dz, nu + t * dnu
        if not (np.isfinite(u).all() and t > 1e-12):
            break
    return best


def _cholesky(C: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, bool] | None:
    """Factor of I + C' diag(w) C [d, d]; a ridge at rounding level where the points span fewer dimensions."""
    from scipy.linalg import LinAlgError, cho_factor

    half = C * np.sqrt(w)[:, None]
    H = half.T @ half
    largest = float(H.diagonal().max())
    H.flat[:: len(H) + 1] += 1
    for ridge in (0.0, 1e-12, 1e-10):
        H.flat[:: len(H) + 1] += ridge * largest
        try:
            factor: tuple[np.ndarray, bool] = cho_factor(H, lower=True, check_finite=False)
            return factor
        except LinAlgError:
            continue
    return None


def _solve(
    C: np.ndarray, w: np.ndarray, factor: tuple[np.ndarray, bool], r: np.ndarray, cho_solve: Callable[..., np.ndarray]
) -> np.ndarray:
    """(diag(1/w) + C C')^-1 r for r [n, columns]."""
    r = r * w[:, None]
    return r - w[:, None] * (C @ cho_solve(factor, C.T @ r, check_finite=False))


def _longest(u: np.ndarray, du: np.ndarray, s: np.ndarray, ds: np.ndarray) -> float:
    """Longest step at most 1 that keeps u and s from falling below 0."""
    t = 1.0
    for x, dx in ((u, du), (s, ds)):
        falls = dx < 0
        if falls.any():
            t = min(t, float((-x[falls] / dx[falls]).min()))
    return t


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
