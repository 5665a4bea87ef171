"""Data maps against their formulas, written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from explorer.measures import Context, Given, MeasureError
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels
from tests.explorer.measures.test_outputs import NAMES, ONE_EACH, MemoryOutputs, random

IDS = np.random.default_rng(3).integers(0, 3, 40).astype(np.int32)
LABELS = MemoryLabels("sentence", NAMES, IDS)


def values(name, path, labels=LABELS, corpus=ONE_EACH, detail="example"):
    measure = get(name)
    given = Given(corpus, {"path": {"logits": tuple(path)}}, labels)
    return measure.compute(given, dict(measure.settle({})), Context(detail=detail))


def test_every_examples_values_are_the_formulas():
    path = [MemoryOutputs(random(seed)) for seed in range(5)]
    p = np.array([softmax(o.logits.astype(np.float64), axis=1)[np.arange(40), IDS] for o in path])
    right = np.array([o.logits.argmax(1) == IDS for o in path])
    for name, expected in (
        ("confidence", p.sum(0) / 5),
        ("variability", np.sqrt(((p - p.mean(0)) ** 2).sum(0) / 5)),
        ("correctness", right.sum(0) / 5),
    ):
        whole, *each = values(name, path)
        assert [v.example for v in each] == list(range(40))
        np.testing.assert_allclose([v.value for v in each], expected, rtol=1e-12)
        assert whole.value == pytest.approx(expected.mean(), rel=1e-12)
        assert whole.details == {"checkpoints": 5}
        assert len(values(name, path, detail="")) == 1


def test_labels_of_another_order_at_one_checkpoint_change_nothing():
    plain = [MemoryOutputs(random(seed)) for seed in range(3)]
    other = [plain[0], MemoryOutputs(plain[1].logits[:, [2, 0, 1]], labels=("c", "a", "b")), plain[2]]
    for name in ("confidence", "variability", "correctness"):
        assert [v.value for v in values(name, plain)] == pytest.approx([v.value for v in values(name, other)])


def test_a_checkpoint_that_never_changes_has_no_variability():
    path = [MemoryOutputs(random(1))] * 4
    assert {v.value for v in values("variability", path)} == {0.0}


def test_one_checkpoint_is_no_course():
    with pytest.raises(MeasureError, match="only one"):
        values("confidence", [MemoryOutputs(random(1))])


def test_words_of_an_example_are_averaged():
    corpus = MemoryCorpus([4, 3], words=[(1, 2), (4, 1), (5, 1)])
    labels = MemoryLabels("word", NAMES, np.array([0, 1, -1], np.int32))
    path = [MemoryOutputs(random(seed, 7), "token") for seed in range(2)]
    whole, first, second = values("confidence", path, labels, corpus)
    p = np.array([softmax(o.logits.astype(np.float64), axis=1) for o in path]).mean(0)
    assert first.value == pytest.approx(p[1, 0])
    assert second.value == pytest.approx(p[4, 1])
    assert whole.value == pytest.approx((p[1, 0] + p[4, 1]) / 2)
