"""Is the attention divergence the one of the paper, in bits, also where it is tiny and where it is everything?"""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given, MeasureError
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer, answers, golden, pack

JS = get("js")
DEFAULTS = dict(JS.settle({}))


def measure(a, b, chunk=1 << 30):
    """Values of lists of maps [heads, l, l]: the layer's and those of the heads."""
    corpus = MemoryCorpus([m.shape[1] for m in a])
    sides = [MemoryLayer(maps=pack(maps), attention_chunk=chunk) for maps in (a, b)]
    layer, *heads = JS.compute(Given.layers(corpus, *sides), DEFAULTS, Context())
    return layer, heads


def slow(p, q):
    """JS in bits of rows, both KL terms in float64."""
    p, q = (np.asarray(x, float) / np.asarray(x, float).sum(-1, keepdims=True) for x in (p, q))
    m = (p + q) / 2
    with np.errstate(all="ignore"):
        return sum(np.where(x > 0, x * np.log2(x / m), 0).sum(-1) for x in (p, q)) / 2


def maps(seed, lengths=(3, 8, 1, 20), heads=2, sharp=1.0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    logits = [sharp * rng.standard_normal((heads, n, n)) for n in lengths]
    return [(np.exp(x) / np.exp(x).sum(-1, keepdims=True)).astype(dtype) for x in logits]


def test_golden_values():
    got = golden("attention_5x4")
    want = answers("attention_5x4")
    layer, heads = measure(*([got[f"{side}{i}"] for i in range(5)] for side in "ab"), chunk=100)
    assert [h.value for h in heads] == pytest.approx(want["js per head (mean over examples)"]["value"], abs=1e-7)
    hao = want["js of the layer: mean over examples, heads, queries (Hao et al.)"]["value"]
    assert layer.value == pytest.approx(hao, abs=1e-7)
    assert [h.head for h in heads] == [1, 2, 3, 4]
    assert (layer.head, layer.n) == (None, 5)


@pytest.mark.parametrize("chunk", [1, 5, 64, 1 << 30])
@pytest.mark.parametrize("sharp", [0.01, 1.0, 20.0])
def test_agrees_with_two_kl_terms(chunk, sharp):
    a, b = maps(0, sharp=sharp), maps(1, sharp=sharp)
    want = np.array([slow(x, y).mean(-1) for x, y in zip(a, b, strict=True)]).mean(0)
    layer, heads = measure(a, b, chunk)
    assert [h.value for h in heads] == pytest.approx(want, rel=2e-6, abs=1e-10)
    assert layer.value == pytest.approx(want.mean(), rel=2e-6, abs=1e-10)


def test_tiny_divergences_keep_their_digits():
    """Two KL terms in float32 would be wrong in the first digit here; the oracle has 60 digits."""
    getcontext().prec = 60
    rng = np.random.default_rng(0)
    p = rng.random((1, 16, 16)).astype(np.float32) + np.float32(0.1)
    q = (p * (1 + 1e-4 * rng.standard_normal(p.shape))).astype(np.float32)
    total = Decimal(0)
    for row_p, row_q in zip(p[0], q[0], strict=True):
        sums = [sum(Decimal(float(x)) for x in row) for row in (row_p, row_q)]
        for x, y in zip(row_p, row_q, strict=True):
            x, y = Decimal(float(x)) / sums[0], Decimal(float(y)) / sums[1]
            m = (x + y) / 2
            total += (x * (x / m).ln() + y * (y / m).ln()) / 2
    want = float(total / 16 / Decimal(2).ln())
    assert 1e-10 < want < 1e-8
    assert measure([p], [q])[0].value == pytest.approx(want, rel=1e-3)


def test_one_entry_that_nearly_vanishes_keeps_its_digits():
    """1 - r^2 in float32 would be off by percents for ratios around a million."""
    for ratio in (1e-3, 1e-5, 1e-6, 5e-7, 1e-7, 1e-12, 0):
        p, q = np.array([[[1 - ratio, ratio], [1, 0]]]), np.array([[[ratio, 1 - ratio], [0, 1]]])
        p, q = p.astype(np.float32), q.astype(np.float32)
        assert measure([p], [q])[0].value == pytest.approx(slow(p, q).mean(), abs=1e-6), ratio


def test_disjoint_attention_is_one_bit_and_the_same_is_zero():
    eye = np.eye(4, dtype=np.float16)[None]
    assert measure([eye], [np.roll(eye, 1, -1)])[0].value == pytest.approx(1, abs=1e-6)
    assert measure([eye], [eye])[0].value == 0
    a = maps(0)
    assert measure(a, a)[0].value == 0


def test_rows_of_stored_float16_are_restored():
    a, b = maps(0, dtype=np.float64), maps(1, dtype=np.float64)
    stored = [[x.astype(np.float16) for x in side] for side in (a, b)]
    want = np.mean([slow(x, y).mean() for x, y in zip(*stored, strict=True)])
    assert measure(*stored)[0].value == pytest.approx(want, rel=1e-6)
    scaled = [x * np.float32(1.0004) for x in maps(0)]
    assert measure(scaled, maps(0))[0].value < 1e-12


def test_each_example_weighs_the_same():
    one, zero = np.eye(2, dtype=np.float32)[None], np.full((1, 9, 9), 1 / 9, np.float32)
    layer, _ = measure([one, zero], [one[:, ::-1], zero])
    assert layer.value == pytest.approx(0.5, abs=1e-6)


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    seed=st.integers(0, 1000),
    sharp=st.floats(0, 50),
    chunk=st.integers(1, 200),
)
def test_symmetric_within_bounds_and_blind_to_the_order_of_examples(lengths, seed, sharp, chunk):
    a, b = maps(seed, lengths, sharp=sharp), maps(seed + 1, lengths, sharp=sharp)
    layer, heads = measure(a, b, chunk)
    assert 0 <= layer.value <= 1 + 1e-6
    assert layer.value == pytest.approx(np.mean([h.value for h in heads]))
    assert measure(b, a)[0].value == pytest.approx(layer.value, rel=1e-5, abs=1e-9)
    order = np.random.default_rng(seed).permutation(len(lengths))
    moved = measure([a[i] for i in order], [b[i] for i in order])[0]
    assert moved.value == pytest.approx(layer.value, rel=1e-5, abs=1e-9)


def test_every_stored_chunk_is_read_once_a_head():
    a = MemoryLayer(maps=pack(maps(0)), attention_chunk=100)
    b = MemoryLayer(maps=pack(maps(1)))
    JS.compute(Given.layers(MemoryCorpus([3, 8, 1, 20]), a, b), DEFAULTS, Context())
    want = [(at, min(at + 100, 474)) for at in range(0, 474, 100)]
    assert a.reads == want * 2


def test_another_number_of_heads_is_an_error():
    a, b = (MemoryLayer(maps=pack(maps(0, heads=h))) for h in (2, 3))
    with pytest.raises(MeasureError, match="2 and 3 attention heads"):
        JS.compute(Given.layers(MemoryCorpus([3, 8, 1, 20]), a, b), DEFAULTS, Context())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_an_error(bad):
    a = maps(0)
    a[3][0, 4, 5] = bad
    with pytest.raises(MeasureError, match="head 1"):
        measure(a, maps(1))
