"""Is the effective rank that of Roy and Vetterli, and with eigenvalues that of the explained variance?"""

from __future__ import annotations

import numpy as np
import pytest

from explorer.measures import MeasureError
from explorer.measures.registry import get
from tests.explorer.measures.linear_samples import like_bert
from tests.explorer.measures.memory import PAIRS, answers, golden
from tests.explorer.measures.spectrum_samples import measure, singular_values, with_spectrum

READINGS = pytest.mark.parametrize("spectrum", ["singular-values", "eigenvalues"])


def slow(x, spectrum="singular-values"):
    """From the definition, on a singular value decomposition in float64."""
    s = singular_values(x)
    p = s / s.sum() if spectrum == "singular-values" else s**2 / (s**2).sum()
    return float(np.exp(-sum(q * np.log(q) for q in p)))


def value_of(x, spectrum, **given):
    return measure("effective-rank", x, spectrum=spectrum, **given).value


@READINGS
@pytest.mark.parametrize("chunk", [61, 1 << 30])
def test_agrees_with_the_formula_however_it_is_read(spectrum, chunk):
    x, _ = like_bert(500, 20)
    assert value_of(x, spectrum, chunk=chunk) == pytest.approx(slow(x, spectrum), rel=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
@READINGS
def test_golden_side(spectrum, pair):
    x = golden(pair)["x"]
    want = answers(pair)[f"effective rank of x, {spectrum.replace('-', ' ')}"]["value"]
    assert slow(x, spectrum) == pytest.approx(want, abs=1e-4)
    assert value_of(x, spectrum, chunk=700) == pytest.approx(want, abs=1e-4)


@READINGS
@pytest.mark.parametrize("d", [1, 2, 7, 24])
def test_variance_spread_evenly_over_d_directions_is_d(spectrum, d):
    x = with_spectrum(300, np.full(d, 5.0))
    assert value_of(x, spectrum) == pytest.approx(d, rel=1e-12)


@READINGS
def test_one_direction_is_one(spectrum):
    rng = np.random.default_rng(0)
    x = np.outer(rng.standard_normal(300), rng.standard_normal(16))
    assert value_of(x, spectrum) == pytest.approx(1, abs=1e-12)


def test_the_two_readings_of_a_spectrum_in_closed_form():
    """Singular values 2, 1, 1: shares 1/2, 1/4, 1/4; squared: 2/3, 1/6, 1/6."""
    x = with_spectrum(100, np.array([2.0, 1.0, 1.0]))
    assert value_of(x, "singular-values") == pytest.approx(2**1.5, rel=1e-12)
    assert value_of(x, "eigenvalues") == pytest.approx(1.5 ** (2 / 3) * 6 ** (1 / 3), rel=1e-12)


def test_singular_values_are_the_default_as_published():
    assert dict(get("effective-rank").settle({})) == {"spectrum": "singular-values", "tokens": "all"}


def test_another_spectrum_is_refused():
    with pytest.raises(MeasureError, match="spectrum: 'variance' is not one of singular-values, eigenvalues"):
        get("effective-rank").settle({"spectrum": "variance"})
