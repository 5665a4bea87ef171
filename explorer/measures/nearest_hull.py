"""DirectProbe's classifier: a point gets the label of the cluster with the nearest convex hull.

The distance of a point x to a hull is min |x - Y'l| over convex weights l. All points are solved in parallel by moving
weight from a hull's farthest point to its most promising one (pairwise Frank-Wolfe, Lacoste-Julien and Jaggi 2015);
with z = x - Y'l, |z| is an upper bound of the distance and min_i z . (x - y_i) / |z| a lower one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import silent

STEPS = 20_000
GAP = 1e-3
"""Relative difference of the bounds at which a distance is precise enough."""
INSIDE = 1e-6
"""Distance, relative to the size of the cloud, below which a point counts as inside (distance 0)."""
BLOCK = 256
"""Number of points solved in parallel."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Distances of points to clusters."""

    cluster: np.ndarray
    """Nearest cluster of each point, int64 [t]; for ties, the lower number."""
    upper: np.ndarray
    """Upper bounds of the distances, float64 [t, K]; within GAP for the distances that decide."""
    unsure: int
    """Number of points whose two nearest labels cannot be distinguished by the bounds."""


def predict(
    points: np.ndarray,
    clusters: list[np.ndarray],
    labels: np.ndarray,
    everything: bool = False,
    progress: Callable[[str, float], None] = silent,
) -> Prediction:
    """Find the nearest cluster of each point [t, d].

    Args:
        clusters: points [n_k, d] of each cluster.
        labels: label of each cluster, int64 [K].
        everything: compute all distances within GAP, not only those that may be the nearest.
    """
    middle = np.concatenate(clusters).mean(0)
    clusters = [c - middle for c in clusters]
    points = points - middle
    size = max(float(np.linalg.norm(c, axis=1).max()) for c in clusters)
    lower, upper = np.zeros((2, len(points), len(clusters)))
    kernels = [c @ c.T for c in clusters]
    for start in range(0, len(points), BLOCK):
        at = slice(start, start + BLOCK)
        corner = np.column_stack([_vertices(points[at], c) for c in clusters])
        best = corner.min(1)
        for k in np.argsort(corner.mean(0)):
            progress("nearest hulls", (start + BLOCK * k / len(clusters)) / len(points))
            enough = np.full(len(best), np.inf) if everything else best
            lower[at, k], upper[at, k] = _project(points[at], clusters[k], kernels[k], enough, INSIDE * size)
            best = np.minimum(best, upper[at, k])
    cluster = upper.argmin(1)
    rival = np.where(labels == labels[cluster][:, None], np.inf, lower)
    nearest = upper[np.arange(len(points)), cluster]
    return Prediction(cluster, upper, int((rival.min(1) < nearest * (1 - GAP)).sum()))


def _vertices(points: np.ndarray, hull: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points, hull).min(1))


def _project(
    points: np.ndarray, hull: np.ndarray, kernel: np.ndarray, enough: np.ndarray, inside: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds [t], [t] of the distances to a hull; a point stops when its lower bound exceeds ``enough`` [t]."""
    t = len(points)
    c = points @ hull.T
    square = (points**2).sum(1)
    diagonal = kernel.diagonal()
    here = np.arange(t)
    start = (square[:, None] - 2 * c + diagonal).argmin(1)
    weights = np.zeros((t, len(hull)))
    weights[here, start] = 1
    h = c - kernel[start]  # z . y_i
    low, high = np.zeros(t), np.full(t, np.inf)
    live = here
    for step in range(STEPS):
        w, hl = weights[live], h[live]
        toward = hl.argmax(1)
        away = np.where(w > 0, hl, np.inf).argmin(1)
        rows = np.arange(len(live))
        if step % 10 == 0:
            along = (w * hl).sum(1)  # z . p
            cross = (w * c[live]).sum(1)
            length = np.sqrt(np.maximum(square[live] - cross - along, 0))  # |z|^2 = z . x - z . p
            with np.errstate(invalid="ignore", divide="ignore"):
                bound = np.where(length > 0, (square[live] - cross - hl[rows, toward]) / length, 0.0)
            high[live] = np.minimum(high[live], length)
            low[live] = np.maximum(low[live], np.minimum(bound, high[live]))
            gone = (high - low)[live] <= GAP * high[live]
            gone |= (low[live] > enough[live]) | (high[live] <= inside)
            live = live[~gone]
            if not len(live):
                break
            w, hl, toward, away = w[~gone], hl[~gone], toward[~gone], away[~gone]
            rows = np.arange(len(live))
        rise = hl[rows, toward] - hl[rows, away]
        bend = diagonal[toward] + diagonal[away] - 2 * kernel[toward, away]
        with np.errstate(invalid="ignore", divide="ignore"):
            move = np.where(bend > 0, rise / bend, np.inf)
        move = np.minimum(move, w[rows, away])
        weights[live, toward] += move
        weights[live, away] -= move
        h[live] -= move[:, None] * (kernel[toward] - kernel[away])
    high[high <= inside] = 0.0
    low[high == 0] = 0.0
    return low, high
