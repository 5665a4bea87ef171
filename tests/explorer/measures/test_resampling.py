"""Are nulls and intervals drawn over whole examples, and do the intervals cover what they should?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measures.resampling import (
    example_order,
    groups_of,
    jackknife_interval,
    ratio_interval,
    resample_counts,
)


def test_an_order_holds_every_example_once_and_is_the_same_for_the_same_seed():
    order = example_order(50, seed=3, draw=1)
    assert sorted(order) == list(range(50))
    assert (order == example_order(50, 3, 1)).all()
    assert (order != example_order(50, 3, 2)).any()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 12))
def test_groups_are_consecutive_and_none_is_empty(lengths, count):
    groups = groups_of(np.concatenate([[0], np.cumsum(lengths)]), count)
    assert len(groups) == len(lengths)
    assert groups[0] == 0
    assert set(np.diff(groups)) <= {0, 1}
    assert groups[-1] < count


def test_groups_hold_about_as_many_tokens_each():
    lengths = np.random.default_rng(0).integers(5, 60, 400)
    groups = groups_of(np.concatenate([[0], np.cumsum(lengths)]))
    tokens = np.bincount(groups, weights=lengths)
    assert len(tokens) == 20
    assert abs(tokens - lengths.sum() / 20).max() <= 60


def test_every_resample_draws_as_many_groups_as_there_are():
    assert (resample_counts(7, 30, seed=0).sum(1) == 7).all()


def test_the_jackknife_of_a_mean_is_the_textbook_interval_of_a_mean():
    from scipy import stats

    values = np.random.default_rng(0).standard_normal(30)
    got = ratio_interval(values, np.ones(len(values)), "jackknife", 0.9, 0, 0)
    expected = stats.t.interval(0.9, 29, loc=values.mean(), scale=stats.sem(values))
    assert got == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
def test_an_interval_covers_the_truth_about_as_often_as_it_says(method):
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(400):
        values = rng.exponential(size=60)
        low, high = ratio_interval(values, np.ones(60), method, 0.9, 200, trial)
        hits += low <= 1 <= high
    assert 0.83 <= hits / 400 <= 0.95


def test_values_that_do_not_vary_have_an_interval_of_no_width():
    assert jackknife_interval(2.0, np.full(5, 2.0), 0.95) == (2.0, 2.0)
