"""DirectProbe's first pass: merge the closest clusters of each label, without tests, until one per label is left.

Merges never cross labels, so each label's sequence is the centroid linkage of its points; the sequences are interleaved
by the smallest next distance (for ties, the lower label). Every state between "each point alone" and "one cluster per
label" is a cut of this tree, and clusters only grow: if two overlap, they also overlap in all later states.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import silent

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Dendrogram:
    """A tree of merges. Nodes 0..n-1 are the points; node n + k is the result of merge k (from 0)."""

    order: np.ndarray
    """Points in an order in which every node is a slice, int64 [n]."""
    start: np.ndarray
    stop: np.ndarray
    """Slice of each node, int64 [nodes]."""
    label: np.ndarray
    """Label of each node, int64 [nodes]."""
    died: np.ndarray
    """Number of merges after which the node is not a cluster any more, int64 [nodes]; larger than ``merges`` if it
    remains one."""

    @property
    def merges(self) -> int:
        """Number of merges until one cluster per label is left."""
        return len(self.start) - len(self.order)

    def clusters(self, merges: int) -> np.ndarray:
        """Return the nodes that are clusters after this number of merges, in the order of their slices."""
        born = np.maximum(np.arange(len(self.start)) - len(self.order) + 1, 0)
        alive = np.flatnonzero((born <= merges) & (merges < self.died))
        return alive[np.argsort(self.start[alive])]


def centroid_linkage(points: np.ndarray, labels: np.ndarray, progress: Progress = silent) -> Dendrogram:
    """Return the tree of points [n, d] (float64) with labels [n]; memory grows with the square of the largest label."""
    from scipy.cluster.hierarchy import linkage

    n = len(points)
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    nodes = 2 * n - len(groups)
    left, right = np.zeros((2, nodes), np.int64)
    size = np.ones(nodes, np.int64)
    died = np.full(nodes, nodes - n + 1)
    label_of = np.concatenate([labels, np.zeros(nodes - n, labels.dtype)]).astype(np.int64)
    trees = []
    for at, group in enumerate(groups):
        progress(f"linkage of label {at + 1} of {len(groups)}", at / len(groups))
        trees.append(linkage(points[group], "centroid") if len(group) > 1 else np.empty((0, 4)))
    names = [np.concatenate([g, np.zeros(len(g) - 1, np.int64)]) for g in groups]  # a tree's node -> ours
    ahead = [(tree[0, 2], at) for at, tree in enumerate(trees) if len(tree)]
    heapq.heapify(ahead)
    done = [0] * len(groups)
    for merge in range(nodes - n):
        at = ahead[0][1]
        row = trees[at][done[at]]
        node = n + merge
        a, b = (int(names[at][int(child)]) for child in row[:2])
        left[node], right[node], size[node], label_of[node] = a, b, size[a] + size[b], label_of[a]
        died[a] = died[b] = merge + 1
        names[at][len(groups[at]) + done[at]] = node
        done[at] += 1
        if done[at] < len(trees[at]):
            heapq.heapreplace(ahead, (trees[at][done[at], 2], at))
        else:
            heapq.heappop(ahead)
    start = np.zeros(nodes, np.int64)
    roots = np.flatnonzero(died > nodes - n)
    start[roots] = np.cumsum(size[roots]) - size[roots]
    for node in range(nodes - 1, n - 1, -1):
        start[left[node]] = start[node]
        start[right[node]] = start[node] + size[left[node]]
    return Dendrogram(np.argsort(start[:n]), start, start + size, label_of, died)
