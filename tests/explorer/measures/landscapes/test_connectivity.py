"""Are convexity gaps those of every part of a line, and are clusters of seeds those of known blocks and of sklearn?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import SpectralClustering

from explorer.measures.landscapes.connectivity import convexity_gap, two_clusters

LOSSES = st.lists(st.floats(0, 5).map(lambda x: round(x, 3)), min_size=2, max_size=9)


def blocks(sizes: tuple[int, int], near: float, far: float, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Distances inside and between two blocks of solutions, in a random order of solutions."""
    draw = np.random.default_rng(seed)
    member = draw.permutation(np.repeat([0, 1], sizes))
    away = np.where(member[:, None] == member, near, far) + noise * draw.random((sum(sizes),) * 2)
    away = np.triu(away, 1)
    return away + away.T


def members(away: np.ndarray, cut: float) -> set[frozenset[int]]:
    """The blocks: solutions within ``cut`` of each other."""
    near = (away < cut) | np.eye(len(away), dtype=bool)
    return {frozenset(np.flatnonzero(row).tolist()) for row in near}


def test_a_bump_inside_a_valley_has_a_gap_but_no_barrier() -> None:
    alphas, losses = [0.0, 0.25, 0.5, 0.75, 1.0], [2.0, 0.5, 1.0, 0.5, 2.0]
    assert convexity_gap(alphas, losses) == pytest.approx(0.5)
    assert max(losses[1:-1]) < 2.0  # below the chord of the ends everywhere
    assert convexity_gap(alphas, [2.0, 1.0, 0.5, 1.0, 2.0]) == 0.0
    assert convexity_gap([0.0, 0.5, 0.75, 1.0], [1.0, 1.5, 3.0, 2.0]) == pytest.approx(1.25)
    assert convexity_gap([0.0, 1.0], [1.0, 9.0]) == 0.0


@given(LOSSES)
def test_the_gap_is_the_largest_over_all_parts_of_the_line(losses: list[float]) -> None:
    alphas = np.linspace(0, 1, len(losses)).tolist()
    slow = max(
        (
            losses[k] - np.interp(alphas[k], [alphas[i], alphas[j]], [losses[i], losses[j]])
            for i, j in combinations(range(len(losses)), 2)
            for k in range(i + 1, j)
        ),
        default=0.0,
    )
    assert convexity_gap(alphas, losses) == pytest.approx(max(0.0, slow), abs=1e-12)
    assert convexity_gap(alphas, losses[::-1]) == pytest.approx(convexity_gap(alphas, losses), abs=1e-12)


@pytest.mark.parametrize("sizes", [(2, 2), (1, 3), (4, 9), (12, 50)])
@pytest.mark.parametrize(("near", "far"), [(0.01, 1.0), (0.001, 0.02), (0.5, 3.0)])
def test_blocks_of_any_size_are_found_and_are_those_of_sklearn(sizes: tuple[int, int], near: float, far: float) -> None:
    away = blocks(sizes, near, far, noise=near / 2)
    found = two_clusters(away)
    assert found is not None
    true = members(away, (near + far) / 2)
    assert {frozenset(part) for part in found.members} == true
    assert 0 in found.members[0]
    affinity = np.exp(-(away**2) / 2)
    labels = SpectralClustering(2, affinity="precomputed", random_state=42).fit(affinity).labels_
    assert {frozenset(np.flatnonzero(labels == label).tolist()) for label in (0, 1)} == true
    inside = [away[i, j] for part in true for i, j in combinations(sorted(part), 2)]
    across = [away[i, j] for i in found.members[0] for j in found.members[1]]
    assert (found.within, found.between) == (pytest.approx(np.mean(inside)), pytest.approx(np.mean(across)))
    assert sorted(found.order) == list(range(sum(sizes)))
    assert set(found.order[: found.size]) == set(found.members[0])


@given(st.integers(3, 7), st.integers(0, 10_000))
def test_the_clusters_are_the_best_two_means_of_the_second_eigenvector(many: int, seed: int) -> None:
    """Of all divisions, by the general eigenvectors of the graph Laplacian."""
    from scipy.linalg import eigh

    draw = np.random.default_rng(seed)
    away = np.triu(draw.gamma(1.0, 1.0, (many, many)), 1)
    away += away.T
    affinity = np.exp(-(away**2) / 2) - np.eye(many)
    degrees = np.diag(affinity.sum(1))
    values, vectors = eigh(degrees - affinity, degrees)
    if values[2] - values[1] < 1e-6:
        return
    line = vectors[:, 1]

    def spread(part: frozenset[int]) -> float:
        other = sorted(set(range(many)) - part)
        return sum(float(((line[p] - line[p].mean()) ** 2).sum()) for p in (sorted(part), other))

    every = [frozenset({0, *more}) for size in range(many - 1) for more in combinations(range(1, many), size)]
    best = sorted(every, key=spread)
    if spread(best[1]) - spread(best[0]) < 1e-9:
        return
    found = two_clusters(away)
    assert found is not None
    assert frozenset(found.members[0]) == best[0]
    assert two_clusters(away) == found


def test_equal_distances_two_seeds_and_missing_pairs_have_no_clusters() -> None:
    assert two_clusters(np.array([[0.0, 1.0], [1.0, 0.0]])) is None
    assert two_clusters(np.full((4, 4), 0.3)) is None
    missing = blocks((2, 2), 0.1, 1.0)
    missing[0, 1] = missing[1, 0] = np.nan
    assert two_clusters(missing) is None
    assert two_clusters(np.full((3, 3), 1e9)) is None  # no affinity at all
    diagonal = blocks((2, 3), 0.1, 1.0)
    np.fill_diagonal(diagonal, np.nan)
    assert two_clusters(diagonal) is not None  # a matrix of pairs has nothing there


def test_the_order_of_the_solutions_does_not_matter() -> None:
    away = blocks((3, 4), 0.1, 1.0, noise=0.05)
    turn = np.random.default_rng(3).permutation(7)
    one, other = two_clusters(away), two_clusters(away[np.ix_(turn, turn)])
    assert one is not None
    assert other is not None
    moved = {frozenset(turn[list(part)].tolist()) for part in other.members}
    assert moved == {frozenset(part) for part in one.members}
