"""Are ticks round, and numbers short and right?"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.axes import Scale, at_most, number, step_ticks, tick_labels, value_scale


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.24, "0.240"), (0.0123, "0.012"), (1.5, "1.50"), (12.44, "12.4"), (9876.0, "9876"), (0, "0"),
        (1e-7, "1.00e-7"), (3.14159e-7, "3.14e-7"), (2.5e8, "2.50e8"), (-0.5, "-0.500"),
        (None, "n/a"), (math.nan, "n/a"), (math.inf, "inf"),
    ],
)  # fmt: skip
def test_numbers_are_written_for_reading(value, text):
    assert number(value) == text


@given(st.floats(1e-9, 10, allow_nan=False))
def test_a_written_number_is_the_number(value):
    assert float(number(value)) == pytest.approx(value, rel=0.06 if value < 0.1 else 0.006)


@given(st.floats(-10, 1e5).filter(lambda v: v == 0 or abs(v) > 1e-12))
def test_a_bound_is_never_below_its_value(value):
    assert float(at_most(value)) >= value
    assert float(at_most(value)) == pytest.approx(value, rel=0.2)


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0, 0.45, 6, ("0.0", "0.1", "0.2", "0.3", "0.4")),
        (0, 1, 3, ("0.0", "0.5", "1.0")),
        (0, 4.6e-7, 5, ("0", "1e-7", "2e-7", "3e-7", "4e-7")),
        (0, 1300, 5, ("0", "500", "1,000")),
        (0, 0.37, 4, ("0.0", "0.1", "0.2", "0.3")),
        (-1, 1, 5, ("-1.0", "-0.5", "0.0", "0.5", "1.0")),
        (0.9998, 1.0, 5, ("0.99980", "0.99985", "0.99990", "0.99995", "1.00000")),
    ],
)
def test_ticks_are_round(low, high, most, labels):
    assert tick_labels(Scale(low, high).ticks(most)) == labels


@given(st.floats(-1e6, 1e6), st.floats(1e-7, 1e6), st.integers(2, 12))
def test_ticks_stand_inside_and_are_few(low, extent, most):
    scale = Scale(low, low + extent)
    ticks = scale.ticks(most)
    assert len(ticks) <= most
    slack = 1e-6 * extent + math.ulp(low) * 4  # nothing stands closer to a place than its numbers do to each other
    assert all(scale.low - slack <= t <= scale.high + slack for t in ticks)
    assert list(ticks) == sorted(set(ticks))


@given(st.floats(1e-7, 1), st.floats(1.01, 1e7), st.integers(2, 8))
def test_logarithmic_ticks_stand_inside(low, factor, most):
    scale = Scale(low, low * factor, True)
    ticks = scale.ticks(most)
    assert 1 <= len(ticks) <= most
    assert all(low * 0.999 <= t <= low * factor * 1.001 for t in ticks)
    assert len(tick_labels(ticks)) == len(ticks)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(2, 20))
def test_step_ticks_are_whole_and_inside(low, extent, most):
    ticks = step_ticks(low, low + extent, most)
    assert 1 <= len(ticks) <= most
    assert all(low <= t <= low + extent for t in ticks)


@given(st.floats(-10, 10), st.floats(0, 10), st.booleans())
def test_a_value_axis_holds_its_values_and_has_extent(low, extent, log):
    scale = value_scale(low, low + extent, log)
    assert scale.low < scale.high
    if not log:
        assert scale.low <= low + 1e-3 * abs(low + extent) + 1e-290
        assert low + extent <= scale.high
    elif low + extent > 1e-280:
        assert 0 < scale.low <= low + extent <= scale.high


def test_distances_start_at_zero_unless_they_lie_close_together():
    assert value_scale(0.1, 0.4).low == 0
    assert value_scale(0.90, 0.95).low > 0.8


def test_similarities_end_at_one_unless_they_lie_far_from_it():
    assert value_scale(0.7, 0.99, anchor=1.0).high == 1.0
    assert value_scale(0.10, 0.15, anchor=1.0).high < 0.2


@given(st.floats(-1, 0.999), st.floats(0, 1))
def test_an_axis_of_similarities_holds_its_values_and_ends_at_one_at_most(low, share):
    high = low + share * (1 - low)
    scale = value_scale(low, high, anchor=1.0)
    assert scale.low < scale.high
    assert scale.low <= low + 1e-9
    assert high - 1e-3 <= scale.high <= 1 + 1e-9
    if 1 - high < 0.49 * (1 - low):
        assert scale.high == pytest.approx(1)


def test_a_logarithm_of_zero_has_no_place():
    assert math.isnan(Scale(1e-3, 1, True).place(0.0))
    assert Scale(1e-4, 1, True).place(1e-2) == pytest.approx(0.5)
