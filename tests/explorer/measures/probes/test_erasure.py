"""Does erasure leave nothing that a linear probe could use, at the smallest change?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import pinvh, sqrtm

from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.erasure import fit_eraser
from explorer.measures.probes.lda import fit_lda
from explorer.measures.probes.logistic import fit_logistic, prepared
from tests.explorer.measures.probes.probe_samples import encoded


def eraser_of(points, labels):
    return fit_eraser(class_sums([points], labels[None]))


def covariance(points, labels):
    """Of every feature with every label, float64 [d, K]."""
    one_hot = (labels[:, None] == np.unique(labels)).astype(float)
    return (points - points.mean(0)).T @ one_hot / len(points)


@pytest.mark.parametrize(("n", "d", "k"), [(400, 10, 2), (2000, 60, 9), (80, 100, 4)])
def test_no_label_covaries_with_any_feature(n, d, k):
    points, labels = encoded(n, d, k)
    eraser = eraser_of(points, labels)
    assert eraser.rank == k - 1
    assert np.abs(covariance(points, labels)).max() > 0.1
    assert np.abs(covariance(eraser.apply(points), labels)).max() < 1e-9


def test_linear_probes_are_at_the_majority():
    points, labels = encoded(2000, 30, 5)
    erased = eraser_of(points, labels).apply(points)
    majority = np.bincount(labels).argmax()
    for probe in (fit_logistic(prepared(erased), labels), *fit_lda(class_sums([erased], labels[None]))):
        assert (probe.classes[probe.logits(erased).argmax(1)] == majority).all()
    before = fit_logistic(prepared(points), labels)
    assert (before.logits(points).argmax(1) == labels).mean() > 0.9


def test_probes_of_other_points_are_near_the_majority():
    """The eraser is fitted on train and applied to all."""
    points, labels = encoded(6000, 20, 3)
    train, test = slice(0, 4000), slice(4000, None)
    eraser = eraser_of(points[train], labels[train])
    probe = fit_logistic(prepared(eraser.apply(points[train])), labels[train])
    right = (probe.logits(eraser.apply(points[test])).argmax(1) == labels[test]).mean()
    assert right == pytest.approx((labels[test] == 0).mean(), abs=0.01)


def test_the_map_is_that_of_the_theorem():
    points, labels = encoded(900, 12, 4)
    mean, cov = points.mean(0), np.cov(points.T, bias=True)
    whitening = np.real(sqrtm(pinvh(cov)))
    inner = whitening @ covariance(points, labels)
    removed = np.linalg.pinv(whitening) @ inner @ np.linalg.pinv(inner, rcond=1e-8) @ whitening
    np.testing.assert_allclose(eraser_of(points, labels).apply(points), points - (points - mean) @ removed.T, atol=1e-8)


@given(seed=st.integers(0, 10**6))
def test_no_other_projection_along_the_same_kernel_changes_less(seed):
    """Any oblique projection that removes the covariance is a competitor; the orthogonal one is the best known."""
    rng = np.random.default_rng(seed)
    points, labels = encoded(300, 8, 3, seed=seed)
    centred = points - points.mean(0)
    least = ((eraser_of(points, labels).apply(points) - points) ** 2).sum()
    apart = np.linalg.qr(covariance(points, labels)[:, :2])[0]
    for reader in (apart, apart + 0.3 * rng.standard_normal(apart.shape)):
        removed = apart @ np.linalg.inv(reader.T @ apart) @ reader.T
        np.testing.assert_allclose(covariance(centred - centred @ removed.T, labels), 0, atol=1e-9)
        assert ((centred @ removed.T) ** 2).sum() >= least * (1 - 1e-9)


def test_erasing_twice_is_erasing_once():
    points, labels = encoded(500, 15, 4)
    eraser = eraser_of(points, labels)
    once = eraser.apply(points)
    np.testing.assert_allclose(eraser.apply(once), once, atol=1e-9)
    np.testing.assert_allclose(once.mean(0), points.mean(0), atol=1e-9)


def test_constant_and_repeated_features_are_no_obstacle():
    points, labels = encoded(400, 6, 3)
    points = np.c_[points, np.full(400, 2.5), points[:, 1]]
    erased = eraser_of(points, labels).apply(points)
    assert np.abs(covariance(erased, labels)).max() < 1e-9
    np.testing.assert_allclose(erased[:, 6], 2.5)
    np.testing.assert_allclose(erased[:, 7], erased[:, 1], atol=1e-9)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_points_the_names_of_labels_and_rotations_change_nothing(seed):
    rng = np.random.default_rng(seed)
    points, labels = encoded(150, 6, 3, seed=seed)
    order, names = rng.permutation(150), rng.choice(99, 3, replace=False)
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    plain = eraser_of(points, labels).apply(points)
    turned = (points @ rotation)[order]
    np.testing.assert_allclose(
        eraser_of(turned, names[labels][order]).apply(turned), (plain @ rotation)[order], atol=1e-8
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_stored_points_are_erased_as_far_as_float32_reaches(dtype):
    points, labels = encoded(3000, 40, 6)
    stored = points.astype(dtype)
    erased = eraser_of(stored, labels).apply(stored)
    assert erased.dtype == np.float32
    assert np.abs(covariance(erased.astype(np.float64), labels)).max() < 1e-5
