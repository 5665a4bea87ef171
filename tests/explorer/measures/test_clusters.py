"""Are labels separated where they are, by as much as they are, and is every answer proved?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given, MeasureError
from explorer.measures.hulls import compare
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer, golden, printed_by_the_authors

CLUSTERS = get("clusters")
SQUARE = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)


def measure(points, labels, names=None, corpus=None):
    """Values by (statistic, label_a, label_b); one token a sentence unless corpus say otherwise."""
    names = names or tuple(f"L{i}" for i in range(max(labels) + 1))
    corpus = corpus or MemoryCorpus([1] * len(points), label_ids=np.asarray(labels), label_names=names)
    layer = MemoryLayer(np.asarray(points), hidden_chunk=7)
    values = CLUSTERS.compute(Given.layers(corpus, layer, labels=corpus.labels), {"method": "pairs"}, Context())
    return {(v.statistic, v.label_a, v.label_b): v for v in values}


def svm_distance(a, b):
    """Twice the hard margin, by scikit-learn."""
    from sklearn.svm import SVC

    svm = SVC(kernel="linear", C=1e10, tol=1e-8).fit(np.r_[a, b], np.r_[np.zeros(len(a)), np.ones(len(b))])
    return 2 / np.linalg.norm(svm.coef_)


@pytest.mark.parametrize(
    ("shift", "want"), [((4, 0), 3.0), ((4, 5), 5.0), ((1.001, 0), 0.001), ((0, -1e6), 1e6 - 1), ((1.0001, 0.5), 1e-4)]
)
def test_two_unit_squares_apart(shift, want):
    found = compare(SQUARE, SQUARE + shift)
    assert found.separable is True
    assert found.upper == pytest.approx(want, rel=1e-4)
    assert found.lower <= want * (1 + 1e-9) <= found.upper * (1 + 1e-6)


@pytest.mark.parametrize("shift", [(0.5, 0.2), (0.999, 0), (0.1, 0.1)])
def test_overlapping_squares(shift):
    found = compare(SQUARE, SQUARE + shift)
    assert (found.separable, found.upper) == (False, 0.0)
    assert "common point" in found.proof


@pytest.mark.parametrize("shift", [(1, 0.5), (1, -0.3), (0.25, 1)])
def test_touching_squares_are_not_separable(shift):
    assert compare(SQUARE, SQUARE + shift).separable is False


def test_crossing_segments_and_a_point_inside_overlap():
    assert compare(np.array([[-1, 0], [1, 0.0]]), np.array([[0, -1], [0, 1.0]])).separable is False
    assert compare(np.array([[0.5, 0.5]]), SQUARE).separable is False


def test_a_point_and_a_point():
    found = compare(np.zeros((1, 5)), np.array([[3.0, 4, 0, 0, 0]]))
    assert found.separable is True
    assert found.upper == pytest.approx(5)


def test_one_vector_in_both_sets():
    a = np.random.default_rng(0).standard_normal((30, 40))
    found = compare(a, np.r_[a[:1], a[1:] + 50])
    assert found.separable is False
    assert "both sets" in found.proof


def test_golden_distances():
    name = "clusters_sep_n2000_d384_L5"
    got = golden(name)
    low, mean, high = printed_by_the_authors(name)["hull_distance_min_mean_max"]
    values = measure(got["x"], got["labels"])
    hulls = [v.value for (s, _, _), v in values.items() if s == "hull_distance"]
    assert len(hulls) == 10
    assert (min(hulls), max(hulls)) == pytest.approx((low, high), abs=1e-3)
    assert values["hull_mean", None, None].value == pytest.approx(mean, abs=1e-3)
    assert values["hull_min", None, None].value == pytest.approx(low, abs=1e-3)
    assert values["separable_share", None, None].value == 1


@pytest.mark.parametrize(("n", "d"), [(20, 3), (60, 30), (15, 100), (150, 50)])
def test_agrees_with_a_hard_margin_svm(n, d):
    rng = np.random.default_rng(n)
    a, b = rng.standard_normal((n, d)), rng.standard_normal((n + 5, d))
    b[:, 0] += 6
    a[:, 1] *= 30
    b[:, 1] *= 30
    found = compare(a, b)
    assert found.separable is True
    assert found.upper == pytest.approx(svm_distance(a, b), rel=1e-4)
    assert found.gap < 1e-4


@pytest.mark.parametrize(("d", "n"), [(4, 12), (8, 22), (12, 24), (12, 30)])
def test_random_labels_agree_with_linear_programming(d, n):
    from scipy.optimize import linprog

    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((n, d))
        y = np.where(rng.permutation(n) < n // 2, 1.0, -1.0)
        rows = -y[:, None] * np.c_[x, np.ones(n)]
        status = linprog(np.zeros(d + 1), rows, -np.ones(n), bounds=(None, None), method="highs").status
        assert status in (0, 2)
        assert compare(x[y > 0], x[y < 0]).separable is (status == 0), seed


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), away=st.floats(-100, 100), d=st.integers(1, 12))
def test_distance_ignores_translation_and_rotation_and_follows_scale(seed, scale, away, d):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((9, d)), rng.standard_normal((14, d)) + 1.5
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    found, moved = compare(a, b), compare(scale * (a @ turn + away), scale * (b @ turn + away))
    assert found.separable is moved.separable
    assert moved.upper == pytest.approx(scale * found.upper, rel=1e-4, abs=1e-9 * scale)
    assert compare(b, a).upper == pytest.approx(found.upper, rel=1e-4, abs=1e-9)


def test_values_of_three_labels():
    points = np.concatenate([SQUARE, SQUARE + np.array([4, 0]), SQUARE + 0.5])
    values = measure(points, [0] * 4 + [1] * 4 + [2] * 4)
    assert values["hull_distance", "L0", "L1"].value == pytest.approx(3, rel=1e-4)
    assert values["hull_distance", "L0", "L2"].value == 0
    assert values["hull_distance", "L1", "L2"].value == pytest.approx(2.5, rel=1e-4)
    assert values["centroid_distance", "L0", "L2"].value == pytest.approx(np.sqrt(0.5))
    assert [values["separable", "L0", x].value for x in ("L1", "L2")] == [1, 0]
    assert values["separable_share", None, None].value == pytest.approx(2 / 3)
    assert values["hull_mean", None, None].value == pytest.approx(5.5 / 3, rel=1e-4)
    assert values["centroid_min", None, None].value == pytest.approx(np.sqrt(0.5))
    assert values["centroid_mean", None, None].n == 12
    assert values["hull_distance", "L0", "L1"].n == 8
    assert all(not v.reason for v in values.values())


def test_words_are_means_of_their_sub_words_and_sentences_their_first_token():
    rng = np.random.default_rng(0)
    states = rng.standard_normal((20, 2)).astype(np.float32)
    labels = np.array([0, 1, 0, 1])
    words = [(1, 2), (5, 3), (11, 1), (16, 2)]
    kinds = {
        "word": np.array([states[f : f + n].mean(0) for f, n in words]),
        "sentence": states[[0, 5, 10, 15]],
    }
    for kind, points in kinds.items():
        corpus = MemoryCorpus([5] * 4, words=words, label_ids=labels, label_names=("a", "b"), level=kind)
        value = measure(states, labels, corpus=corpus)["centroid_distance", "a", "b"]
        want = np.linalg.norm(points[::2].mean(0) - points[1::2].mean(0))
        assert value.value == pytest.approx(want, rel=1e-6)


def test_too_few_points_for_the_width_is_marked():
    rng = np.random.default_rng(0)
    values = measure(rng.standard_normal((12, 20)), [0] * 6 + [1] * 6)
    pair = values["separable", "L0", "L1"]
    assert pair.value == 1
    assert pair.reason == "everything separates: 12 points in 20 dimensions"
    assert "everything separates" in values["hull_mean", None, None].reason
    assert values["centroid_mean", None, None].reason == ""


def test_a_label_without_points_is_missing_and_one_with_a_point_is_not():
    values = measure(np.r_[SQUARE, [[5.0, 0]]], [0, 0, 0, 0, 2])
    assert ("hull_distance", "L0", "L1") not in values
    assert values["hull_distance", "L0", "L2"].value == pytest.approx(4, rel=1e-4)
    assert values["hull_mean", None, None].details["labels_without_points"] == ["L1"]


def test_one_class_is_no_number():
    value = measure(SQUARE, [0] * 4)["hull_mean", None, None]
    assert value.value is None
    assert "only label 'L0'" in value.reason


def test_identical_points_everywhere_are_at_distance_zero():
    """[CLS] at layer 0: the same vector for every sentence."""
    values = measure(np.full((10, 6), 0.3, np.float16), [0, 1] * 5)
    assert values["hull_distance", "L0", "L1"].value == 0
    assert values["centroid_distance", "L0", "L1"].value == 0


def test_no_labels_and_not_finite_are_errors():
    with pytest.raises(MeasureError, match="needs a label"):
        measure(SQUARE, [0], corpus=MemoryCorpus([1] * 4))
    bad = SQUARE.copy()
    bad[2, 1] = np.nan
    with pytest.raises(MeasureError, match="NaN"):
        measure(bad, [0, 0, 1, 1])
