"""Turn dependency trees into distances and depths, and compare them with predicted ones (Hewitt & Manning 2019).

The figures are those that the authors' reporter prints: UUAS and root accuracy over all test sentences together,
without punctuation; Spearman correlations averaged over the sentences of each length, then over lengths from 5 to 50.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

SHORTEST, LONGEST = 5, 50
"""Lengths of the sentences, in words, that Spearman correlations are averaged over."""


@dataclass(frozen=True, eq=False)
class Tree:
    """The gold tree of a sentence of m words."""

    words: slice
    """Place of its words among those of the corpus."""
    depth: np.ndarray
    """Number of arcs from the root to each word, int64 [m]."""
    distance: np.ndarray
    """Number of arcs between two words, int64 [m, m]."""
    counted: np.ndarray
    """Words that UUAS and root accuracy count: all but punctuation, bool [m]."""

    @property
    def length(self) -> int:
        """Number of words."""
        return len(self.depth)

    @property
    def root(self) -> int:
        """Position of the root."""
        return int(self.depth.argmin())


def tree_of(words: slice, heads: np.ndarray, counted: np.ndarray) -> Tree | None:
    """Return the tree of a sentence; None if it is not one: a word lacks a head, or there is a cycle or a second root.

    Args:
        heads: position of each word's head in the sentence, from 0; -1 for the root, less if there is none, int64 [m].
    """
    many = len(heads)
    if not many or (heads < -1).any() or (heads >= many).any() or (heads == -1).sum() != 1:
        return None
    root = int(np.flatnonzero(heads == -1)[0])
    up = np.where(heads < 0, root, heads)
    depth, at = np.zeros(many, np.int64), np.arange(many)
    ancestor = np.eye(many, dtype=bool)
    for _ in range(many):
        moved = at != root
        depth += moved
        at = up[at]
        ancestor[np.arange(many), at] = True
    if (at != root).any():
        return None
    common = np.where(ancestor[:, None, :] & ancestor[None, :, :], depth, 0).max(-1)
    return Tree(words, depth, depth[:, None] + depth[None, :] - 2 * common, counted)


def spanning_edges(distance: np.ndarray) -> set[tuple[int, int]]:
    """Return the edges (i < j) of a minimum spanning tree of distances [m, m], by Kruskal's algorithm.

    Of equal distances the pair that comes first row by row is taken, as in the authors' code.
    """
    first, second = np.triu_indices(len(distance), 1)
    group = list(range(len(distance)))

    def top(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    edges: set[tuple[int, int]] = set()
    for k in np.argsort(distance[first, second], kind="stable").tolist():
        i, j = int(first[k]), int(second[k])
        a, b = top(i), top(j)
        if a != b:
            group[a] = b
            edges.add((i, j))
            if len(edges) == len(distance) - 1:
                break
    return edges


@dataclass(frozen=True)
class TreeScores:
    """Agreement of predicted distances and depths with the gold trees of test sentences; None if nothing counts."""

    uuas: float | None
    """Share of the gold trees' edges that are in the minimum spanning trees of the predicted distances."""
    root: float | None
    """Share of sentences whose word of least predicted depth is the root."""
    distance: float | None
    """Spearman correlation of a word's distances to all words of its sentence, averaged."""
    depth: float | None
    """Spearman correlation of the depths of a sentence, averaged."""
    sentences: int
    edges: int


def tree_scores(trees: Sequence[Tree], distances: Iterable[np.ndarray], depths: Iterable[np.ndarray]) -> TreeScores:
    """Compare predictions with the gold trees.

    Args:
        distances: predicted distance of two words, [m, m] for each tree.
        depths: predicted depth of each word, [m] for each tree.
    """
    right = edges = roots = 0
    rows: dict[int, list[float]] = {}
    levels: dict[int, list[float]] = {}
    for tree, distance, depth in zip(trees, distances, depths, strict=True):
        kept = np.flatnonzero(tree.counted)
        gold = spanning_edges(tree.distance[np.ix_(kept, kept)])
        right += len(gold & spanning_edges(distance[np.ix_(kept, kept)]))
        edges += len(gold)
        roots += bool(len(kept)) and int(kept[depth[kept].argmin()]) == tree.root
        if SHORTEST <= tree.length <= LONGEST:
            rows.setdefault(tree.length, []).extend(spearman(distance, tree.distance).tolist())
            levels.setdefault(tree.length, []).extend(spearman(depth[None], tree.depth[None]).tolist())
    return TreeScores(
        right / edges if edges else None,
        roots / len(trees) if trees else None,
        _by_length(rows),
        _by_length(levels),
        len(trees),
        edges,
    )


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the Spearman correlation of each row of a with that of b, [k, m]; NaN where a row is constant."""
    from scipy.stats import rankdata

    x, y = (rankdata(each, axis=1) for each in (a, b))
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    size = np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return np.asarray(np.where(size > 0, (x * y).sum(1) / np.where(size > 0, size, 1.0), np.nan))


def _by_length(found: dict[int, list[float]]) -> float | None:
    means = [float(np.nanmean(values)) for values in found.values() if np.isfinite(values).any()]
    return float(np.mean(means)) if means else None
