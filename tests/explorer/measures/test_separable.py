"""Is every answer about two sets of points right, and does what comes with it prove it?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measures.hulls import TOLERANCE, compare
from explorer.measures.separable import Sets, by_linear_programme, decide
from tests.explorer.measures.directprobe_oracle import plane_exists


def check(a, b, found):
    """The certificate, tested with nothing but products."""
    if found.separable:
        assert (a @ found.plane).min() - (b @ found.plane).max() == pytest.approx(found.margin, rel=1e-6, abs=1e-12)
        assert found.margin > 0
        assert np.linalg.norm(found.plane) == pytest.approx(1)
    else:
        one, two = found.weights[: len(a)], found.weights[len(a) :]
        assert min(one.min(), two.min()) >= 0
        assert (one.sum(), two.sum()) == pytest.approx((1, 1))
        assert np.linalg.norm(one @ a - two @ b) <= 1e-8 * max(np.ptp(a), np.ptp(b))


@given(
    seed=st.integers(0, 10**6), d=st.integers(1, 9), n1=st.integers(1, 25), n2=st.integers(1, 25), shift=st.floats(0, 3)
)
def test_every_answer_is_proved_and_agrees_with_a_linear_programme(seed, d, n1, n2, shift):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((n1, d)), rng.standard_normal((n2, d)) + shift
    found = decide(a, b)
    check(a, b, found)
    assert found.separable is plane_exists(a, b)


@pytest.mark.parametrize(("n", "d", "separable"), [(20, 64, True), (28, 64, True), (100, 64, False), (70, 64, False)])
def test_random_points_separate_up_to_about_twice_the_dimension(n, d, separable):
    rng = np.random.default_rng(n)
    a, b = rng.standard_normal((2, n, d))
    found = decide(a, b)
    check(a, b, found)
    assert found.separable is separable


@pytest.mark.parametrize("apart", [1e-2, 1e-5, 1e-7])
def test_a_gap_far_below_the_size_of_the_sets_is_seen(apart):
    rng = np.random.default_rng(3)
    a, b = rng.uniform(-1, 1, (2, 60, 6))
    a[:, 0] -= a[:, 0].max() + apart / 2
    b[:, 0] -= b[:, 0].min() - apart / 2
    found = decide(a, b)
    assert found.separable is True
    check(a, b, found)


def test_a_plane_known_before_is_tried_first():
    a, b = np.array([[1.0, 0], [2, 5]]), np.array([[-1.0, 3], [-2, 0]])
    found = decide(a, b, planes=[np.array([0.0, 1]), np.array([1.0, 0])])
    assert found.proof == "plane (known before)"
    assert found.margin == pytest.approx(2)


@given(seed=st.integers(0, 10**6), d=st.integers(1, 4), n1=st.integers(1, 8), n2=st.integers(1, 8))
def test_sets_that_share_points_or_touch_are_judged_as_a_linear_programme_does(seed, d, n1, n2):
    """On a grid points coincide, lie in one flat, and hulls touch in a corner: what leaves equations singular."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-2, 3, (n1, d)).astype(float), rng.integers(-2, 3, (n2, d)).astype(float)
    found = decide(a, b)
    assert found.separable is not None
    if Sets.of(a, b).scale:
        check(a, b, found)
        assert found.separable is by_linear_programme(Sets.of(a, b)).separable


def test_points_that_are_all_one_meet():
    assert decide(np.ones((3, 4)), np.ones((2, 4))).separable is False


@pytest.mark.parametrize("shift", [0.5, 3.0])
def test_the_linear_programme_alone_gives_certificates_too(shift):
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0, 1, (12, 3)), rng.uniform(0, 1, (14, 3)) + np.array([shift, 0, 0])
    found = by_linear_programme(Sets.of(a, b))
    assert found.separable is (shift > 1)
    check(a, b, found)


@pytest.mark.parametrize("seed", range(5))
def test_hulls_that_nearly_touch_are_measured_to_the_tolerance(seed):
    """A simplex and a point off the middle of one of its faces: the distance is known, however small."""
    rng = np.random.default_rng(seed)
    d = 20
    face = rng.standard_normal((d, d))
    normal = np.linalg.solve(face, np.ones(d))
    normal /= np.linalg.norm(normal)
    inside = rng.dirichlet(np.ones(d)) @ face
    apart = 10.0 ** -(seed + 1)
    cloud = inside + apart * normal + np.abs(rng.standard_normal((40, 1))) * normal
    cloud += np.linalg.qr(np.c_[normal, rng.standard_normal((d, d - 1))])[0][:, 1:].T[rng.integers(0, d - 1, 40)]
    cloud = np.r_[cloud, [inside + apart * normal]]
    found = compare(face, cloud)
    assert found.distance == pytest.approx(apart, rel=TOLERANCE)
