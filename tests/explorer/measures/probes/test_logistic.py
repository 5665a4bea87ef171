"""Does logistic regression reach the optimum that scikit-learn reaches if it is given time?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from explorer.measures.computation import MeasureError
from explorer.measures.moments import ROWS
from explorer.measures.probes import logistic
from explorer.measures.probes.logistic import fit_logistic, prepared
from tests.explorer.measures.probes.probe_samples import encoded


def fitted(points, labels, **how):
    return fit_logistic(prepared(points), labels, **how)


def assert_at_scikit_learns_optimum(probe, points, labels, C=1.0):
    """Against its exact Newton solver: its default stops long before, at errors of 0.01 to 1."""
    oracle = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-10, max_iter=1000).fit(points, labels)
    np.testing.assert_array_equal(probe.classes, oracle.classes_)
    weights, intercepts = probe.weights, probe.intercepts
    if len(probe.classes) == 2:
        weights, intercepts = np.diff(weights, axis=0), np.diff(intercepts)
    np.testing.assert_allclose(weights, oracle.coef_, rtol=0, atol=1e-4)
    np.testing.assert_allclose(intercepts - intercepts.mean(), oracle.intercept_ - oracle.intercept_.mean(), atol=3e-3)
    np.testing.assert_allclose(softmax(probe.logits(points)), oracle.predict_proba(points), atol=1e-4)


def softmax(logits):
    p = np.exp(logits - logits.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("n", "d", "k", "apart"),
    [(400, 12, 2, 0.3), (800, 20, 5, 0.1), (1500, 40, 9, 0.5), (60, 90, 3, 1.0), (2 * ROWS + 9, 6, 3, 0.2)],
)
def test_weights_equal_scikit_learn(n, d, k, apart, dtype):
    """Labels that overlap, labels that do not, fewer points than features, and more points than are read at a time."""
    points, labels = encoded(n, d, k, apart=apart)
    points = points.astype(dtype)
    probe = fitted(points, labels)
    assert not probe.reason
    assert_at_scikit_learns_optimum(probe, points.astype(np.float64), labels)


@pytest.mark.parametrize("C", [0.01, 30.0])
@pytest.mark.parametrize("k", [2, 4])
def test_the_penalty_is_scikit_learns(C, k):
    points, labels = encoded(500, 10, k, apart=0.2)
    assert_at_scikit_learns_optimum(fitted(points, labels, C=C), points, labels, C)


def test_float16_points_are_read_as_the_numbers_that_they_are():
    points, labels = encoded(300, 8, 3)
    half = points.astype(np.float16)
    assert_at_scikit_learns_optimum(fitted(half, labels), half.astype(np.float64), labels)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), k=st.integers(2, 5))
def test_the_order_of_points_the_names_of_labels_and_rotations_change_nothing(seed, k):
    rng = np.random.default_rng(seed)
    points, labels = encoded(200, 7, k, seed=seed, apart=0.3)
    order, names = rng.permutation(200), rng.choice(99, k, replace=False)
    rotation = np.linalg.qr(rng.standard_normal((7, 7)))[0]
    plain, moved = fitted(points, labels), fitted((points @ rotation)[order], names[labels][order])
    rows = np.searchsorted(moved.classes, names)
    np.testing.assert_allclose(moved.weights[rows], plain.weights @ rotation, atol=2e-4)


def test_two_classes_change_places_by_a_sign():
    points, labels = encoded(300, 6, 2, apart=0.2)
    one, other = fitted(points, labels), fitted(points, 1 - labels)
    np.testing.assert_allclose(one.weights, -other.weights, atol=1e-4)
    np.testing.assert_allclose(one.weights[0], -one.weights[1], atol=1e-12)


def test_a_start_does_not_change_the_optimum():
    """Not even that of a probe with other classes, or one that is far off."""
    points, labels = encoded(600, 15, 5, apart=0.2)
    cold = fitted(points, labels)
    some = fitted(points[labels < 3], labels[labels < 3])
    far = fitted(100 * points[::-1], labels)
    for start in (cold, some, far):
        warm = fitted(points, labels, start=start)
        assert not warm.reason
        np.testing.assert_allclose(warm.weights, cold.weights, atol=2e-4)


def test_keeping_no_centred_copy_of_the_points_changes_nothing(monkeypatch):
    points, labels = encoded(ROWS + 100, 20, 3, apart=0.3)
    kept = prepared(points)
    monkeypatch.setattr(logistic, "CENTRED", 4 * points.size - 1)
    again = prepared(points)
    assert kept.centred
    assert not again.centred
    np.testing.assert_array_equal(fit_logistic(again, labels).weights, fit_logistic(kept, labels).weights)


def test_one_preparation_serves_several_sets_of_labels():
    points, labels = encoded(400, 9, 3, apart=0.3)
    given = prepared(points)
    shuffled = np.random.default_rng(0).permutation(labels)
    for these in (labels, shuffled):
        np.testing.assert_array_equal(fit_logistic(given, these).weights, fitted(points, these).weights)


def test_constant_and_repeated_features_are_no_obstacle():
    points, labels = encoded(300, 6, 3, apart=0.3)
    points = np.c_[points, np.full(300, 5.0), points[:, 0]]
    assert_at_scikit_learns_optimum(fitted(points, labels), points, labels)


def test_a_fit_without_an_optimum_says_so():
    """Without a penalty to speak of, separable labels push the weights to infinity."""
    points, labels = encoded(300, 20, 2, apart=5.0)
    assert fitted(points, labels, C=1e14).reason


def test_one_label_is_refused():
    with pytest.raises(MeasureError, match="same label"):
        fitted(np.eye(3), np.zeros(3, int))
