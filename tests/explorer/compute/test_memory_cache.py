"""Does what a worker keeps stay within its bound, and is the most useful part what stays?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.compute.memory_cache import MemoryCache, size_of


def array(n: int) -> np.ndarray:
    return np.zeros(n, np.int8)


def test_what_was_used_longest_ago_goes_first() -> None:
    kept = MemoryCache(limit=100)
    kept[("a",)], kept[("b",)] = array(40), array(40)
    assert kept[("a",)] is not None  # used again: now b is the older one
    kept[("c",)] = array(40)
    assert set(kept) == {("a",), ("c",)}


def test_one_that_is_larger_than_the_bound_still_stays_while_it_is_the_newest() -> None:
    kept = MemoryCache(limit=100)
    kept[("a",)], kept[("big",)] = array(10), array(1000)
    assert set(kept) == {("big",)}
    kept[("b",)] = array(10)
    assert set(kept) == {("b",)}


def test_replacing_a_value_does_not_count_it_twice() -> None:
    kept = MemoryCache(limit=100)
    for _ in range(5):
        kept[("a",)] = array(60)
    kept[("b",)] = array(40)
    assert set(kept) == {("a",), ("b",)}
    del kept[("a",)]
    kept[("c",)] = array(60)
    assert set(kept) == {("b",), ("c",)}


def test_arrays_inside_containers_count() -> None:
    @dataclass
    class Side:
        basis: np.ndarray
        rest: tuple[object, ...]

    assert size_of(Side(array(100), ({"mean": array(20)}, [array(3)]))) == 123


def test_tensors_count() -> None:
    import torch

    assert size_of(torch.zeros(10, dtype=torch.float64)) == 80


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=40))
def test_never_more_than_the_bound_but_for_the_newest(writes: list[tuple[int, int]]) -> None:
    kept = MemoryCache(limit=100)
    for name, size in writes:
        kept[(name,)] = array(size)
        assert len(kept[(name,)]) == size
        assert len(kept) == 1 or sum(len(v) for v in kept.values()) <= 100
