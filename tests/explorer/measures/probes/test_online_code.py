"""Is the online code a code: in bits, without a look ahead, and never longer than a label can cost?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures.computation import MeasureError
from explorer.measures.probes import online_code as online_code_module
from explorer.measures.probes.logistic import fit_logistic, prepared
from explorer.measures.probes.online_code import PORTIONS, online_code
from tests.explorer.measures.probes.probe_samples import encoded


def logistic(points, labels, before):
    return fit_logistic(prepared(points), labels, start=before)


class Priors:
    """The simplest probe: the shares of the labels."""

    def __init__(self, points, labels, before):
        self.classes, counts = np.unique(labels, return_counts=True)
        self.shares = counts / counts.sum()

    def logits(self, points):
        return np.tile(np.log(self.shares), (len(points), 1))


def coded(points, labels, fit=logistic, group=None, seed=0):
    return online_code(points.__getitem__, labels, np.arange(len(labels)) if group is None else group, fit, seed)


def test_a_label_that_is_one_bit_of_the_vector_costs_the_first_block_and_nearly_nothing_more():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 10_000)
    points = np.c_[40.0 * labels, rng.standard_normal((10_000, 10))]
    code = coded(points, labels)
    assert code.bits[0] == 10  # a thousandth of the points, one bit each
    assert code.length < 10 + 2
    assert code.compression > 10_000 / 12


@pytest.mark.parametrize("k", [2, 5])
def test_random_labels_cost_at_least_the_uniform_code(k):
    rng = np.random.default_rng(1)
    code = coded(rng.standard_normal((2000, 30)), rng.integers(0, k, 2000))
    assert code.uniform == pytest.approx(2000 * np.log2(k))
    assert code.length >= code.uniform
    assert code.compression <= 1


def test_blocks_end_at_the_portions_of_voita_and_titov():
    code = coded(*encoded(10_000, 2, 3), fit=Priors)
    np.testing.assert_array_equal(code.ends, [10, 20, 40, 80, 160, 320, 625, 1250, 2500, 5000, 10_000])
    assert len(PORTIONS) == len(code.bits) == 11


def test_portions_that_would_be_empty_are_merged():
    code = coded(*encoded(60, 2, 2), fit=Priors)
    np.testing.assert_array_equal(code.ends, [1, 2, 4, 8, 15, 30, 60])


@given(n=st.integers(2, 40), k=st.integers(2, 6), seed=st.integers(0, 50))
def test_every_label_costs_a_finite_length_even_if_it_was_never_seen(n, k, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    labels[:2] = 0, 1
    code = coded(rng.standard_normal((n, 3)), labels, seed=seed)
    assert np.isfinite(code.bits).all()
    assert (code.bits >= 0).all()
    assert code.ends[-1] == n


def test_a_label_not_seen_before_takes_its_probability_from_the_others():
    """Half of 8 points have been sent, all of them 0 or 1; three other labels are possible."""
    labels = np.array([0, 1, 0, 1, 2, 3, 4, 0])
    code = in_order(labels, Priors)
    np.testing.assert_array_equal(code.ends, [1, 2, 4, 8])
    assert code.bits[3] == pytest.approx(3 * np.log2(3 * 5) - np.log2(1 / 2 * 4 / 5))


def test_a_probe_that_has_seen_one_label_expects_it():
    code = in_order(np.array([0, 0, 0, 0, 0, 0, 0, 1]), Priors)
    assert code.bits[:3] == pytest.approx([1, np.log2(2), 2 * np.log2(3 / 2)])
    assert code.bits[3] == pytest.approx(3 * np.log2(5 / 4) + np.log2(5))


def test_points_are_read_piece_by_piece_without_a_change(monkeypatch):
    points, labels = encoded(400, 5, 3)
    whole = coded(points, labels, fit=Priors)
    monkeypatch.setattr(online_code_module, "ROWS", 7)
    np.testing.assert_allclose(coded(points, labels, fit=Priors).bits, whole.bits, rtol=1e-12)


def in_order(labels, fit):
    """The code of labels that are sent in the order given."""
    order = sent_order(len(labels))
    moved = np.empty_like(labels)
    moved[order] = labels
    return coded(np.zeros((len(labels), 1)), moved, fit=fit)


def sent_order(n):
    """The order in which n points are sent, as a spy sees it: each point is its own number."""
    seen = []

    class Spy(Priors):
        def __init__(self, points, labels, before):
            super().__init__(points, labels, before)
            seen.append(points[:, 0].astype(int))

        def logits(self, points):
            seen.append(points[:, 0].astype(int))
            return super().logits(points)

    for half in range(2):  # both halves have both labels in one of the two
        coded(np.arange(n, dtype=float)[:, None], (np.arange(n) >> half) % 2, fit=Spy)
    known, last = max(zip(seen[::2], seen[1::2], strict=True), key=lambda both: len(both[0]))
    return np.concatenate([known, last])


def test_a_probe_sees_the_blocks_before_and_nothing_else():
    points, labels = encoded(400, 5, 3)
    code = coded(points, labels)
    last = sent_order(400)[int(code.ends[-2]) :]
    changed = labels.copy()
    changed[last] = (labels[last] + 1) % 3
    other = coded(points, changed)
    np.testing.assert_array_equal(other.bits[:-1], code.bits[:-1])
    assert other.bits[-1] > code.bits[-1]


def test_all_layers_send_the_same_blocks():
    labels = encoded(300, 2, 3)[1]
    sent = []

    def spy(points, these, before):
        sent.append(these)
        return Priors(points, these, before)

    for layer in range(2):
        coded(np.random.default_rng(layer).standard_normal((300, 4)), labels, fit=spy)
    half = len(sent) // 2
    for one, other in zip(sent[:half], sent[half:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_words_of_a_text_stay_in_one_block():
    group = np.repeat(np.arange(100), 7)
    ends = coded(*encoded(700, 2, 3), fit=Priors, group=group).ends
    assert (ends % 7 == 0).all()
    assert ends[-2] == 350


def test_probes_start_from_the_block_before():
    starts = []

    def spy(points, labels, before):
        starts.append(before)
        return logistic(points, labels, before)

    points, labels = encoded(400, 5, 3)
    code = coded(points, labels, fit=spy)
    assert starts[0] is None
    assert all(start is not None for start in starts[1:])
    cold = coded(points, labels, fit=lambda x, y, before: logistic(x, y, None))
    np.testing.assert_allclose(code.bits, cold.bits, rtol=1e-3, atol=1e-3)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_points_the_names_of_labels_and_rotations_change_nothing(seed):
    rng = np.random.default_rng(seed)
    points, labels = encoded(200, 5, 3, seed=seed)
    order, names = rng.permutation(200), rng.choice(99, 3, replace=False)
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    plain, moved = coded(points, labels), coded((points @ rotation)[order], names[labels][order], group=order)
    np.testing.assert_allclose(moved.bits, plain.bits, rtol=1e-2, atol=1e-2)


def test_one_label_is_refused():
    with pytest.raises(MeasureError, match="nothing to send"):
        coded(np.zeros((4, 1)), np.ones(4, int))
