"""Do batched perceptrons classify as well as scikit-learn's, and is each of them its own?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from explorer.measures.computation import MeasureError
from explorer.measures.interior import one_thread
from explorer.measures.probes.mlp import fit_mlps
from tests.explorer.measures.probes.probe_samples import encoded

TRAIN, DEV, TEST = np.arange(1200), np.arange(1200, 1500), np.arange(1500, 2200)


@pytest.fixture(scope="module")
def sample():
    return encoded(2200, 40, 6, apart=0.35)


def accuracy(probe, points, labels):
    return (probe.classes[probe.logits(points).argmax(1)] == labels).mean()


@pytest.mark.slow
def test_accuracy_is_scikit_learns_within_its_spread(sample):
    points, labels = sample
    with one_thread():
        oracle = [
            MLPClassifier((64, 64), early_stopping=True, random_state=seed).fit(points[:1500], labels[:1500])
            for seed in range(4)
        ]
    theirs = np.array([one.score(points[TEST], labels[TEST]) for one in oracle])
    (probes,) = fit_mlps([points], labels, TRAIN, DEV, range(4))
    ours = np.array([accuracy(probe, points[TEST], labels[TEST]) for probe in probes])
    assert ours.mean() > theirs.mean() - 2 * max(theirs.std(), 0.01)
    assert not any(probe.reason for probe in probes)


def test_what_no_linear_probe_can_learn():
    """Exclusive or."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2200, 6))
    labels = ((points[:, 0] > 0) ^ (points[:, 1] > 0)).astype(np.int64)
    ((probe,),) = fit_mlps([points], labels, TRAIN, DEV, [0])
    assert accuracy(probe, points[TEST], labels[TEST]) > 0.9


def test_few_points_are_learnt_too():
    """An epoch of them is a single step: patience in epochs would end before anything is learnt."""
    points, labels = encoded(400, 192, 2, apart=0.3)
    train, dev, test = np.arange(120), np.arange(120, 160), np.arange(160, 400)
    with one_thread():
        oracle = MLPClassifier((64, 64), random_state=0, max_iter=500).fit(points[train], labels[train])
    (probes,) = fit_mlps([points], labels, train, dev, range(3))
    ours = np.mean([accuracy(probe, points[test], labels[test]) for probe in probes])
    majority = np.bincount(labels[test]).max() / len(test)
    assert ours > oracle.score(points[test], labels[test]) - 0.05 > majority + 0.1


def test_the_seed_fixes_the_probe(sample):
    points, labels = sample
    (first,), (again,) = (fit_mlps([points], labels, TRAIN, DEV, [3, 4]) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.logits(points), other.logits(points))
    assert (first[0].logits(points) != first[1].logits(points)).any()


def test_a_probe_does_not_depend_on_the_others_in_the_batch(sample):
    """They stop at different rounds, so the batch shrinks under way."""
    points, labels = sample
    other = np.random.default_rng(1).standard_normal(points.shape)
    batch = fit_mlps([other, points, points[::-1]], labels, TRAIN, DEV, [5, 6, 7])
    assert len({probe.rounds for of_layer in batch for probe in of_layer}) > 1
    for i, seed in enumerate([5, 6, 7]):
        ((alone,),) = fit_mlps([points], labels, TRAIN, DEV, [seed])
        assert alone.rounds == batch[1][i].rounds
        np.testing.assert_allclose(batch[1][i].logits(points), alone.logits(points), atol=0.02)


def test_points_outside_train_and_dev_are_not_looked_at(sample):
    points, labels = sample
    changed, others = points.copy(), labels.copy()
    changed[TEST], others[TEST] = 1e3, 77
    ((one,),) = fit_mlps([points], labels, TRAIN, DEV, [0])
    ((other,),) = fit_mlps([changed], others, TRAIN, DEV, [0])
    np.testing.assert_array_equal(one.logits(points), other.logits(points))


def test_labels_are_numbered_as_they_come_and_dev_labels_that_train_lacks_are_left_out(sample):
    points, labels = sample
    named = np.array([4, 9, 11, 30, 31, 50])[labels]
    named[DEV[:50]] = 1000
    ((probe,),) = fit_mlps([points], named, TRAIN, DEV, [0])
    assert probe.classes.tolist() == [4, 9, 11, 30, 31, 50]
    ((plain,),) = fit_mlps([points], labels, TRAIN, DEV[50:], [0])
    np.testing.assert_array_equal(probe.logits(points), plain.logits(points))


def test_parameters_are_counted(sample):
    points, labels = sample
    ((probe,),) = fit_mlps([points], labels, TRAIN, DEV, [0], sizes=(32, 8))
    assert probe.parameters == 40 * 32 + 32 + 32 * 8 + 8 + 8 * 6 + 6


def test_weights_that_never_had_a_finite_loss_say_so(sample):
    points, labels = sample
    ((probe,),) = fit_mlps([np.float32(1e38) * np.sign(points)], labels, TRAIN, DEV, [0])
    assert "never finite" in probe.reason
    assert probe.loss == np.inf


@pytest.mark.parametrize(("train", "dev", "why"), [([0, 2], [1], "same label"), ([0, 1], [3], "dev has no points")])
def test_what_cannot_be_fitted_is_refused(train, dev, why):
    with pytest.raises(MeasureError, match=why):
        fit_mlps([np.eye(4)], np.array([0, 1, 0, 5]), np.array(train), np.array(dev), [0])
