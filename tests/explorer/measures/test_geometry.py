"""Is what changed in the labels' layout between two checkpoints measured as it is?"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given, MeasureError, Uncertainty, label_geometry
from explorer.measures.geometry import mantel
from explorer.measures.hulls import compare
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer

NAMES = ("spatial-similarity", "centroid-movement", "label-distance-change")


def measure(name, x, z, labels, context=None, **parameters):
    labels = np.asarray(labels)
    names = tuple(f"L{i}" for i in range(max(labels) + 1))
    corpus = MemoryCorpus([1] * len(x), label_ids=labels, label_names=names)
    found = get(name)
    sides = MemoryLayer(np.asarray(x)), None if z is None else MemoryLayer(np.asarray(z))
    values = found.compute(
        Given.layers(corpus, *sides, labels=corpus.labels), dict(found.settle(parameters)), context or Context()
    )
    return {(v.statistic, v.label_a): v for v in values}


def clouds(seed, labels=5, d=4, apart=6.0, n=8):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(labels), n)
    return rng.standard_normal((labels, d))[y] * apart + rng.standard_normal((labels * n, d)), y


@pytest.mark.parametrize("distance", ["hull", "centroid"])
@pytest.mark.parametrize("method", ["pairs", "directprobe"])
def test_layouts_correlate_as_numpy_says(distance, method):
    (x, y), (z, _) = clouds(0, apart=20), clouds(1, apart=20)
    got = measure("spatial-similarity", x, z, y, method=method, distance=distance)["pearson", None]
    vectors = []
    for points in (x, z):
        sets = [points[y == i] for i in range(5)]
        pairs = [(a, b) for i, a in enumerate(sets) for b in sets[i + 1 :]]
        hull = [compare(a, b).upper for a, b in pairs]
        vectors.append(hull if distance == "hull" else [np.linalg.norm(a.mean(0) - b.mean(0)) for a, b in pairs])
    assert got.value == pytest.approx(np.corrcoef(vectors)[0, 1], abs=1e-5)
    assert got.n == 10


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_against_itself(name):
    x, y = clouds(2)
    found = get(name)
    assert measure(name, x, x, y)[found.main, None].value == found.same


@settings(max_examples=10)
@given(seed=st.integers(0, 100), scale=st.floats(0.01, 100), away=st.floats(-10, 10))
def test_a_layout_ignores_rotation_translation_and_scale(seed, scale, away):
    (x, y), (z, _) = clouds(seed), clouds(seed + 1)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((4, 4)))[0]
    plain = measure("spatial-similarity", x, z, y)["pearson", None].value
    moved = measure("spatial-similarity", scale * (x @ turn + away), z, y)["pearson", None].value
    assert moved == pytest.approx(plain, abs=1e-4)
    change = measure("label-distance-change", scale * (x @ turn + away), x, y)
    assert change["mean_scaled", None].value == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(("d", "every"), [(9, True), (8, False)])
def test_as_many_points_as_dimensions_and_one_more_always_separate(d, every):
    """Cover (1965): n points in general position in d dimensions can be split in every way if n is at most d + 1."""
    (x, y), (z, _) = clouds(5, d=d, n=5), clouds(6, d=d, n=5)
    reason = measure("spatial-similarity", x, z, y)["pearson", None].reason
    assert ("everything separates in 10 of 10 pairs" in reason) == every


def test_small_points_have_a_scale_too():
    (x, y), (z, _) = clouds(7), clouds(8)
    plain, small = (measure("centroid-movement", a * x, a * z, y) for a in (1, 1 / 1024))
    assert small["mean_scaled", None].value == pytest.approx(plain["mean_scaled", None].value)
    assert small["mean_scaled", None].reason == ""


def test_mantel_counts_every_order_of_few_labels():
    (x, y), (z, _) = clouds(3), clouds(4)
    got = measure("spatial-similarity", x, z, y, distance="centroid", permutations=119)
    a, b = (np.array([p[y == i].mean(0) for i in range(5)]) for p in (x, z))
    a, b = (np.linalg.norm(m[:, None] - m[None], axis=2) for m in (a, b))
    upper = np.triu_indices(5, 1)
    rs = [np.corrcoef(a[upper], b[np.ix_(o, o)][upper])[0, 1] for o in permutations(range(5))]
    assert got["mantel_p", None].value == pytest.approx(np.mean(np.array(rs) >= rs[0] - 1e-12))
    assert got["mantel_p", None].details["exact"] is True
    assert got["mantel_p", None].details["permutations"] == 120


def test_mantel_draws_orders_of_many_labels_the_same_for_a_seed():
    rng = np.random.default_rng(0)
    places = rng.standard_normal((2, 12, 3))
    a, b = (np.linalg.norm(m[:, None] - m[None], axis=2) for m in places)
    p, count, exact = mantel(a, b, 999, 5)
    assert (count, exact) == (1000, False)
    assert p == mantel(a, b, 999, 5)[0] != mantel(a, b, 999, 6)[0]
    assert mantel(a, a, 999, 5)[0] == pytest.approx(0.001)
    spread = [
        mantel(*(np.abs(np.subtract.outer(v, v)) for v in rng.standard_normal((2, 8))), 199, s)[0] for s in range(60)
    ]
    assert 0.35 < np.mean(spread) < 0.65  # unrelated layouts: p is uniform


def test_two_labels_have_no_correlation_and_equal_distances_neither():
    x, y = clouds(0, labels=2)
    got = measure("spatial-similarity", x, x, y)["pearson", None]
    assert (got.value, got.n) == (None, 1)
    assert "3 labels" in got.reason
    flat = np.repeat(np.eye(3), 3, axis=0)
    got = measure("spatial-similarity", flat, clouds(0, labels=3, d=3, n=3)[0], np.repeat([0, 1, 2], 3))[
        "pearson", None
    ]
    assert got.value is None
    assert "equally far" in got.reason


def test_centroids_move_by_what_was_added_to_their_points():
    x, y = clouds(1, labels=3)
    shifts = np.array([[3.0, 4, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
    got = measure("centroid-movement", x + shifts[y], x, y, Context(trust=Uncertainty(interval="jackknife")))
    assert [got["movement", f"L{i}"].value for i in range(3)] == pytest.approx([5, 0, 1])
    assert got["mean", None].value == pytest.approx(2)
    inside = np.mean(
        [np.linalg.norm(p[:, None] - p[None], axis=2).sum() / (8 * 7) for p in (x[y == i] for i in range(3))]
    )
    assert got["mean_scaled", None].value == pytest.approx(2 / inside)
    assert got["mean", None].interval == pytest.approx((2, 2))
    assert got["mean", None].details["interval_groups"] == 20


def test_an_interval_of_a_movement_covers_it_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(60):
        x = rng.standard_normal((100, 3))
        z = x + np.array([2.0, 0, 0]) + rng.standard_normal((100, 3))
        got = measure(
            "centroid-movement", z, x, np.zeros(100, int), Context(trust=Uncertainty(interval="jackknife", level=0.8))
        )
        low, high = got["mean", None].interval
        hits += low <= 2 <= high
    assert 36 <= hits <= 58


def test_smallest_distances_change_by_what_the_squares_moved():
    square = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
    before = np.concatenate([square, square + np.array([3, 0]), square + np.array([8, 0])])
    after = np.concatenate([square, square + np.array([4, 0]), square + np.array([8, 0])])
    got = measure("label-distance-change", after, before, np.repeat([0, 1, 2], 4))
    assert [got["change", f"L{i}"].value for i in range(3)] == pytest.approx([1, 1, -1], abs=1e-3)
    assert got["mean", None].value == pytest.approx(1 / 3, abs=1e-3)
    assert (got["change", "L2"].details["now"], got["change", "L2"].details["before"]) == pytest.approx(
        (3, 4), rel=1e-4
    )


def test_labels_without_points_are_left_out_not_zero():
    x, y = clouds(0)
    y = np.where(y == 4, 5, y)
    got = measure("spatial-similarity", x, clouds(1)[0], y)["pearson", None]
    assert (got.n, got.details["labels"]) == (10, 5)
    assert ("movement", "L4") not in measure("centroid-movement", x, x, y)


def test_pairs_left_out_are_told_beside_pairs_that_always_separate(monkeypatch):
    x, y = clouds(0, d=20)
    real = label_geometry.solve

    def undecided(*given):
        found = real(*given)
        return replace(found, separable=np.where(np.arange(len(found.pairs)) == 0, -1, found.separable))

    monkeypatch.setattr(label_geometry, "solve", undecided)
    got = measure("spatial-similarity", x, clouds(1, d=20)[0], y)
    absent = "1 of 10 pairs of labels have no distance on one side and are left out"
    assert (
        got["pearson", None].reason == f"{absent}; everything separates in 10 of 10 pairs: too few points for the width"
    )
    assert got["mantel_p", None].reason == f"{absent}: labels cannot be exchanged"


def test_a_map_solves_each_side_once(monkeypatch):
    x, y = clouds(0)
    context, solved = Context(), []
    real = label_geometry.solve
    monkeypatch.setattr(label_geometry, "solve", lambda *a: solved.append(1) or real(*a))
    for step in range(3):
        measure("spatial-similarity", x + step * y[:, None], x, y, context)
        measure("label-distance-change", x + step * y[:, None], x, y, context)
    assert len(solved) == 3


def test_no_reference_another_width_and_no_labels_are_errors():
    x, y = clouds(0)
    with pytest.raises(MeasureError, match="reference"):
        measure("centroid-movement", x, None, y)
    with pytest.raises(MeasureError, match="widths differ"):
        measure("centroid-movement", x, x[:, :2], y)
    bare = MemoryCorpus([1] * len(x))
    for name in NAMES:
        given_ = Given.layers(bare, MemoryLayer(x), MemoryLayer(x))
        with pytest.raises(MeasureError, match="needs a label"):
            get(name).compute(given_, dict(get(name).settle({})), Context())
