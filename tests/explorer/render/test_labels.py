"""Can every label be read, and does it stand where its line ends?"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.chart import Chart, Series
from explorer.render.labels import at_ends, place

ROWS = st.lists(st.floats(-2, 60), min_size=1, max_size=60)


@given(ROWS, st.integers(1, 50))
def test_labels_never_share_a_row_and_none_is_lost(wanted, height):
    wanted = [min(w, height - 1) for w in wanted]
    groups = place(wanted, height)
    rows = [g.row for g in groups]
    assert len(set(rows)) == len(rows)
    assert all(0 <= row < height for row in rows)
    assert sorted(m for g in groups for m in g.members) == list(range(len(wanted)))


@given(ROWS, st.integers(2, 50))
def test_labels_keep_the_order_of_their_lines(wanted, height):
    groups = sorted(place([min(w, height - 1) for w in wanted], height), key=lambda g: g.row)
    order = [wanted[m] for g in groups for m in g.members]
    assert [min(w, height - 1) for w in order] == sorted(min(w, height - 1) for w in wanted)


@given(st.lists(st.floats(0, 29), min_size=1, max_size=40))
def test_a_label_stands_near_its_line(wanted):
    for group in place(wanted, 30):
        if len(group.members) == 1:
            assert abs(group.row - wanted[group.members[0]]) <= 30 / 12


def test_lines_far_apart_keep_their_own_rows():
    assert [(g.row, g.members) for g in place([2.0, 9.2, 15.4], 20)] == [(2, (0,)), (9, (1,)), (15, (2,))]


def lines(values: list[float]) -> Chart:
    x = np.array([0.0, 1.0])
    return Chart(tuple(Series(f"L{i}", x, np.array([0.0, v])) for i, v in enumerate(values)), "step", "")


def test_lines_that_end_together_are_named_together_with_their_largest_value():
    found = at_ends(lines([0.001, 0.002, 0.003, 0.004, 0.9]), [1.0, 1.0, 1.0, 1.0, 0.0], 2, 20, -1, True)
    assert [(n.row, n.text) for n in sorted(found, key=lambda n: n.row)] == [(0, "L4 0.900"), (1, "L0-3 ≤0.0040")]


def test_what_shared_names_begin_with_is_said_once():
    heads = (Series(f"head {n}", np.array([0.0]), np.array([0.2]), 0.0) for n in (1, 2, 10))
    found = at_ends(Chart(tuple(heads), "step", "distance"), [1.0, 0.0, 1.0], 2, 30, -1, True)
    assert {n.text for n in found} == {"head 1, 10 ≤0.200", "head 2 0.200"}


def test_shared_names_that_are_words_are_said_whole():
    tags = (Series(name, np.array([0.0]), np.array([0.2]), 0.0) for name in ("ADV", "AUX", "NOUN", "ADP"))
    found = at_ends(Chart(tuple(tags), "step", "distance"), [1.0, 1.0, 0.0, 1.0], 2, 30, -1, True)
    assert {n.text for n in found} == {"ADV-AUX, ADP ≤0.200", "NOUN 0.200"}


def test_the_line_in_focus_keeps_its_own_label():
    found = at_ends(lines([0.001, 0.002, 0.003, 0.004, 0.9]), [1.0, 1.0, 1.0, 1.0, 0.0], 2, 20, 2, True)
    assert {(n.row, n.text, n.line) for n in found} == {(0, "L4 0.900", 4), (1, "L2 0.0030", 2)}


def test_a_line_without_a_value_has_no_label():
    assert at_ends(lines([np.nan, 0.5]), [np.nan, 3.0], 10, 20, -1, True)[0].text == "L1 0.500"
