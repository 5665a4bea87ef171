"""A linear discriminant holds no vectors of words beyond a limit: its memory hardly grows with their number."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from explorer.measures.base import Context, Given, Value
from explorer.measures.probes import vectors
from explorer.measures.probes.points import labelled
from explorer.measures.probes.vectors import vectors_of
from explorer.measures.registry import get
from tests.explorer.measures.probes.endless import EndlessLayer, endless_corpus, endless_labels

MEASURE = get("probe")
WIDTH, FEW, MANY = 768, 2_000, 12_000
OF_A_WORD = 4 * WIDTH
"""Bytes of a float32 vector."""


def computed(words: int, width: int = WIDTH, **parameters: object) -> list[Value]:
    given = Given(
        endless_corpus(words),  # type: ignore[arg-type]
        {"checkpoint": {"hidden": (EndlessLayer(width),)}},
        endless_labels(words),  # type: ignore[arg-type]
        others={"erase": endless_labels(words)} if parameters.get("erase") else {},  # type: ignore[dict-item]
    )
    return MEASURE.compute(given, dict(MEASURE.settle(parameters)), Context())


def peak(words: int) -> int:
    """Return the most bytes that are held at once."""
    tracemalloc.start()
    try:
        computed(words, probe_seeds=2)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth() -> float:
    """Return the bytes that each further word needs, in vectors of a word."""
    computed(100, probe_seeds=2)  # imports
    return (peak(MANY) - peak(FEW)) / (MANY - FEW) / OF_A_WORD


def test_memory_hardly_grows_with_the_words_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "HELD", 0)
    assert growth() < 0.15


def test_up_to_the_limit_the_vectors_are_held() -> None:
    """The test above would find them."""
    assert growth() > 0.9


@pytest.mark.parametrize("parameters", [{}, {"erase": "other"}, {"model": "logistic"}, {"model": "mlp"}])
def test_reading_again_gives_the_same_numbers(parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    held = computed(800, 32, probe_seeds=1, **parameters)
    monkeypatch.setattr(vectors, "HELD", 0)
    assert computed(800, 32, probe_seeds=1, **parameters) == held


def test_chunks_are_the_chosen_points_in_order() -> None:
    corpus, labels, layer = endless_corpus(3_000), endless_labels(3_000), EndlessLayer(8)
    points = labelled(corpus, labels)  # type: ignore[arg-type]
    rows = np.array([0, 7, 999, 1_000, 2_999])
    found = vectors_of(points, layer)  # type: ignore[arg-type]
    assert len(list(found.chunks(rows))) == 3
    np.testing.assert_array_equal(found.of(rows), layer.hidden(0, 3_000)[rows].astype(np.float32))
    np.testing.assert_array_equal(found.mapped(np.negative).of(rows), -found.of(rows))
