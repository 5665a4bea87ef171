"""How one checkpoint's labels lie in one layer: clusters, their sizes, distances between them; once a side.

A side with its arrays is what the measures of clusters.py and geometry.py read, and what the shelf keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures.hulls import TOLERANCE, Cloud, compare
from explorer.measures.interior import one_thread
from explorer.measures.labelled import Labelled, labelled_points, labels_digest
from explorer.measures.merging import Grouping, merge

if TYPE_CHECKING:
    from explorer.measures.base import Context
from explorer.measures.protocols import Corpus, Labels, Layer

METHODS = ("pairs", "directprobe")
VERSION = "2"
"""Of the arrays below; part of what they are kept under."""
MOST_PAIRS = 20_000
"""Pairs of clusters whose hulls are compared; with more of them there are no hull distances, and the rows say so."""
BLOCK = 512
"""Rows of a block of pairwise distances."""
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Side:
    """P labels with points, K clusters, Q pairs of clusters of different labels."""

    labels: np.ndarray
    """int64 [P]: the labels that have points, rising."""
    counts: np.ndarray
    """int64 [P]: their points."""
    centroids: np.ndarray
    """float64 [P, d]."""
    assignment: np.ndarray
    """int64 [n]: cluster of each point, from 0."""
    cluster_label: np.ndarray
    """int64 [K]."""
    radius: np.ndarray
    """float64 [K]: largest distance of a point from its cluster's mean."""
    inside_mean: np.ndarray
    inside_max: np.ndarray
    """float64 [K]: of the distances of two points of a cluster; NaN where there is one point."""
    pairs: np.ndarray
    """int64 [Q, 2]: clusters, the lower first; empty where there are more than MOST_PAIRS."""
    lower: np.ndarray
    upper: np.ndarray
    """float64 [Q]: verified bounds of the hulls' distance."""
    separable: np.ndarray
    """int8 [Q]: 1 a plane, 0 a common point, -1 neither was verified."""
    proofs: np.ndarray
    """Text [Q]."""
    merging: np.ndarray
    """int64 [5]: merges untested, refused and undecided, problems solved, vectors with several labels; empty for pairs
    of labels."""

    @property
    def too_many(self) -> bool:
        """No hull distances: there are more pairs of clusters than MOST_PAIRS."""
        return len(self.cluster_label) > 1 and len(self.labels) > 1 and not len(self.pairs)

    @property
    def distances(self) -> np.ndarray:
        """float64 [Q]: hull distances to TOLERANCE, NaN where the bounds are further apart."""
        with np.errstate(invalid="ignore", divide="ignore"):
            known = (self.separable >= 0) & (self.upper - self.lower <= TOLERANCE * self.upper)
        return np.where(known, self.upper, np.nan)

    def label_pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """float64 [P, P]: mean and minimum over the pairs of clusters of two labels (NaN: not known, and on the
        diagonal), and the distances of the labels' centroids."""
        count = len(self.labels)
        mean, least = np.full((2, count, count), np.nan)
        at = np.searchsorted(self.labels, self.cluster_label[self.pairs])
        pair = at.min(1) * count + at.max(1)
        distances = self.distances
        for p in np.unique(pair):
            of = distances[pair == p]
            a, b = divmod(int(p), count)
            mean[a, b] = mean[b, a] = of.mean()
            least[a, b] = least[b, a] = of.min()
        centroids = np.linalg.norm(self.centroids[:, None] - self.centroids[None], axis=2)
        return mean, least, centroids

    def per_label(self, values: np.ndarray, how: Callable[[np.ndarray], np.floating]) -> np.ndarray:
        """float64 [P]: ``how`` over the values [K] of a label's clusters, without NaN; NaN where none is left."""
        found = [values[(self.cluster_label == label) & ~np.isnan(values)] for label in self.labels]
        return np.array([how(v) if len(v) else np.nan for v in found])

    @property
    def inside(self) -> float:
        """Mean distance of two points of one cluster: mean over its clusters, then over labels; NaN if none has two."""
        means = self.per_label(self.inside_mean, np.mean)
        return float(np.nanmean(means)) if np.isfinite(means).any() else np.nan


def side(layer: Layer, corpus: Corpus, labels: Labels, method: str, context: Context) -> Side:
    """A layer's side from what is kept, or solved and then kept.

    Raises:
        MeasureError: hidden states that are not finite.
    """
    key = ("clusters", VERSION, layer.identity, method, labels_digest(corpus, labels))
    known = context.kept.get(key)
    if isinstance(known, Side):
        return known
    arrays = context.shelf.get(key)
    found = _restored(arrays) if arrays is not None else None
    if found is None:
        found = solve(labelled_points(layer, corpus, labels), method, context.progress)
        context.shelf.put(key, {f.name: getattr(found, f.name) for f in fields(found)})
    context.kept[key] = found
    return found


def _restored(arrays: Mapping[str, np.ndarray]) -> Side | None:
    names = [f.name for f in fields(Side)]
    return Side(**{name: arrays[name] for name in names}) if set(names) <= set(arrays) else None


def solve(data: Labelled, method: str, progress: Progress) -> Side:
    """Clusters and distances of labelled points."""
    with one_thread():
        present = data.present
        if method == "directprobe" and len(present) > 1:
            grouping = merge(data.points, data.labels, progress)
        else:
            grouping = Grouping(np.searchsorted(present, data.labels), present, 0, 0, 0, 0, 0)
        found = _sizes(data, grouping, method)
        return _distances(data, found, progress)


def _sizes(data: Labelled, grouping: Grouping, method: str) -> Side:
    present, counts = np.unique(data.labels, return_counts=True)
    groups = [data.points[grouping.assignment == k] for k in range(len(grouping.labels))]
    inside = np.array([_inside(g) for g in groups]).reshape(-1, 2)
    said = (grouping.untested, grouping.refused, grouping.undecided, grouping.tests, grouping.coinciding)
    none = np.empty(0)
    return Side(
        labels=present,
        counts=counts,
        centroids=np.array([data.points[data.labels == p].mean(0) for p in present]),
        assignment=grouping.assignment,
        cluster_label=grouping.labels,
        radius=np.array([np.linalg.norm(g - g.mean(0), axis=1).max() for g in groups]),
        inside_mean=inside[:, 0],
        inside_max=inside[:, 1],
        pairs=np.empty((0, 2), np.int64),
        lower=none,
        upper=none,
        separable=np.empty(0, np.int8),
        proofs=np.empty(0, "U1"),
        merging=np.array(said if method == "directprobe" else (), np.int64),
    )


def inside_scale(data: Labelled) -> float:
    """Mean distance of two points of one label, its mean over labels; 0 where no label has two."""
    means = [_inside(data.points[data.labels == label])[0] for label in data.present]
    known = [m for m in means if not np.isnan(m)]
    return float(np.mean(known)) if known else 0.0


def _inside(points: np.ndarray) -> tuple[float, float]:
    """Mean and largest distance of two of the points [n, d]."""
    from scipy.spatial.distance import cdist, pdist

    n = len(points)
    if n < 2:
        return np.nan, np.nan
    total = most = 0.0
    for start in range(0, n, BLOCK):
        block = points[start : start + BLOCK]
        parts = [pdist(block)] if len(block) > 1 else []
        parts += [cdist(block, points[start + BLOCK :]).ravel()] if start + BLOCK < n else []
        for part in parts:
            total += float(part.sum())
            most = max(most, float(part.max()))
    return total / (n * (n - 1) / 2), most


def _distances(data: Labelled, found: Side, progress: Progress) -> Side:
    labels = found.cluster_label
    sizes = np.bincount(labels)
    count = (len(labels) ** 2 - int((sizes**2).sum())) // 2
    if count > MOST_PAIRS:
        return found
    clouds = [Cloud.of(data.points[found.assignment == k]) for k in range(len(labels))]
    first, second = np.triu_indices(len(labels), 1)
    other = labels[first] != labels[second]
    pairs = np.column_stack([first[other], second[other]])
    hulls = []
    for at, (i, j) in enumerate(pairs.tolist()):
        progress(f"hull distance {at + 1} of {count}", at / count)
        hulls.append(compare(clouds[i], clouds[j]))
    return replace(
        found,
        pairs=pairs,
        lower=np.array([h.lower for h in hulls]),
        upper=np.array([h.upper for h in hulls]),
        separable=np.array([-1 if h.separable is None else int(h.separable) for h in hulls], np.int8),
        proofs=np.array([h.proof for h in hulls] or [""])[: len(hulls)],
    )
