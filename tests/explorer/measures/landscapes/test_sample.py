"""Does the sample keep the shares of the labels, whole examples, and stay the same?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measures.computation import MeasureError
from explorer.measures.landscapes.sample import sampled
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels


def sentences(values: list[int]) -> tuple[MemoryLabels, MemoryCorpus]:
    names = tuple(map(str, range(max(values, default=0) + 1)))
    return MemoryLabels("sentence", names, np.array(values, np.int32)), MemoryCorpus([1] * len(values))


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=60), st.integers(1, 60))
def test_shares_are_kept_as_near_as_whole_numbers_allow(values: list[int], wanted: int) -> None:
    labels, corpus = sentences(values)
    there = [v for v in values if v >= 0]
    if not there:
        with pytest.raises(MeasureError, match="No example has a label"):
            sampled(labels, corpus, str(wanted))
        return
    found = sampled(labels, corpus, str(wanted))
    assert len(found.examples) == min(wanted, len(there))
    assert (np.diff(found.examples) > 0).all()
    kept = found.values[found.values >= 0]
    assert np.array_equal(kept, np.array(values)[found.examples])
    for label in set(there):
        assert abs((kept == label).sum() - there.count(label) * len(kept) / len(there)) < 1


def test_labelled_words_come_with_their_whole_example() -> None:
    corpus = MemoryCorpus([4, 5, 3], words=[(1, 1), (2, 1), (5, 1), (6, 1), (7, 1), (10, 1)])
    labels = MemoryLabels("word", ("a", "b"), np.array([0, 1, -1, -1, -1, 1], np.int32))
    found = sampled(labels, corpus, "1")
    assert found.examples.tolist() in ([0], [2])  # no word of example 1 has a label
    assert found.values.tolist() in ([0, 1, -1, -1, -1, -1], [-1, -1, -1, -1, -1, 1])
    assert sampled(labels, corpus, "all").values.tolist() == labels.values.tolist()


def test_the_sample_is_the_same_each_time_and_not_the_first_examples() -> None:
    labels, corpus = sentences([0, 1] * 100)
    one, other = (sampled(labels, corpus, "20").examples for _ in range(2))
    assert one.tolist() == other.tolist()
    assert one.max() > 100


@pytest.mark.parametrize("said", ["0", "-3", "many", "2.5", "007", ""])
def test_another_number_of_examples_is_refused(said: str) -> None:
    with pytest.raises(MeasureError, match="neither a positive number nor all"):
        sampled(*sentences([0, 1]), said)
