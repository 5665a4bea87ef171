"""Does the example view show the attention that is stored, how it moved, and find the sentences worth a look?"""

import math
from dataclasses import replace

import numpy as np
import pytest

from explorer.answers.example import fetch_example, row_js
from explorer.answers.examples import find, most_changed
from explorer.answers.look import END
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.pages.example import WHICH, Example
from explorer.render.cells import width_of
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views.base import NOWHERE, Cursor, DrawOptions
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.ragged import pair_offsets
from tests.explorer.views.part_samples import FOCUS, KEY, SENTENCE, moved
from tests.oracle import js_bits
from tests.store.results import inputs, result
from tests.synthetic import HEADS, attention_of, make_store, sample_corpus

CORPUS = sample_corpus()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("example") / "s.bertdyn", tasks=("sst2",), seeds=("1", "2"))


def maps(key, layer, head, example):
    """Rows of a stored map restored to sum 1, float64."""
    start, stop = pair_offsets(CORPUS.offsets)[example : example + 2]
    length = math.isqrt(stop - start)
    found = attention_of(CORPUS, key)[layer - 1, head - 1, start:stop].reshape(length, length).astype(np.float64)
    return found / found.sum(-1, keepdims=True)


def draw(view, width=80, height=17, cursor=NOWHERE, depth=Depth.NONE, **options):
    return view.draw(width, height, palette(depth), cursor, DrawOptions(**options))


def text(view, *size, **how):
    return to_text(draw(view, *size, **how).lines)


@pytest.mark.parametrize("head", [1, 2])
def test_the_maps_are_those_that_are_stored(store, head):
    found = fetch_example(store, replace(FOCUS, head=head))
    assert found.checkpoint == pytest.approx(maps(KEY, 2, head, 3), abs=1e-12)
    assert found.reference == pytest.approx(maps(PRETRAINED_KEY, 2, head, 3), abs=1e-12)
    assert found.difference == pytest.approx(maps(KEY, 2, head, 3) - maps(PRETRAINED_KEY, 2, head, 3), abs=1e-12)
    assert found.js == pytest.approx(js_bits(maps(KEY, 2, head, 3), maps(PRETRAINED_KEY, 2, head, 3)), abs=1e-12)


def test_head_0_is_the_mean_over_heads_of_maps_and_of_divergences(store):
    found = fetch_example(store, replace(FOCUS, head=0))
    sides = [(maps(KEY, 2, h, 3), maps(PRETRAINED_KEY, 2, h, 3)) for h in range(1, HEADS + 1)]
    assert found.checkpoint == pytest.approx(np.mean([p for p, _ in sides], axis=0), abs=1e-12)
    assert found.js == pytest.approx(np.mean([js_bits(p, q) for p, q in sides], axis=0), abs=1e-12)


def test_divergence_is_1_for_disjoint_rows_and_0_for_equal_ones():
    assert row_js(np.array([[1.0, 0.0], [0.3, 0.7]]), np.array([[0.0, 1.0], [0.3, 0.7]])) == pytest.approx([1.0, 0.0])


def test_tokens_text_and_label_are_the_examples_own(store):
    found = fetch_example(store, FOCUS)
    start, stop = CORPUS.offsets[3:5]
    assert found.tokens == tuple(CORPUS.pieces[int(i)] for i in CORPUS.token_ids[start:stop])
    assert (found.text, found.label) == ("sentence 3", "positive")


def test_words_carry_their_labels(tmp_path):
    corpus = sample_corpus("words", kind="word", labels=("NOUN", "VERB"))
    store = make_store(tmp_path / "w.bertdyn", tasks=("pos",), seeds=("1",), steps=(0, 20), corpora=[corpus])
    found = fetch_example(store, replace(FOCUS, corpus="words", key=CheckpointKey.plain("pos", "1", 20)))
    words = range(*corpus.word_offsets[3:5].tolist())
    expected = [""] * int(corpus.offsets[4] - corpus.offsets[3])
    for word in words:
        expected[int(corpus.word_first[word] - corpus.offsets[3])] = ("NOUN", "VERB")[
            corpus.annotations["label"].values[word]
        ]
    assert list(found.labels) == expected
    assert "(1, " + expected[1] + ")" in draw(Example(found), cursor=Cursor(-1, len(expected) - 2)).reading


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"example": 40}, "no example 40: they count from 0 to 39"),
        ({"layer": 9}, "layer"),
        ({"head": 3}, "head"),
        ({"corpus": "other"}, "no corpus 'other'"),
        ({"key": CheckpointKey.plain("sst2", "9", 0)}, "no checkpoint sst2/9/0"),
    ],
)
def test_what_is_not_there_is_named(store, changes, said):
    with pytest.raises(BertdynError, match=said):
        fetch_example(store, replace(FOCUS, **changes))


def test_the_reading_says_where_the_attention_went():
    view = Example(moved(SENTENCE))
    picture = draw(view, width=120, cursor=Cursor(-1, view.query_of(2)))
    js = float(moved(SENTENCE).js[2])
    assert picture.reading == (
        f"query token 'bad' (2): JS {js:.3f} bits; moved most to 'a' +0.900, from '[CLS]' -0.900"
    )
    both = draw(view, width=120, cursor=Cursor(1, view.query_of(2))).reading
    assert both.startswith("'bad' (2) attends to 'a' (1): 0.920, reference 0.020 (+0.900); row JS")


def test_title_and_subtitle_say_what_is_compared_with_what():
    view = Example(moved(SENTENCE))
    assert view.title == "Attention, layer 2, head 1 · sst2 seed 1 step 40 against pre-trained"
    assert view.subtitle.startswith("'a bad movie' · label positive · JS 0.")
    assert "over 5 query tokens · example 3 of corpus dev" in view.subtitle
    assert view.notes == ("[CLS] and [SEP] take 4 % of the attention, in the reference 94 %",)


def test_a_narrow_picture_shows_the_difference_and_says_so():
    view = Example(moved(SENTENCE))
    assert "sst2 seed 1" not in text(view, 60, 12)
    assert "shows the difference alone: three maps need a wider window" in draw(view, 60, 12).notes
    wide = text(view, 120, 20)
    assert wide.splitlines()[0].split("  ")[0] == "query"
    for name in ("sst2 seed 1 step 40", "the pre-trained model", "difference"):
        assert name in wide


@pytest.mark.parametrize("which", [w for w in WHICH if w])
def test_one_map_or_all_can_be_chosen(which):
    shown = text(Example(moved(SENTENCE), which), 118, 20)
    named = {
        "checkpoint": "sst2 seed 1 step 40",
        "reference": "the pre-trained model",
        "difference": "difference",
    }
    for part, name in named.items():
        assert (name in shown) == (which in (part, "all"))


def test_a_long_sentence_is_cut_around_the_cursor_and_says_so():
    view = Example(moved(["[CLS]", *(f"word{i}" for i in range(129)), "[SEP]"]), "difference")
    for query in (0, 64, 130):
        picture = draw(view, cursor=Cursor(query, view.query_of(query)))
        assert picture.notes[0].startswith("shows query tokens ")
        assert picture.notes[0].endswith(" of 131: move the cursor for the others")
        assert f"{query} {view.data.tokens[query]}"[:9] in to_text(picture.lines)


def test_numbers_behind_the_picture(store):
    data = fetch_example(store, FOCUS)
    columns, rows = Example(data).rows()
    length = len(data.tokens)
    assert len(rows) == length**2
    row = dict(zip(columns, rows[length + 2], strict=True))
    assert (row["query"], row["key"], row["query_token"], row["key_token"]) == (1, 2, data.tokens[1], data.tokens[2])
    assert row["difference"] == pytest.approx(row["attention"] - row["reference_attention"])
    assert row["query_js"] == pytest.approx(data.js[1])


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("tokens", [["x"], SENTENCE, [f"w{i}" for i in range(140)], ["任务", "[SEP]"]])
def test_no_size_breaks_it(tokens, which):
    view = Example(moved(tokens), which)
    for size in ((1, 1), (3, 2), (40, 10), (80, 17), (250, 60)):
        for depth in (Depth.NONE, Depth.EIGHT_BIT):
            for cursor in (NOWHERE, Cursor(0, 0), Cursor(END, END)):
                for options in ({}, {"digits": True, "ascii": True}, {"scale": "log"}):
                    picture = draw(view, *size, cursor, depth, **options)
                    assert [width_of(line) for line in picture.lines] == [size[0]] * size[1]


def test_a_search_finds_texts_in_any_case_and_labels(store):
    assert find(store, "dev", "SENTENCE 1") == (1, *range(10, 20))
    assert find(store, "dev", label="negative") == tuple(range(0, 40, 2))
    assert find(store, "dev", "sentence 1", "positive") == (1, 11, 13, 15, 17, 19)
    with pytest.raises(BertdynError, match="no label 'neutral'"):
        find(store, "dev", label="neutral")


@pytest.mark.parametrize("head", [0, 1])
def test_the_most_changed_examples_come_first(store, head):
    chosen = range(1, HEADS + 1) if head == 0 else (head,)
    expected = [
        np.mean([js_bits(maps(KEY, 2, h, e), maps(PRETRAINED_KEY, 2, h, e)).mean() for h in chosen]) for e in range(40)
    ]
    order = sorted(range(40), key=lambda e: -expected[e])[:7]
    found = most_changed(store, replace(FOCUS, head=head), 7)
    assert [e for e, _ in found] == order
    assert [v for _, v in found] == pytest.approx([expected[e] for e in order], abs=1e-12)


def test_stored_values_of_single_examples_serve_instead_of_the_arrays(tmp_path):
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 40))
    checkpoint, reference = store.checkpoint("dev", KEY), store.checkpoint("dev", PRETRAINED_KEY)
    measure = get("js")
    parameters = canonical(dict(measure.settle({})))
    rows = [
        result(
            checkpoint, reference, measure="js", parameters=parameters, layer=2, ref_layer=2, head=1, example=e,
            value=e / 100, unit="bits", version=measure.version,
            inputs=inputs(checkpoint, reference, kind="attention"),
        )
        for e in range(40)
    ]  # fmt: skip
    store.add_results(rows[:-1])
    arrays = most_changed(store, FOCUS, 2)
    assert arrays[0][1] != 0.39  # one is missing: they are read
    store.add_results(rows[-1:])
    assert most_changed(store, FOCUS, 2) == ((39, 0.39), (38, 0.38))
