"""Geometry of the labels in one layer of one checkpoint: clusters, their sizes and their distances.

It is computed once per side and cached on disk; the measures in clusters.py and geometry.py use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures.hulls import TOLERANCE, Cloud, compare
from explorer.measures.interior import one_thread
from explorer.measures.labelled import Labelled, labelled_points, labels_digest
from explorer.measures.merging import Grouping, merge

if TYPE_CHECKING:
    from explorer.measures.computation import Context
from explorer.measures.protocols import Corpus, Labels, Layer

METHODS = ("pairs", "directprobe")
VERSION = "2"
"""Version of the arrays below; part of their cache key."""
MOST_PAIRS = 20_000
"""Maximum number of pairs of clusters; with more pairs there are no hull distances, and the rows say so."""
BLOCK = 512
"""Number of points on each side of a block of pairwise distances."""
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class LabelGeometry:
    """Geometry of P labels with points, K clusters, and Q pairs of clusters of different labels."""

    labels: np.ndarray
    """Labels that have points, ascending, int64 [P]."""
    counts: np.ndarray
    """Number of points per label, int64 [P]."""
    centroids: np.ndarray
    """Mean of the points per label, float64 [P, d]."""
    assignment: np.ndarray
    """Cluster of each point, from 0, int64 [n]."""
    cluster_label: np.ndarray
    """Label of each cluster, int64 [K]."""
    radius: np.ndarray
    """Largest distance of a point from its cluster's mean, float64 [K]."""
    inside_mean: np.ndarray
    inside_max: np.ndarray
    """Mean and maximum distance between two points of a cluster, float64 [K]; NaN if it has only one point."""
    pairs: np.ndarray
    """Pairs of clusters, the lower number first, int64 [Q, 2]; empty if there are more than MOST_PAIRS."""
    lower: np.ndarray
    upper: np.ndarray
    """Verified bounds of the distance of the hulls, float64 [Q]."""
    separable: np.ndarray
    """Verified result, int8 [Q]: 1 a separating plane, 0 a common point, -1 neither."""
    proofs: np.ndarray
    """Kind of proof, text [Q]."""
    merging: np.ndarray
    """Counts of untested, refused and undecided merges, of solved problems, and of vectors with several labels, int64
    [5]; empty for method ``pairs``."""

    @property
    def too_many(self) -> bool:
        """Whether there are more pairs of clusters than MOST_PAIRS, so that there are no hull distances."""
        return len(self.cluster_label) > 1 and len(self.labels) > 1 and not len(self.pairs)

    @property
    def distances(self) -> np.ndarray:
        """Hull distances within TOLERANCE, float64 [Q]; NaN where the bounds are further apart."""
        with np.errstate(invalid="ignore", divide="ignore"):
            known = (self.separable >= 0) & (self.upper - self.lower <= TOLERANCE * self.upper)
        return np.where(known, self.upper, np.nan)

    def label_pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the distances of all pairs of labels, each float64 [P, P].

        These are the mean and the minimum hull distance over their pairs of clusters (NaN if unknown, and on the
        diagonal), and the distance of their centroids.
        """
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
        """Reduce values of clusters [K] per label with ``how``, ignoring NaN: float64 [P]; NaN if none is left."""
        found = [values[(self.cluster_label == label) & ~np.isnan(values)] for label in self.labels]
        return np.array([how(v) if len(v) else np.nan for v in found])

    @property
    def inside(self) -> float:
        """Mean distance between two points of a cluster, averaged over clusters, then over labels; NaN if no cluster
        has two points."""
        means = self.per_label(self.inside_mean, np.mean)
        return float(np.nanmean(means)) if np.isfinite(means).any() else np.nan


def side(layer: Layer, corpus: Corpus, labels: Labels, method: str, context: Context) -> LabelGeometry:
    """Return a layer's side from the cache, or compute and cache it.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    key = ("clusters", VERSION, layer.identity, method, labels_digest(corpus, labels))
    known = context.kept.get(key)
    if isinstance(known, LabelGeometry):
        return known
    arrays = context.shelf.get(key)
    found = _restored(arrays) if arrays is not None else None
    if found is None:
        found = solve(labelled_points(layer, corpus, labels), method, context.progress)
        context.shelf.put(key, {f.name: getattr(found, f.name) for f in fields(found)})
    context.kept[key] = found
    return found


def _restored(arrays: Mapping[str, np.ndarray]) -> LabelGeometry | None:
    names = [f.name for f in fields(LabelGeometry)]
    return LabelGeometry(**{name: arrays[name] for name in names}) if set(names) <= set(arrays) else None


def solve(data: Labelled, method: str, progress: Progress) -> LabelGeometry:
    """Compute the clusters and distances of labelled points."""
    with one_thread():
        present = data.present
        if method == "directprobe" and len(present) > 1:
            grouping = merge(data.points, data.labels, progress)
        else:
            grouping = Grouping(np.searchsorted(present, data.labels), present, 0, 0, 0, 0, 0)
        found = _sizes(data, grouping, method)
        return _distances(data, found, progress)


def _sizes(data: Labelled, grouping: Grouping, method: str) -> LabelGeometry:
    present, counts = np.unique(data.labels, return_counts=True)
    groups = [data.points[grouping.assignment == k] for k in range(len(grouping.labels))]
    inside = np.array([_inside(g) for g in groups]).reshape(-1, 2)
    said = (grouping.untested, grouping.refused, grouping.undecided, grouping.tests, grouping.coinciding)
    none = np.empty(0)
    return LabelGeometry(
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
    """Return the mean distance between two points of a label, averaged over labels; 0 if no label has two points."""
    means = [_inside(data.points[data.labels == label])[0] for label in data.present]
    known = [m for m in means if not np.isnan(m)]
    return float(np.mean(known)) if known else 0.0


def _inside(points: np.ndarray) -> tuple[float, float]:
    """Return the mean and the largest distance between two of the points [n, d]."""
    n = len(points)
    if n < 2:
        return np.nan, np.nan
    total = most = 0.0
    for part in _pair_distances(points):
        total += float(part.sum())
        most = max(most, float(part.max()))
    return total / (n * (n - 1) / 2), most


def _pair_distances(points: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the distances of all pairs of points [n, d], at most BLOCK x BLOCK at a time."""
    from scipy.spatial.distance import cdist, pdist

    blocks = range(0, len(points), BLOCK)
    for start in blocks:
        block = points[start : start + BLOCK]
        if len(block) > 1:
            yield pdist(block)
        yield from (cdist(block, points[other : other + BLOCK]) for other in blocks if other > start)


def _distances(data: Labelled, found: LabelGeometry, progress: Progress) -> LabelGeometry:
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
