"""Labels of arcs, spans and pairs: what is kept, counted, written, read and said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from store import layout
from store.corpora.annotations import make_annotation
from store.corpora.labels import Labels, Words, annotation_of
from store.errors import BertdynError
from store.keys import NO_LABEL, Annotation, Level
from store.store import Store
from tests.synthetic import sample_corpus

pytestmark = pytest.mark.index

CUT = Words(np.repeat([0, 1], [4, 2]), np.array([0, 1, 2, 3, 0, 1], np.int32), np.array([4, 2]))
"""Two sentences of four words and of two, after both were cut."""
GAPS = Words(np.repeat([0, 1], [3, 2]), np.array([0, 2, 3, 0, 1], np.int32), np.array([4, 3]))
"""Sentences of five words and of three: the first was cut behind four, and word 1 and the last word have no token."""


def annotation(level: Level, *sentences: tuple[object, ...], kind: str = "class", words: Words = CUT) -> Annotation:
    labels = Labels("x", level, kind, sentences)  # type: ignore[arg-type]
    return annotation_of(labels, words, "file")


def rows(found: Annotation) -> list[tuple[object, ...]]:
    """Positions and label of every row."""
    assert found.items is not None
    names = [None if i == NO_LABEL else found.names[i] for i in found.values]
    return [(*item, name) for item, name in zip(found.items.tolist(), names, strict=True)]


def test_spans_and_pairs_are_positions_among_all_words() -> None:
    spans = annotation("span", ((0, 1, "NP"), (3, 3, "VP")), ((0, 1, "NP"),))
    assert rows(spans) == [(0, 1, "NP"), (3, 3, "VP"), (4, 5, "NP")]
    pairs = annotation("pair", ((2, 3, 0, 1, "ARG"),), ((1, 1, 0, 0, "A0"),))
    assert rows(pairs) == [(2, 3, 0, 1, "ARG"), (5, 5, 4, 4, "A0")]
    assert spans.info.in_words() == "2 labels of 3 spans in x: NP, VP"
    assert pairs.info.in_words() == "2 labels of 2 pairs in x: A0, ARG"


def test_an_item_with_several_labels_has_a_row_for_each_and_one_without_is_still_there() -> None:
    found = annotation("span", ((0, 1, "aware"), (0, 1, "changed"), (2, 2, None)), ((0, 0, "aware"),))
    assert rows(found) == [(0, 1, "aware"), (0, 1, "changed"), (2, 2, None), (4, 4, "aware")]
    assert found.info.count == 2


@pytest.mark.parametrize(
    ("level", "there", "kept", "words"),
    [
        ("span", (3, 4, "NP"), (2, 3, "NP"), "1 span (1 more cut off)"),
        ("pair", (0, 0, 4, 4, "NP"), (0, 0, 3, 3, "NP"), "1 pair (1 more cut off)"),
        ("arc", (4, 0, "NP"), (3, 0, "NP"), "1 arc (1 more cut off)"),
    ],
)
def test_what_needs_a_word_that_is_cut_off_is_left_out_and_counted(
    level: Level, there: tuple[object, ...], kept: tuple[object, ...], words: str
) -> None:
    found = annotation(level, (there, (*there[:-1], "second label"), kept), ())
    assert (rows(found), found.info.left_out) == ([kept], 1)
    assert found.info.in_words() == f"1 label of {words} in x: NP"


def test_what_needs_a_word_without_a_token_is_counted_apart_from_what_is_cut_off() -> None:
    first = ((0, 1, "NP"), (1, 2, "VP"), (1, 4, "S"), (2, 3, "NP"))
    # The spans of one sentence need: words 0 to 1, 1 to 2, 1 to 4 (cut off), 2 to 3; of the other 0 to 2 and 0 to 1.
    found = annotation("span", first, ((0, 2, "S"), (0, 1, "NP")), words=GAPS)
    assert rows(found) == [(1, 2, "NP"), (3, 4, "NP")]
    assert (found.info.left_out, found.info.without_tokens) == (4, 3)
    assert found.info.in_words() == "1 label of 2 spans (1 more cut off, 3 more without a token) in x: NP"
    bare = annotation("span", ((1, 1, "NP"), (2, 2, "VP")), words=GAPS)
    assert bare.info.in_words() == "1 label of 1 span (1 more without a token) in x: VP"


def test_spans_may_have_numbers() -> None:
    found = annotation("span", ((0, 1, "0.5"), (2, 2, None)), (), kind="number")
    np.testing.assert_array_equal(found.values, [0.5, np.nan])
    assert found.info.in_words() == "numbers of 1 span in x"


@pytest.mark.parametrize(("level", "items"), [("span", None), ("pair", (1, 2)), ("word", (1, 2)), ("arc", (2, 2))])
def test_items_of_another_level_are_refused(level: Level, items: tuple[int, int] | None) -> None:
    with pytest.raises(ValueError, match="contradicts itself"):
        make_annotation("x", level, "class", ("a",), np.zeros(1), None if items is None else np.zeros(items, np.int64))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(tmp_path / "s.bertdyn")
    made.add_corpus(sample_corpus(kind="word"))
    return made


@pytest.mark.parametrize("items", [[[0, 1], [2, 2], [2, 2]], []])
def test_spans_come_back_from_the_store(store: Store, items: list[list[int]]) -> None:
    positions = np.array(items, np.int64).reshape(-1, 2)
    made = make_annotation(
        "x", "span", "class", ("a", "b"), np.arange(len(items)) % 2, positions, left_out=3, without_tokens=1
    )
    assert store.annotate("dev", made)
    assert not store.annotate("dev", made)
    found = Store.open(store.path).corpus("dev").annotations["x"]
    np.testing.assert_array_equal(found.values, made.values)
    np.testing.assert_array_equal(found.items, positions)
    assert (found.level, found.info.left_out, found.info.digest) == ("span", 3, made.info.digest)
    assert store.check().sound
    row = store.query("select level, count, left_out, without_tokens from annotations where annotation = 'x'").rows
    assert row == [("span", len({*map(tuple, items)}), 3, 1)]


def test_the_digest_covers_the_words_of_the_items(store: Store) -> None:
    first, second = (
        make_annotation("x", "span", "class", ("a",), np.zeros(1), np.array([[0, last]])) for last in (1, 2)
    )
    assert first.info.digest != second.info.digest
    store.annotate("dev", first)
    with pytest.raises(BertdynError, match="already has different labels called 'x'"):
        store.annotate("dev", second)
    shutil.rmtree(layout.corpus_path(store.path, "dev") / "annotations/x/items")
    with pytest.raises(BertdynError, match="is damaged"):
        Store.open(store.path).corpus("dev").annotations["x"]
    assert not store.check().sound
