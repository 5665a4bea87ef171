"""Find the nearest points of two convex hulls by a primal-dual interior point method (Mehrotra 1992).

    min 1/2 |A'l - B'm|^2,   l, m >= 0,   sum l = sum m = 1      (A [n1, d], B [n2, d])

is the dual of the hard-margin SVM, whose margin is half the distance. One or two dozen Newton steps of n d^2 operations
solve it; fewer steps tell whether the hulls meet. The results are weights that must be checked before they are trusted.

Notation: C = (A; -B), u = (l; m), z = C'u, E = the two sets' indicators, nu = the two multipliers of E'u = 1,
s = C z - E nu >= 0 = slacks; at the solution u s = 0. Start and steps keep all equations, u > 0 and s > 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

STEPS = 80
GAP = 1e-6
"""Relative difference of the bounds at which the method stops."""
CLEAR = 0.25
"""Margin of a plane, as a share of the distance, that is enough if only a plane is wanted."""
SUPPORT = 1e-5
"""Share of the largest weight below which a point's weight is set to 0 at the start of the active-set method."""
FINISHING = 100
"""Maximum number of rounds of the active-set method."""
NOTHING = 1e-10
"""Length of z at which no further step is needed."""
SINGULAR = 4 * np.finfo(np.float64).eps
"""Determinant of the multipliers' system, as a share of its diagonal's product, below which it is only rounding."""


@dataclass(frozen=True, eq=False)
class _Newton:
    """The Newton system at one iterate: (S/U + C C') by Woodbury, factored once for predictor and corrector."""

    C: np.ndarray
    E: np.ndarray
    u: np.ndarray
    w: np.ndarray
    factor: tuple[np.ndarray, bool]
    KE: np.ndarray
    G: np.ndarray

    @classmethod
    def at(cls, C: np.ndarray, E: np.ndarray, u: np.ndarray, s: np.ndarray) -> _Newton | None:
        """Return the system at an iterate; None if the matrix cannot be factored, or if z is 0 up to rounding."""
        w = u / s
        half = C * np.sqrt(w)[:, None]
        factor = cholesky(half.T @ half, 1.0)
        if factor is None:
            return None
        KE = _solve(C, w, factor, E)
        G = E.T @ KE
        (a, b), (c, d) = G.tolist()
        if not a * d - b * c > SINGULAR * a * d:
            return None
        return cls(C, E, u, w, factor, KE, G)

    def step(self, rc: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the changes of u, nu, z and s for the residual rc of u s."""
        r = _solve(self.C, self.w, self.factor, -(rc / self.u)[:, None])[:, 0]
        dnu = np.linalg.solve(self.G, -(self.E.T @ r))
        du = r + self.KE @ dnu
        dz = self.C.T @ du
        return du, dnu, dz, self.C @ dz - self.E @ dnu


@contextmanager
def one_thread() -> Iterator[None]:
    """Run BLAS on one thread: width x width is too small to share (20 times the CPU time on two busy cores)."""
    import scipy.linalg  # scipy has its own BLAS: if it were loaded later, its threads would not be limited
    from threadpoolctl import threadpool_limits

    assert scipy.linalg
    with threadpool_limits(1):
        yield


def nearest(points: np.ndarray, n1: int, decide: bool = False) -> np.ndarray:
    """Return weights [n1 + n2] of the hulls' nearest points or, with ``decide``, of any plane or common point.

    Args:
        points: C [n1 + n2, d], of about unit size.
        n1: number of rows of the first set.
        decide: stop as soon as a plane has a clear margin, or a common point is found.
    """
    n = len(points)
    # n points span at most n dimensions, so the same geometry fits in n dimensions.
    C = points if n >= points.shape[1] else np.asarray(np.linalg.qr(points.T, mode="r")).T.copy()
    E = indicators(n1, n)
    u = E @ (1 / E.sum(0))
    z = C.T @ u
    along = C @ z
    nu = np.array([along[:n1].min(), along[n1:].min()]) - 0.1 * max(float(np.ptp(along)), 1e-12)
    s = along - E @ nu
    best, least = u, np.inf
    try_below = 0.25 * float(np.linalg.norm(z))
    for _ in range(STEPS):
        along, length = C @ z, float(np.linalg.norm(z))
        lower = (along[:n1].min() + along[n1:].min()) / length if length > 0 else 0.0
        if length < least:
            best, least = u, length
        if length - lower <= GAP * length or length <= NOTHING or (decide and lower > CLEAR * length):
            break
        if lower <= 0 and length < try_below:
            common = common_point(C, E, u)
            if common is not None:
                return common
            try_below = length / 4
        newton = _Newton.at(C, E, u, s)
        if newton is None:
            break
        mu = float(u @ s) / n
        du, _, _, ds = newton.step(u * s)  # predictor
        t = _longest(u, du, s, ds)
        centring = (float((u + t * du) @ (s + t * ds)) / n / mu) ** 3
        du, dnu, dz, ds = newton.step(u * s - centring * mu + du * ds)  # corrector
        t = min(1.0, 0.99 * _longest(u, du, s, ds))
        u, s, z, nu = u + t * du, s + t * ds, z + t * dz, nu + t * dnu
        if not (np.isfinite(u).all() and t > 1e-12):
            break
    return best


def common_point(C: np.ndarray, E: np.ndarray, u: np.ndarray) -> np.ndarray | None:
    """Return weights near u > 0 with C'u = 0 and E'u = 1, if the nearest ones (in relative change) are >= 0.

    A weighted least-squares projection: u (1 - P y), P = (C E), (P' diag(u) P) y = P'u - (0, 1, 1).
    """
    from scipy.linalg import cho_solve

    P = np.column_stack([C, E])
    goal = np.append(np.zeros(C.shape[1]), [1.0, 1.0])
    half = P * np.sqrt(u)[:, None]
    factor = cholesky(half.T @ half, 0.0)
    if factor is None:
        return None
    new = u
    for _ in range(3):  # the second and third round correct rounding and the ridge
        new = new - u * (P @ cho_solve(factor, P.T @ new - goal, check_finite=False))
        if not new.min() >= 0:
            return None
    return new if float(np.abs(P.T @ new - goal).max()) <= NOTHING else None


def finish(points: np.ndarray, n1: int, u: np.ndarray, gap: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield improving weights and z, starting from good ones, by the active-set method of Wolfe (1976) for two hulls.

    If hulls nearly touch, Newton steps lose z to rounding; an orthogonal factorisation of the flats through the points
    with weight does not. It ends when the bounds are within ``gap``, or when only rounding is left.
    """
    carriers = np.sort(u)[-min(len(u), points.shape[1] + 1)]  # more points are never needed (Caratheodory)
    u = np.where(u >= max(carriers, SUPPORT * u.max()), u, 0.0)
    sums = u[:n1].sum(), u[n1:].sum()
    if not min(sums) > 0:
        return
    u = np.concatenate([u[:n1] / sums[0], u[n1:] / sums[1]])
    for _ in range(FINISHING):
        flat = _flats(points, n1, u)
        if flat is None:
            return
        v, z = flat
        if v.min() < 0:  # outside the hull of its points: go as far as the hull, and drop points that lose their weight
            falls = np.flatnonzero(v < 0)
            ends = u[falls] / (u[falls] - v[falls])
            u = np.maximum(u + float(ends.min()) * (v - u), 0.0)
            u[falls[ends.argmin()]] = 0.0
            if not (u[:n1].any() and u[n1:].any()):
                return
            continue
        u = v
        yield u, z
        along, length = points @ z, float(np.linalg.norm(z))
        low = np.array([along[:n1].argmin(), n1 + along[n1:].argmin()])
        ahead = np.array([along[:n1] @ u[:n1], along[n1:] @ u[n1:]]) - along[low]
        add = low[ahead.argmax()]
        if ahead.sum() <= gap * length * length or u[add] > 0:
            return
        u[add] = 1e-300


def _flats(points: np.ndarray, n1: int, u: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weights and z of the nearest points of the two flats through the points with weight; None if they meet."""
    from scipy.linalg import lstsq

    first = np.array([u[:n1].argmax(), n1 + u[n1:].argmax()])
    rest = np.setdiff1d(np.flatnonzero(u), first)
    if len(rest) > points.shape[1]:
        return None
    own = first[(rest >= n1).astype(np.int64)]
    apart, spans = points[first].sum(0), points[rest] - points[own]
    move = lstsq(spans.T, -apart, lapack_driver="gelsy", check_finite=False)[0] if len(rest) else np.empty(0)
    weights = np.zeros(len(u))
    weights[first] = 1
    np.add.at(weights, rest, move)
    np.subtract.at(weights, own, move)
    return weights, apart + spans.T @ move


def indicators(n1: int, n: int) -> np.ndarray:
    """Return indicators of the two sets, float64 [n, 2]."""
    E = np.zeros((n, 2))
    E[:n1, 0] = E[n1:, 1] = 1
    return E


def cholesky(H: np.ndarray, diagonal: float) -> tuple[np.ndarray, bool] | None:
    """Factor H + diagonal [d, d], with a ridge at rounding level if the points span fewer dimensions. Overwrites H."""
    from scipy.linalg import LinAlgError, cho_factor

    largest = float(H.diagonal().max())
    H.flat[:: len(H) + 1] += diagonal
    for ridge in (0.0, 1e-12, 1e-10) if diagonal else (1e-14, 1e-12, 1e-10):
        H.flat[:: len(H) + 1] += ridge * largest
        try:
            factor: tuple[np.ndarray, bool] = cho_factor(H, lower=True, check_finite=False)
            return factor
        except LinAlgError:
            continue
    return None


def _solve(C: np.ndarray, w: np.ndarray, factor: tuple[np.ndarray, bool], r: np.ndarray) -> np.ndarray:
    """Return (diag(1/w) + C C')^-1 r for r [n, columns]."""
    from scipy.linalg import cho_solve

    r = r * w[:, None]
    return r - w[:, None] * (C @ cho_solve(factor, C.T @ r, check_finite=False))


def _longest(u: np.ndarray, du: np.ndarray, s: np.ndarray, ds: np.ndarray) -> float:
    """Return the longest step, at most 1, that keeps u and s at or above 0."""
    t = 1.0
    for x, dx in ((u, du), (s, ds)):
        falls = dx < 0
        if falls.any():
            t = min(t, float((-x[falls] / dx[falls]).min()))
    return t
