"""Fit linear discriminants from sums of classes.

For classes with means mu_k, shares pi_k and one covariance S within them, the logit of class k is
x' S^+ mu_k - mu_k' S^+ mu_k / 2 + log pi_k, with S divided by n: scikit-learn's
``LinearDiscriminantAnalysis(solver="lsqr")``.

S = T - D'D, with the total covariance T, which all sets of labels share, and the rows d_k = sqrt(pi_k) (mu_k - mean) of
D. So T is factored once, and each set needs only (Woodbury 1950)

    S^-1 = T^-1 + T^-1 D' (I - C)^-1 D T^-1,  C = D T^-1 D'.

Where labels explain nearly all of a direction (an eigenvalue of I - C near 0), S itself is factored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.base import MeasureError
from explorer.measures.interior import one_thread
from explorer.measures.probes.class_sums import ClassSums, LabelSums
from explorer.measures.probes.linear_probe import LinearProbe

SINGULAR = 16.0
"""Multiple of the rounding error below which a feature's variance, or an eigenvalue, is rounding."""
UNEXPLAINED = 1e-3
"""Smallest eigenvalue of I - C with which the total covariance serves."""


def fit_lda(sums: ClassSums) -> list[LinearProbe]:
    """Return the linear discriminant of each set of labels.

    If the covariance within classes is singular (features that are constant within each class or repeated, or fewer
    points than features), the weights are the least-squares solution of smallest norm, as in scikit-learn, and the
    reason says so.

    Raises:
        MeasureError: there are no more points than classes.
    """
    with one_thread():
        total = _factored(sums.covariance(), sums)
        return [_fit(sums, which, total) for which in range(len(sums.sets))]


@dataclass(frozen=True, eq=False)
class _Factor:
    """Cholesky factor of a covariance that was scaled to a unit diagonal."""

    lower: np.ndarray
    scale: np.ndarray

    def solve(self, rows: np.ndarray) -> np.ndarray:
        """Return covariance^-1 times each row [m, d]."""
        from scipy.linalg.lapack import dpotrs

        solved: np.ndarray = dpotrs(self.lower, (rows * self.scale).T, lower=1)[0].T * self.scale
        return solved


def _fit(sums: ClassSums, which: int, total: _Factor | None) -> LinearProbe:
    of = sums.sets[which]
    if sums.n <= len(of.classes):
        raise MeasureError(f"{sums.n} points of {len(of.classes)} labels: too few for a linear discriminant.")
    means, reason = of.means + sums.shift, ""
    weights = None if total is None else _by_total(total, sums, of, means)
    if weights is None:
        within = sums.within(which)
        own = _factored(within, sums)
        if own is not None:
            weights = own.solve(means)
        else:
            weights, rank = _smallest(within, means, SINGULAR * _rounding(within, sums))
            reason = f"the covariance within labels has rank {rank} of {len(within)}: the smallest weights are taken"
    intercepts = np.log(of.counts / sums.n) - np.einsum("kd,kd->k", means, weights) / 2
    return LinearProbe(of.classes, weights, intercepts, reason)


def _by_total(total: _Factor, sums: ClassSums, of: LabelSums, means: np.ndarray) -> np.ndarray | None:
    """Return S^-1 mu_k of each class, float64 [K, d], or None if the labels explain a direction nearly completely."""
    apart = np.sqrt(of.counts / sums.n)[:, None] * (of.means - sums.mean)
    solved = total.solve(np.concatenate([means, apart]))
    means_solved, apart_solved = solved[: len(means)], solved[len(means) :]
    left, vectors = np.linalg.eigh(np.eye(len(apart)) - apart_solved @ apart.T)
    if left[0] < UNEXPLAINED:
        return None
    inner = vectors / left @ vectors.T
    weights: np.ndarray = means_solved + (means_solved @ apart.T) @ inner @ apart_solved
    return weights


def _factored(covariance: np.ndarray, sums: ClassSums) -> _Factor | None:
    """Return the factor of a covariance, or None if it is singular up to rounding.

    It is scaled to a unit diagonal first: a few features of large variance then do not hide the others.
    """
    from scipy.linalg.lapack import dpocon, dpotrf

    spread = covariance.diagonal()
    if not (spread > SINGULAR * sums.epsilon * sums.second.diagonal() / sums.n).all():
        return None
    scale = 1 / np.sqrt(spread)
    scaled = covariance * scale * scale[:, None]
    lower, failed = dpotrf(scaled, lower=1)
    if failed or dpocon(lower, np.abs(scaled).sum(0).max(), uplo="L")[0] <= _rounding(covariance, sums):
        return None
    return _Factor(lower, scale)


def _rounding(covariance: np.ndarray, sums: ClassSums) -> float:
    """Return the relative rounding error of a covariance: it is a difference of larger sums."""
    size = float(np.linalg.norm(covariance))
    return sums.epsilon * float(np.linalg.norm(sums.second)) / sums.n / size if size else 1.0


def _smallest(within: np.ndarray, means: np.ndarray, cut: float) -> tuple[np.ndarray, int]:
    """Return the smallest w_k that minimise |S w_k - mu_k|, float64 [K, d], and the rank of S."""
    from scipy.linalg import lstsq

    found, _, rank, _ = lstsq(within, means.T, cond=cut)
    return found.T, int(rank)
