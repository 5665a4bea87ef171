"""Linear connectivity of solutions: the convexity gap of a line, and two clusters of solutions (Juneja et al. 2023).

Pure arithmetic on losses and on a matrix of distances; the authors' code is public (aNOnWhyMooS/connectivity).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BARRIER, NONE, OPEN = "barrier", "none", "open"
"""Signs of the excess over a chord: clearly positive, clearly negative, and neither."""
WIDTH = 1.0
"""Width of the affinity exp(-d^2 / (2 width^2)), in the unit of the distances (nats), as in the authors' code."""
FEWEST = 3
"""Minimum number of solutions for two clusters."""
_SAME = 1e-10
"""Difference of two eigenvalues (between -1 and 1) below which the direction that separates clusters is arbitrary."""


@dataclass(frozen=True)
class TwoClusters:
    """A division of n solutions into two clusters."""

    order: tuple[int, ...]
    """All solutions, the first cluster before the second, each in the order of the spectral embedding."""
    size: int
    """Number of solutions in the first cluster, which holds solution 0."""
    within: float
    """Mean distance of the pairs inside a cluster."""
    between: float
    """Mean distance of the pairs across the clusters."""

    @property
    def members(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Solutions of each cluster, ascending."""
        return tuple(sorted(self.order[: self.size])), tuple(sorted(self.order[self.size :]))


def convexity_gap(alphas: Sequence[float], losses: Sequence[float]) -> float:
    """Return the largest rise of a loss over the chord between any two points of a line, at least 0.

    The barrier takes the chord between the ends only, and so misses a bump inside a valley.

    Args:
        alphas: coordinates of the points, ascending [n].
        losses: losses there [n].
    """
    x, y = np.asarray(alphas, np.float64), np.asarray(losses, np.float64)
    largest = 0.0
    for first in range(len(x)):
        for last in range(first + 2, len(x)):
            share = (x[first + 1 : last] - x[first]) / (x[last] - x[first])
            rise = y[first + 1 : last] - (1 - share) * y[first] - share * y[last]
            largest = max(largest, float(rise.max()))
    return largest


def two_clusters(distances: np.ndarray) -> TwoClusters | None:
    """Divide solutions into two by spectral clustering of the affinities exp(-d^2 / 2) (Juneja et al. 2023).

    The solutions lie on a line, at the second eigenvector of the random walk on the affinities (Shi and Malik 2000).
    Two means divide that line exactly: of all cuts, the one with the smallest sum of squares. So the result is the same
    every time, unlike that of a random start.

    Args:
        distances: distance of each pair [n, n], symmetric; the diagonal is not read.

    Returns:
        None with fewer than three solutions, if a distance is not finite, or if the solutions differ in no direction
        more than in another one, such as with equal distances.
    """
    away = np.array(distances, np.float64)
    np.fill_diagonal(away, 0.0)
    many = len(away)
    if many < FEWEST or not np.isfinite(away).all():
        return None
    along = _embedded(away)
    if along is None:
        return None
    order = np.argsort(along, kind="stable")
    size = _cut(along[order])
    if 0 not in order[:size]:
        order, size = order[::-1], many - size
    inside = np.zeros((many, many), bool)
    for part in (order[:size], order[size:]):
        inside[np.ix_(part, part)] = True
    pairs = np.triu(np.ones((many, many), bool), 1)
    within, between = away[inside & pairs], away[~inside & pairs]
    return TwoClusters(tuple(order.tolist()), size, float(within.mean()), float(between.mean()))


def _embedded(away: np.ndarray) -> np.ndarray | None:
    """Return the place of each solution in the one-dimensional spectral embedding [n]; None if it is arbitrary."""
    affinity = np.exp(-(away**2) / (2 * WIDTH**2))
    np.fill_diagonal(affinity, 0.0)
    root = np.sqrt(affinity.sum(1))
    if not root.all():
        return None
    trivial = root / np.linalg.norm(root)
    # The trivial eigenvector has the value 1; without it, the next one comes last.
    rest = affinity / np.outer(root, root) - 2.0 * np.outer(trivial, trivial)
    values, vectors = np.linalg.eigh(rest)
    if values[-1] - values[-2] <= _SAME:
        return None
    return np.asarray(vectors[:, -1] / root)


def _cut(ascending: np.ndarray) -> int:
    """Return the number of values [n] in the lower of the two groups with the smallest sum of squares."""
    squares = [
        float(((low - low.mean()) ** 2).sum() + ((high - high.mean()) ** 2).sum())
        for low, high in (np.split(ascending, [size]) for size in range(1, len(ascending)))
    ]
    return int(np.argmin(squares)) + 1
