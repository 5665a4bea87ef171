"""Does the fast merging find the clusters that DirectProbe's steps find, and can each of them be proved?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures.dendrogram import centroid_linkage
from explorer.measures.merging import merge
from explorer.measures.separable import decide
from tests.explorer.measures.directprobe_oracle import directprobe
from tests.explorer.measures.memory import golden, printed_by_the_authors
from tests.parameters import later


def groups(points, labels):
    found = merge(np.asarray(points, float), np.asarray(labels))
    assert found.undecided == 0
    return sorted(np.flatnonzero(found.assignment == k).tolist() for k in range(len(found.labels)))


def prove(points, labels, found):
    """No two clusters of different labels overlap, and no two of one label could still merge; all by certificates."""
    sets = [points[found.assignment == k] for k in range(len(found.labels))]
    for k in range(len(sets)):
        assert set(labels[found.assignment == k]) == {found.labels[k]}
    different = [(i, j) for i, j in combinations(range(len(sets)), 2) if found.labels[i] != found.labels[j]]
    for i, j in different:
        plane = decide(sets[i], sets[j]).plane
        assert (sets[i] @ plane).min() > (sets[j] @ plane).max()
    for i, j in combinations(range(len(sets)), 2):
        if found.labels[i] != found.labels[j]:
            continue
        union = np.r_[sets[i], sets[j]]
        others = [s for s, label in zip(sets, found.labels, strict=True) if label != found.labels[i]]
        common = next(v.weights for o in others if not (v := decide(union, o)).separable and (other := o) is not None)
        one, two = common[: len(union)], common[len(union) :]
        assert common.min() >= 0
        assert (one.sum(), two.sum()) == pytest.approx((1, 1))
        assert np.linalg.norm(one @ union - two @ other) < 1e-8 * np.ptp(points)


@pytest.mark.parametrize(
    ("n", "d", "labels", "shift"), [(24, 2, 2, 1.0), (30, 2, 3, 0.5), (36, 3, 2, 0), (30, 5, 3, 0), (40, 2, 2, 3)]
)
def test_the_same_clusters_as_the_steps_one_by_one(n, d, labels, shift):
    for seed in range(2):
        rng = np.random.default_rng([n, d, seed])
        y = rng.integers(0, labels, n)
        x = rng.standard_normal((n, d)) + shift * np.eye(labels, d)[y]
        assert groups(x, y) == directprobe(x, y), seed


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 18), d=st.integers(1, 3), labels=st.integers(1, 4))
def test_the_same_clusters_as_the_steps_on_anything_small(seed, n, d, labels):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, d)), rng.integers(0, labels, n)
    assert groups(x, y) == directprobe(x, y)


def test_a_ring_around_a_centre_is_the_centre_and_three_or_more_arcs():
    angles = np.arange(24) * 2 * np.pi / 24 + 0.01 * np.random.default_rng(0).standard_normal(24)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    centre = 0.05 * np.random.default_rng(1).standard_normal((6, 2))
    found = merge(np.r_[ring, centre], np.r_[np.zeros(24, int), np.ones(6, int)])
    assert (found.labels == 1).sum() == 1
    assert (found.labels == 0).sum() >= 3
    assert not found.linear


def test_four_blobs_crosswise_are_three_clusters():
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [1, 1], [0, 1], [1, 0.0]])
    x = np.concatenate([c + 0.05 * rng.standard_normal((10, 2)) for c in corners])
    assert len(groups(x, np.repeat([0, 0, 1, 1], 10))) == 3


def test_separable_labels_are_one_cluster_each():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    found = merge(rng.standard_normal((60, 4)) + 9 * np.eye(3, 4)[y], y)
    assert found.labels.tolist() == [0, 1, 2]
    assert (found.labels[found.assignment] == y).all()
    assert found.linear
    assert (found.refused, found.untested) == (0, 57)


def test_one_vector_under_two_labels_is_said_and_does_not_stop_the_rest():
    x = np.array([[0.0, 0], [0, 0], [5, 0], [5, 1], [-5, 0], [-5, 1]])
    found = merge(x, np.array([0, 1, 0, 0, 1, 1]))
    assert found.coinciding == 1
    assert not found.linear
    for k, other in ((0, 1), (1, 0)):  # no cluster that spreads holds the shared place
        for members in (np.flatnonzero(found.assignment == c) for c in np.flatnonzero(found.labels == k)):
            assert len(members) == 1 or other not in members


def test_all_points_one_is_one_cluster_a_label_and_not_linear():
    found = merge(np.full((8, 3), 0.1), np.arange(8) % 2)
    assert len(found.labels) == 2
    assert not found.linear


@settings(max_examples=6)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), away=st.floats(-50, 50))
def test_clusters_ignore_rotation_translation_scale_and_the_order_of_points(seed, scale, away):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((40, 4)), rng.integers(0, 3, 40)
    turn, order = np.linalg.qr(rng.standard_normal((4, 4)))[0], rng.permutation(40)
    moved = merge(scale * (x @ turn + away)[order], y[order])
    back = np.empty(40, int)
    back[order] = moved.assignment
    assert sorted(np.flatnonzero(back == k).tolist() for k in range(len(moved.labels))) == groups(x, y)


@pytest.mark.parametrize("name", ["sep_n2000_d384", "random_n300_d32", later("random_n500_d64")])
def test_as_many_clusters_as_the_authors_linear_programme_finds(name):
    got, want = golden(f"clusters_{name}_L5"), printed_by_the_authors(f"clusters_{name}_L5")
    x, y = got["x"].astype(float), got["labels"]
    found = merge(x, y)
    sizes = np.sort(np.bincount(found.assignment))[::-1]
    assert len(sizes) == want["clusters"]
    assert sizes[: len(want["cluster_sizes_largest"])].tolist() == want["cluster_sizes_largest"]
    assert found.linear is want["separable"]
    if name.startswith("random"):
        prove(x, y, found)


def test_three_modes_a_label_in_few_directions_are_one_cluster_a_label_still():
    got = golden("clusters_modes_n500_d64_L5")
    found = merge(got["x"].astype(float), got["labels"])
    assert found.linear
    prove(got["x"].astype(float), got["labels"], found)


@pytest.mark.parametrize("seed", range(3))
def test_the_tree_merges_the_closest_pair_of_all_labels_each_time(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((25, 3)), rng.integers(0, 3, 25)
    tree = centroid_linkage(x, y)
    clusters = [frozenset([i]) for i in range(25)]
    for merges in range(tree.merges + 1):
        nodes = tree.clusters(merges)
        assert {frozenset(tree.order[tree.start[v] : tree.stop[v]].tolist()) for v in nodes} == set(clusters)
        centre = {c: x[list(c)].mean(0) for c in clusters}
        pairs = [(a, b) for a, b in combinations(clusters, 2) if y[min(a)] == y[min(b)]]
        if pairs:
            a, b = min(pairs, key=lambda p: np.linalg.norm(centre[p[0]] - centre[p[1]]))
            clusters = [c for c in clusters if c not in (a, b)] + [a | b]


def test_progress_is_told_often_and_never_runs_back():
    said = []
    rng = np.random.default_rng(0)
    merge(rng.standard_normal((200, 16)), np.arange(200) % 4, lambda what, share: said.append((what, share)))
    assert len(said) > 20
    assert all(0 <= share <= 1 for _, share in said)
    for kind in ("looking", "merging with tests"):
        shares = [share for what, share in said if what.startswith(kind)]
        assert shares == sorted(shares)
