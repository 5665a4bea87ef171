"""Is the anisotropy the largest share of the variance, mean taken off first?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.explorer.measures.linear_samples import like_bert
from tests.explorer.measures.memory import PAIRS, answers, golden
from tests.explorer.measures.spectrum_samples import measure, singular_values, with_spectrum


def slow(x):
    """From the definition, on a singular value decomposition in float64."""
    variances = singular_values(x) ** 2
    return float(max(variances) / sum(variances))


def value_of(x, **given):
    return measure("anisotropy", x, **given).value


@pytest.mark.parametrize("chunk", [61, 1 << 30])
def test_agrees_with_the_formula_however_it_is_read(chunk):
    x, _ = like_bert(500, 20)
    assert value_of(x, chunk=chunk) == pytest.approx(slow(x), rel=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_golden_side(pair):
    x, want = golden(pair)["x"], answers(pair)["anisotropy of x"]["value"]
    assert slow(x) == pytest.approx(want, abs=1e-6)
    assert value_of(x, chunk=700) == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize("d", [1, 2, 7, 24])
def test_variance_spread_evenly_over_d_directions_is_one_over_d(d):
    assert value_of(with_spectrum(300, np.full(d, 5.0))) == pytest.approx(1 / d, rel=1e-12)


def test_one_direction_is_one():
    rng = np.random.default_rng(0)
    assert value_of(np.outer(rng.standard_normal(300), rng.standard_normal(16))) == pytest.approx(1, abs=1e-12)


def test_in_closed_form():
    """Variances 4, 1, 1."""
    assert value_of(with_spectrum(100, np.array([2.0, 1.0, 1.0]))) == pytest.approx(2 / 3, rel=1e-12)


def test_is_not_the_mean_cosine_of_pairs():
    """A large mean makes every cosine nearly 1, and leaves the variance spread as it was."""
    x = with_spectrum(300, np.full(8, 5.0)) + 100
    assert value_of(x) == pytest.approx(1 / 8, rel=1e-6)
