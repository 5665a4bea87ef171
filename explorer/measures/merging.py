"""Find DirectProbe's clusters: groups of one label each, by greedy merging, whose convex hulls do not overlap.

Zhou and Srikumar 2021, section 3: every point starts as a cluster; the two closest clusters of one label (by their
centroids) merge; a merge that would overlap a cluster of another label is refused forever. The first merges need no
tests: a binary search in the dendrogram finds the last state without overlap.

Other implementations repeat needless tests. If merging A and B was refused, then merging any A' that contains A with
any B' that contains B would be refused too, since the common point stays. So a merged cluster inherits the refusals of
both its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from explorer.measures.computation import silent
from explorer.measures.dendrogram import Dendrogram, Progress, centroid_linkage
from explorer.measures.interior import one_thread
from explorer.measures.overlaps import KEPT_PLANES, ClusterState, Tester, Union


@dataclass(frozen=True, eq=False)
class Grouping:
    """The clusters of labelled points, and counts of the merging."""

    assignment: np.ndarray
    """Cluster of each point, from 0, int64 [n]; clusters are numbered by label, then by their first point."""
    labels: np.ndarray
    """Label of each cluster, int64 [clusters]."""
    untested: int
    """Number of merges until the last state without overlap."""
    refused: int
    """Number of refused merges, each due to a verified common point (or an undecided test)."""
    undecided: int
    """Number of merges refused because neither a plane nor a common point could be verified; if it is not 0, the result
    is in doubt."""
    tests: int
    """Number of separability problems solved; all other pairs were separated by known planes."""
    coinciding: int
    """Number of vectors with more than one label, which no grouping can separate."""

    @property
    def linear(self) -> bool:
        """Whether there is one cluster per label, with planes between all of them."""
        return len(self.labels) == len(np.unique(self.labels)) and not self.coinciding and not self.undecided


def merge(points: np.ndarray, labels: np.ndarray, progress: Progress = silent) -> Grouping:
    """Group points [n, d] (float64) by their labels [n]."""
    with one_thread():
        return _merge(points - points.mean(0), labels, progress)


def _merge(points: np.ndarray, labels: np.ndarray, progress: Progress) -> Grouping:
    tree = centroid_linkage(points, labels, progress)
    points = points[tree.order]
    tester = Tester(points)
    state, merges = _last_free(tree, points, tester, progress)
    refused = undecided = 0
    if merges < tree.merges:
        refused, undecided = _forward(state, tester, progress)
    assignment = np.empty(len(points), np.int64)
    assignment[tree.order] = state.of
    assignment, names = _numbered(assignment, labels)
    coinciding = _coinciding(points, labels[tree.order])
    return Grouping(assignment, names, merges, refused, undecided, tester.pairs_tested, coinciding)


def _coinciding(points: np.ndarray, labels: np.ndarray) -> int:
    _, same = np.unique(points + 0.0, axis=0, return_inverse=True)
    both = np.unique(np.column_stack([same.reshape(-1), labels]), axis=0)
    return int((np.bincount(both[:, 0]) > 1).sum())


def _numbered(assignment: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the clusters renumbered by label, then by first point, and the label of each."""
    found, first = np.unique(assignment, return_index=True)
    ranks = np.lexsort((first, labels[first]))
    number = np.empty(assignment.max() + 1, np.int64)
    number[found[ranks]] = np.arange(len(found))
    return number[assignment], labels[first][ranks].astype(np.int64)


def _state(tree: Dendrogram, points: np.ndarray, merges: int, scale: float) -> tuple[ClusterState, np.ndarray]:
    nodes = tree.clusters(merges)
    return ClusterState(points, tree.start[nodes], tree.label[nodes], scale), nodes


def _last_free(tree: Dendrogram, points: np.ndarray, tester: Tester, progress: Progress) -> tuple[ClusterState, int]:
    """Return the last state without an overlap of different labels, and the number of merges before it."""
    free, overlapping = 0, tree.merges + 1
    state = _state(tree, points, 0, tester.scale)[0]
    step = tree.merges
    rounds = int(np.ceil(np.log2(tree.merges + 1))) + 1
    done = 0
    said = ""

    def share(part: float) -> None:
        progress(said, (done - 1 + part) / rounds)

    while overlapping - free > 1:
        done += 1
        found, nodes = _state(tree, points, step, tester.scale)
        said = f"looking for the first overlap, state {step} of {tree.merges}"
        if _is_free(found, nodes >= len(points) + free, tester, share):
            free, state = step, found
        else:
            overlapping = step
        step = (free + overlapping) // 2
    return state, free


def _is_free(state: ClusterState, changed: np.ndarray, tester: Tester, progress: Callable[[float], None]) -> bool:
    """Return whether no two clusters of different labels overlap; only pairs with a ``changed`` cluster are tested."""
    todo = np.flatnonzero(changed)
    todo = todo[np.argsort([-len(state.members[c]) for c in todo], kind="stable")]
    open_to = np.ones(len(changed), bool)
    for at, c in enumerate(todo.tolist()):
        tester.heartbeat = partial(progress, at / len(todo))
        tester.heartbeat()
        open_to[c] = False
        against = open_to & (state.label != state.label[c])
        union = Union(state.members[c], int(state.label[c]), state.centre[c], float(state.radius[c]))
        clash = tester.clash(state, union, against, state.planes[c], ())
        if not clash.free:
            return False
        state.planes[c] = clash.planes
    return True


class _Closest:
    """Pairs of clusters of one label by the distance of their centres; refused and dead pairs are at infinity."""

    def __init__(self, slots: np.ndarray, centres: np.ndarray) -> None:
        from scipy.spatial.distance import cdist

        self.slots = slots
        self.centres = centres.copy()
        self.apart = cdist(centres, centres)
        np.fill_diagonal(self.apart, np.inf)
        self.nearest = self.apart.argmin(1)
        self.least = self.apart[np.arange(len(slots)), self.nearest]
        self._aim()

    def _aim(self) -> None:
        self.row = int(self.least.argmin())
        self.distance = float(self.least[self.row])

    def pair(self) -> tuple[int, int]:
        """Return the closest pair as positions in ``slots``, the lower first."""
        other = int(self.nearest[self.row])
        return min(self.row, other), max(self.row, other)

    def _again(self, rows: np.ndarray) -> None:
        self.nearest[rows] = self.apart[rows].argmin(1)
        self.least[rows] = self.apart[rows, self.nearest[rows]]

    def refuse(self, a: int, b: int) -> None:
        self.apart[a, b] = self.apart[b, a] = np.inf
        self._again(np.array([a, b]))
        self._aim()

    def join(self, a: int, b: int, centre: np.ndarray) -> None:
        """Merge b into a and set a's new centre; the refusals of both hold for the result."""
        new = np.sqrt(((self.centres - centre) ** 2).sum(1))
        new[np.isinf(self.apart[a]) | np.isinf(self.apart[b])] = np.inf
        self.centres[a] = centre
        self.apart[a] = self.apart[:, a] = new
        self.apart[b] = self.apart[:, b] = np.inf
        stale = np.isin(self.nearest, (a, b))
        stale[[a, b]] = True
        nearer = (new < self.least) & ~stale
        self.nearest[nearer], self.least[nearer] = a, new[nearer]
        self._again(np.flatnonzero(stale))
        self._aim()

    def open(self) -> int:
        """Number of pairs that may still merge."""
        return int(np.isfinite(self.apart).sum()) // 2


def _forward(state: ClusterState, tester: Tester, progress: Progress) -> tuple[int, int]:
    """Merge with tests until no pair is left, changing the state in place. Return (refused, undecided)."""
    queues = []
    for label in np.unique(state.label):
        slots = np.flatnonzero(state.label == label)
        queues.append(_Closest(slots, state.centre[slots]))
    refused = undecided = attempts = 0
    at_first = max(1, sum(q.open() for q in queues))
    left = at_first
    while True:
        queue = min(queues, key=lambda q: q.distance)
        if not np.isfinite(queue.distance):
            return refused, undecided
        if attempts % 256 == 255:
            left = sum(q.open() for q in queues)
        attempts += 1
        share = 1 - left / at_first
        tester.heartbeat = partial(progress, "merging with tests", share)
        tester.heartbeat()
        here = queue.pair()
        a, b = (int(queue.slots[p]) for p in here)
        union = Union.of(state, (a, b), tester.scale)
        against = state.alive & (state.label != union.label)
        hints = np.concatenate([state.planes[a], state.planes[b]])
        clash = tester.clash(state, union, against, hints, (*state.suspects[a], *state.suspects[b]))
        if not clash.free:
            refused += 1
            undecided += clash.overlaps is None
            if clash.overlaps is not None:
                for c in (a, b):
                    state.suspects[c] = _recent(clash.overlaps, state.suspects[c])
            queue.refuse(*here)
            continue
        state.alive[b] = False
        state.of[union.members] = a
        state.members[a], state.centre[a], state.radius[a] = union.members, union.centre, union.radius
        state.length[a] = float(union.centre @ union.centre)
        state.members[b] = union.members[:0]
        state.planes[a] = clash.planes if len(clash.planes) else hints[:KEPT_PLANES]
        state.suspects[a] = tuple(dict.fromkeys((*state.suspects[a], *state.suspects[b])))[:4]
        queue.join(*here, union.centre)


def _recent(last: int, before: tuple[int, ...]) -> tuple[int, ...]:
    return (last, *(c for c in before if c != last))[:4]
