"""Fit multinomial logistic regression with an L2 penalty, to the optimum.

The objective is scikit-learn's: the sum over points of -log softmax(x W' + b)[label], plus |W|^2 / (2 C), with unscaled
features and no penalty on b. For two classes, scikit-learn fits the difference w of the two rows with the penalty
|w|^2 / (2 C): the same as rows -w/2 and w/2 with twice the penalty of each, which is what is fitted here.

1. L-BFGS with float32 products, in coordinates in which the objective curves about equally in all directions: by
   Boehning's bound (1992), its Hessian is near X'X / (2 K) + 1/C.
2. Newton's method with float64 gradients. Each step is solved by conjugate gradients with float32 products and the same
   metric, scaled by the actual variances p (1 - p) of the classes.

All sums run over ROWS points at a time, in order, so the points need not be in memory: beside them, a fit holds the
probabilities, 4 K bytes per point for K classes, and, of points in memory, a centred copy of at most CENTRED bytes.

It ends when the Newton decrement shows that the weights are optimal up to ERROR. The objective is strongly
convex in W, so the optimum is unique; a start only saves time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.interior import one_thread
from explorer.measures.moments import ROWS
from explorer.measures.probes.linear_probe import LinearProbe
from explorer.measures.probes.scratch import Rows

ERROR = 1.25e-5
"""Root mean square error of the weights at the end, as the Newton decrement bounds it."""
NEAR = 1e-2
"""Largest entry of the scaled gradient at which L-BFGS ends."""
MOST_LBFGS, MOST_NEWTON, MOST_PRODUCTS = 500, 30, 300
"""Maximum numbers of L-BFGS iterations, Newton steps, and products per Newton step."""
SMALLEST_STEP = 1e-6
CENTRED = 2**26
"""Largest centred copy of the points that is kept, in bytes: otherwise they are centred at each product."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Points of one layer, prepared for fits to several sets of labels."""

    points: Rows
    """The points: as they came, or fewer points than features in coordinates of ``span``, [n, r]."""
    mean: np.ndarray
    """Mean of the points, float64 [r]."""
    span: np.ndarray | None
    """Orthonormal columns that span all points about their mean, float64 [d, r]; None if n is at least d."""
    eigenvalues: np.ndarray
    """Eigenvalues of X'X, float32 [r]."""
    basis: np.ndarray
    """Eigenvectors of X'X in columns, float32 [r, r]."""
    centred: tuple[tuple[slice, np.ndarray], ...]
    """What ``strips`` yields, if it is kept."""

    def exact_strips(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield ROWS points minus the mean at a time, in float64."""
        return _centred(self.points, self.mean, np.float64)

    def strips(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield ROWS points minus the mean at a time, in float32."""
        return iter(self.centred) if self.centred else _centred(self.points, self.mean, np.float32)

    def scaled(self, vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Multiply vectors [K, r] along each direction of the basis by a weight [K or 1, r]: float64 [K, r]."""
        along = (vectors.astype(np.float32) @ self.basis) * weights.astype(np.float32)
        return (along @ self.basis.T).astype(np.float64)


def prepared(points: Rows) -> Prepared:
    """Return the points [n, d], float of any precision, in memory or in a file, with what all fits to them share."""
    from scipy.linalg import eigh, qr

    with one_thread():
        n, width = points.shape
        span, mean = None, sum(strip.sum(0, dtype=np.float64) for _, strip in _strips(points)) / n
        if n < width:  # the optimal weights lie in the span of the points
            few = np.asarray(points)
            span = qr((few - mean).T, mode="economic", check_finite=False)[0]
            points = few = few @ span
            mean = few.mean(0)
        small = isinstance(points, np.ndarray) and 4 * points.size <= CENTRED
        centred = tuple(_centred(points, mean, np.float32)) if small else ()
        gram = np.zeros((len(mean), len(mean)), np.float32)
        for _, strip in centred or _centred(points, mean, np.float32):
            gram += strip.T @ strip
        values, basis = eigh(gram, driver="evd", check_finite=False)
    return Prepared(points, mean, span, np.maximum(values, 0), basis, centred)


def _strips(points: Rows) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(points), ROWS):
        at = slice(start, start + ROWS)
        yield at, np.asarray(points[at])


def _centred(points: Rows, mean: np.ndarray, kind: type[np.floating]) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield ROWS points minus the mean at a time; the difference is taken in the points' precision if it is higher."""
    wide = np.result_type(points.dtype, kind)
    centre = mean.astype(wide)
    for at, strip in _strips(points):
        yield at, (strip.astype(wide, copy=False) - centre).astype(kind, copy=False)


def fit_logistic(given: Prepared, labels: np.ndarray, C: float = 1.0, start: LinearProbe | None = None) -> LinearProbe:
    """Return the probe with the smallest objective.

    Args:
        given: the training points.
        labels: label ids, int64 [n].
        C: inverse strength of the penalty, as in scikit-learn.
        start: a probe to start from, such as that of the previous step; its classes may differ.

    Raises:
        MeasureError: there are fewer than two labels.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise MeasureError("All training points have the same label: a probe needs at least two labels.")
    problem = _Problem(given, codes, np.bincount(codes).astype(np.float64), (2.0 if len(classes) == 2 else 1.0) / C)
    with one_thread():
        weights, intercepts, reason = _newton(problem, *_lbfgs(problem, *_begin(problem, classes, start)))
    weights = weights - weights.mean(0)  # exact at the optimum: the loss sees only differences of rows
    intercepts = intercepts - intercepts.mean() - weights @ given.mean
    if given.span is not None:
        weights = weights @ given.span.T
    return LinearProbe(classes, weights, intercepts, reason)


@dataclass(frozen=True, eq=False)
class _Problem:
    """The objective of centred points; weights [K, d] and intercepts [K] belong to centred points too."""

    given: Prepared
    codes: np.ndarray  # int64 [n]
    counts: np.ndarray  # float64 [K]
    strength: float

    def value(self, weights: np.ndarray, intercepts: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the objective and its gradients, with float32 products."""
        total, gradient, of_intercepts = self._penalty(weights), self.strength * weights, np.zeros(len(intercepts))
        narrow, level = weights.astype(np.float32).T, intercepts.astype(np.float32)
        for at, rows in self.given.strips():
            loss, p = _softmax(rows @ narrow + level, self.codes[at])
            p[np.arange(len(p)), self.codes[at]] -= 1
            total += loss
            gradient += p.T @ rows
            of_intercepts += p.sum(0, dtype=np.float64)
        return total, gradient, of_intercepts

    def exact(
        self, weights: np.ndarray, intercepts: np.ndarray, probabilities: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the objective and its gradients, with float64 products, and set the probabilities, float32 [n, K]."""
        total, gradient, of_intercepts = self._penalty(weights), self.strength * weights, np.zeros(len(intercepts))
        for at, rows in self.given.exact_strips():
            loss, p = _softmax(rows @ weights.T + intercepts, self.codes[at])
            probabilities[at] = p
            p[np.arange(len(p)), self.codes[at]] -= 1
            total, gradient, of_intercepts = total + loss, gradient + p.T @ rows, of_intercepts + p.sum(0)
        return total, gradient, of_intercepts

    def curvature(self, p: np.ndarray, weights: np.ndarray, intercepts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the Hessian at probabilities p times a direction, with float32 products."""
        product, of_intercepts = self.strength * weights, np.zeros(len(intercepts))
        narrow, level = weights.astype(np.float32).T, intercepts.astype(np.float32)
        for at, rows in self.given.strips():
            moved = rows @ narrow + level
            moved *= p[at]
            moved -= p[at] * moved.sum(1, keepdims=True)
            product += moved.T @ rows
            of_intercepts += moved.sum(0, dtype=np.float64)
        return product, of_intercepts

    def _penalty(self, weights: np.ndarray) -> float:
        return self.strength / 2 * float((weights * weights).sum())


def _softmax(logits: np.ndarray, codes: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the summed loss in nats and the probabilities; the logits are overwritten."""
    logits -= logits.max(1, keepdims=True)
    own = logits[np.arange(len(codes)), codes].sum(dtype=np.float64)
    np.exp(logits, out=logits)
    sums = logits.sum(1, keepdims=True)
    logits /= sums
    return float(np.log(sums, dtype=np.float64).sum() - own), logits


def _begin(problem: _Problem, classes: np.ndarray, start: LinearProbe | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the first weights and intercepts: those of the start, or the logarithms of the labels' shares."""
    weights = np.zeros((len(classes), len(problem.given.mean)))
    intercepts = np.log(problem.counts / len(problem.codes))
    if start is not None:
        _, ours, theirs = np.intersect1d(classes, start.classes, return_indices=True)
        before = start.weights[theirs]
        weights[ours] = before if problem.given.span is None else before @ problem.given.span
        known = start.intercepts[theirs] + weights[ours] @ problem.given.mean
        intercepts[ours] += (known - known.mean()) - (intercepts[ours] - intercepts[ours].mean())
    return weights, intercepts


def _lbfgs(problem: _Problem, weights: np.ndarray, intercepts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a point near the optimum."""
    from scipy.optimize import minimize

    given, shape = problem.given, weights.shape
    n, even = len(problem.codes), 0.5 / len(weights)
    curved, level = (even * given.eigenvalues + problem.strength)[None], (even * n) ** -0.5

    def unscaled(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return given.scaled(v[: weights.size].reshape(shape), curved**-0.5), v[weights.size :] * level

    def value(v: np.ndarray) -> tuple[float, np.ndarray]:
        objective, gradient, of_intercepts = problem.value(*unscaled(v))
        return objective, np.append(given.scaled(gradient, curved**-0.5), of_intercepts * level)

    begin = np.append(given.scaled(weights, curved**0.5), intercepts / level)
    limits = {"maxiter": MOST_LBFGS, "gtol": NEAR, "ftol": 0.0, "maxls": 30}
    return unscaled(minimize(value, begin, jac=True, method="L-BFGS-B", options=limits).x)


def _newton(problem: _Problem, weights: np.ndarray, intercepts: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the optimum, and the reason if it was not reached."""
    p = np.empty((len(problem.codes), len(weights)), np.float32)  # at the last point that ``exact`` was asked for
    objective, gradient, of_intercepts = problem.exact(weights, intercepts, p)
    # The objective is strongly convex: the decrement is at least the distance times the root of the strength.
    small = ERROR * (weights.size * min(1.0, problem.strength)) ** 0.5
    for _ in range(MOST_NEWTON):
        step, level, decrement = _conjugate_gradients(problem, p, gradient, of_intercepts, small)
        if decrement < small:
            return weights, intercepts, ""
        slope, share = float((gradient * step).sum() + of_intercepts @ level), 1.0
        while share > SMALLEST_STEP:
            found = problem.exact(weights + share * step, intercepts + share * level, p)
            if found[0] <= objective + 1e-4 * share * slope + 1e-12 * abs(objective):
                break
            share /= 2
        else:
            return weights, intercepts, f"no step improves the fit any more (Newton decrement {decrement:.1g})"
        weights, intercepts = weights + share * step, intercepts + share * level
        objective, gradient, of_intercepts = found
    return weights, intercepts, f"not converged after {MOST_NEWTON} Newton steps (decrement {decrement:.1g})"


def _conjugate_gradients(
    problem: _Problem, p: np.ndarray, gradient: np.ndarray, of_intercepts: np.ndarray, small: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return an approximate Newton step and the Newton decrement as the metric sees it; no step if it is small."""
    given = problem.given
    variance = (p * (1 - p)).sum(0, dtype=np.float64) + 1e-9
    inverse = 1 / (variance[:, None] / len(p) * given.eigenvalues + problem.strength)

    def preconditioned(r: np.ndarray, of_level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return given.scaled(r, inverse), of_level / variance

    def product(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
        return float((one[0] * other[0]).sum() + one[1] @ other[1])

    rest = (-gradient, -of_intercepts)
    turned = preconditioned(*rest)
    square = first = product(rest, turned)
    decrement = float(np.sqrt(first))
    enough = min(0.1, max(0.03 * decrement, 0.3 * small / max(decrement, small)))
    direction, step = turned, (np.zeros_like(gradient), np.zeros_like(of_intercepts))
    for _ in range(MOST_PRODUCTS if decrement >= small else 0):
        curved = problem.curvature(p, *direction)
        length = square / product(direction, curved)
        step = (step[0] + length * direction[0], step[1] + length * direction[1])
        rest = (rest[0] - length * curved[0], rest[1] - length * curved[1])
        turned = preconditioned(*rest)
        square, before = product(rest, turned), square
        if square <= enough**2 * first:
            break
        ratio = square / before
        direction = (turned[0] + ratio * direction[0], turned[1] + ratio * direction[1])
    return *step, decrement
