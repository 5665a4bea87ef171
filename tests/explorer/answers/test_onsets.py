"""When a curve had made half and 90 % of its change."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.onsets import Between, Onsets, onsets

NAN = float("nan")


def slow(steps: list[int], values: list[float]) -> Onsets | None:
    """The rule in exact fractions, by looking at every step for itself."""
    known = {step: Fraction(value) for step, value in zip(steps, values, strict=True) if np.isfinite(value)}
    if len(known) < 2:
        return None
    first, last = min(known), max(known)
    change = known[last] - known[first]
    if abs(change) <= max(map(abs, known.values())) / 10**6:
        return None

    def reached(tenths: int) -> Between:
        enough = [s for s in known if 10 * (known[s] - known[first]) / change >= tenths]
        by = min(enough)
        return Between(max(s for s in known if s < by), by)

    return Onsets(first, last, reached(5), reached(9))


@pytest.mark.parametrize(
    ("values", "half", "most"),
    [
        ([0, 1, 2, 8, 10], (20, 30), (30, 40)),
        ([0, 9, 9.5, 9.8, 10], (0, 10), (0, 10)),  # both at one step
        ([10, 9, 4, 2, 0], (10, 20), (30, 40)),  # falls: 60 % at step 20, 80 % at 30
        ([1, 0.9, 0.8, 0.7, 0.5], (20, 30), (30, 40)),  # a similarity, which begins at 1
        ([0, 6, 1, 2, 10], (0, 10), (30, 40)),  # falls back after half
        ([0, 20, 12, 11, 10], (0, 10), (0, 10)),  # overshoots
        ([-4, -1, 2, 4, 6], (10, 20), (30, 40)),  # crosses zero: half of 10 is 1
        ([0, NAN, 6, NAN, 10], (0, 20), (20, 40)),  # missing steps
        ([NAN, 2, 3, 4, 6], (20, 30), (30, 40)),  # the change begins at the first value
        ([0, 5, 8, 9, 10], (0, 10), (20, 30)),  # exactly half, exactly 90 %
        ([0, 5, 8, 10, NAN], (0, 10), (20, 30)),  # and ends at the last one
    ],
)
def test_known_curves(values: list[float], half: tuple[int, int], most: tuple[int, int]) -> None:
    found = onsets([0, 10, 20, 30, 40], values)
    assert found is not None
    assert (found.half, found.most) == (half, most)


@pytest.mark.parametrize(
    ("values", "noise"),
    [
        ([], 0.0),
        ([1.0], 0.0),
        ([NAN, 1.0, NAN], 0.0),
        ([0.5, 0.9, 0.5], 0.0),  # comes back to where it began
        ([0.3, 0.3, 0.3 + 1e-8], 0.0),  # the last digits of float32
        ([0.0, 3e-8, 9e-7], 1e-6),  # within the noise of the measure
        ([0.0, 0.2, 1e-6], 1e-6),  # exactly as large as the noise
    ],
)
def test_nothing_is_claimed_of_no_change(values: list[float], noise: float) -> None:
    assert onsets(range(len(values)), values, noise) is None


def test_small_changes_beyond_the_noise_have_an_onset() -> None:
    assert onsets([0, 1, 2], [0.0, 2e-6, 3e-6], 1e-6) == Onsets(0, 2, Between(0, 1), Between(1, 2))


NUMBERS = st.integers(-1000, 1000).map(lambda n: n / 8)
CURVES = st.lists(st.one_of(NUMBERS, st.just(NAN)), max_size=12)


@given(CURVES)
def test_every_curve_follows_the_rule(values: list[float]) -> None:
    steps = [7 * i for i in range(len(values))]
    assert onsets(steps, values) == slow(steps, values)


@given(CURVES, st.sampled_from([2.0**-40, 0.25, -1.0, 1024.0]), st.sampled_from([0.0, 3.0]))
def test_the_unit_and_the_sign_do_not_matter(values: list[float], by: float, noise: float) -> None:
    steps = list(range(len(values)))
    assert onsets(steps, values, noise) == onsets(steps, [v * by for v in values], noise * abs(by))


@given(st.lists(st.integers(1, 100), min_size=2, max_size=12), st.data())
def test_a_monotone_curve_stays_beyond_its_onset(rises: list[int], data: st.DataObject) -> None:
    values = np.cumsum(rises) * data.draw(st.sampled_from([1.0, -1.0]))
    found = onsets(range(len(values)), values.tolist())
    assert found is not None
    assert found.first <= found.half.after < found.half.by <= found.most.by <= found.last
    share = (values - values[0]) / (values[-1] - values[0])
    for between, least in ((found.half, 0.5), (found.most, 0.9)):
        assert between.by == between.after + 1
        assert (share[between.by :] >= least).all()
        assert (share[: between.by] < least).all()
