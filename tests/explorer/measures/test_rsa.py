"""Does rsa correlate the right pairs, without ever making the matrix of pairs, and does it say when it cannot?"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given, MeasureError, rsa_ranks
from explorer.measures.computation import Uncertainty
from explorer.measures.registry import get
from tests.explorer.measures.memory import PAIRS, MemoryCorpus, MemoryLayer, answers, golden, one_token_each
from tests.oracle import rsa_score, upper_similarities

RSA = get("rsa")
CHOICES = [
    (kernel, score, features)
    for kernel in ("cosine", "correlation")
    for score in ("pearson", "spearman")
    for features in ("raw", "zscore")
]


def ask(x, y, corpus=None, trust=None, context=None, chunk=1 << 30, **parameters):
    sides = [MemoryLayer(np.asarray(a), hidden_chunk=chunk) for a in (x, y)]
    context = context or Context(trust=trust or Uncertainty())
    (value,) = RSA.compute(
        Given.layers(corpus or one_token_each(len(x)), *sides), dict(RSA.settle(parameters)), context
    )
    return value


def score(*args, **kwargs):
    return ask(*args, **kwargs).value


def pair(seed, n=60, width=9, noise=1.0):
    """Two related sides with an offset and unequal scales, as encoders have."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, width)) * rng.uniform(0.3, 3, width) + rng.standard_normal(width)
    return x.astype(np.float32), (x + noise * rng.standard_normal((n, width))).astype(np.float32)


def rotation(seed, width):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))[0]


class TestValue:
    @pytest.mark.parametrize("name", PAIRS)
    def test_golden_value(self, name):
        got = golden(name)
        want = answers(name)["rsa cosine kernel, pearson of upper triangles"]["value"]
        value = ask(got["x"], got["y"], chunk=300)
        assert value.value == pytest.approx(want, abs=1e-6)
        n = len(got["x"])
        assert (value.n, value.details["pairs"]) == (n, n * (n - 1) // 2)

    @pytest.mark.parametrize(("kernel", "how", "features"), CHOICES)
    @pytest.mark.parametrize("chunk", [7, 1 << 30])
    def test_agrees_with_all_pairs_written_out(self, kernel, how, features, chunk):
        x, y = pair(0)
        want = rsa_score(x, y, kernel, how, features == "zscore")
        got = score(x, y, chunk=chunk, kernel=kernel, score=how, features=features)
        assert got == pytest.approx(want, abs=1e-7 if how == "pearson" else 1e-6)

    def test_closed_form_of_three_tokens(self):
        """Angles of 0, 60 and 90 degrees against 0, 90 and 60: cosines 1/2, 0, cos 30 against 0, 1/2, cos 30."""
        x, y = (
            np.array([[np.cos(a), np.sin(a)] for a in np.radians(d)], np.float32) for d in ([0, 60, 90], [0, 90, 60])
        )
        half, high = 0.5, np.sqrt(0.75)
        assert score(x, y) == pytest.approx(np.corrcoef([half, 0, high], [0, half, high])[0, 1], abs=1e-6)

    def test_keeps_its_digits_where_all_tokens_point_nearly_the_same_way(self):
        """Cosines between 1 - 1e-7 and 1: float32 cosines would all be the same number."""
        rng = np.random.default_rng(0)
        x = (10 + 1e-3 * rng.standard_normal((80, 6))).astype(np.float32)
        y = (x + 1e-3 * rng.standard_normal((80, 6))).astype(np.float32)
        assert upper_similarities(x).min() > 1 - 1e-6
        assert score(x, y) == pytest.approx(rsa_score(x, y), abs=1e-5)

    def test_of_layers_of_different_width(self):
        x, y = pair(0)
        assert score(x, y[:, :4]) == pytest.approx(rsa_score(x, y[:, :4]), abs=1e-7)

    @pytest.mark.parametrize("tokens", ["all", "content", "cls", "words"])
    def test_compares_the_chosen_tokens(self, tokens):
        x, y = pair(0, n=40)
        special = np.isin(np.arange(40) % 8, [0, 7])
        words = [(8 * e + 1 + 2 * w, 2) for e in range(5) for w in range(3)]
        corpus = MemoryCorpus([8] * 5, words, special=special)
        rows = {
            "all": lambda a: a,
            "content": lambda a: a[~special],
            "cls": lambda a: a[::8],
            "words": lambda a: np.array([a[f : f + n].mean(0) for f, n in words]),
        }[tokens]
        value = ask(x, y, corpus, tokens=tokens, chunk=11)
        assert value.value == pytest.approx(rsa_score(rows(x), rows(y)), abs=1e-6)
        assert value.n == len(rows(x))

    def test_many_tokens_need_no_matrix_of_pairs(self):
        """40,000 tokens have 800 million pairs: 6 GB; what numpy holds at once is about the tokens themselves."""
        x, y = pair(0, n=40_000, width=4)
        few = np.random.default_rng(0).choice(40_000, 3000, replace=False)
        tracemalloc.start()
        try:
            value = ask(x, y, sample=50_000)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 20 * x.nbytes
        assert value.details["pairs"] == 40_000 * 39_999 // 2
        assert value.value == pytest.approx(rsa_score(x[few], y[few]), abs=0.02)


class TestInvariance:
    @settings(max_examples=20)
    @given(seed=st.integers(0, 999), scale=st.floats(1e-3, 1e3), kind=st.sampled_from(["pearson", "spearman"]))
    def test_rotation_and_scale_change_nothing(self, seed, scale, kind):
        x, y = pair(seed, n=30)
        turned = (scale * x @ rotation(seed, x.shape[1])).astype(np.float32)
        assert score(x, turned, score=kind) == pytest.approx(1, abs=1e-5 if kind == "pearson" else 1e-3)
        assert score(turned, y) == pytest.approx(score(x, y), abs=1e-5)

    def test_a_shift_of_all_tokens_matters_to_the_cosine_but_not_once_features_are_standardised(self):
        x, _ = pair(0)
        moved = x + np.float32(5) * np.arange(9, dtype=np.float32)
        assert score(x, moved) < 0.95
        assert score(x, moved, features="zscore") == pytest.approx(1, abs=1e-5)

    def test_one_dimension_of_large_variance_decides_the_cosine_but_not_standardised_features(self):
        """Rogue dimensions (Timkey and van Schijndel 2021)."""
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((2, 60, 9)).astype(np.float32)
        x[:, 0] = y[:, 0] = 100 * rng.standard_normal(60)
        assert score(x, y) > 0.9
        assert score(x, y, features="zscore") < 0.5

    def test_the_same_number_added_to_a_tokens_features_matters_to_the_cosine_only(self):
        x, _ = pair(0)
        moved = x + np.linspace(-9, 9, len(x), dtype=np.float32)[:, None]
        assert score(x, moved) < 0.95
        assert score(x, moved, kernel="correlation") == pytest.approx(1, abs=1e-4)

    @settings(max_examples=20)
    @given(seed=st.integers(0, 999), choice=st.sampled_from(CHOICES))
    def test_symmetric_bounded_one_with_itself_and_blind_to_the_order_of_tokens(self, seed, choice):
        given_ = dict(zip(("kernel", "score", "features"), choice, strict=True))
        x, y = pair(seed, n=25)
        value = score(x, y, **given_)
        assert -1 <= value <= 1
        assert score(y, x, **given_) == pytest.approx(value, abs=1e-9)
        assert score(x, x, **given_) == pytest.approx(1, abs=1e-9)
        order = np.random.default_rng(seed).permutation(25)
        assert score(x[order], y[order], **given_) == pytest.approx(value, abs=1e-6)


class TestSample:
    def test_is_a_uniform_draw_that_the_seed_decides(self):
        x, y = pair(0, n=200)
        one, again, other = (ask(x, y, sample=50, sample_seed=s) for s in (0, 0, 1))
        assert one.value == again.value != other.value
        assert (one.n, one.details["of"], one.details["sample_seed"], other.details["sample_seed"]) == (50, 200, 0, 1)
        rows = np.sort(np.random.default_rng(0).choice(200, 50, replace=False, shuffle=False))
        assert one.value == pytest.approx(rsa_score(x[rows], y[rows]), abs=1e-7)

    def test_of_all_there_is_takes_everything(self):
        x, y = pair(0)
        assert score(x, y, sample=60) == score(x, y, sample=61, sample_seed=5)

    def test_is_the_same_for_every_checkpoint_so_that_a_side_is_read_once(self):
        x, y = pair(0, n=100)
        z = y + np.float32(1)
        context = Context()
        layers = [MemoryLayer(a) for a in (x, y, z)]
        settled = dict(RSA.settle({"sample": 40}))
        for layer in layers[:2]:
            RSA.compute(Given.layers(one_token_each(100), layer, layers[2]), settled, context)
        assert [len(layer.reads) for layer in layers] == [1, 1, 1]

    def test_what_is_kept_does_not_serve_another_question(self):
        x, y = pair(0, n=100)
        context = Context()
        for given_ in ({}, {"kernel": "correlation"}, {"features": "zscore"}, {"sample": 30}, {"score": "spearman"}):
            assert ask(x, y, context=context, **given_).value == score(x, y, **given_)


class TestNoAnswer:
    def test_two_tokens_have_one_pair(self):
        x, y = pair(0, n=2)
        value = ask(x, y)
        assert value.value is None
        assert "too few tokens: 2" in value.reason

    @pytest.mark.parametrize(("kernel", "row"), [("cosine", 0.0), ("correlation", 3.0)])
    def test_a_token_without_direction_has_no_similarity(self, kernel, row):
        x, y = pair(0)
        y[7] = row
        value = ask(x, y, kernel=kernel)
        assert value.value is None
        assert value.reason.startswith("1 of 60 sampled tokens of the reference")

    @pytest.mark.parametrize("how", ["pearson", "spearman"])
    def test_tokens_that_are_all_alike_have_nothing_to_correlate(self, how):
        x, y = pair(0)
        y[:] = np.outer(np.linspace(1, 2, 60), y[0])  # one direction, many lengths
        value = ask(x, y, score=how)
        assert value.value is None
        assert "all sampled tokens are alike" in value.reason

    def test_constant_features_are_counted_where_features_are_standardised(self):
        x, y = pair(0)
        y[:, 3] = y[:, 5] = 0.3
        value = ask(x, y, features="zscore")
        assert value.details["constant_features"] == 2
        kept = np.delete(y, [3, 5], axis=1)
        assert value.value == pytest.approx(rsa_score(x, kept, zscored=True), abs=1e-6)
        assert "constant_features" not in ask(x, y).details

    def test_a_feature_that_only_the_rounding_of_float16_moves_is_constant(self):
        """As dimension 319 of the last layer of MiniLM: its deviation of 7e-9 is below the smallest float16, 6e-8."""
        x, y = pair(0)
        want = rsa_score(x, np.delete(y, 7, axis=1), zscored=True)
        y[:, 7] = (7e-9 * np.random.default_rng(3).standard_normal(60) - 1e-7).astype(np.float16)
        assert y[:, 7].std() > 0
        value = ask(x, y, features="zscore")
        assert value.value == pytest.approx(want, abs=1e-6)
        assert value.details["constant_features"] == 1

    def test_too_many_pairs_to_rank(self, monkeypatch):
        monkeypatch.setattr("explorer.measures.rsa.LARGEST", 50)
        x, y = pair(0)
        assert "at most 50 tokens" in ask(x, y, score="spearman").reason
        assert ask(x, y, score="spearman", sample=50).value is not None

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_not_finite_is_an_error(self, bad):
        x, y = pair(0)
        x[4, 4] = bad
        with pytest.raises(MeasureError, match="hidden states"):
            ask(x, y)


class TestRanks:
    def test_equal_similarities_share_their_rank(self):
        from scipy.stats import rankdata

        from explorer.measures.rsa_pairs import unit_rows

        x = np.random.default_rng(0).integers(-2, 3, (40, 3)).astype(np.float32)
        x = x[np.abs(x).sum(1) > 0]
        unit, *_ = unit_rows(x, centred=False, zscored=False)
        got = rsa_ranks.pair_ranks(unit, "cpu") / 2
        want = rankdata(np.round(upper_similarities(x), 7))
        assert np.unique(want).size < len(want) / 3
        assert (got == want).all()

    def test_shared_ranks_are_scipys_whatever_the_chunks(self, monkeypatch):
        from scipy.stats import rankdata

        rng = np.random.default_rng(0)
        for chunk in (1, 3, 1000):
            monkeypatch.setattr(rsa_ranks, "CHUNK", chunk)
            values = rng.integers(-5, 6, 200).astype(np.float32)
            packed = rsa_ranks._sortable(values).astype(np.uint64) << np.uint64(32) | np.arange(200, dtype=np.uint64)
            assert (rsa_ranks._shared_ranks(np.sort(packed)) == 2 * rankdata(values)).all()


class TestNull:
    LENGTHS = (3, 9, 5, 1, 8, 4, 10)

    def test_permutes_whole_examples_of_the_reference(self):
        """Similarity that comes from position within an example alone survives, if examples are of one length."""
        rng = np.random.default_rng(0)
        place = rng.standard_normal((6, 8))
        x = np.concatenate([place + 0.01 * rng.standard_normal((6, 8)) for _ in range(7)]).astype(np.float32)
        value = ask(x, x, MemoryCorpus([6] * 7), Uncertainty(null=3))
        assert value.null > 0.99
        assert 0 < value.details["null_sd"] < 0.01

    @pytest.mark.parametrize("how", ["pearson", "spearman"])
    @pytest.mark.parametrize("interval", ["", "jackknife"])
    def test_agrees_with_the_rows_permuted_by_hand(self, how, interval):
        x, y = pair(0, n=sum(self.LENGTHS))
        corpus = MemoryCorpus(self.LENGTHS)
        value = ask(x, y, corpus, Uncertainty(null=1, seed=4, interval=interval), score=how)
        order = np.random.default_rng([4, 0, 0]).permutation(len(self.LENGTHS))
        rows = np.concatenate([np.arange(corpus.offsets[e], corpus.offsets[e + 1]) for e in order])
        assert value.null == pytest.approx(rsa_score(x, y[rows], how=how), abs=1e-6)
        assert value.value == pytest.approx(score(x, y, score=how), abs=1e-12)

    def test_is_near_zero_for_unrelated_tokens_and_the_same_for_the_same_seed(self):
        x, y = pair(0, n=200)
        first, again = (ask(x, y, trust=Uncertainty(null=5, seed=1)) for _ in range(2))
        assert abs(first.null) < 0.1 < first.value
        assert (first.null, first.details) == (again.null, again.details)

    def test_one_example_has_no_order_to_permute(self):
        x, y = pair(0, n=20)
        value = ask(x, y, MemoryCorpus([20]), Uncertainty(null=2))
        assert value.null is None
        assert "one example" in value.details["no_null"]


class TestInterval:
    def test_jackknife_leaves_whole_examples_out_of_both_axes(self):
        """Against leaving them out by hand."""
        lengths = (3, 9, 5, 2, 8)
        x, y = pair(0, n=sum(lengths))
        corpus = MemoryCorpus(lengths)
        value = ask(x, y, corpus, Uncertainty(interval="jackknife"))
        example = np.repeat(np.arange(5), lengths)
        left_out = [rsa_score(x[example != e], y[example != e]) for e in range(5)]
        half = np.std(left_out) * 2 * 2.7764451  # sqrt(G - 1) and Student's t, 4 degrees of freedom
        assert value.interval == pytest.approx((value.value - half, value.value + half), abs=1e-6)
        assert value.details["interval_groups"] == 5

    def test_bootstrap_counts_a_pair_as_often_as_both_its_tokens_are_drawn(self):
        x, y = pair(0, n=12)
        trust = Uncertainty(interval="bootstrap", resamples=50, level=0.8, seed=2)
        value = ask(x, y, trust=trust)
        drawn = np.random.default_rng([2, 1 << 20]).multinomial(12, np.full(12, 1 / 12), size=50)
        i, j = np.triu_indices(12, 1)
        a, b = upper_similarities(x), upper_similarities(y)
        again = []
        for w in drawn:
            weight = w[i] * w[j]
            cov = np.cov(np.stack([a, b]), aweights=weight, ddof=0)
            again.append(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]))
        assert value.interval == pytest.approx(np.quantile(again, [0.1, 0.9]), abs=1e-6)

    @pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
    def test_covers_the_truth_about_as_often_as_it_says(self, method):
        truth = score(*self.world(0, examples=1500), sample=10_000)
        hits = 0
        for seed in range(1, 61):
            x, y = self.world(seed, examples=80)
            low, high = ask(x, y, MemoryCorpus([3] * 80), Uncertainty(interval=method, level=0.9)).interval
            hits += low <= truth <= high
        assert 0.78 <= hits / 60 <= 0.99

    @staticmethod
    def world(seed, examples):
        """Three tokens an example that resemble each other, the same noise everywhere."""
        rng = np.random.default_rng(seed)
        topic = np.repeat(rng.standard_normal((examples, 5)), 3, axis=0)
        x = topic + 0.7 * rng.standard_normal((3 * examples, 5)) + 0.5
        return x.astype(np.float32), (x + 0.8 * rng.standard_normal(x.shape)).astype(np.float32)

    def test_spearmans_keeps_the_ranks_of_the_whole_sample_and_says_so(self):
        x, y = pair(0)
        value = ask(x, y, trust=Uncertainty(interval="jackknife"), score="spearman")
        assert value.interval[0] < value.value < value.interval[1]
        assert "whole sample" in value.details["interval_ranks"]

    def test_two_examples_are_too_few(self):
        x, y = pair(0, n=20)
        value = ask(x, y, MemoryCorpus([12, 8]), Uncertainty(interval="bootstrap"))
        assert value.interval is None
        assert "3 examples" in value.details["no_interval"]
