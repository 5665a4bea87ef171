"""Are scores, their standard errors and their paired differences those of the formulas, written out?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from explorer.measures.computation import Uncertainty, Value
from explorer.measures.outcomes import Outcome, outcome_values

NO_TRUST = Uncertainty()
NAMES = ("loss", "accuracy", "macro-f1")


def outcomes(seed: int = 0, examples: int = 30, classes: int = 4, longest: int = 5) -> tuple[Outcome, Outcome]:
    """Two models' predictions of the same rows: words of examples, a class that never occurs, and one never right."""
    rng = np.random.default_rng(seed)
    example = np.repeat(np.arange(examples) * 2, rng.integers(1, longest + 1, examples))
    true = rng.integers(0, classes - 1, len(example))
    true[true == 1] = 2
    said = [np.where(rng.random(len(true)) < right, true, rng.integers(0, 3, len(true))) for right in (0.5, 0.8)]
    said[0][0], said[0][-1] = 1, 0
    loss = [rng.exponential(size=len(true)) for _ in said]
    return tuple(Outcome(x, p, true, example, classes) for x, p in zip(loss, said, strict=True))  # type: ignore[return-value]


def values(trust: Uncertainty = NO_TRUST, **given: int) -> dict[str, Value]:
    return {v.statistic: v for v in outcome_values(*outcomes(**given), trust)}


def scores(one: Outcome, rows: np.ndarray) -> np.ndarray:
    f1 = f1_score(one.true[rows], one.predicted[rows], average="macro", zero_division=0)
    return np.array([one.loss[rows].mean(), accuracy_score(one.true[rows], one.predicted[rows]), f1])


def test_scores_and_changes_are_those_of_scikit_learn() -> None:
    own, whole = outcomes()
    rows = np.arange(len(own.true))
    found = values()
    for i, name in enumerate(NAMES):
        assert found[name].value == pytest.approx(scores(own, rows)[i], rel=1e-12)
        change = scores(own, rows)[i] - scores(whole, rows)[i]
        assert found[f"{name}-change"].value == pytest.approx(change, rel=1e-10)
        assert {found[name].n, found[f"{name}-change"].n} == {len(rows)}
    assert {found[n].unit for n in ("accuracy", "macro-f1-change")} == {"share"}


def test_errors_and_intervals_leave_out_one_example_on_both_sides() -> None:
    own, whole = outcomes()
    found = values(Uncertainty(interval="jackknife", level=0.9))
    every = np.unique(own.example)
    left = [np.flatnonzero(own.example != e) for e in every]
    tables = {
        "": np.array([scores(own, rows) for rows in left]),
        "-change": np.array([scores(own, rows) - scores(whole, rows) for rows in left]),
    }
    for ending, table in tables.items():
        for i, name in enumerate(NAMES):
            value = found[name + ending]
            error = np.sqrt((len(every) - 1) * table[:, i].var())
            assert value.details["se"] == pytest.approx(error, rel=1e-9)
            half = error * stats.t.ppf(0.95, len(every) - 1)
            assert value.interval == pytest.approx((value.value - half, value.value + half), rel=1e-9)


def test_with_one_row_per_example_the_paired_interval_is_the_t_interval_of_the_differences() -> None:
    own, whole = outcomes(longest=1)
    found = values(Uncertainty(interval="jackknife"), longest=1)["loss-change"]
    difference = own.loss - whole.loss
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert found.interval == pytest.approx(stats.t.interval(0.95, len(difference) - 1, difference.mean(), error))


def test_bootstraps_draw_the_same_examples_on_both_sides() -> None:
    own, whole = outcomes()
    trust = Uncertainty(interval="bootstrap", resamples=50, seed=3)
    counts = np.random.default_rng([3, 1 << 20]).multinomial(30, np.full(30, 1 / 30), size=50)
    members = [np.flatnonzero(own.example == e) for e in np.unique(own.example)]
    drawn = [np.concatenate([members[i] for i in np.repeat(np.arange(30), row)]) for row in counts]
    table = np.array([scores(own, rows) - scores(whole, rows) for rows in drawn])
    for i, name in enumerate(NAMES):
        assert values(trust)[f"{name}-change"].interval == pytest.approx(np.quantile(table[:, i], [0.025, 0.975]))


def test_the_same_outcome_has_not_changed_at_all() -> None:
    own, _ = outcomes()
    found = {v.statistic: v for v in outcome_values(own, own, Uncertainty(interval="jackknife"))}
    for name in NAMES:
        change = found[f"{name}-change"]
        assert (change.value, change.interval, change.details) == (0.0, (0.0, 0.0), {"se": 0.0})


def test_one_example_has_no_error_and_none_no_value() -> None:
    one = values(Uncertainty(interval="jackknife"), examples=1)["loss"]
    assert (one.interval, one.details) == (None, {"no_interval": "an interval needs at least two examples"})
    empty = Outcome(np.empty(0), *(np.empty(0, np.int64) for _ in range(3)), 2)
    (value,) = outcome_values(empty, empty, Uncertainty())
    assert (value.value, value.reason) == (None, "no example or word has a label")


def test_the_loss_of_each_row_is_kept_with_the_loss() -> None:
    own, _ = outcomes()
    found = values()
    arrays = found["loss"].artefact
    assert arrays is not None
    np.testing.assert_array_equal(arrays["loss"], own.loss)
    np.testing.assert_array_equal(arrays["right"], own.predicted == own.true)
    np.testing.assert_array_equal(arrays["example"], own.example)
    assert all(found[name].artefact is None for name in found if name != "loss")
