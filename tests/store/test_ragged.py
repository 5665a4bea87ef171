"""Packed rows: what goes in comes out, and example i is where the offsets say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from store import ragged

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(LENGTHS)
def test_each_example_lies_between_its_offsets(lengths: list[int]) -> None:
    offsets = ragged.offsets_of(lengths)
    assert offsets.dtype == np.int64
    assert np.diff(offsets).tolist() == lengths
    assert np.diff(ragged.pair_offsets(offsets)).tolist() == [n * n for n in lengths]


def test_where_does_the_second_of_three_sentences_lie() -> None:
    offsets = ragged.offsets_of([3, 2, 4])
    assert offsets.tolist() == [0, 3, 5, 9]
    assert ragged.pair_offsets(offsets).tolist() == [0, 9, 13, 29]


def test_offsets_do_not_overflow_with_many_long_examples() -> None:
    offsets = ragged.offsets_of([50_000, 50_000])
    assert ragged.pair_offsets(offsets.astype(np.int32))[-1] == 5_000_000_000


@given(st.lists(st.text(), max_size=12))
def test_any_text_comes_back_as_it_went_in(texts: list[str]) -> None:
    assert ragged.unpack_texts(*ragged.pack_texts(texts)) == texts


def test_half_a_character_of_scraped_text_survives() -> None:
    assert ragged.unpack_texts(*ragged.pack_texts(["caf\udce9", ""])) == ["caf\udce9", ""]


@given(hnp.arrays(np.int64, st.integers(1, 6), elements=st.integers(-3, 5)))
def test_offsets_that_fall_or_start_late_are_refused(offsets: np.ndarray) -> None:
    if offsets[0] == 0 and (np.diff(offsets) >= 0).all():
        assert len(ragged.pair_offsets(offsets)) == len(offsets)
    else:
        with pytest.raises(ValueError, match="offsets start at 0"):
            ragged.pair_offsets(offsets)


def test_negative_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        ragged.offsets_of([2, -1])
