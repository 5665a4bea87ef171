"""Which row stands for a layer, and how far are seeds apart?"""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.cells import merged, signed, summaries, yardsticks
from explorer.measures.declaration import At
from explorer.selection import Cell, Pair
from explorer.selection.stored import cell_of
from store.keys import PRETRAINED_KEY, CheckpointKey
from tests.explorer.views.samples import DISTANCE, result

KEY = CheckpointKey.plain("sst2", "1", 40)


def between(seed: str, other: str, value: float | None, step: int = 40, layer: int = 3, **changes: object):
    return result(
        CheckpointKey.plain("sst2", seed, step), layer, value, ref_task="sst2", ref_seed=other, ref_step=step, **changes
    )


def test_the_whole_layer_stands_before_its_heads_and_parts():
    rows = [
        result(KEY, 3, 0.9, head=1),
        result(KEY, 3, 0.5),
        result(KEY, 3, 0.1, example=0),
        result(KEY, 3, 0.1, query=2),
        result(KEY, 3, 0.2, statistic="k"),
    ]
    assert [r.value for r in summaries(DISTANCE, [rows])] == [0.5]


def test_heads_alone_are_averaged_and_so_are_labels():
    heads = [result(KEY, 3, value, head=h, null_value=value / 2) for h, value in ((1, 0.2), (2, 0.6))]
    (one,) = summaries(DISTANCE, [heads])
    assert (one.value, one.head, one.null_value) == (pytest.approx(0.4), None, pytest.approx(0.2))
    labels = [result(KEY, 3, value, label_a=name) for name, value in (("NOUN", 0.1), ("VERB", 0.5))]
    (one,) = summaries(DISTANCE, [labels])
    assert (one.value, one.label_a) == (pytest.approx(0.3), None)


def test_a_layer_refused_under_no_statistic_keeps_its_reason():
    measure = replace(DISTANCE, main="hull_mean")
    (one,) = summaries(measure, [[result(KEY, 3, None, "one class only")]])
    assert (one.value, one.reason) == (None, "one class only")


def test_a_mean_has_no_interval_and_a_chance_level_only_when_all_have_one():
    rows = [
        result(KEY, 3, v, interval_low=v - 0.1, interval_high=v + 0.1, null_value=n)
        for v, n in ((0.2, 0.9), (0.4, None))
    ]
    one = merged(rows)
    assert one.value == pytest.approx(0.3)
    assert (one.interval_low, one.interval_high, one.null_value) == (None, None, None)
    assert merged(rows[:1]) == rows[0]


def test_a_row_belongs_to_the_cell_of_both_its_layers():
    pair = Pair(KEY, PRETRAINED_KEY)
    assert cell_of(result(KEY, 3, 0.5, ref_layer=5), DISTANCE) == Cell.of(pair, At(3, 5))
    alone = result(KEY, 3, 0.5, **dict.fromkeys(("ref_task", "ref_variant", "ref_seed", "ref_step", "ref_layer")))
    assert cell_of(alone, DISTANCE) == Cell.of(Pair(KEY, None), At(3))
    assert cell_of(alone, DISTANCE).pair == Pair(KEY, None)
    assert (cell_of(alone, DISTANCE).key, cell_of(alone, DISTANCE).reference) == (KEY, None)


@given(
    st.lists(st.floats(0, 1), min_size=6, max_size=6),
    st.sets(st.tuples(st.sampled_from("1234"), st.sampled_from("1234")), min_size=1),
)
def test_the_distance_of_seeds_is_the_mean_over_pairs_whichever_is_the_reference(values, stored):
    distance = {frozenset(p): v for p, v in zip(combinations("1234", 2), values, strict=True)}
    stored = {(a, b) for a, b in stored if a != b}
    found = yardsticks(DISTANCE, [between(a, b, distance[frozenset((a, b))]) for a, b in stored])
    pairs = {frozenset(p) for p in stored}
    if not pairs:
        assert found == {}
        return
    assert set(found) == {("sst2", 3, 40, ())}
    assert found["sst2", 3, 40, ()] == pytest.approx(sum(distance[p] for p in pairs) / len(pairs))


@pytest.mark.parametrize(
    "row",
    [
        result(KEY, 3, 0.5),  # against the pre-trained model
        between("1", "2", 0.5, ref_layer=4),
        between("1", "1", 0.0),
        between("1", "2", 0.5)._replace(ref_step=20),
        between("1", "2", 0.5)._replace(ref_task="pos"),
        between("1", "2", None),
        between("1", "2", 0.5, statistic="k"),
    ],
)
def test_only_the_same_layer_and_step_of_another_seed_tell_how_far_seeds_are_apart(row):
    assert yardsticks(DISTANCE, [row]) == {}


def test_changes_of_either_sign_do_not_cancel():
    change = replace(DISTANCE, low=float("-inf"))
    correlation = replace(DISTANCE, low=-1.0, same=1.0)
    assert (signed(change), signed(DISTANCE), signed(correlation)) == (True, False, False)
    rows = [between("2", "1", 0.3), between("3", "1", -0.5)]
    assert yardsticks(change, rows)["sst2", 3, 40, ()] == pytest.approx(0.4)
    assert yardsticks(correlation, rows)["sst2", 3, 40, ()] == pytest.approx(-0.1)
