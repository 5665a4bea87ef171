"""Do splits keep sentences and equal texts together, and refuse what cannot be probed?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measures.computation import MeasureError
from explorer.measures.probes.splits import SHARES, parts_of, random_parts, split_points, with_dev_examples


@given(group=st.lists(st.integers(0, 30), min_size=1, max_size=200), seed=st.integers(0, 99))
def test_equal_texts_are_never_divided(group, seed):
    group = np.array(group, np.int64)
    part = random_parts(group, seed)
    assert all(len(np.unique(part[group == g])) == 1 for g in np.unique(group))
    np.testing.assert_array_equal(part, random_parts(group, seed))


@pytest.mark.parametrize("copies", [1, 4])
def test_random_parts_have_the_stated_shares(copies):
    part = random_parts(np.repeat(np.arange(1000), copies), seed=3)
    np.testing.assert_allclose(np.bincount(part) / len(part), SHARES, atol=0.01)


def test_another_seed_gives_another_split():
    group = np.arange(100)
    assert (random_parts(group, 0) != random_parts(group, 1)).any()


def test_words_of_a_sentence_stay_together():
    example = np.repeat(np.arange(40), 5)
    labels = np.tile([0, 1, 2, 0, 1], 40)
    split = split_points(labels, example, random_parts(np.arange(40), 0), np.arange(40))
    sides = [set(example[rows]) for rows in (split.train, split.dev, split.test)]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 40
    assert split.repeated == 0


def test_names_of_splits_are_understood():
    names = ("test", "train", "validation", "Dev", "te")
    assert parts_of(names, np.array([0, 1, 2, 3, 4, -1])).tolist() == [2, 0, 1, 1, 2, -1]


def test_an_unknown_name_is_refused():
    with pytest.raises(MeasureError, match="'fold-3'"):
        parts_of(("train", "fold-3"), np.array([0, 1]))


def test_examples_without_a_split_are_left_out():
    split = split_points(np.array([0, 1, 0, 1]), np.arange(4), np.array([0, 0, 2, -1]), np.arange(4))
    assert (split.train.tolist(), split.dev.tolist(), split.test.tolist()) == ([0, 1], [], [2])


def test_test_texts_that_train_has_seen_are_counted_in_points():
    part, group, example = np.array([0, 0, 2, 2]), np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2, 3])
    assert split_points(np.array([0, 1, 0, 1, 1]), example, part, group).repeated == 2


def test_labels_that_only_test_has_are_reported():
    split = split_points(np.array([5, 3, 9, 3, 7]), np.arange(5), np.array([0, 0, 2, 2, 2]), np.arange(5))
    assert split.unseen.tolist() == [7, 9]


@pytest.mark.parametrize(
    ("labels", "part", "why"),
    [
        ([0, 1, 0], [0, 0, 1], r"no labelled points in test\. Add a file for it \(--corpus NAME:test=FILE\)"),
        ([0, 1, 0], [2, 2, 1], r"no labelled points in train\. Add a file for it \(--corpus NAME:train=FILE\)"),
        ([4, 4, 4], [0, 0, 2], "same label"),
        ([4, 4, 5], [0, 0, 2], "same label"),
    ],
)
def test_what_cannot_be_probed_is_refused(labels, part, why):
    with pytest.raises(MeasureError, match=why):
        split_points(np.array(labels), np.arange(3), np.array(part), np.arange(3))


def test_a_part_whose_examples_have_no_labels_needs_labels_and_no_file():
    with pytest.raises(MeasureError, match=r"no labelled points in test\.$"):
        split_points(np.array([0, 1]), np.arange(2), np.array([0, 0, 2]), np.arange(3))


def test_a_missing_dev_is_taken_from_train_by_whole_texts():
    example = np.repeat(np.arange(50), 3)
    group = np.arange(50) // 2
    part = np.where(np.arange(50) < 40, 0, 2)
    labels = np.arange(150) % 3
    split = split_points(labels, example, part, group)
    moved = split.with_dev(labels, 0)
    assert len(split.dev) == 0
    assert len(moved.dev) == 2 * 6  # a tenth of 20 texts, each of 2 examples of 3 words
    assert not np.isin(moved.group[moved.dev], moved.group[moved.train]).any()
    np.testing.assert_array_equal(np.sort(np.concatenate([moved.train, moved.dev])), split.train)
    assert moved.with_dev(labels, 1) is moved


def test_a_dev_split_cannot_be_taken_from_one_text():
    labels = np.array([0, 1, 0])
    split = split_points(labels, np.arange(3), np.array([0, 0, 2]), np.array([0, 0, 1]))
    with pytest.raises(MeasureError, match="only one text"):
        split.with_dev(labels, 0)


def test_what_moves_to_dev_is_no_longer_known_from_train():
    labels, part = np.array([0, 1, 2, 2]), np.array([0, 0, 0, 2])
    group = np.array([0, 1, 2, 2])  # the text of the test example is also in train
    split = split_points(labels, np.arange(4), part, group)
    assert (split.unseen.tolist(), split.repeated) == ([], 1)
    moved = [split.with_dev(labels, seed) for seed in range(20)]
    assert {one.dev.tolist() == [2] for one in moved} == {True, False}
    for one in moved:
        assert (one.unseen.tolist(), one.repeated) == (([2], 0) if one.dev.tolist() == [2] else ([], 1))


def test_a_tenth_of_the_training_texts_is_held_out_where_no_example_is_in_dev() -> None:
    group = np.arange(60) // 2
    part = np.array([0] * 40 + [2] * 20)
    moved = with_dev_examples(part, group, 3)
    assert [(moved == n).sum() for n in range(3)] == [36, 4, 20]
    assert not set(group[moved == 0]) & set(group[moved == 1])
    assert with_dev_examples(moved, group, 4) is moved
