"""DirectProbe's steps one by one, slowly: sets of points, and a linear programme for every two that may overlap.

Written from the description of the algorithm (Zhou and Srikumar 2021, section 3, and how its code orders the steps).
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from scipy.optimize import linprog


def plane_exists(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether some w, c have A w + c >= 1 and B w + c <= -1, by HiGHS; only its two clear answers count."""
    a, b = a - a.mean(0), b - a.mean(0)
    size = max(np.abs(a).max(), np.abs(b).max(), 1e-300)
    rows = np.vstack([-np.c_[a / size, np.ones(len(a))], np.c_[b / size, np.ones(len(b))]])
    for method in ("highs-ds", "highs-ipm"):
        free = [(None, None)] * rows.shape[1]
        status = linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(rows)), bounds=free, method=method).status
        if status in (0, 2):
            return status == 0
    raise AssertionError("HiGHS gave no answer")


def directprobe(points: np.ndarray, labels: np.ndarray) -> list[list[int]]:
    """The clusters, each as its sorted points, sorted."""
    alone = [(i,) for i in range(len(points))]

    @cache
    def centre(cluster):
        return points[list(cluster)].mean(0)

    @cache
    def distance(a, b):
        return np.linalg.norm(centre(a) - centre(b))

    def closest(clusters, refused):
        pairs = [
            (distance(a, b), a, b)
            for a, b in combinations(clusters, 2)
            if labels[a[0]] == labels[b[0]] and frozenset((a, b)) not in refused
        ]
        return min(pairs, key=lambda pair: pair[0]) if pairs else None

    @cache
    def overlap(a, b):
        if labels[a[0]] == labels[b[0]]:
            return False
        radii = sum(np.linalg.norm(points[list(c)] - centre(c), axis=1).max() for c in (a, b))
        if not radii > distance(a, b):
            return False
        return not plane_exists(points[list(a)], points[list(b)])

    def merged(clusters, a, b):
        return [c for c in clusters if c not in (a, b)] + [tuple(sorted(a + b))]

    states = [alone]
    while (pair := closest(states[-1], set())) is not None:
        states.append(merged(states[-1], *pair[1:]))
    free = [not any(overlap(a, b) for a, b in combinations(state, 2)) for state in states]
    clusters = states[-1] if free[-1] else states[free.index(False) - 1]
    refused: set[frozenset] = set()
    while not free[-1] and (pair := closest(clusters, refused)) is not None:
        _, a, b = pair
        union = tuple(sorted(a + b))
        if any(overlap(union, other) for other in clusters if other not in (a, b)):
            refused.add(frozenset((a, b)))
        else:
            clusters = merged(clusters, a, b)
    return sorted(sorted(c) for c in clusters)
