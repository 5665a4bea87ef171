"""Is the participation ratio (sum l)^2 / sum l^2 of the covariance's eigenvalues?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.explorer.measures.linear_samples import like_bert
from tests.explorer.measures.memory import PAIRS, answers, golden
from tests.explorer.measures.spectrum_samples import measure, singular_values, with_spectrum


def slow(x):
    """From the definition, on a singular value decomposition in float64."""
    eigenvalues = singular_values(x) ** 2
    return float(sum(eigenvalues) ** 2 / sum(eigenvalues**2))


def value_of(x, **given):
    return measure("participation-ratio", x, **given).value


@pytest.mark.parametrize("chunk", [61, 1 << 30])
def test_agrees_with_the_formula_however_it_is_read(chunk):
    x, _ = like_bert(500, 20)
    assert value_of(x, chunk=chunk) == pytest.approx(slow(x), rel=1e-9)


def test_is_trace_squared_over_the_trace_of_the_square():
    """tr(C)^2 / tr(C C): no eigenvalue needed."""
    x, _ = like_bert(400, 12)
    covariance = np.cov(x.astype(float), rowvar=False)
    assert value_of(x) == pytest.approx(np.trace(covariance) ** 2 / np.trace(covariance @ covariance), rel=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_golden_side(pair):
    x, want = golden(pair)["x"], answers(pair)["participation ratio of x"]["value"]
    assert slow(x) == pytest.approx(want, abs=1e-5)
    assert value_of(x, chunk=700) == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("d", [1, 2, 7, 24])
def test_variance_spread_evenly_over_d_directions_is_d(d):
    assert value_of(with_spectrum(300, np.full(d, 5.0))) == pytest.approx(d, rel=1e-12)


def test_one_direction_is_one():
    rng = np.random.default_rng(0)
    assert value_of(np.outer(rng.standard_normal(300), rng.standard_normal(16))) == pytest.approx(1, abs=1e-12)


def test_in_closed_form():
    """Variances 4, 1, 1: 36 / 18."""
    assert value_of(with_spectrum(100, np.array([2.0, 1.0, 1.0]))) == pytest.approx(2, rel=1e-12)
