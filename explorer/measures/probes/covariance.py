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

    If it is singular, x is the smallest vector of those that solve the equation best.
    """
    from scipy.linalg import lstsq

    factor = factored(covariance, sums)
    if factor is not None:
        return factor.solve(rows), len(covariance)
    found, _, rank, _ = lstsq(covariance, rows.T, cond=SINGULAR * _rounding(covariance, sums))
    return found.T, int(rank)


def _rounding(covariance: np.ndarray, sums: ClassSums) -> float:
    """Return the relative rounding error of a covariance: it is a difference of larger sums."""
    size = float(np.linalg.norm(covariance))
    return sums.epsilon * float(np.linalg.norm(sums.second)) / sums.n / size if size else 1.0
