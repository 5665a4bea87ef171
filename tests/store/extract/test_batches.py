from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.extract.batches import windows

LENGTHS = st.lists(st.integers(1, 60), max_size=60)


@given(LENGTHS, st.integers(1, 200), st.integers(1, 400))
def test_every_example_runs_once_and_windows_follow_the_file(lengths: list[int], budget: int, size: int) -> None:
    made = list(windows(lengths, np.array(lengths), budget, size))
    edges = [w.start for w in made] + [len(lengths)]
    assert edges == sorted(set(edges))
    assert not lengths or edges[0] == 0
    for window, end in zip(made, edges[1:], strict=True):
        assert window.stop == end
        assert sorted(np.concatenate(window.batches).tolist()) == list(range(window.start, window.stop))


@given(LENGTHS, st.integers(1, 200), st.integers(1, 400))
def test_no_batch_and_no_window_exceeds_its_budget_unless_one_example_does(
    lengths: list[int], budget: int, size: int
) -> None:
    for window in windows(lengths, np.array(lengths), budget, size):
        assert sum(lengths[window.start : window.stop]) <= size or window.stop - window.start == 1
        for batch in window.batches:
            assert len(batch) * max(lengths[i] for i in batch) <= budget or len(batch) == 1


def test_sorting_leaves_little_padding_in_a_window() -> None:
    lengths = np.random.default_rng(0).geometric(0.05, 1000) + 2
    (window,) = windows(lengths, lengths, 1024, 10**9)
    padded = sum(len(b) * lengths[b].max() for b in window.batches)
    assert padded < 1.1 * lengths.sum()


def test_a_budget_of_nothing_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        list(windows([3], np.array([3]), 0, 10))
