"""Find a cluster of another label that a cluster overlaps, with few tests and a certificate for every answer.

A plane found for one pair is tried on all others. Clusters that no known plane separates are tested together (one plane
may separate them all) and then in halves, down to the single pair with a common point.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures.interior import cholesky
from explorer.measures.separable import PLANE, decide

KEPT_PLANES = 8
"""Number of planes that a cluster remembers, the most successful first."""


NEAR = 1e-6
"""Distance, relative to the size of the cloud, below which balls count as touching; above rounding errors."""


class ClusterState:
    """A state of the merging: the clusters, with their points in the dendrogram's order."""

    def __init__(self, points: np.ndarray, starts: np.ndarray, labels: np.ndarray, scale: float) -> None:
        """
        Args:
            points: points [n, d]; each cluster is a slice of them.
            starts: start of each cluster's slice, [m].
            labels: label of each cluster, [m].
            scale: size of the point cloud.
        """
        sizes = np.diff(np.append(starts, len(points)))
        self.points = points
        self.label = np.asarray(labels)
        self.of = np.repeat(np.arange(len(starts)), sizes)
        self.members = np.split(np.arange(len(points)), starts[1:])
        self.centre = np.add.reduceat(points, starts, axis=0) / sizes[:, None]
        away = np.sqrt(((points - self.centre[self.of]) ** 2).sum(1))
        self.length = (self.centre**2).sum(1)
        self.radius = np.maximum.reduceat(away, starts)
        self.radius[self.radius <= PLANE * scale] = 0.0  # all its points are equal
        self.alive = np.ones(len(starts), bool)
        self.planes: list[np.ndarray] = [np.empty((0, points.shape[1]), np.float32)] * len(starts)
        self.suspects: list[tuple[int, ...]] = [()] * len(starts)
        """Per cluster, the clusters that prevented its merging before."""


@dataclass(frozen=True, eq=False)
class Union:
    """A possible result of merging clusters."""

    members: np.ndarray
    label: int
    centre: np.ndarray
    radius: float

    @classmethod
    def of(cls, clusters: ClusterState, parts: Sequence[int], scale: float) -> Union:
        """Return the union of some clusters of one label."""
        members = np.concatenate([clusters.members[p] for p in parts])
        points = clusters.points[members]
        centre = points.mean(0)
        radius = float(np.sqrt(((points - centre) ** 2).sum(1).max()))
        return cls(members, int(clusters.label[parts[0]]), centre, radius if radius > PLANE * scale else 0.0)


@dataclass(frozen=True, eq=False)
class Clash:
    """The result of testing one cluster against others."""

    overlaps: int | None
    """A cluster with a verified common point; None if there is none."""
    undecided: bool
    """True if some pair has neither a verified plane nor a verified common point."""
    planes: np.ndarray
    """Normals of planes that separated it from others, float32 [k, d]."""

    @property
    def free(self) -> bool:
        """Whether it is verified to be separated from all others."""
        return self.overlaps is None and not self.undecided


class Tester:
    """Tests clusters of one point cloud for overlap, and counts the tests."""

    def __init__(self, points: np.ndarray) -> None:
        """
        Args:
            points: points [n, d], float64, around their mean.
        """
        self.points = points
        self.scale = float(np.sqrt((points**2).sum(1).max())) or 1.0
        spread = points.T @ points
        self._factor = cholesky(spread, 1e-3 * float(np.trace(spread)) / len(spread) + 1e-300)
        self.pairs_tested = 0
        self.heartbeat: Callable[[], None] = lambda: None
        """Function that is called before each problem, since one may take a second."""

    def clash(
        self, clusters: ClusterState, union: Union, against: np.ndarray, hints: np.ndarray, first: Sequence[int]
    ) -> Clash:
        """Test whether the union overlaps one of the clusters in ``against``.

        Pairs of clusters that are the same single vector are skipped: no grouping could separate them.

        Args:
            against: clusters of other labels to test, bool [m].
            hints: normals [k, d] to try first.
            first: clusters to test first.
        """
        from scipy.linalg import cho_solve

        square = clusters.length - 2 * (clusters.centre @ union.centre) + float(union.centre @ union.centre)
        reach = clusters.radius + union.radius + NEAR * self.scale
        pending = against & (square <= reach**2)
        if union.radius == 0:
            pending &= clusters.radius > 0
        used: list[tuple[int, np.ndarray]] = []
        if not pending.any():
            return Clash(None, False, hints[:0].astype(np.float32))
        own = self.points[union.members]
        trials = [hints.astype(np.float64)] if len(hints) else []
        if self._factor is not None:
            trials.append(cho_solve(self._factor, union.centre, check_finite=False)[None])
        hits = np.ones(len(pending))
        if trials:
            hits = self._try(clusters, own, pending, np.concatenate(trials), used)
        undecided = False
        for group in self._groups(clusters, pending, hits, len(own), first):
            while group:
                part = [g for g in group.popleft() if pending[g]]
                if not part:
                    continue
                self.pairs_tested += 1
                self.heartbeat()
                others = np.concatenate([clusters.members[g] for g in part])
                found = decide(own, self.points[others])
                if found.separable and found.plane is not None:
                    pending[part] = False
                    self._try(clusters, own, pending, found.plane[None], used)
                elif len(part) > 1:
                    half = len(part) // 2
                    group.extendleft((part[half:], part[:half]))
                elif found.separable is False:
                    return Clash(part[0], undecided, _best(used, self.points.shape[1]))
                else:
                    undecided = True
        return Clash(None, undecided, _best(used, self.points.shape[1]))

    def _try(
        self,
        clusters: ClusterState,
        own: np.ndarray,
        pending: np.ndarray,
        planes: np.ndarray,
        used: list[tuple[int, np.ndarray]],
    ) -> np.ndarray:
        """Remove clusters from ``pending`` that one of the planes [k, d] separates. Return per cluster the smallest
        number of points beyond a plane, [m]."""
        lengths = np.linalg.norm(planes, axis=1)
        planes = planes[lengths > 0] / lengths[lengths > 0][:, None]
        fewest = np.full(len(pending), np.inf)
        rows = np.flatnonzero(pending[clusters.of])
        if not len(rows) or not len(planes):
            return fewest
        low = (own @ planes.T).min(0) - PLANE * self.scale
        beyond = self.points[rows] @ planes.T >= low
        of = clusters.of[rows]
        for k, plane in enumerate(planes):
            count = np.bincount(of[beyond[:, k]], minlength=len(pending))
            free = pending & (count == 0)
            if free.any():
                used.append((int(free.sum()), plane))
                pending &= ~free
            fewest = np.minimum(fewest, count)
        return fewest

    def _groups(
        self, clusters: ClusterState, pending: np.ndarray, hits: np.ndarray, own: int, first: Sequence[int]
    ) -> list[deque[list[int]]]:
        """Return groups of clusters to test together: suspects alone, others in groups that one plane may separate."""
        sizes = np.bincount(clusters.of, minlength=len(pending))
        room = max(clusters.points.shape[1] + 1 - own, own // 2, 32)
        suspects = [c for c in first if pending[c]]
        rest = np.flatnonzero(pending)
        rest = rest[np.argsort(-hits[rest], kind="stable")]
        groups: list[list[int]] = [[c] for c in suspects]
        group: list[int] = []
        total = 0
        for c in rest.tolist():
            if c in suspects:
                continue
            if group and total + sizes[c] > room:
                groups.append(group)
                group, total = [], 0
            group.append(c)
            total += int(sizes[c])
        return [deque([g]) for g in ([*groups, group] if group else groups)]


def _best(used: list[tuple[int, np.ndarray]], width: int) -> np.ndarray:
    ranked = [plane for _, plane in sorted(used, key=lambda u: -u[0])[:KEPT_PLANES]]
    return np.array(ranked, dtype=np.float32).reshape(-1, width)
