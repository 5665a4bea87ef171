"""Predictions of classifiers: against scipy, scikit-learn and torch, and closed forms."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr, softmax
from sklearn.metrics import accuracy_score, log_loss

from explorer.measures import Context, Given, MeasureError
from explorer.measures.output_labels import class_of
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels

NAMES = ("a", "b", "c")
ONE_EACH = MemoryCorpus([1] * 40)
WORDS = MemoryCorpus([4, 3], words=[(1, 2), (4, 1), (5, 1)])


@dataclass
class MemoryOutputs:
    logits: np.ndarray
    head: str = "sequence"
    labels: tuple[str, ...] = NAMES
    problem: str = "single_label_classification"


def random(seed: int, n: int = 40, classes: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, classes)).astype(np.float32) * 3


def values(name, own, reference=None, corpus=ONE_EACH, labels=None, detail="", **parameters):
    measure = get(name)
    operands = {"checkpoint": {"logits": own}} | ({"reference": {"logits": reference}} if reference else {})
    context = Context(detail=detail)
    return measure.compute(Given(corpus, operands, labels), dict(measure.settle(parameters)), context)


def test_the_divergence_is_scipys():
    x, y = random(0), random(1)
    (found,) = values("output-kl", MemoryOutputs(x), MemoryOutputs(y))
    p, q = (softmax(z.astype(np.float64), axis=1) for z in (x, y))
    assert found.value == pytest.approx(rel_entr(p, q).sum(1).mean() / np.log(2), rel=1e-12)
    assert found.n == 40


def test_a_coin_against_a_certain_class_in_closed_form():
    certain = np.array([[100.0, 0.0]], np.float32)
    coin = np.zeros((1, 2), np.float32)
    corpus = MemoryCorpus([1])
    names = ("no", "yes")
    (found,) = values("output-kl", MemoryOutputs(certain, labels=names), MemoryOutputs(coin, labels=names), corpus)
    assert found.value == pytest.approx(1.0, abs=1e-12)  # one bit
    (back,) = values("output-kl", MemoryOutputs(coin, labels=names), MemoryOutputs(certain, labels=names), corpus)
    assert back.value == pytest.approx(0.5 * 100 / np.log(2) - 1, rel=1e-9)  # finite, however certain


@given(st.integers(0, 10**6), st.floats(-50, 50), st.permutations(NAMES))
def test_adding_a_number_to_all_logits_or_another_order_of_classes_changes_nothing(seed, shift, order):
    x, y = random(seed), random(seed + 1)
    places = [NAMES.index(name) for name in order]
    moved = MemoryOutputs((y + np.float32(shift))[:, places], labels=tuple(order))
    for name in ("output-kl", "churn"):
        (plain,) = values(name, MemoryOutputs(x), MemoryOutputs(y))
        (other,) = values(name, MemoryOutputs(x), moved)
        assert other.value == pytest.approx(plain.value, rel=1e-4, abs=1e-6)
        (same,) = values(name, MemoryOutputs(x), MemoryOutputs(x))
        assert same.value == 0.0


def test_churn_counts_labels_that_changed():
    x, y = random(2), random(3)
    (found,) = values("churn", MemoryOutputs(x), MemoryOutputs(y))
    assert found.value == (x.argmax(1) != y.argmax(1)).mean()


def test_several_labels_at_once_are_coins_of_their_own():
    x, y = random(4), random(5)
    own, reference = (MemoryOutputs(z, problem="multi_label_classification") for z in (x, y))
    (kl,) = values("output-kl", own, reference)
    expected = np.zeros(40)
    for column in range(3):
        p, q = (
            np.stack([torch.sigmoid(torch.tensor(s * z[:, column].astype(np.float64))).numpy() for s in (1, -1)])
            for z in (x, y)
        )
        expected += rel_entr(p, q).sum(0)
    assert kl.value == pytest.approx(expected.mean() / np.log(2), rel=1e-10)
    (churn,) = values("churn", own, reference)
    assert churn.value == ((x > 0) != (y > 0)).any(1).mean()
    with pytest.raises(MeasureError, match="several labels at once"):
        values("output-loss", own, labels=MemoryLabels("sentence", NAMES, np.zeros(40, np.int32)))


def test_a_word_is_read_at_its_first_sub_word_and_the_rest_is_not():
    x, y = random(6, 7), random(7, 7)
    own, reference = (MemoryOutputs(z, "token") for z in (x, y))
    whole, first, second = values("churn", own, reference, WORDS, detail="example")
    changed = x.argmax(1) != y.argmax(1)
    assert whole.value == changed[[1, 4, 5]].mean()
    assert (first.example, first.value, first.n) == (0, float(changed[1]), 1)
    assert (second.example, second.value, second.n) == (1, changed[[4, 5]].mean(), 2)
    # What is said of special tokens and later sub-words does not count.
    x[[0, 2, 3, 6]] += 100
    assert values("churn", MemoryOutputs(x, "token"), reference, WORDS)[0].value == whole.value


def test_loss_and_accuracy_are_those_of_scikit_learn_and_torch():
    x = random(8)
    ids = np.random.default_rng(0).integers(0, 3, 40).astype(np.int32)
    labels = MemoryLabels("sentence", NAMES, ids)
    (loss,) = values("output-loss", MemoryOutputs(x), labels=labels)
    assert loss.value == pytest.approx(log_loss(ids, softmax(x.astype(np.float64), axis=1)), rel=1e-6)
    assert loss.value == pytest.approx(
        torch.nn.functional.cross_entropy(
            torch.tensor(x, dtype=torch.float64), torch.tensor(ids.astype(np.int64))
        ).item(),
        rel=1e-12,
    )
    (accuracy,) = values("output-accuracy", MemoryOutputs(x), labels=labels)
    assert accuracy.value == accuracy_score(ids, x.argmax(1))
    _, *each = values("output-loss", MemoryOutputs(x), labels=labels, detail="example")
    assert np.mean([v.value for v in each]) == pytest.approx(loss.value, rel=1e-12)


def test_rows_without_a_label_are_left_out():
    x = random(9)
    ids = np.where(np.arange(40) % 2, 1, -1).astype(np.int32)
    (found,) = values("output-accuracy", MemoryOutputs(x), labels=MemoryLabels("sentence", NAMES, ids))
    assert (found.n, found.value) == (20, (x.argmax(1) == 1)[1::2].mean())
    nothing = MemoryLabels("sentence", NAMES, np.full(40, -1, np.int32))
    (none,) = values("output-accuracy", MemoryOutputs(x), labels=nothing)
    assert none.value is None
    assert none.reason


def test_the_classifiers_own_order_of_labels_is_never_taken_for_the_corpus_order():
    x = random(10)
    ids = np.random.default_rng(1).integers(0, 3, 40).astype(np.int32)
    labels = MemoryLabels("sentence", NAMES, ids)
    for order in itertools.permutations(range(3)):
        named = tuple(NAMES[i] for i in order)
        (found,) = values("output-accuracy", MemoryOutputs(x[:, list(order)], labels=named), labels=labels)
        assert found.value == (x.argmax(1) == ids).mean()


@pytest.mark.parametrize(
    ("labels", "classes", "said", "expected"),
    [
        (("neg", "pos"), ("pos", "neg"), "", (1, 0)),
        (("NEG", "pos"), ("POS", "neg"), "", (1, 0)),
        (("0", "1"), ("LABEL_0", "LABEL_1"), "", (0, 1)),
        (("1", "0", "2"), ("LABEL_0", "LABEL_1", "LABEL_2"), "", (1, 0, 2)),
        (("LABEL_1",), ("LABEL_0", "LABEL_1"), "", (1,)),
        (("negative", "positive"), ("LABEL_0", "LABEL_1"), "negative=0, positive=1", (0, 1)),
        (("negative", "positive"), ("LABEL_0", "LABEL_1"), "positive=LABEL_0,negative=LABEL_1", (1, 0)),
        (("bad", "pos"), ("pos", "neg"), "bad=neg", (1, 0)),
        (("a", "b"), ("x", "y"), "a=0,b=0", (0, 0)),
    ],
)
def test_labels_find_their_classes(labels, classes, said, expected):
    assert class_of(labels, classes, said) == expected


@pytest.mark.parametrize(
    ("labels", "classes", "said", "words"),
    [
        (("0", "1"), ("neg", "pos"), "", "no class for '0', '1'. The corpus has labels '0', '1'; the classifier has"),
        (("1", "2"), ("LABEL_0", "LABEL_1"), "", "no class for '2'"),
        (("negative",), ("LABEL_0", "LABEL_1"), "", "--map LABEL=CLASS"),
        (("a",), ("a", "b"), "x=a", "'x=a' is not of the form LABEL=CLASS"),
        (("a",), ("a", "b"), "a=7", "'a=7' is not of the form LABEL=CLASS"),
        (("a",), ("a", "b"), "a", "'a' is not of the form LABEL=CLASS"),
        ((), ("a", "b"), "", "no class for any label"),
    ],
)
def test_labels_that_fit_no_class_are_refused_with_both_lists(labels, classes, said, words):
    with pytest.raises(MeasureError, match=words.replace(".", r"\.")):
        class_of(labels, classes, said)


def test_what_cannot_be_compared_is_refused():
    x = MemoryOutputs(random(11))
    with pytest.raises(MeasureError, match="different labels"):
        values("output-kl", x, MemoryOutputs(random(12), labels=("a", "b", "d")))
    with pytest.raises(MeasureError, match="is a regression"):
        values("churn", x, MemoryOutputs(random(12, classes=1), problem="regression"))
    with pytest.raises(MeasureError, match="finds spans"):
        values("churn", MemoryOutputs(random(12), "span"), x)
    words = MemoryLabels("word", NAMES, np.zeros(40, np.int32))
    with pytest.raises(MeasureError, match="labels sentences, but the annotation has labels of words"):
        values("output-loss", x, labels=words)
    with pytest.raises(MeasureError, match="do not fit 40 examples"):
        values(
            "output-loss", MemoryOutputs(random(1, 3)), labels=MemoryLabels("sentence", NAMES, np.zeros(40, np.int32))
        )
