"""Does a discriminant from sums of classes equal scikit-learn's, for every set of labels of the same points?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from explorer.measures.computation import MeasureError
from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.lda import fit_lda
from tests.explorer.measures.probes.probe_samples import encoded


def fitted(points, *labels):
    return fit_lda(class_sums([points], np.array(labels)))


def assert_equal_to_scikit_learn(probe, points, labels, atol=1e-8):
    oracle = LinearDiscriminantAnalysis(solver="lsqr").fit(points, labels)
    np.testing.assert_array_equal(probe.classes, oracle.classes_)
    weights, intercepts = probe.weights, probe.intercepts
    if len(probe.classes) == 2:
        weights, intercepts = np.diff(weights, axis=0), np.diff(intercepts)
    np.testing.assert_allclose(weights, oracle.coef_, rtol=0, atol=atol)
    np.testing.assert_allclose(intercepts, oracle.intercept_, rtol=0, atol=10 * atol)
    np.testing.assert_array_equal(probe.classes[probe.logits(points).argmax(1)], oracle.predict(points))


@pytest.mark.parametrize(("n", "d", "k"), [(300, 8, 2), (900, 40, 5), (3000, 130, 17)])
def test_weights_and_intercepts_equal_scikit_learn(n, d, k):
    points, labels = encoded(n, d, k)
    (probe,) = fitted(points, labels)
    assert not probe.reason
    assert_equal_to_scikit_learn(probe, points, labels)


def test_labels_that_explain_a_direction_nearly_completely():
    points, labels = encoded(500, 12, 3)
    points[:, 0] = 50 * labels + np.random.default_rng(0).standard_normal(500)
    (probe,) = fitted(points, labels)
    assert_equal_to_scikit_learn(probe, points, labels)


@pytest.mark.filterwarnings("ignore:Only one sample available")
def test_each_set_of_labels_is_fitted_as_if_it_were_alone():
    """Sets may have other labels, and some labels only one point."""
    points, labels = encoded(600, 20, 4)
    rng = np.random.default_rng(1)
    others = rng.integers(3, 9, 600), rng.permutation(labels), np.where(np.arange(600) == 5, 77, labels)
    for probe, these in zip(fitted(points, labels, *others), (labels, *others), strict=True):
        assert_equal_to_scikit_learn(probe, points, these)


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 5000), max_size=6))
def test_chunks_of_any_length_give_the_same_sums(cuts):
    points, labels = encoded(5000, 6, 3)
    whole = class_sums([points], labels[None])
    parts = class_sums(np.split(points, sorted(cuts)), labels[None])
    np.testing.assert_allclose(parts.covariance(), whole.covariance(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(parts.within(0), whole.within(0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(parts.mean + parts.shift, points.mean(0), rtol=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_points_the_names_of_labels_and_rotations_change_nothing(seed):
    rng = np.random.default_rng(seed)
    points, labels = encoded(200, 7, 4, seed=seed)
    order, names = rng.permutation(200), rng.choice(99, 4, replace=False)
    rotation = np.linalg.qr(rng.standard_normal((7, 7)))[0]
    (plain,), (moved,) = fitted(points, labels), fitted(points[order] @ rotation, names[labels][order])
    rows = np.searchsorted(moved.classes, names)
    np.testing.assert_allclose(moved.logits(points @ rotation)[:, rows], plain.logits(points), atol=1e-7)


def test_float32_products_are_good_enough_to_predict():
    points, labels = encoded(4000, 120, 17)
    (wide,), (narrow,) = fitted(points, labels), fitted(points.astype(np.float32), labels)
    assert not narrow.reason
    agree = wide.logits(points).argmax(1) == narrow.logits(points).argmax(1)
    assert agree.mean() >= 0.999
    np.testing.assert_allclose(narrow.weights, wide.weights, atol=2e-3 * np.abs(wide.weights).max())


def test_float16_points_are_read_as_the_numbers_that_they_are():
    points = encoded(500, 9, 3)[0].astype(np.float16)
    labels = encoded(500, 9, 3)[1]
    (half,), (wide,) = fitted(points, labels), fitted(points.astype(np.float32), labels)
    np.testing.assert_array_equal(half.weights, wide.weights)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_singular_covariance_is_solved_as_scikit_learn_does(dtype):
    """A constant feature and a repeated one: the smallest of the solutions."""
    points, labels = encoded(400, 6, 4)
    points = np.c_[points, np.full(400, 3.3), 2 * points[:, 0]]
    (probe,) = fitted(points.astype(dtype), labels)
    assert "rank 6 of 8" in probe.reason
    assert_equal_to_scikit_learn(probe, points, labels, atol=1e-8 if dtype == np.float64 else 1e-3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_feature_of_small_variance_is_not_rounding(dtype):
    """Layer normalisation makes every layer singular, and some features of MiniLM vary 1,000 times less than others."""
    rng, labels = np.random.default_rng(0), np.arange(400) % 4
    others, small = rng.standard_normal((400, 6)), 1e-4 * (4 * labels + rng.standard_normal(400))
    points = np.c_[others, others.sum(1), small]
    (probe,) = fitted(points.astype(dtype), labels)
    assert "rank 7 of 8" in probe.reason
    said = probe.classes[probe.logits(points).argmax(1)]
    alike = np.c_[others, 1e4 * small]  # the same map of the same directions, and not singular
    oracle = LinearDiscriminantAnalysis(solver="lsqr").fit(alike, labels).predict(alike)
    assert (said == oracle).mean() >= 0.995
    assert (oracle == labels).mean() > 0.9


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_fewer_points_than_features_give_the_pseudo_inverse(dtype):
    """scikit-learn divides by rounding errors here; the rank n - K is exact."""
    points, labels = encoded(60, 100, 3)
    (probe,) = fitted(points.astype(dtype), labels)
    assert "rank 57 of 100" in probe.reason
    means = np.array([points[labels == k].mean(0) for k in range(3)])
    inner = points - means[labels]
    expected = means @ np.linalg.pinv(inner.T @ inner / 60, rcond=1e-6, hermitian=True)
    np.testing.assert_allclose(
        probe.weights, expected, atol=(1e-8 if dtype == np.float64 else 1e-3) * abs(expected).max()
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_points_that_do_not_vary_within_labels_get_the_most_frequent_label(dtype):
    """A covariance of zero tells nothing."""
    labels = np.repeat([0, 1, 2], [2, 5, 3])
    (probe,) = fitted(np.outer(labels, np.ones(4)).astype(dtype), labels)
    assert "rank 0 of 4" in probe.reason
    assert (probe.logits(np.ones((3, 4))).argmax(1) == 1).all()


def test_a_large_mean_costs_no_precision():
    points, labels = encoded(800, 10, 3)
    (plain,), (moved,) = fitted(points, labels), fitted(points + 1e6, labels)
    np.testing.assert_allclose(moved.logits(points + 1e6).argmax(1), plain.logits(points).argmax(1))


def test_as_many_labels_as_points_are_refused():
    with pytest.raises(MeasureError, match="too few"):
        fitted(np.eye(4), np.arange(4))


def test_points_that_are_not_finite_are_refused():
    points, labels = encoded(50, 3, 2)
    points[7, 1] = np.inf
    with pytest.raises(MeasureError, match="NaN or infinite"):
        fitted(points, labels)


def test_points_without_labels_are_a_mistake():
    points, labels = encoded(50, 3, 2)
    with pytest.raises(ValueError, match="49 points have 50 labels"):
        fitted(points[:-1], labels)
