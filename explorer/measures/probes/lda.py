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

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.interior import one_thread
from explorer.measures.probes.class_sums import ClassSums, LabelSums
from explorer.measures.probes.covariance import Factor, factored, solved
from explorer.measures.probes.linear_probe import LinearProbe

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
        total = factored(sums.covariance(), sums)
        return [_fit(sums, which, total) for which in range(len(sums.sets))]


def _fit(sums: ClassSums, which: int, total: Factor | None) -> LinearProbe:
    of = sums.sets[which]
    if sums.n <= len(of.classes):
        raise MeasureError(f"{sums.n} points of {len(of.classes)} labels: too few for a linear discriminant.")
    means, reason = of.means + sums.shift, ""
    weights = None if total is None else _by_total(total, sums, of, means)
    if weights is None:
        weights, rank = solved(sums.within(which), means, sums)
        if rank < weights.shape[1]:
            reason = (
                f"the covariance within labels has rank {rank} of {weights.shape[1]}: the smallest weights are taken"
            )
    intercepts = np.log(of.counts / sums.n) - np.einsum("kd,kd->k", means, weights) / 2
    return LinearProbe(of.classes, weights, intercepts, reason)


def _by_total(total: Factor, sums: ClassSums, of: LabelSums, means: np.ndarray) -> np.ndarray | None:
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
