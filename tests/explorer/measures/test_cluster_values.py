"""Do the values of `clusters` say what the clusters are, how far apart, how wide, and what they are worth?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from explorer.measures import Context, Given, Uncertainty, label_geometry
from explorer.measures.hulls import compare
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer, golden, printed_by_the_authors

CLUSTERS = get("clusters")
SQUARE = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)


@dataclass
class MemoryShelf:
    arrays: dict = field(default_factory=dict)
    asked: int = 0

    def get(self, key):
        self.asked += 1
        return self.arrays.get(tuple(key))

    def put(self, key, arrays):
        self.arrays[tuple(key)] = {name: np.array(a) for name, a in arrays.items()}


def measure(points, labels, context=None, corpus=None, **parameters):
    """Values by (statistic, label_a, label_b)."""
    labels = np.asarray(labels)
    names = tuple(f"L{i}" for i in range(max(labels) + 1))
    corpus = corpus or MemoryCorpus([1] * len(points), label_ids=labels, label_names=names)
    settled = dict(CLUSTERS.settle({"method": "directprobe", **parameters}))
    values = CLUSTERS.compute(
        Given.layers(corpus, MemoryLayer(np.asarray(points)), labels=corpus.labels), settled, context or Context()
    )
    assert json.dumps([dict(v.details) for v in values], allow_nan=False)
    return {(v.statistic, v.label_a, v.label_b): v for v in values}


def crosswise():
    """Four squares, two labels crosswise: three clusters."""
    corners = np.array([[0, 0], [10, 10.5], [0, 10], [10, 0.0]])
    return np.concatenate([SQUARE + c for c in corners]), np.repeat([0, 0, 1, 1], 4)


def test_clusters_their_points_and_their_distances():
    x, y = crosswise()
    values = measure(x, y)
    count = values["clusters", None, None]
    assert count.value == 3
    assert values["linear", None, None].value == 0
    assigned = np.array(count.details["assignment"])
    owners = count.details["cluster_labels"]
    assert [owners[k] for k in assigned] == [f"L{label}" for label in y]
    assert values["clusters", "L0", None].value + values["clusters", "L1", None].value == 3
    triples = values["hull_distance", "L0", "L1"].details["cluster_distances"]
    assert len(triples) == 2
    for i, j, distance in triples:
        assert distance == pytest.approx(compare(x[assigned == i], x[assigned == j]).upper, rel=1e-4)
    mean = np.mean([d for _, _, d in triples])
    assert values["hull_distance", "L0", "L1"].value == pytest.approx(mean)
    assert values["hull_least", "L0", "L1"].value == pytest.approx(min(d for _, _, d in triples))
    assert values["hull_mean", None, None].value == pytest.approx(mean)


def test_inside_distances_radii_and_scaled_values():
    points = np.concatenate([SQUARE, 3 * SQUARE + np.array([6, 0])])
    for method in ("pairs", "directprobe"):
        values = measure(points, [0] * 4 + [1] * 4, method=method)
        one = pdist(SQUARE)
        assert values["inside_mean", "L0", None].value == pytest.approx(one.mean())
        assert values["inside_max", "L1", None].value == pytest.approx(3 * np.sqrt(2))
        assert values["radius", "L1", None].value == pytest.approx(3 * np.sqrt(0.5))
        assert values["inside_mean", None, None].value == pytest.approx(2 * one.mean())
        assert values["hull_mean", None, None].value == pytest.approx(5, rel=1e-4)
        assert values["hull_mean_scaled", None, None].value == pytest.approx(5 / (2 * one.mean()), rel=1e-4)
        assert values["label_min", "L0", None].value == pytest.approx(5, rel=1e-4)
        assert values["label_min_scaled", "L0", None].value == pytest.approx(5 / (2 * one.mean()), rel=1e-4)


def test_each_labels_nearest_neighbour():
    x = np.concatenate([SQUARE, SQUARE + np.array([3, 0]), SQUARE + np.array([8, 0])])
    values = measure(x, np.repeat([0, 1, 2], 4))
    assert [values["label_min", f"L{i}", None].value for i in range(3)] == pytest.approx([2, 2, 4], rel=1e-4)
    assert values["label_min", "L2", None].details["nearest"] == "L1"


def test_scaled_values_ignore_the_scale_and_the_others_follow_it():
    x, y = crosswise()
    small, large = measure(x, y), measure(100 * x, y)
    assert large["hull_mean_scaled", None, None].value == pytest.approx(small["hull_mean_scaled", None, None].value)
    assert large["hull_mean", None, None].value == pytest.approx(100 * small["hull_mean", None, None].value)


def test_golden_distances_and_counts():
    name = "clusters_sep_n2000_d384_L5"
    got = golden(name)
    low, mean, _ = printed_by_the_authors(name)["hull_distance_min_mean_max"]
    values = measure(got["x"], got["labels"])
    assert values["clusters", None, None].value == 5
    assert values["linear", None, None].value == 1
    assert values["hull_mean", None, None].value == pytest.approx(mean, abs=1e-3)
    assert values["hull_min", None, None].value == pytest.approx(low, abs=1e-3)


def test_golden_hulls_of_labels_without_meaning():
    """The authors print 0 for their nearest hulls (their SVM stopped early); the largest distance agrees."""
    name = "clusters_random_n300_d32_L5"
    got = golden(name)
    values = measure(got["x"], got["labels"])
    every = [t[2] for (s, _, _), v in values.items() if s == "hull_distance" for t in v.details["cluster_distances"]]
    assert all(d is not None and d > 0 for d in every)
    assert max(every) == pytest.approx(printed_by_the_authors(name)["hull_distance_min_mean_max"][2], abs=1e-3)


def test_too_few_points_and_missing_labels_are_said():
    rng = np.random.default_rng(0)
    values = measure(rng.standard_normal((12, 20)), [0] * 6 + [2] * 6)
    assert "everything separates" in values["clusters", None, None].reason
    details = values["clusters", None, None].details
    assert (details["width"], details["points"], details["pairs_vacuous"]) == (20, 12, 1)
    assert details["labels_without_points"] == ["L1"]
    assert ("hull_distance", "L0", "L1") not in values
    assert ("label_min", "L1", None) not in values


def test_a_single_point_has_no_inside_and_one_label_no_clusters_to_count():
    values = measure(np.r_[SQUARE, [[5.0, 0]]], [0] * 4 + [1])
    assert values["inside_mean", "L1", None].value is None
    assert "two points" in values["inside_mean", "L1", None].reason
    alone = measure(SQUARE, [0] * 4)
    assert alone["clusters", None, None].value is None
    assert "only label" in alone["clusters", None, None].reason


def test_the_null_is_the_mean_over_shuffled_labels():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = rng.standard_normal((60, 3)) + 8 * y[:, None]
    trust = Uncertainty(null=4, seed=3)
    values = measure(x, y, Context(trust=trust))
    count = values["clusters", None, None]
    assert count.value == 2
    assert count.null > 5
    assert count.details["null_sd"] > 0
    again = measure(x, y, Context(trust=trust))["clusters", None, None]
    assert again.null == count.null
    pairs = measure(x, y, Context(trust=trust), method="pairs")
    assert (pairs["separable_share", None, None].value, pairs["separable_share", None, None].null) == (1, 0)
    assert pairs["hull_mean", None, None].null == 0


def test_shuffled_word_labels_are_the_sentences_own_in_another_order():
    from explorer.measures.labelled import labelled_points

    corpus = MemoryCorpus(
        [3, 2, 4],
        words=[(i, 1) for i in range(9)],
        label_ids=np.array([0, 1, 2, 3, 4, 5, 6, 7, -1]),
        label_names=tuple("abcdefgh"),
        level="word",
    )
    data = labelled_points(MemoryLayer(np.arange(18.0).reshape(9, 2)), corpus, corpus.labels)
    for draw in range(5):
        got = data.shuffled(0, draw).labels.tolist()
        assert sorted(got) == list(range(8))
        starts = [got.index(first) for first in (0, 3, 5)]
        assert [got[s : s + n] for s, n in zip(starts, (3, 2, 3), strict=True)] == [[0, 1, 2], [3, 4], [5, 6, 7]]


def test_many_points_have_no_merged_null_but_say_so(monkeypatch):
    monkeypatch.setattr("explorer.measures.clusters.NULL_POINTS", 10)
    x, y = crosswise()
    value = measure(x, y, Context(trust=Uncertainty(null=2)))["clusters", None, None]
    assert value.null is None
    assert "method pairs" in value.details["no_null"]


def test_centroids_have_a_jackknife_interval_and_hulls_say_why_not():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    x = rng.standard_normal((200, 3)) + 4 * y[:, None]
    values = measure(x, y, Context(trust=Uncertainty(interval="jackknife", level=0.9)), method="pairs")
    value = values["centroid_distance", "L0", "L1"]
    left = []
    for g in range(20):  # one token an example: 20 groups of ten
        keep = np.arange(200) // 10 != g
        left.append(np.linalg.norm(x[keep & (y == 0)].mean(0) - x[keep & (y == 1)].mean(0)))
    error = np.sqrt(19 / 20 * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert value.interval[1] - value.interval[0] == pytest.approx(2 * 1.729133 * error, rel=1e-5)  # Student, 19, 5 %
    assert np.mean(value.interval) == pytest.approx(value.value)
    assert value.details["interval_groups"] == 20
    assert values["centroid_mean", None, None].interval == pytest.approx(value.interval)
    assert values["hull_mean", None, None].interval is None
    assert "nearest points" in values["hull_mean", None, None].details["no_interval"]


def test_held_out_points_get_the_label_of_the_nearest_hull():
    rng = np.random.default_rng(5)
    y = np.arange(120) % 3
    x = rng.standard_normal((120, 3)) + 1.7 * np.eye(3)[y]
    values = measure(x, y, held_out=0.25, split_seed=7)
    got = values["accuracy", None, None]
    assert got.n == 30
    assert got.details["train_points"] == 90
    out = np.random.default_rng([7, 2 << 20]).permutation(120)[:30]
    kept = np.setdiff1d(np.arange(120), out)
    count = values["clusters", None, None]
    assigned, owners = np.array(count.details["assignment"]), count.details["cluster_labels"]
    right = 0
    for i in out:
        distances = [compare(x[[i]], x[kept][assigned == k]).upper for k in range(len(owners))]
        right += owners[int(np.argmin(distances))] == f"L{y[i]}"
    assert got.details["unsure"] == 0
    assert got.value == pytest.approx(right / 30)


def test_a_side_is_solved_once_and_comes_back_from_the_shelf(monkeypatch):
    x, y = crosswise()
    shelf = MemoryShelf()
    first = measure(x, y, Context(shelf=shelf))
    monkeypatch.setattr(label_geometry, "solve", lambda *a: pytest.fail("solved twice"))
    context = Context(shelf=shelf)
    second = measure(x, y, context)
    assert {k: (v.value, v.details) for k, v in first.items()} == {k: (v.value, v.details) for k, v in second.items()}
    shelf.arrays.clear()
    assert measure(x, y, context).keys() == first.keys()  # kept in memory


def test_more_pairs_of_clusters_than_can_be_compared_are_no_distances(monkeypatch):
    monkeypatch.setattr(label_geometry, "MOST_PAIRS", 1)
    x, y = crosswise()
    values = measure(x, y)
    assert values["clusters", None, None].value == 3
    assert values["hull_mean", None, None].value is None
    assert "3 clusters: more than" in values["hull_mean", None, None].reason
    assert values["label_min", "L0", None].value is None
    assert values["centroid_mean", None, None].value is not None
