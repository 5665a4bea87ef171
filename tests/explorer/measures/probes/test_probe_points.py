"""Vectors of sentences, words, spans, arcs and pairs, against plain loops over the tokens."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.measures.computation import MeasureError
from explorer.measures.probes.points import Points, labelled
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer

LENGTHS = [5, 0, 4, 6]
"""Each example begins and ends with a special token; the second is empty."""
WORDS = ((1, 2), (3, 1), (6, 2), (10, 1), (11, 3))
SPECIAL = np.isin(np.arange(15), (0, 4, 5, 8, 9, 14))


def layer(chunk: int = 1 << 30) -> MemoryLayer:
    states = np.random.default_rng(0).standard_normal((15, 7)).astype(np.float16)
    return MemoryLayer(states, hidden_chunk=chunk)


def corpus(**more: object) -> MemoryCorpus:
    return MemoryCorpus(LENGTHS, WORDS, special=SPECIAL, **more)  # type: ignore[arg-type]


def vectors(points: Points, of: MemoryLayer) -> np.ndarray:
    return np.concatenate(list(points.blocks(of)))


@pytest.mark.parametrize("chunk", [1, 4, 1 << 30])
def test_a_sentence_is_its_first_token_or_the_mean_of_those_that_are_not_special(chunk: int) -> None:
    labels = MemoryLabels("sentence", ("a", "b"), np.array([1, 0, -1, 0]))
    states = layer().states.astype(np.float64)  # type: ignore[union-attr]
    first = labelled(corpus(), labels)
    assert (first.labels.tolist(), first.example.tolist()) == ([1, 0], [0, 3])
    np.testing.assert_allclose(vectors(first, layer(chunk)), states[[0, 9]], rtol=1e-6)
    mean = vectors(labelled(corpus(), labels, "mean"), layer(chunk))
    np.testing.assert_allclose(mean, [states[1:4].mean(0), states[10:14].mean(0)], rtol=1e-5)
    assert first.types is None


@pytest.mark.parametrize("chunk", [1, 4, 1 << 30])
def test_a_word_is_the_mean_of_its_sub_words_and_an_arc_is_both_words(chunk: int) -> None:
    states = layer().states.astype(np.float64)  # type: ignore[union-attr]
    mean = np.stack([states[first : first + many].mean(0) for first, many in WORDS])
    words = labelled(corpus(), MemoryLabels("word", ("x", "y"), np.array([0, -1, 1, 1, 0])))
    assert words.example.tolist() == [0, 2, 3, 3]
    np.testing.assert_allclose(vectors(words, layer(chunk)), mean[[0, 2, 3, 4]], rtol=1e-5)
    items = np.array([[0, 1], [4, 3], [3, 4]])
    arcs = labelled(corpus(), MemoryLabels("arc", ("det", "obj"), np.array([1, 0, -1]), items))
    assert (arcs.example.tolist(), arcs.place.tolist()) == ([0, 3], [0, 1])
    np.testing.assert_allclose(vectors(arcs, layer(chunk)), mean[items[:2]].reshape(2, -1), rtol=1e-5)


def test_equal_words_and_equal_pairs_of_words_have_one_type() -> None:
    known = corpus(types=np.array([7, 3, 7, 3, 7]))
    words = labelled(known, MemoryLabels("word", ("x",), np.zeros(5, np.int64)))
    assert words.types is not None
    assert words.types.tolist() == [1, 0, 1, 0, 1]
    items = np.array([[0, 1], [4, 3], [3, 4]])
    arcs = labelled(known, MemoryLabels("arc", ("x",), np.zeros(3, np.int64), items))
    assert arcs.types is not None
    assert arcs.types.tolist() == [1, 1, 0]
    assert labelled(corpus(), MemoryLabels("word", ("x",), np.zeros(5, np.int64))).types is None


@pytest.mark.parametrize("chunk", [1, 4, 1 << 30])
def test_a_span_is_the_mean_of_its_words_and_a_pair_is_both_spans(chunk: int) -> None:
    states = layer().states.astype(np.float64)  # type: ignore[union-attr]
    words = [states[first : first + many].mean(0) for first, many in WORDS]

    def span(first: int, last: int) -> np.ndarray:
        return np.mean(words[first : last + 1], axis=0)

    items = np.array([[0, 1], [2, 2], [3, 4], [3, 3]])
    spans = labelled(corpus(), MemoryLabels("span", ("x", "y"), np.array([1, 0, 1, -1]), items))
    assert (spans.example.tolist(), spans.place.tolist()) == ([0, 2, 3], [0, 1, 2])
    np.testing.assert_allclose(vectors(spans, layer(chunk)), [span(*item) for item in items[:3]], rtol=1e-5)
    both = np.array([[0, 0, 0, 1], [3, 4, 4, 4]])
    pairs = labelled(corpus(), MemoryLabels("pair", ("x", "y"), np.array([0, 1]), both))
    wanted = [np.concatenate([span(a, b), span(c, d)]) for a, b, c, d in both.tolist()]
    np.testing.assert_allclose(vectors(pairs, layer(chunk)), wanted, rtol=1e-5)
    arcs = labelled(corpus(), MemoryLabels("arc", ("x", "y"), np.array([0, 1]), np.array([[0, 1], [3, 4]])))
    alike = labelled(
        corpus(), MemoryLabels("pair", ("x", "y"), np.array([0, 1]), np.array([[0, 0, 1, 1], [3, 3, 4, 4]]))
    )
    np.testing.assert_array_equal(vectors(arcs, layer(chunk)), vectors(alike, layer(chunk)))


def test_spans_and_pairs_of_the_same_words_in_the_same_order_have_one_type() -> None:
    forms = np.random.default_rng(1).integers(0, 3, 40)
    known = MemoryCorpus([40], [(n, 1) for n in range(40)], types=forms)
    bounds = np.array([[first, first + more] for more in range(3) for first in range(36)])
    for level, items in (("span", bounds), ("pair", np.concatenate([bounds, bounds[::-1]], axis=1))):
        points = labelled(known, MemoryLabels(level, ("x",), np.zeros(len(items), np.int64), items))
        said = [tuple(tuple(forms[a : b + 1]) for a, b in unit.reshape(-1, 2).tolist()) for unit in items]
        found = points.types
        assert found is not None
        assert len(set(found.tolist())) == len(set(said)) == len(set(zip(found.tolist(), said, strict=True)))


def test_a_unit_is_one_point_however_often_it_is_listed() -> None:
    items = np.array([[0, 1], [3, 4], [0, 1], [3, 4]])
    found = labelled(corpus(), MemoryLabels("span", ("x", "y"), np.array([0, 1, 0, -1]), items))
    assert (found.place.tolist(), found.labels.tolist()) == ([0, 1], [0, 1])
    with pytest.raises(MeasureError, match="Some spans have several labels: only edge-probe reads sets of labels"):
        labelled(corpus(), MemoryLabels("span", ("x", "y"), np.array([0, 1, 1, 1]), items))


def test_hidden_states_that_are_not_finite_are_refused() -> None:
    states = np.ones((15, 7), np.float32)
    states[9, 3] = np.nan
    labels = MemoryLabels("sentence", ("a",), np.zeros(4, np.int64))
    with pytest.raises(MeasureError, match="NaN"):
        vectors(labelled(corpus(), labels), MemoryLayer(states))
