"""The measure ``mdl``: lengths in bits, against the limits of what can be sent."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.measures.computation import Context, Given, Value
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer

MEASURE = get("mdl")
N = 800
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, N)
BIT = np.concatenate([(2.0 * LABELS - 1)[:, None] * 20, 0.01 * RNG.standard_normal((N, 5))], axis=1)
NOISE = RNG.standard_normal((N, 6))


def computed(
    *layers: np.ndarray, labels: np.ndarray = LABELS, **parameters: object
) -> dict[tuple[int | None, str], Value]:
    corpus = MemoryCorpus([4] * (N // 4), [(n, 1) for n in range(N)], types=np.arange(N) % 50)
    operands = {"checkpoint": {"hidden": tuple(MemoryLayer(layer.astype(np.float32)) for layer in layers)}}
    given = Given(corpus, operands, MemoryLabels("word", ("a", "b"), LABELS))  # type: ignore[arg-type]
    values = MEASURE.compute(given, dict(MEASURE.settle(parameters)), Context())
    return {(v.layer, v.statistic): v for v in values}


def test_a_label_that_is_a_bit_of_the_vector_costs_its_first_block_alone() -> None:
    found = computed(BIT)[0, "length"]
    first = int(computed(BIT)[0, "compression"].artefact["ends"][0])  # type: ignore[index]
    assert found.value is not None
    assert first <= found.value < first + 12
    assert (found.n, found.unit) == (N, "bits")


def test_labels_that_are_not_in_the_vectors_cost_at_least_the_uniform_code() -> None:
    found = computed(NOISE)
    assert found[0, "length"].value >= N  # type: ignore[operator]
    assert found[0, "compression"].value == pytest.approx(N / found[0, "length"].value)  # type: ignore[operator]


def test_the_learning_curve_adds_up_to_the_length_in_every_layer_over_the_same_blocks() -> None:
    found = computed(BIT, NOISE)
    ends = [found[layer, "compression"].artefact["ends"] for layer in (0, 1)]  # type: ignore[index]
    np.testing.assert_array_equal(*ends)
    for layer in (0, 1):
        bits = found[layer, "compression"].artefact["bits"]  # type: ignore[index]
        assert bits.sum() == pytest.approx(found[layer, "length"].value)


def test_the_control_task_is_sent_where_it_is_asked_for() -> None:
    found = computed(BIT, control=True)
    assert found[0, "control-compression"].value < 1.1 < found[0, "compression"].value  # type: ignore[operator]
    assert (0, "control-compression") not in computed(BIT)


def test_labels_of_pairs_of_spans_are_sent_as_those_of_words_are() -> None:
    """Each pair is a word twice: vectors and control types tell the same as those of the words."""
    items = np.repeat(np.arange(N), 4).reshape(N, 4)
    corpus = MemoryCorpus([4] * (N // 4), [(n, 1) for n in range(N)], types=np.arange(N) % 50)
    operands = {"checkpoint": {"hidden": (MemoryLayer(BIT.astype(np.float32)),)}}
    given = Given(corpus, operands, MemoryLabels("pair", ("a", "b"), LABELS, items))  # type: ignore[arg-type]
    found = {v.statistic: v for v in MEASURE.compute(given, dict(MEASURE.settle({"control": True})), Context())}
    words = computed(BIT, control=True)
    assert found["length"].value == pytest.approx(words[0, "length"].value, abs=0.5)
    assert found["control-compression"].value == pytest.approx(words[0, "control-compression"].value, rel=0.1)
