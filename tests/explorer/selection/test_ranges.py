"""Are sets of numbers read as people write them?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.selection import Ranges
from store.errors import BertdynError


def test_numbers_and_ranges_with_both_ends_belong_to_it() -> None:
    chosen = Ranges.parse("0, 20,100-500", "--step")
    assert [n for n in (0, 1, 20, 99, 100, 300, 500, 501) if n in chosen] == [0, 20, 100, 300, 500]


def test_an_open_end_goes_on() -> None:
    chosen = Ranges.parse("100-", "--step")
    assert 99 not in chosen
    assert 10**9 in chosen


@pytest.mark.parametrize("text", ["a", "", "1,,2", "-5", "1-2-3", "1.5", "3-x"])
def test_anything_else_is_refused_with_the_flag_named(text: str) -> None:
    with pytest.raises(BertdynError, match=r"--step: .* neither a number nor a range"):
        Ranges.parse(text, "--step")


def test_a_backward_range_is_refused() -> None:
    with pytest.raises(BertdynError, match="--layer: the range '5-2' ends before it begins"):
        Ranges.parse("5-2", "--layer")


@given(
    st.lists(
        st.integers(0, 50).flatmap(lambda low: st.tuples(st.just(low), st.none() | st.integers(low, 60))),
        min_size=1,
    )
)
def test_writing_and_reading_again_gives_the_same_set(spans: list[tuple[int, int | None]]) -> None:
    chosen = Ranges(tuple(spans))
    assert Ranges.parse(str(chosen), "--step") == chosen
    assert [n for n in range(70) if n in chosen] == [
        n for n in range(70) if any(low <= n <= (70 if high is None else high) for low, high in spans)
    ]
