"""Is the SVCCA distance the one of the paper, whatever the data look like and however they are read?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given, MeasureError
from explorer.measures.registry import get
from tests.explorer.measures.linear_samples import like_bert
from tests.explorer.measures.linear_samples import measure as measured
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer

SVCCA = get("svcca")


def measure(x, y, *given, **parameters):
    """The one SVCCA value of a pair of arrays."""
    return measured("svcca", x, y, *given, **parameters)


def slow(x, y, variance=0.99):
    """Thin SVDs in float64, straight from the definition."""
    bases = []
    for a in (x, y):
        a = np.asarray(a, float) - np.asarray(a, float).mean(0)
        u, s, _ = np.linalg.svd(a, full_matrices=False)
        share = np.cumsum(s**2) / (s**2).sum()
        k = min(int(np.searchsorted(share, variance)) + 1, int((s > 1e-7 * s[0]).sum()))
        bases.append(u[:, :k])
    rho = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    return 1 - rho.mean(), bases[0].shape[1], bases[1].shape[1]


@pytest.mark.parametrize("variance", [0.5, 0.9, 0.99, 0.999, 1.0])
@pytest.mark.parametrize("chunk", [97, 1 << 30])
def test_agrees_with_thin_svd(variance, chunk):
    x, y = like_bert(600, 24)
    want, kx, ky = slow(x, y, variance)
    value = measure(x, y, chunk=chunk, variance=variance)
    assert value.value == pytest.approx(want, abs=1e-6)
    assert (value.details["k_x"], value.details["k_y"]) == (kx, ky)
    assert value.n == 600


def test_a_dominant_rotated_direction_costs_no_digits():
    """98.9 % of the variance in one direction that is no axis: the rest must not drown in float32 products."""
    rng = np.random.default_rng(1)
    d = 48
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    scale = np.r_[np.sqrt(0.989 / 0.011 * (d - 1)), np.ones(d - 1)]
    x = (rng.standard_normal((4000, d)) * scale) @ turn
    y = x + 0.3 * rng.standard_normal((4000, d))
    x, y = x.astype(np.float32), y.astype(np.float32)
    assert measure(x, y).value == pytest.approx(slow(x, y)[0], abs=1e-6)


def test_stored_float16_changes_the_value_less_than_the_storage_does():
    x, y = like_bert(800, 24)
    assert measure(x.astype(np.float16), y.astype(np.float16)).value == pytest.approx(slow(x, y)[0], abs=1e-4)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
def test_blind_to_rotation_scale_shift_and_order(seed, scale):
    x, y = like_bert(300, 12, seed % 7)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    order = rng.permutation(300)
    want = measure(x, y).value
    moved = (scale * x.astype(float) @ turn + rng.standard_normal(12)).astype(np.float32)
    assert measure(moved[order], y[order]).value == pytest.approx(want, abs=2e-6)


def test_blind_to_every_invertible_map_when_all_directions_are_kept():
    x, y = like_bert(400, 12)
    rng = np.random.default_rng(3)
    mapped = x.astype(float) @ rng.standard_normal((12, 12))
    assert measure(mapped, y.astype(float), variance=1.0).value == pytest.approx(slow(x, y, 1.0)[0], abs=1e-7)


def test_the_same_layer_is_at_distance_zero():
    x, _ = like_bert(400, 16)
    assert 0 <= measure(x, x.copy()).value < 1e-6


def test_says_how_close_the_cut_between_kept_and_dropped_directions_is():
    x, y = like_bert(600, 20)
    gaps = []
    for a in (x, y):
        w = np.linalg.svd(a.astype(float) - a.mean(0, dtype=float), compute_uv=False) ** 2
        k = int(np.searchsorted(np.cumsum(w) / w.sum(), 0.9)) + 1
        gaps.append(1 - w[k] / w[k - 1])
    assert measure(x, y, variance=0.9).details["gap_at_cut"] == pytest.approx(min(gaps), rel=1e-2)


def test_orthogonal_directions_are_at_distance_one():
    rng = np.random.default_rng(0)
    q = np.linalg.qr(rng.standard_normal((200, 8)) - 0)[0]
    q = np.linalg.qr(q - q.mean(0))[0]
    assert measure(q[:, :4].astype(np.float32), q[:, 4:].astype(np.float32)).value == pytest.approx(1, abs=1e-6)


def test_symmetric_and_for_sides_of_different_width():
    x, y = like_bert(500, 16)
    y = y[:, :10]
    assert measure(x, y).value == pytest.approx(slow(x, y)[0], abs=1e-6)
    assert measure(y, x).value == pytest.approx(measure(x, y).value, abs=1e-6)


def test_one_kept_reference_serves_other_layers():
    x, y = like_bert(500, 16)
    _, z = like_bert(500, 16, seed=5)
    context = Context()
    measure(x, y, context=context)
    assert measure(z, y, context=context).value == pytest.approx(slow(z, y)[0], abs=1e-6)


def test_kept_sides_of_other_words_or_variance_are_not_mixed_up():
    x, y = like_bert(400, 8)
    context = Context()
    text = [MemoryCorpus([4] * 100, words=[(4 * i + j, 2) for i in range(100)]) for j in (0, 1)]
    for corpus in text:
        want = measure(x, y, corpus, tokens="words").value
        assert measure(x, y, corpus, context, tokens="words").value == pytest.approx(want, abs=1e-9)
    assert measure(x, y, text[0], context, variance=0.5).details["k_x"] < measure(x, y, text[0], context).details["k_x"]


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
def test_tokens_choose_rows(chunk):
    """content leaves special tokens out, cls takes firsts, words average sub-words also across chunk borders."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, 9, 60)
    starts = np.cumsum(lengths) - lengths
    special = np.zeros(lengths.sum(), bool)
    special[starts] = special[starts + lengths - 1] = True
    words = [
        (s + 1, n - 2) if n < 6 else w
        for s, n in zip(starts, lengths, strict=True)
        for w in ([(s + 1, n - 2)] if n < 6 else [(s + 1, 1), (s + 2, n - 3)])
    ]
    corpus = MemoryCorpus(lengths, words=[(int(a), int(b)) for a, b in words], special=special)
    x, y = like_bert(int(lengths.sum()), 5)
    rows = {
        "all": (x, y),
        "content": (x[~special], y[~special]),
        "cls": (x[starts], y[starts]),
        "words": tuple(np.array([a[f : f + n].astype(float).mean(0) for f, n in words]) for a in (x, y)),
    }
    for tokens, (a, b) in rows.items():
        value = measure(x, y, corpus, chunk=chunk, tokens=tokens)
        assert value.n == len(a), tokens
        assert value.value == pytest.approx(slow(a, b)[0], abs=1e-6), tokens


def test_every_stored_chunk_is_read_once():
    x, y = like_bert(100, 4)
    for tokens in ("all", "content", "cls", "words"):
        corpus = MemoryCorpus([5] * 20, words=[(5 * i + 1, 3) for i in range(20)])
        side = MemoryLayer(x, hidden_chunk=32)
        given_ = Given.layers(corpus, side, MemoryLayer(y))
        SVCCA.compute(given_, dict(SVCCA.settle({"tokens": tokens})), Context())
        assert side.reads == [(0, 32), (32, 64), (64, 96), (96, 100)], tokens


def test_no_more_tokens_than_dimensions_is_no_number():
    x, y = like_bert(12, 12)
    value = measure(x, y)
    assert value.value is None
    assert value.n == 12
    assert "too few tokens" in value.reason


def test_few_tokens_give_a_number_with_a_warning():
    x, y = like_bert(20, 12)
    value = measure(x, y)
    assert value.value == pytest.approx(slow(x, y)[0], abs=1e-6)
    assert "few tokens" in value.reason
    assert value.details["n_over_d"] == 1.6667
    assert measure(*like_bert(400, 12)).reason == ""


def test_constant_features_count_for_nothing():
    x, y = like_bert(400, 12)
    x[:, 5] = np.float32(0.1)
    y[:, 7] = y[:, 8]
    value = measure(x, y, chunk=150)
    assert value.value == pytest.approx(slow(x, y)[0], abs=1e-6)
    assert value.details["constant_features"] == 1


@pytest.mark.parametrize("constant", [0.0, 0.1, 1234.567])
def test_a_layer_that_does_not_vary_is_no_number(constant):
    x, y = like_bert(100, 6)
    value = measure(np.full_like(x, constant), y, chunk=33)
    assert value.value is None
    assert "do not vary" in value.reason


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_an_error(bad):
    x, y = like_bert(100, 6)
    y[77, 2] = bad
    with pytest.raises(MeasureError, match="NaN or infinite"):
        measure(x, y, chunk=50)


def test_parameters_are_checked():
    with pytest.raises(MeasureError, match="tokens"):
        SVCCA.settle({"tokens": "some"})
    with pytest.raises(MeasureError, match="variance"):
        SVCCA.settle({"variance": 1.5})
