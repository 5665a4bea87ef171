"""Trees, their distances and the scores of predictions, against networkx-free plain searches and closed cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from explorer.measures.probes import structural
from explorer.measures.probes.structural import Kind, StructuralProbe, train
from explorer.measures.probes.trees import Tree, TreeScores, spanning_edges, spearman, tree_of, tree_scores


@st.composite
def heads(draw: st.DrawFn) -> np.ndarray:
    """Heads of a random tree: each word hangs on an earlier one of a random order."""
    many = draw(st.integers(1, 9))
    order = draw(st.permutations(range(many)))
    found = np.full(many, -1)
    for place in range(1, many):
        found[order[place]] = order[draw(st.integers(0, place - 1))]
    return found


def made(found: np.ndarray, counted: np.ndarray | None = None, start: int = 0) -> Tree:
    tree = tree_of(slice(start, start + len(found)), found, np.ones(len(found), bool) if counted is None else counted)
    assert tree is not None
    return tree


@given(heads())
def test_distances_and_depths_are_those_of_a_search_along_the_arcs(found: np.ndarray) -> None:
    tree, many = made(found), len(found)
    paths = np.where(np.eye(many, dtype=bool), 0.0, np.inf)
    for word, head in enumerate(found.tolist()):
        if head >= 0:
            paths[word, head] = paths[head, word] = 1.0
    for k, i, j in itertools.product(range(many), repeat=3):
        paths[i, j] = min(paths[i, j], paths[i, k] + paths[k, j])
    np.testing.assert_array_equal(tree.distance, paths)
    np.testing.assert_array_equal(tree.depth, paths[tree.root])
    arcs = {(min(w, h), max(w, h)) for w, h in enumerate(found.tolist()) if h >= 0}
    assert spanning_edges(tree.distance) == arcs


@pytest.mark.parametrize("found", [[1, 0], [-1, -1], [-1, 2, 1], [-1, -2], [-1, 5], []], ids=str)
def test_what_is_no_tree_is_none(found: list[int]) -> None:
    assert tree_of(slice(0, len(found)), np.array(found, np.int64), np.ones(len(found), bool)) is None


@given(st.integers(2, 7), st.integers(0, 2**31))
def test_the_spanning_tree_is_a_shortest_one(many: int, seed: int) -> None:
    distance = np.random.default_rng(seed).random((many, many))
    distance += distance.T
    every = list(itertools.combinations(range(many), 2))

    def spans(edges: tuple[tuple[int, int], ...]) -> bool:
        seen = {0}
        for _ in range(many):
            seen |= {v for edge in edges if set(edge) & seen for v in edge}
        return len(seen) == many

    if many > 5:
        return
    least = min(sum(distance[e] for e in edges) for edges in itertools.combinations(every, many - 1) if spans(edges))
    assert sum(distance[e] for e in spanning_edges(distance)) == pytest.approx(least)


def test_of_equal_distances_the_first_pair_is_taken() -> None:
    assert spanning_edges(np.ones((4, 4))) == {(0, 1), (0, 2), (0, 3)}


def test_spearman_is_scipys_row_by_row() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (6, 9)), rng.random((6, 9))
    np.testing.assert_allclose(spearman(a, b), [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)])
    assert np.isnan(spearman(np.ones((1, 3)), b[:1, :3])).all()


def test_punctuation_counts_for_correlations_alone() -> None:
    counted = np.array([True, True, False, True, True])
    tree = made(np.array([1, -1, 1, 1, 3]), counted)
    wrong = tree.distance + 10.0 * ~counted[:, None] * counted[None, :] + 10.0 * counted[:, None] * ~counted[None, :]
    depth = tree.depth.astype(float)
    depth[2] = -1.0
    scores = tree_scores([tree], [wrong], [depth])
    assert (scores.uuas, scores.root, scores.edges) == (1.0, 1.0, 3)
    assert scores.distance is not None
    assert scores.depth is not None
    assert max(scores.distance, scores.depth) < 1


def test_correlations_are_means_of_lengths_and_short_sentences_count_for_the_rest_alone() -> None:
    chain, short = made(np.array([-1, 0, 1, 2, 3])), made(np.array([-1, 0]))
    long = made(np.array([-1, 0, 1, 2, 3, 4]))
    there = [chain, chain, long, short]
    flipped = [chain.depth, -chain.depth, long.depth, short.depth]
    scores = tree_scores(there, [t.distance for t in there], [np.asarray(d, float) for d in flipped])
    assert scores.depth == pytest.approx((0.0 + 1.0) / 2)
    assert (scores.distance, scores.uuas, scores.root) == (pytest.approx(1.0), 1.0, 3 / 4)
    assert tree_scores([short], [short.distance], [short.depth]).depth is None


def embedded(rng: np.random.Generator, sentences: int, width: int, noise: int) -> tuple[np.ndarray, list[Tree]]:
    """Vectors that hold a tree exactly, one axis for each arc, mixed with noise by a rotation."""
    trees, rows = list[Tree](), list[np.ndarray]()
    at = 0
    for _ in range(sentences):
        many = int(rng.integers(5, 9))
        found = np.full(many, -1)
        for word in range(1, many):
            found[word] = rng.integers(0, word)
        perm = rng.permutation(many)
        place = np.empty(many, np.int64)
        place[perm] = np.arange(many)
        shuffled = np.array([-1 if found[perm[i]] < 0 else place[found[perm[i]]] for i in range(many)])
        tree = made(shuffled, start=at)
        trees.append(tree)
        vectors, axis = np.zeros((many, width)), rng.permutation(width)
        for word in np.argsort(tree.depth, kind="stable").tolist():
            head = shuffled[word]
            if head >= 0:
                vectors[word] = vectors[head]
                vectors[word, axis[word]] = 1.0
        rows.append(np.concatenate([vectors, rng.standard_normal((many, noise))], axis=1))
        at += many
    mixing, _ = np.linalg.qr(rng.standard_normal((width + noise, width + noise)))
    return (np.concatenate(rows) @ mixing).astype(np.float32), trees


def test_a_map_that_keeps_distances_finds_every_tree() -> None:
    vectors, trees = embedded(np.random.default_rng(4), 40, 40, 0)
    kinds: tuple[Kind, ...] = ("distance", "depth")
    same = np.eye(40, dtype=np.float32)[None]
    found = [list(StructuralProbe(kind, same, (0,)).predict(0, vectors, trees)) for kind in kinds]
    scores = tree_scores(trees, *([each.round(3) for each in one] for one in found))  # equal distances stay equal
    assert (scores.uuas, scores.root) == (1.0, 1.0)
    assert scores.distance == pytest.approx(1.0)
    assert scores.depth == pytest.approx(1.0)


def test_a_probe_finds_a_tree_that_is_in_the_vectors_and_none_in_shuffled_ones() -> None:
    rng = np.random.default_rng(4)
    vectors, trees = embedded(rng, 260, 40, 4)
    shuffled = rng.permutation(vectors)
    parts = trees[:200], trees[200:230], trees[230:]
    kinds: tuple[Kind, ...] = ("distance", "depth")
    probes = {kind: train(kind, np.stack([vectors, shuffled]), *parts[:2], 24, 0) for kind in kinds}

    def scores(layer: int, states: np.ndarray) -> TreeScores:
        found = {kind: list(probe.predict(layer, states, parts[2])) for kind, probe in probes.items()}
        return tree_scores(parts[2], found["distance"], found["depth"])

    there, chance = scores(0, vectors), scores(1, shuffled)
    assert there.uuas is not None
    assert there.uuas > 0.95
    assert there.root == 1.0
    assert there.distance is not None
    assert there.distance > 0.9
    assert there.depth is not None
    assert there.depth > 0.9
    assert chance.uuas is not None
    assert chance.uuas < 0.6
    assert chance.root is not None
    assert chance.root < 0.5
    assert chance.distance is not None  # not 0: a word is always nearest to itself
    assert chance.distance < there.distance - 0.3


def test_a_layer_is_trained_the_same_whatever_others_are_trained_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structural, "ROUNDS", 4)
    rng = np.random.default_rng(1)
    vectors, trees = embedded(rng, 40, 30, 4)
    other = rng.standard_normal(vectors.shape).astype(np.float32)
    alone = train("distance", vectors[None], trees[:30], trees[30:], 8, 3)
    beside = train("distance", np.stack([other, vectors]), trees[:30], trees[30:], 8, 3)
    assert beside.rounds[1] == alone.rounds[0]
    np.testing.assert_allclose(beside.maps[1], alone.maps[0], atol=1e-4)
    again = train("distance", vectors[None], trees[:30], trees[30:], 8, 3)
    np.testing.assert_array_equal(again.maps, alone.maps)


@pytest.mark.parametrize("kind", ["distance", "depth"])
def test_a_step_goes_down_the_gradient_that_torch_finds(kind: Kind) -> None:
    import torch

    rng = np.random.default_rng(2)
    vectors, trees = embedded(rng, 7, 12, 3)
    (batch,) = structural._batches(kind, trees, "cpu")
    states = torch.from_numpy(np.stack([vectors, rng.permutation(vectors)])).double()
    maps = torch.from_numpy(rng.standard_normal((2, 15, 4))).requires_grad_()
    losses, gradient = structural._losses(kind, maps, states, batch)
    (expected,) = torch.autograd.grad(losses.sum(), maps)
    torch.testing.assert_close(gradient().detach(), expected)
    for layer, loss in enumerate(losses.tolist()):
        said = StructuralProbe(kind, maps.detach().numpy(), (0, 0)).predict(layer, states[layer].numpy(), trees)
        gold = (tree.distance if kind == "distance" else tree.depth for tree in trees)
        assert loss == pytest.approx(np.mean([np.abs(p - g).mean() for p, g in zip(said, gold, strict=True)]))
