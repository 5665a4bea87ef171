"""Erase labels from points by the smallest affine change: LEACE (Belrose et al. 2023, theorem 4.3).

With the covariance S of the points and their covariance A = Cov(x, z) with one-hot labels z,

    r(x) = x - A (A' S^+ A)^+ A' S^+ (x - mean),

which is the theorem's x - W^+ P W (x - mean) for W = S^(-1/2) and the orthogonal projection P onto the columns of W A.
After it, no label covaries with any feature, so no linear probe does better than the majority on the points it was
fitted to; of all affine maps that achieve this, r changes the points least in mean square. All of it follows from the
sums of the classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.interior import one_thread
from explorer.measures.probes.class_sums import ClassSums
from explorer.measures.probes.covariance import solved

WEAK = 1e-12
"""Share of the largest eigenvalue of A' S^+ A below which a direction is rounding."""


@dataclass(frozen=True, eq=False)
class Eraser:
    """The affine map r of points of width d, which removes ``rank`` directions."""

    mean: np.ndarray
    """float64 [d]"""
    read: np.ndarray
    """Coordinates of a point about the mean in the removed directions, as rows, float64 [rank, d]."""
    write: np.ndarray
    """The removed directions, as columns, float64 [d, rank]."""

    @property
    def rank(self) -> int:
        """Number of removed directions, at most the number of labels minus 1."""
        return len(self.read)

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Return the erased points [n, d]: float32, or float64 if the points are."""
        erased = points - (points - self.mean) @ self.read.T @ self.write.T
        return erased.astype(np.result_type(points.dtype, np.float32), copy=False)


def fit_eraser(sums: ClassSums, which: int = 0) -> Eraser:
    """Return the eraser of one set of labels, from the sums of the training points."""
    of = sums.sets[which]
    # Columns of A, each divided by the root of its label's share: r does not depend on their lengths.
    apart = np.sqrt(of.counts / sums.n)[:, None] * (of.means - sums.mean)
    with one_thread():
        reading, _ = solved(sums.covariance(), apart, sums)
        size, mix = np.linalg.eigh(reading @ apart.T)
    kept = (size > WEAK * size[-1]) & (np.arange(len(size)) > 0)  # the columns of A add up to 0
    turned = (mix[:, kept] / np.sqrt(size[kept])).T
    return Eraser(sums.mean + sums.shift, turned @ reading, (turned @ apart).T)
