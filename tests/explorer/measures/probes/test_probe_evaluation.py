"""Do the scores of a probe equal scikit-learn's, and are bits bits?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss

from explorer.measures.probes.evaluation import evaluate


def scored(logits, truth, classes=None, trained=None, parameters=1):
    """An evaluation of a probe with as many training points of each class as stated (default: 1 each)."""
    count = logits.shape[1]
    classes = np.arange(count) if classes is None else np.array(classes)
    return evaluate(logits, classes, np.array(truth), np.ones(count, int) if trained is None else trained, parameters)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 60), k=st.integers(2, 7), more=st.integers(0, 3))
def test_scores_equal_scikit_learn(seed, n, k, more):
    """``more`` labels occur only in the truth."""
    rng = np.random.default_rng(seed)
    logits, truth = 3 * rng.standard_normal((n, k)), rng.integers(0, k + more, n)
    got, predicted = scored(logits, truth), logits.argmax(1)
    assert got.accuracy == pytest.approx(accuracy_score(truth, predicted))
    assert got.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro", zero_division=0))
    np.testing.assert_array_equal(got.confusion, confusion_matrix(truth, predicted, labels=got.labels))
    assert (got.n, got.unseen) == (n, (truth >= k).sum())
    known = truth < k
    if known.any():
        p = np.exp(logits[known]) / np.exp(logits[known]).sum(1, keepdims=True)
        assert got.bits == pytest.approx(log_loss(truth[known], p, labels=np.arange(k)) / np.log(2))


@given(seed=st.integers(0, 10**6))
def test_scores_do_not_depend_on_the_order_of_points_or_the_names_of_labels(seed):
    rng = np.random.default_rng(seed)
    logits, truth, trained = rng.standard_normal((40, 4)), rng.integers(0, 5, 40), rng.permutation(4) + 1
    got = scored(logits, truth, trained=trained)
    order, names = rng.permutation(40), rng.choice(50, 5, replace=False)
    columns = np.argsort(names[:4])
    other = scored(logits[order][:, columns], names[truth[order]], names[:4][columns], trained[columns])
    for score in ("accuracy", "macro_f1", "bits", "majority", "unseen", "n"):
        assert getattr(other, score) == pytest.approx(getattr(got, score))


def test_a_sure_and_right_probe_loses_no_bits():
    """A second softmax would cost at least 0.45 bits with two classes, whatever the probe knows."""
    assert scored(np.array([[800.0, -800.0], [-800.0, 800.0]]), [0, 1]).bits == 0


def test_a_probe_that_knows_nothing_loses_log2_of_the_classes():
    assert scored(np.zeros((3, 8)), [0, 5, 7]).bits == pytest.approx(3)


def test_the_loss_is_finite_where_probabilities_underflow():
    assert scored(np.array([[0.0, -1e4]]), [1]).bits == pytest.approx(1e4 / np.log(2))


def test_float32_logits_are_summed_in_float64():
    logits = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    assert scored(logits, np.zeros(50, int)).bits == scored(logits.astype(np.float64), np.zeros(50, int)).bits


def test_the_majority_is_that_of_train_even_where_test_has_another():
    got = scored(np.zeros((4, 2)), [1, 1, 1, 0], trained=np.array([9, 2]))
    assert got.majority == 0.25


def test_labels_that_train_lacks_are_errors_and_are_counted():
    got = scored(np.array([[9.0, 0], [9, 0], [9, 0]]), [2, 2, 7], classes=[2, 5])
    assert (got.accuracy, got.unseen) == (pytest.approx(2 / 3), 1)
    assert got.macro_f1 == pytest.approx((0.8 + 0) / 2)  # label 5 neither occurs nor is predicted
    assert got.labels.tolist() == [2, 5, 7]
    assert got.bits < 0.001


def test_there_are_no_bits_if_train_has_none_of_the_labels():
    assert np.isnan(scored(np.zeros((2, 2)), [7, 8]).bits)


def test_examples_per_parameter():
    assert scored(np.zeros((1, 2)), [0], trained=np.array([30, 20]), parameters=200).examples_per_parameter == 0.25
