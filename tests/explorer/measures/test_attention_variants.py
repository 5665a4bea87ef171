"""What the parameters of the attention measures leave out, weigh and add; entropy and sinks; nulls and intervals."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given, MeasureError
from explorer.measures import attention_rows as streaming
from explorer.measures.attention_sums import GROUPS
from explorer.measures.computation import Uncertainty
from explorer.measures.registry import get
from explorer.measures.resampling import ratio_interval
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer, answers, golden, pack
from tests.oracle import entropy_bits, js_bits, without_special

JS = get("js")
LENGTHS = (3, 8, 4, 20, 8, 4, 8)


def maps(seed, lengths=LENGTHS, heads=2, sharp=1.0):
    rng = np.random.default_rng(seed)
    logits = [sharp * rng.standard_normal((heads, n, n)) for n in lengths]
    return [(np.exp(x) / np.exp(x).sum(-1, keepdims=True)).astype(np.float32) for x in logits]


def framed(lengths=LENGTHS, middle=()):
    """A corpus whose examples begin and end with a special token, as [CLS] ... [SEP] do; some with one inside."""
    special = [np.isin(np.arange(n), [0, n - 1] + [2] * (i in middle)) for i, n in enumerate(lengths)]
    return MemoryCorpus(lengths, special=np.concatenate(special))


def masks(corpus):
    return [corpus.special[a:b] for a, b in zip(corpus.offsets[:-1], corpus.offsets[1:], strict=True)]


def ask(name, sides, corpus=None, trust=None, chunk=1 << 30, detail="", **parameters):
    """The values of a measure on lists of maps [heads, l, l], one list a side."""
    measure = get(name)
    layers = [MemoryLayer(maps=pack(side), attention_chunk=chunk) for side in sides]
    corpus = corpus or framed([m.shape[1] for m in sides[0]])
    context = Context(trust=trust or Uncertainty(), detail=detail)
    return measure.compute(Given.layers(corpus, *layers), dict(measure.settle(parameters)), context)


def layer_value(*args, **kwargs):
    return ask(*args, **kwargs)[0].value


class TestWeighting:
    def test_golden_value_of_every_query_token_weighted_alike(self):
        got = golden("attention_5x4")
        want = answers("attention_5x4")
        sides = [[got[f"{side}{i}"] for i in range(5)] for side in "ab"]
        value = layer_value("js", sides, weighting="queries")
        assert value == pytest.approx(want["js of the layer, every query token weighted alike"]["value"], abs=1e-7)

    def test_a_long_example_weighs_more_by_queries(self):
        """One example of 2 query tokens that differ wholly, one of 8 that do not differ."""
        eye, flat = np.eye(2, dtype=np.float32)[None], np.full((1, 8, 8), 1 / 8, np.float32)
        sides = [eye, flat], [eye[:, ::-1], flat]
        assert layer_value("js", sides) == pytest.approx(1 / 2, abs=1e-6)
        assert layer_value("js", sides, weighting="queries") == pytest.approx(2 / 10, abs=1e-6)

    def test_the_two_agree_where_all_examples_are_of_one_length(self):
        sides = maps(0, [6] * 5), maps(1, [6] * 5)
        one, other = (layer_value("js", sides, weighting=w) for w in ("examples", "queries"))
        assert one == pytest.approx(other, rel=1e-12)


class TestSpecialTokensLeftOut:
    @pytest.mark.parametrize("chunk", [7, 100, 1 << 30])
    def test_divergence_agrees_with_the_maps_cut_by_hand(self, chunk):
        corpus, sides = framed(middle=(1, 3)), (maps(0), maps(1))
        cut = [[without_special(m, s) for m, s in zip(side, masks(corpus), strict=True)] for side in sides]
        want = np.mean([js_bits(p, q).mean(-1) for p, q in zip(*cut, strict=True)], axis=0)
        layer, *heads = ask("js", sides, corpus, chunk=chunk, special="drop")
        assert [h.value for h in heads] == pytest.approx(want, rel=1e-5)
        assert layer.value == pytest.approx(want.mean(), rel=1e-5)
        assert layer.details["special_tokens_left_out"] == corpus.special.sum()
        assert layer.details["queries"] == (~corpus.special).sum()

    def test_entropy_agrees_with_the_maps_cut_by_hand(self):
        corpus, side = framed(), maps(0)
        want = np.mean([entropy_bits(without_special(m, s)).mean() for m, s in zip(side, masks(corpus), strict=True)])
        assert layer_value("attention-entropy", [side], corpus, special="drop") == pytest.approx(want, abs=1e-6)

    def test_a_change_of_sinks_alone_is_none_without_them(self):
        corpus, side = framed(), maps(0)
        moved = []
        for m, special in zip(side, masks(corpus), strict=True):
            m = m * np.where(special, 5, 1)
            moved.append((m / m.sum(-1, keepdims=True)).astype(np.float32))
        assert layer_value("js", (side, moved), corpus) > 0.01
        assert layer_value("js", (side, moved), corpus, special="drop") < 1e-10

    def test_each_head_counts_the_examples_of_which_something_is_left(self):
        lengths = [6, 6, 6]
        corpus, sides = framed(lengths), (maps(0, lengths), maps(1, lengths))
        sides[0][1][1] = np.float32([0.5, 0, 0, 0, 0, 0.5])
        layer, first, second = ask("js", sides, corpus, special="drop")
        assert (layer.n, first.n, second.n) == (3, 3, 2)

    def test_an_example_of_special_tokens_alone_is_left_out_and_counted(self):
        corpus = framed([2, 6, 6])
        layer, *_ = ask("js", (maps(0, [2, 6, 6]), maps(1, [2, 6, 6])), corpus, special="drop")
        assert layer.n == 2
        assert layer.details["examples_left_out"] == 1
        alone = layer_value("js", (maps(0, [2, 6, 6])[1:], maps(1, [2, 6, 6])[1:]), framed([6, 6]), special="drop")
        assert np.isfinite(layer.value)
        assert np.isfinite(alone)

    @pytest.mark.parametrize("kept", [0, 1e-7, 9e-5])
    def test_a_row_that_keeps_no_mass_is_left_out_and_counted(self, kept):
        """Of so little stored float16 holds a few steps, which say nothing of the attention."""
        side = maps(0, [5, 5], heads=1)
        side[0][0, 2] = [1 - kept, kept, 0, 0, 0]  # all on [CLS]
        (layer, head) = ask("attention-entropy", [side], framed([5, 5]), special="drop")
        assert head.details["rows_without_mass"] == layer.details["rows_without_mass"] == 1
        kept = entropy_bits(without_special(np.delete(side[0], 2, 1), masks(framed([5]))[0], [0, 1, 3, 4]))
        other = entropy_bits(without_special(side[1], masks(framed([5]))[0]))
        assert layer.value == pytest.approx((kept.mean() + other.mean()) / 2, abs=1e-6)

    def test_nothing_left_is_an_answer_with_a_reason(self):
        layer, head, _ = ask("js", (maps(0, [2, 2]), maps(1, [2, 2])), framed([2, 2]), special="drop")
        assert (layer.value, head.value, layer.n) == (None, None, 0)
        assert "nothing is left" in layer.reason

    def test_a_row_of_zeros_is_an_error_when_nothing_is_left_out(self):
        side = maps(0)
        side[3][0, 4] = 0
        with pytest.raises(MeasureError, match="head 1 sum to 0"):
            ask("js", (side, maps(1)))


class TestEntropy:
    @pytest.mark.parametrize("length", [1, 2, 7, 64])
    def test_of_a_uniform_row_is_the_logarithm_of_its_length(self, length):
        side = [np.full((1, length, length), 1 / length, np.float16)]
        assert layer_value("attention-entropy", [side]) == pytest.approx(np.log2(length), abs=1e-6)

    def test_of_attention_to_one_token_is_zero(self):
        assert layer_value("attention-entropy", [[np.eye(5, dtype=np.float32)[None]]]) == 0

    @pytest.mark.parametrize("sharp", [0.1, 1.0, 20.0])
    def test_agrees_with_the_formula(self, sharp):
        side = maps(3, sharp=sharp)
        layer, *heads = ask("attention-entropy", [side])
        want = np.mean([entropy_bits(m).mean(-1) for m in side], axis=0)
        assert [h.value for h in heads] == pytest.approx(want, abs=1e-6)
        assert layer.value == pytest.approx(want.mean(), abs=1e-6)

    def test_change_is_the_difference_of_the_two(self):
        a, b = maps(0, sharp=2), maps(1)
        for name in ("attention-entropy", "sink-mass"):
            got = [v.value for v in ask(f"{name}-change", (a, b))]
            alone = [[v.value for v in ask(name, [side])] for side in (a, b)]
            assert got == pytest.approx(np.subtract(*alone), abs=1e-6)
            assert layer_value(f"{name}-change", (a, a)) == 0


class TestSinks:
    def test_all_on_cls_is_one(self):
        side = [np.zeros((1, n, n), np.float32) for n in LENGTHS]
        for m in side:
            m[..., 0] = 1
        values = {(v.statistic, v.head): v.value for v in ask("sink-mass", [side])}
        assert values == {("", None): 1, ("", 1): 1, ("first", None): 1, ("first", 1): 1} | {
            ("separators", None): 0,
            ("separators", 1): 0,
        }

    def test_uniform_attention_gives_each_special_token_its_share(self):
        side = [np.full((1, 8, 8), 1 / 8, np.float32)]
        values = {v.statistic: v.value for v in ask("sink-mass", [side], framed([8], middle=(0,))) if v.head is None}
        assert values == pytest.approx({"": 3 / 8, "first": 1 / 8, "separators": 2 / 8})

    def test_a_first_token_that_is_not_special_is_no_sink(self):
        corpus = MemoryCorpus([4], special=np.array([False, False, False, True]))
        side = [np.full((1, 4, 4), 1 / 4, np.float32)]
        values = {v.statistic: v.value for v in ask("sink-mass", [side], corpus) if v.head is None}
        assert values == pytest.approx({"": 1 / 4, "first": 0, "separators": 1 / 4})

    @settings(max_examples=15)
    @given(seed=st.integers(0, 999), chunk=st.integers(1, 300), weighting=st.sampled_from(["examples", "queries"]))
    def test_the_parts_add_up_and_agree_with_the_sums(self, seed, chunk, weighting):
        side, corpus = maps(seed, sharp=3), framed(middle=(1, 3))
        values = {
            (v.statistic, v.head): v.value for v in ask("sink-mass", [side], corpus, chunk=chunk, weighting=weighting)
        }
        per_row = [m[..., s].sum(-1) for m, s in zip(side, masks(corpus), strict=True)]
        per_head = [r.mean(-1) for r in per_row] if weighting == "examples" else np.concatenate(per_row, axis=1).T
        assert [values["", h] for h in (1, 2)] == pytest.approx(np.mean(per_head, axis=0), abs=1e-6)
        for head in (None, 1, 2):
            parts = values["first", head] + values["separators", head]
            assert parts == pytest.approx(values["", head], abs=1e-7)

    def test_no_special_tokens_is_an_answer_with_a_reason(self):
        values = ask("sink-mass", [maps(0)], MemoryCorpus(LENGTHS))
        assert [v.value for v in values] == [None] * 3
        assert "no special tokens" in values[0].reason


class TestDetail:
    @pytest.mark.parametrize("name", ["js", "attention-entropy", "sink-mass"])
    def test_means_of_finer_rows_are_the_coarser_ones(self, name):
        sides = (maps(0), maps(1))[: len(get(name).operands)]
        values = ask(name, sides, detail="query")
        statistic = {v.statistic for v in values}
        for one in statistic:
            rows = {(v.head, v.example, v.query): v.value for v in values if v.statistic == one}
            for head in (None, 1, 2):
                examples = [rows[head, e, None] for e in range(len(LENGTHS))]
                assert np.mean(examples) == pytest.approx(rows[head, None, None], rel=1e-9)
                for example, length in enumerate(LENGTHS):
                    queries = [rows[head, example, q] for q in range(length)]
                    assert np.mean(queries) == pytest.approx(examples[example], rel=1e-9, abs=1e-15)

    def test_a_query_row_is_that_tokens_divergence(self):
        a, b = maps(0), maps(1)
        rows = {(v.head, v.example, v.query): v.value for v in ask("js", (a, b), detail="query", chunk=50)}
        for example, head, query in [(0, 1, 2), (3, 2, 19), (6, 1, 0)]:
            want = js_bits(a[example][head - 1, query], b[example][head - 1, query])
            assert rows[head, example, query] == pytest.approx(float(want), rel=1e-5)

    def test_special_query_tokens_have_no_row_when_they_are_left_out(self):
        values = ask("js", (maps(0), maps(1)), detail="query", special="drop")
        assert {v.query for v in values if v.example == 1 and v.query is not None} == set(range(1, 7))

    def test_the_layers_own_rows_are_the_same_whatever_is_added(self):
        sides = maps(0), maps(1)
        layer = ask("js", sides)
        assert ask("js", sides, detail="query")[:3] == ask("js", sides, detail="example")[:3] == layer


class TestNull:
    def test_is_the_divergence_from_another_example_of_the_same_length(self):
        """Two examples of a length can only take each other's place: the null is known exactly."""
        lengths = [5, 7, 5, 3]
        a, b = maps(0, lengths), maps(1, lengths)
        layer, head, _ = ask("js", (a, b), trust=Uncertainty(null=4))
        want = np.mean([js_bits(a[0], b[2]).mean(-1), js_bits(a[2], b[0]).mean(-1)], axis=0)
        assert head.null == pytest.approx(want[0], rel=1e-5)
        assert layer.null == pytest.approx(want.mean(), rel=1e-5)
        assert layer.details["null_sd"] == pytest.approx(0, abs=1e-12)
        assert (layer.details["null_examples"], layer.details["null_without_partner"]) == (2, 2)
        assert layer.value == layer_value("js", (a, b))

    def test_does_not_depend_on_how_the_maps_are_stored(self):
        sides = maps(0, [6] * 9), maps(1, [6] * 9)
        values = [ask("js", sides, trust=Uncertainty(null=2, seed=5), chunk=chunk)[0] for chunk in (7, 100, 1 << 30)]
        assert values[0].null == pytest.approx(values[1].null, rel=1e-9)
        assert values[0].null == pytest.approx(values[2].null, rel=1e-9)

    def test_one_draw_has_no_spread(self):
        layer = ask("js", (maps(0, [6] * 9), maps(1, [6] * 9)), trust=Uncertainty(null=1))[0]
        assert layer.null > 0
        assert "null_sd" not in layer.details

    def test_is_the_same_for_the_same_seed_and_another_for_another(self):
        sides = maps(0, [6] * 9), maps(1, [6] * 9)
        first, again, other = (ask("js", sides, trust=Uncertainty(null=3, seed=s))[0] for s in (0, 0, 1))
        assert (first.null, first.details) == (again.null, again.details)
        assert first.null != other.null

    def test_of_a_checkpoint_against_itself_is_above_its_value(self):
        side = maps(0, [6] * 9)
        layer = ask("js", (side, side), trust=Uncertainty(null=3))[0]
        assert layer.value == 0
        assert layer.null > 0.05

    def test_partners_are_sought_in_bounded_runs(self, monkeypatch):
        monkeypatch.setattr(streaming, "RUN", 100)
        lengths = [6] * 9
        a = [np.full((1, 6, 6), 1 / 6, np.float32)] * 9
        layer = ask("js", (a, a), MemoryCorpus(lengths), Uncertainty(null=1))[0]
        assert layer.null == 0
        assert layer.details["null_examples"] == 9

    def test_nobody_of_the_same_length_is_said(self):
        layer, *_ = ask("js", (maps(0, [3, 4, 5]), maps(1, [3, 4, 5])), trust=Uncertainty(null=3))
        assert layer.null is None
        assert "same length" in layer.details["no_null"]

    def test_with_special_tokens_left_out_they_must_stand_at_the_same_places(self):
        lengths = [6, 6, 6]
        sides = maps(0, lengths), maps(1, lengths)
        layer = ask("js", sides, framed(lengths, middle=(1,)), Uncertainty(null=2), special="drop")[0]
        assert (layer.details["null_examples"], layer.details["null_without_partner"]) == (2, 1)

    def test_where_there_is_none_the_reason_is_said(self):
        for name in ("attention-entropy", "attention-entropy-change", "sink-mass", "sink-mass-change"):
            sides = (maps(0), maps(1))[: len(get(name).operands)]
            layer = ask(name, sides, trust=Uncertainty(null=2))[0]
            assert layer.null is None
            assert layer.details["no_null"]
            assert not get(name).null


class TestInterval:
    @pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
    def test_is_that_of_the_mean_of_the_examples(self, method):
        sides = maps(0), maps(1)
        trust = Uncertainty(interval=method, level=0.9, seed=3)
        layer, head, _ = ask("js", sides, trust=trust)
        rows = ask("js", sides, detail="example")
        for value, number in ((layer, None), (head, 1)):
            values = np.array([v.value for v in rows if v.example is not None and v.head == number])
            assert value.interval == pytest.approx(
                ratio_interval(values, np.ones(len(values)), method, 0.9, trust.resamples, 3)
            )
        assert "interval_groups" not in layer.details

    def test_by_queries_it_is_that_of_a_ratio(self):
        """Leave each example out by hand."""
        sides = maps(0), maps(1)
        layer = ask("js", sides, trust=Uncertainty(interval="jackknife"), weighting="queries")[0]
        left_out = [
            layer_value("js", [[m for i, m in enumerate(side) if i != out] for side in sides], weighting="queries")
            for out in range(len(LENGTHS))
        ]
        error = np.std(left_out) * np.sqrt(len(LENGTHS) - 1)
        low, high = layer.interval
        assert (low + high) / 2 == pytest.approx(layer.value)
        assert (high - low) / 2 / error == pytest.approx(2.4469, abs=1e-3)  # Student's t, 6 degrees of freedom

    @pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
    @pytest.mark.parametrize("weighting", ["examples", "queries"])
    def test_covers_the_truth_about_as_often_as_it_says(self, method, weighting):
        """Long examples have more entropy, so the mean over query tokens is a ratio of two random sums."""
        rng = np.random.default_rng(0)
        sizes = np.array([2, 4, 8])
        truth = np.log2(sizes).mean() if weighting == "examples" else (sizes * np.log2(sizes)).sum() / sizes.sum()
        hits = 0
        for _ in range(60):
            lengths = rng.choice(sizes, 40)
            side = [np.full((1, n, n), 1 / n, np.float32) for n in lengths]
            trust = Uncertainty(interval=method, level=0.9)
            low, high = ask("attention-entropy", [side], trust=trust, weighting=weighting)[0].interval
            hits += low <= truth <= high
        assert 0.78 <= hits / 60 <= 0.99

    def test_of_many_examples_is_taken_over_groups_of_them(self):
        lengths = [3] * 1500
        layer = ask("js", (maps(0, lengths, 1), maps(1, lengths, 1)), trust=Uncertainty(interval="jackknife"))[0]
        assert layer.details["interval_groups"] == 1000
        assert layer.interval[0] < layer.value < layer.interval[1]

    def test_of_one_example_is_refused_with_a_reason(self):
        layer = ask("js", (maps(0, [5]), maps(1, [5])), trust=Uncertainty(interval="bootstrap"))[0]
        assert layer.interval is None
        assert "two examples" in layer.details["no_interval"]


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    seed=st.integers(0, 1000),
    chunk=st.integers(1, 200),
    parameters=st.fixed_dictionaries(
        {"special": st.sampled_from(["keep", "drop"]), "weighting": st.sampled_from(["examples", "queries"])}
    ),
)
def test_neither_chunks_nor_the_order_of_examples_matter(lengths, seed, chunk, parameters):
    a, b, corpus = maps(seed, lengths), maps(seed + 1, lengths), framed(lengths)
    whole = ask("js", (a, b), corpus, **parameters)
    cut = ask("js", (a, b), corpus, chunk=chunk, **parameters)
    order = np.random.default_rng(seed).permutation(len(lengths))
    moved = ask("js", ([a[i] for i in order], [b[i] for i in order]), framed([lengths[i] for i in order]), **parameters)
    for x, y, z in zip(whole, cut, moved, strict=True):
        if x.value is None:
            assert y.value is z.value is None
        else:
            assert y.value == pytest.approx(x.value, rel=1e-5, abs=1e-9)
            assert z.value == pytest.approx(x.value, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", ["js", "attention-entropy", "attention-entropy-change", "sink-mass"])
@pytest.mark.parametrize("special", ["keep", "drop"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_is_read_stays_as_it_was(name, special, dtype):
    """Kernels write over their input to spare passes; that must be a copy."""
    sides = [[m.astype(dtype) for m in maps(s)] for s in (0, 1)][: len(get(name).operands)]
    layers = [MemoryLayer(maps=pack(side)) for side in sides]
    before = [layer.maps.copy() for layer in layers]
    parameters = {"special": special} if name != "sink-mass" else {}
    get(name).compute(Given.layers(framed(), *layers), dict(get(name).settle(parameters)), Context())
    for layer, maps_before in zip(layers, before, strict=True):
        assert (layer.maps == maps_before).all()


@pytest.mark.parametrize(
    "name", ["js", "attention-entropy", "attention-entropy-change", "sink-mass", "sink-mass-change"]
)
@pytest.mark.parametrize("sharp", [0.0, 1.0, 8.0])
def test_the_code_for_other_devices_agrees(name, sharp):
    """cpu:0 is the processor by another name: sums and repeats are those that a GPU uses.

    A sum of 300 float32 in another order differs by up to 300 rounding errors, which depends on the processor; means
    of rows differ far less.
    """
    lengths = [300, 12, 80]
    sides = [MemoryLayer(maps=pack(maps(s, lengths, 1, sharp))) for s in (0, 1)][: len(get(name).operands)]
    answers = [
        get(name).compute(
            Given.layers(framed(lengths), *sides),
            dict(get(name).settle({})),
            Context(device=device, detail="query"),
        )
        for device in ("cpu", "cpu:0")
    ]
    one, other = [[v.value for v in answer] for answer in answers]
    assert one == pytest.approx(other, abs=2e-5)
    one, other = [[v.value for v in answer if v.query is None] for answer in answers]
    assert len(one) > 1
    assert one == pytest.approx(other, abs=1e-6)


def test_without_tokens_there_is_nothing_to_measure():
    (layer,) = ask("js", (maps(0, [0, 0]), maps(1, [0, 0])), MemoryCorpus([0, 0]))
    assert (layer.value, layer.n) == (None, 0)
    assert "nothing to measure" in layer.reason


class Endless(MemoryLayer):
    """Uniform maps of any number of examples, made as they are read."""

    def __init__(self, length, chunk):
        self.length, self.attention_chunk, self.heads, self.identity = length, chunk, 1, "endless"

    def attention(self, head, start, stop):
        return np.full(stop - start, 1 / self.length, np.float16)


@pytest.mark.parametrize("trust", [Uncertainty(), Uncertainty(null=1, interval="jackknife")])
def test_memory_does_not_grow_with_the_number_of_sentences(trust, monkeypatch):
    monkeypatch.setattr(streaming, "RUN", 20_000)
    peaks = []
    for examples in (GROUPS, 4 * GROUPS):
        corpus = framed([10] * examples)
        sides = [Endless(10, 20_000) for _ in range(2)]
        context = Context(trust=trust)
        JS.compute(
            Given.layers(corpus, *sides), dict(JS.settle({})), context
        )  # what is imported and set up once does not count
        tracemalloc.start()
        try:
            layer, _ = JS.compute(Given.layers(corpus, *sides), dict(JS.settle({})), context)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert layer.n == examples
    lists_of_examples = 40 * 8 * 3 * GROUPS
    assert peaks[1] < 1.3 * peaks[0] + lists_of_examples
