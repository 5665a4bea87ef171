"""What the measures of a spectrum share: kept sides, what they are blind to, warnings, refusals and intervals."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given, MeasureError, sides, tokens
from explorer.measures.computation import Uncertainty
from explorer.measures.registry import get
from tests.explorer.measures.linear_samples import like_bert
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer, MemoryShelf, one_token_each
from tests.explorer.measures.spectrum_samples import SPECTRUM, measure, singular_values, with_spectrum

EACH = pytest.mark.parametrize("name", SPECTRUM)


def compute(name, layers, corpus, context):
    return get(name).compute(Given.layers(corpus, *layers), dict(get(name).settle({})), context)[0]


class TestKeptSides:
    @pytest.fixture
    def decompositions(self, monkeypatch):
        count = []
        real = sides._eigen
        monkeypatch.setattr(sides, "_eigen", lambda *a: count.append(1) or real(*a))
        return count

    @pytest.mark.parametrize("place", ["the process", "the shelf"])
    def test_nothing_is_read_after_svcca(self, place, decompositions):
        x, y = like_bert(500, 16)
        layers = [MemoryLayer(a, hidden_chunk=200) for a in (x, y)]
        corpus, context = one_token_each(500), Context(shelf=MemoryShelf())
        compute("svcca", layers, corpus, context)
        before = [len(layer.reads) for layer in layers]
        later = context if place == "the process" else Context(shelf=context.shelf)
        for name in SPECTRUM:
            for layer in layers:
                value = compute(name, [layer], corpus, later)
                assert value.value == pytest.approx(measure(name, layer.states).value, rel=1e-12)
        assert [len(layer.reads) for layer in layers] == before == [3, 3]
        assert len(decompositions) == 2 + len(SPECTRUM) * 2  # the others are those of measure() on its own

    @EACH
    def test_svcca_finds_what_they_made(self, name, decompositions):
        x, y = like_bert(500, 16)
        layers = [MemoryLayer(a, hidden_chunk=200) for a in (x, y)]
        corpus, shelf = one_token_each(500), MemoryShelf()
        for layer in layers:
            compute(name, [layer], corpus, Context(shelf=shelf))
        assert (len(decompositions), [len(layer.reads) for layer in layers]) == (2, [3, 3])
        kept = set(shelf.arrays)
        compute("svcca", layers, corpus, Context(shelf=shelf))
        assert len(decompositions) == 2
        assert set(shelf.arrays) == kept
        assert [len(layer.reads) for layer in layers] == [6, 6]  # the one pass for X'Y

    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_the_side_is_the_same_to_the_bit_whoever_made_it(self, dtype):
        layers = [MemoryLayer(a, hidden_chunk=200) for a in like_bert(500, 16, dtype=dtype)]
        pair, alone = MemoryShelf(), MemoryShelf()
        compute("svcca", layers, one_token_each(500), Context(shelf=pair))
        for layer in layers:
            compute("anisotropy", [layer], one_token_each(500), Context(shelf=alone))
        assert set(pair.arrays) == set(alone.arrays)
        for key, arrays in pair.arrays.items():
            for field, array in arrays.items():
                np.testing.assert_array_equal(alone.arrays[key][field], array, err_msg=field)

    def test_the_three_read_a_layer_once(self):
        x, _ = like_bert(500, 16)
        layer, context = MemoryLayer(x, hidden_chunk=200), Context()
        for name in SPECTRUM:
            compute(name, [layer], one_token_each(500), context)
        assert layer.reads == [(0, 200), (200, 400), (400, 500)]

    def test_other_rows_of_the_same_layer_are_not_mixed_up(self):
        x, _ = like_bert(500, 8)
        special = np.zeros(500, bool)
        special[::5] = True
        corpus = MemoryCorpus([5] * 100, words=[(5 * i + 1, 2) for i in range(100)], special=special)
        words = (x[1::5].astype(float) + x[2::5]) / 2
        picked = {"all": x, "content": x[~special], "cls": x[::5], "words": words}
        assert tuple(picked) == tokens.CHOICES
        context = Context()
        for choice, rows in picked.items():
            value = measure("effective-rank", x, corpus, context, tokens=choice)
            assert value.n == len(rows)
            assert value.value == pytest.approx(measure("effective-rank", rows).value, rel=1e-6), choice


@EACH
def test_the_choice_of_tokens_is_that_of_the_linear_family(name):
    (parameter,) = (p for p in get(name).parameters if p.name == "tokens")
    (other,) = (p for p in get("svcca").parameters if p.name == "tokens")
    assert replace(parameter, help="") == replace(other, help="")


@EACH
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
def test_blind_to_rotation_scale_shift_and_order(name, seed, scale):
    x, _ = like_bert(300, 12, seed % 7)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    moved = scale * (x.astype(float) @ turn) + rng.standard_normal(12)
    assert measure(name, moved[rng.permutation(300)]).value == pytest.approx(measure(name, x).value, rel=1e-6)


@given(
    exponents=st.lists(st.floats(-2, 2), min_size=1, max_size=10),
    n=st.integers(12, 40),
)
def test_each_is_at_most_the_next(exponents, n):
    """1 / anisotropy <= participation ratio <= rank of eigenvalues <= rank of singular values <= width."""
    x = with_spectrum(n, 10.0 ** np.array(exponents))
    by_eigenvalues = measure("effective-rank", x, spectrum="eigenvalues").value
    chain = [
        1,
        1 / measure("anisotropy", x).value,
        measure("participation-ratio", x).value,
        by_eigenvalues,
        measure("effective-rank", x).value,
        len(exponents),
    ]
    assert all(a <= b * (1 + 1e-9) for a, b in itertools.pairwise(chain)), chain


class TestStorage:
    @EACH
    def test_outlier_dimensions_and_a_large_mean_cost_no_digits(self, name):
        x, _ = like_bert(500, 24)
        shifted = x.astype(float)
        shifted[:, 7] = shifted[:, 7] * 30 + 4000
        want = measure(name, shifted - shifted.mean(0)).value
        assert measure(name, shifted, chunk=50).value == pytest.approx(want, rel=1e-9)

    @EACH
    def test_float16_changes_the_value_little(self, name):
        x, _ = like_bert(800, 24)
        assert measure(name, x.astype(np.float16)).value == pytest.approx(measure(name, x).value, rel=1e-3)

    @EACH
    def test_directions_that_rounding_made_are_not_counted(self, name):
        rng = np.random.default_rng(0)
        x = with_spectrum(400, np.r_[40.0, 30, 20, 15, 10, np.zeros(15)]) + rng.standard_normal(20) * 3
        stored = x.astype(np.float16)
        assert np.linalg.matrix_rank(stored.astype(float) - stored.astype(float).mean(0)) == 20
        value = measure(name, stored)
        assert value.details["k"] == 5
        assert value.value == pytest.approx(measure(name, x).value, rel=1e-3)
        assert value.details["eigenvalue_cut"] == sides.CUT

    @EACH
    def test_constant_features_are_counted_and_change_nothing(self, name):
        x, _ = like_bert(400, 12)
        wide = np.insert(x, 5, np.float32(0.1), axis=1)
        value = measure(name, wide, chunk=150)
        assert value.value == pytest.approx(measure(name, x).value, rel=1e-9)
        assert (value.details["constant_features"], value.details["k"], value.details["width"]) == (1, 12, 13)


class TestFewTokens:
    @EACH
    @pytest.mark.parametrize("n", [2, 12, 20])
    def test_no_more_than_dimensions_is_a_warning(self, name, n):
        x = like_bert(n, 20)[0].astype(float)
        value = measure(name, x)
        assert value.details["k"] == n - 1 == len(singular_values(x))
        assert value.value is not None
        assert f"at most {n - 1} directions" in value.reason

    def test_says_where_the_value_lies(self):
        x, _ = like_bert(30, 20)
        assert all("the value is too small" in measure(name, x).reason for name in SPECTRUM[:2])
        assert "the value is too large" in measure("anisotropy", x).reason

    def test_how_many_are_wanted_depends_on_how_many_directions_count(self):
        x = with_spectrum(100, np.full(20, 1.0))
        assert "about 20 directions" in measure("effective-rank", x).reason
        steep = with_spectrum(100, 4.0 ** -np.arange(20))
        assert measure("participation-ratio", steep).reason == ""

    @pytest.mark.parametrize("n", [60, 150])
    def test_the_value_does_lie_there(self, n):
        rng = np.random.default_rng(0)
        spread = np.arange(1, 25) ** -0.5
        few = [rng.standard_normal((n, 24)) * spread for _ in range(10)]
        many = rng.standard_normal((20_000, 24)) * spread
        for name, sign in zip(SPECTRUM, (-1, -1, 1), strict=True):
            assert sign * (np.mean([measure(name, x).value for x in few]) - measure(name, many).value) > 0

    @EACH
    @pytest.mark.parametrize("n", [0, 1])
    def test_one_token_has_no_spectrum(self, name, n):
        value = measure(name, like_bert(20, 6)[0], MemoryCorpus([1] * n))
        assert (value.value, value.n) == (None, n)
        assert value.reason == f"too few tokens: {n}; a spectrum needs 2"


@EACH
@pytest.mark.parametrize("constant", [0.0, 0.1, 1234.567])
def test_a_layer_that_does_not_vary_is_no_number(name, constant):
    value = measure(name, np.full((100, 6), constant, np.float32), chunk=33)
    assert value.value is None
    assert "do not vary" in value.reason


@EACH
def test_what_rounding_alone_makes_is_no_number(name):
    rng = np.random.default_rng(0)
    value = measure(name, (1000 + 0.3 * rng.standard_normal((400, 6))).astype(np.float16))
    assert value.value is None
    assert value.reason == "the hidden states vary only by rounding"


@EACH
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_an_error(name, bad):
    x, _ = like_bert(100, 6)
    x[77, 2] = bad
    with pytest.raises(MeasureError, match="NaN or infinite"):
        measure(name, x, chunk=50)


class TestTrust:
    @EACH
    def test_there_is_no_null_and_the_row_says_why(self, name):
        x, _ = like_bert(200, 6)
        value = measure(name, x, context=Context(trust=Uncertainty(null=5)))
        assert value.null is None
        assert "whichever examples are permuted" in value.details["no_null"]
        assert get(name).null == ""
        assert "no_null" not in measure(name, x).details

    @EACH
    def test_the_jackknife_leaves_whole_groups_of_examples_out(self, name):
        x, _ = like_bert(400, 8)
        corpus = MemoryCorpus([4] * 100)
        context = Context(trust=Uncertainty(interval="jackknife", level=0.9))
        value = measure(name, x, corpus, context, chunk=70)
        left_out = [measure(name, np.delete(x, np.arange(20) + 20 * i, axis=0)).value for i in range(20)]
        error = np.sqrt(19 / 20 * ((left_out - np.mean(left_out)) ** 2).sum())
        half = 1.729132811521367 * error  # Student's t with 19 degrees of freedom
        assert value.interval == pytest.approx((value.value - half, value.value + half), rel=1e-6)
        assert value.details["interval_groups"] == 20

    @EACH
    def test_the_bootstrap_says_its_bias(self, name):
        x, _ = like_bert(400, 8)
        context = Context(trust=Uncertainty(interval="bootstrap", resamples=30))
        value = measure(name, x, MemoryCorpus([4] * 100), context)
        assert value.interval[0] < value.value < value.interval[1]
        assert value.details["bootstrap_bias"] != 0

    @EACH
    def test_the_interval_covers_what_other_sentences_as_many_would_show(self, name):
        rng = np.random.default_rng(0)
        spread = np.arange(1, 7) ** -0.8
        corpus, context = MemoryCorpus([4] * 60), Context(trust=Uncertainty(interval="jackknife", level=0.9))
        drawn = []
        for _ in range(60):
            tokens_of = 0.6 * rng.standard_normal((60, 1, 6)) + 0.8 * rng.standard_normal((60, 4, 6))
            drawn.append(measure(name, (tokens_of * spread).reshape(240, 6), corpus, context))
        mean = np.mean([v.value for v in drawn])
        assert 0.8 <= np.mean([v.interval[0] <= mean <= v.interval[1] for v in drawn]) <= 0.98

    def test_the_interval_stays_within_what_is_possible(self):
        x = with_spectrum(60, np.full(3, 1.0))
        context = Context(trust=Uncertainty(interval="jackknife", level=0.999))
        for name in SPECTRUM[:2]:
            assert measure(name, x, context=context).interval[1] <= 3
        assert measure("anisotropy", x, context=context).interval[0] >= 1 / 3

    @EACH
    def test_the_value_is_the_same_with_an_interval(self, name):
        x, _ = like_bert(300, 8)
        context = Context(trust=Uncertainty(interval="jackknife"))
        assert measure(name, x, context=context).value == measure(name, x).value

    @EACH
    def test_too_few_tokens_to_leave_some_out_is_said(self, name):
        x, _ = like_bert(20, 19)
        value = measure(name, x, context=Context(trust=Uncertainty(interval="jackknife")))
        assert value.interval is None
        assert "may have only 19 different ones" in value.details["no_interval"]

    @EACH
    def test_one_example_has_no_interval(self, name):
        x, _ = like_bert(100, 6)
        value = measure(name, x, MemoryCorpus([100]), Context(trust=Uncertainty(interval="jackknife")))
        assert value.details["no_interval"] == "one example cannot be resampled"

    def test_the_three_read_a_layer_once_for_their_intervals(self):
        x, _ = like_bert(300, 8)
        layer, context = MemoryLayer(x, hidden_chunk=100), Context(trust=Uncertainty(interval="jackknife"))
        for name in SPECTRUM:
            compute(name, [layer], MemoryCorpus([5] * 60), context)
        assert len(layer.reads) == 6  # the values, the groups
