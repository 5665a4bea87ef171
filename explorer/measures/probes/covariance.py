"""Solve equations with the covariance of points, which may be singular."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.probes.class_sums import ClassSums

SINGULAR = 16.0
"""Multiple of the rounding error below which a feature's variance, or an eigenvalue, is rounding."""


@dataclass(frozen=True, eq=False)
class Factor:
    """Cholesky factor of a covariance that was scaled to a unit diagonal."""

    lower: np.ndarray
    scale: np.ndarray

    def solve(self, rows: np.ndarray) -> np.ndarray:
        """Return covariance^-1 times each row [m, d]."""
        from scipy.linalg.lapack import dpotrs

        solved: np.ndarray = dpotrs(self.lower, (rows * self.scale).T, lower=1)[0].T * self.scale
        return solved


def factored(covariance: np.ndarray, sums: ClassSums) -> Factor | None:
    """Return the factor of a covariance [d, d], or None if it is singular up to rounding.

    It is scaled to a unit diagonal first: a few features of large variance then do not hide the others.

    Args:
        covariance: of all points, or within classes.
        sums: the sums that it was made from: they tell how precise it is.
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
    return Factor(lower, scale)


def solved(covariance: np.ndarray, rows: np.ndarray, sums: ClassSums) -> tuple[np.ndarray, int]:
    """Return the solution x of covariance x = row for each row, float64 [m, d], and the rank of the covariance.

    If it is singular, x is the smallest vector of those that solve the equation best. Which directions are rounding is
    decided with all features scaled to unit variance: a feature of small variance is not rounding.
    """
    from scipy.linalg import qr, solve_triangular
    from scipy.linalg.lapack import dpstrf

    factor = factored(covariance, sums)
    if factor is not None:
        return factor.solve(rows), len(covariance)
    spread = covariance.diagonal()
    moves = spread > SINGULAR * sums.epsilon * sums.second.diagonal() / sums.n
    size = np.sqrt(np.where(moves, spread, 0.0))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=moves)
    both = np.outer(scale, scale)
    if not moves.any():
        return np.zeros_like(rows), 0
    level = SINGULAR * sums.epsilon * float(np.linalg.norm(sums.second * both)) / sums.n
    lower, order, rank, _ = dpstrf(covariance * both, tol=level, lower=1)  # Cholesky factor with pivots, to rounding
    root = np.zeros((len(covariance), rank))
    root[order - 1] = np.tril(lower)[:, :rank]
    # The covariance is B B' with B = QR, and its pseudo-inverse Q R'^-1 R^-1 Q'.
    q, r = qr(size[:, None] * root, mode="economic")
    inner = solve_triangular(r, q.T @ rows.T)
    return (q @ solve_triangular(r, inner, trans="T")).T, int(rank)


def _rounding(covariance: np.ndarray, sums: ClassSums) -> float:
    """Return the relative rounding error of a covariance: it is a difference of larger sums."""
    size = float(np.linalg.norm(covariance))
    return sums.epsilon * float(np.linalg.norm(sums.second)) / sums.n / size if size else 1.0
