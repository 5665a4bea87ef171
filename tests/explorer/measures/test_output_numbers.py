"""Errors of regressions against scikit-learn and scipy, and intervals of means against their textbook forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_squared_error

from explorer.measures import Context, Given, MeasureError, Uncertainty
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels
from tests.explorer.measures.test_outputs import NAMES, ONE_EACH, MemoryOutputs, random

RNG = np.random.default_rng(4)
SAID = RNG.normal(2.5, 1, (40, 1)).astype(np.float32)
RIGHT = np.round(np.clip(SAID[:, 0] + RNG.normal(0, 1, 40), 0, 5) * 5) / 5  # ties, as STS-B has them
REGRESSION = MemoryOutputs(SAID, labels=("LABEL_0",), problem="regression")


def values(outputs=REGRESSION, numbers=RIGHT, corpus=ONE_EACH, **context):
    labels = MemoryLabels("sentence", (), np.asarray(numbers, np.float64))
    return get("output-error").compute(
        Given(corpus, {"checkpoint": {"logits": outputs}}, labels), {}, Context(**context)
    )


def test_error_and_correlations_are_the_libraries():
    error, pearson, spearman = values()
    said = SAID[:, 0].astype(np.float64)
    assert error.value == pytest.approx(mean_squared_error(RIGHT, said), rel=1e-12)
    assert (pearson.statistic, spearman.statistic) == ("pearson", "spearman")
    assert pearson.value == pytest.approx(stats.pearsonr(said, RIGHT)[0], rel=1e-12)
    assert spearman.value == pytest.approx(stats.spearmanr(said, RIGHT)[0], rel=1e-12)
    assert {v.n for v in (error, pearson, spearman)} == {40}


def test_each_example_has_its_own_squared_error_and_one_without_a_number_has_none():
    numbers = RIGHT.copy()
    numbers[7] = np.nan
    error, _, _, *each = values(numbers=numbers, detail="example")
    assert error.n == 39
    assert [v.example for v in each] == [i for i in range(40) if i != 7]
    assert each[0].value == pytest.approx((float(SAID[0, 0]) - RIGHT[0]) ** 2)


def test_numbers_that_are_met_have_no_error_and_constant_ones_no_correlation():
    error, pearson, spearman = values(numbers=SAID[:, 0])
    assert (error.value, pearson.value, spearman.value) == (0.0, pytest.approx(1.0), pytest.approx(1.0))
    _, pearson, spearman = values(numbers=np.full(40, 3.0))
    assert pearson.value is None
    assert "all alike" in spearman.reason


@pytest.mark.parametrize(
    "outputs", [MemoryOutputs(random(1)), MemoryOutputs(SAID, "token", problem="regression"),
                MemoryOutputs(random(2), problem="regression")]
)  # fmt: skip
def test_what_is_no_regression_of_one_number_is_refused(outputs):
    with pytest.raises(MeasureError, match="not a regression with one number"):
        values(outputs)


def test_numbers_of_another_corpus_are_refused():
    with pytest.raises(MeasureError, match="3 numbers do not fit 40 outputs"):
        values(numbers=[1.0, 2.0, 3.0])


@pytest.mark.parametrize("name", ["output-loss", "output-accuracy"])
def test_the_jackknife_of_a_mean_over_examples_is_students(name):
    labels = MemoryLabels("sentence", NAMES, np.arange(40, dtype=np.int32) % 3)
    given = Given(ONE_EACH, {"checkpoint": {"logits": MemoryOutputs(random(5))}}, labels)
    context = Context(detail="example", trust=Uncertainty(interval="jackknife", level=0.9))
    whole, *each = get(name).compute(given, {"map": ""}, context)
    own = np.array([v.value for v in each])
    expected = stats.t.interval(0.9, 39, loc=own.mean(), scale=stats.sem(own))
    assert whole.interval == pytest.approx(expected, rel=1e-9)


def test_over_words_it_leaves_out_whole_examples():
    """Three examples with 3, 1 and 2 words: the formula of the jackknife of a ratio, written out."""
    corpus = MemoryCorpus([4, 2, 3], words=[(1, 1), (2, 1), (3, 1), (5, 1), (7, 1), (8, 1)])
    x, y = MemoryOutputs(random(8, 9), "token"), MemoryOutputs(random(9, 9), "token")
    given = Given(corpus, {"checkpoint": {"logits": x}, "reference": {"logits": y}})
    context = Context(detail="example", trust=Uncertainty(interval="jackknife", level=0.95))
    whole, *each = get("output-kl").compute(given, {}, context)
    sums, counts = np.array([v.value * v.n for v in each]), np.array([v.n for v in each])
    assert counts.tolist() == [3, 1, 2]
    left = np.array([np.delete(sums, i).sum() / np.delete(counts, i).sum() for i in range(3)])
    half = np.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum()) * stats.t.ppf(0.975, 2)
    assert whole.interval == pytest.approx((whole.value - half, whole.value + half), rel=1e-9)


def test_one_example_has_no_interval_and_says_why():
    given = Given(MemoryCorpus([4]), {r: {"logits": MemoryOutputs(random(1, 1))} for r in ("checkpoint", "reference")})
    (found,) = get("churn").compute(given, {}, Context(trust=Uncertainty(interval="bootstrap")))
    assert found.interval is None
    assert "two examples" in found.details["no_interval"]
