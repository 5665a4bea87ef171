"""Probes hold no vectors of words beyond a limit: their memory hardly grows with the number of words."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from explorer.measures.computation import Context, Given, Value
from explorer.measures.probes import logistic, mlp, online_code, vectors
from explorer.measures.probes.points import labelled
from explorer.measures.probes.vectors import vectors_of
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryLabels
from tests.explorer.measures.probes.endless import LENGTH, EndlessLayer, endless_corpus, endless_labels
from tests.parameters import later

WIDTH, FEW, MANY = 768, 2_000, 12_000
OF_A_WORD = 4 * WIDTH
"""Bytes of a float32 vector."""


def computed(
    words: int, width: int = WIDTH, measure: str = "probe", clear: tuple[float, ...] = (2.0,), **parameters: object
) -> list[Value]:
    """Return the values of a layer for each of ``clear``."""
    given = Given(
        endless_corpus(words),  # type: ignore[arg-type]
        {"checkpoint": {"hidden": tuple(EndlessLayer(width, each) for each in clear)}},
        endless_labels(words),  # type: ignore[arg-type]
        others={"erase": endless_labels(words)} if parameters.get("erase") else {},  # type: ignore[dict-item]
    )
    return get(measure).compute(given, dict(get(measure).settle(parameters)), Context())


def peak(words: int, measure: str, parameters: dict[str, object]) -> int:
    """Return the most bytes that are held at once."""
    tracemalloc.start()
    try:
        computed(words, measure=measure, **parameters)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth(measure: str, parameters: dict[str, object]) -> float:
    """Return the bytes that each further word needs, in vectors of a word."""
    computed(300, measure=measure, **parameters)  # imports
    return (peak(MANY, measure, parameters) - peak(FEW, measure, parameters)) / (MANY - FEW) / OF_A_WORD


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds, and few points at a time: FEW are many of them."""
    monkeypatch.setattr(mlp, "MOST_ROUNDS", 2)
    for module in (logistic, mlp, online_code):
        monkeypatch.setattr(module, "ROWS", 256)


LDA = ("probe", {"probe_seeds": 2})
OTHERS = (
    later("probe", {"probe_seeds": 1, "model": "logistic"}),
    later("probe", {"probe_seeds": 1, "model": "mlp"}),
    later("mdl", {}),
)
KINDS = pytest.mark.parametrize(("measure", "parameters"), [LDA, *OTHERS], ids=["lda", "logistic", "mlp", "mdl"])


@KINDS
@pytest.mark.usefixtures("short")
def test_memory_hardly_grows_with_the_words_beyond_the_limit(
    measure: str, parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "HELD", 0)
    assert growth(measure, parameters) < 0.15


@KINDS
@pytest.mark.usefixtures("short")
def test_up_to_the_limit_the_vectors_are_held(measure: str, parameters: dict[str, object]) -> None:
    """The test above would find them."""
    assert growth(measure, parameters) > 0.9


def test_means_of_sentences_are_not_held_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "HELD", 0)

    def most(examples: int) -> int:
        corpus, layer = endless_corpus(LENGTH * examples), EndlessLayer(WIDTH)
        labels = MemoryLabels("sentence", ("a", "b"), np.arange(examples) % 2)
        points = labelled(corpus, labels, "mean")  # type: ignore[arg-type]
        tracemalloc.start()
        try:
            assert sum(len(block) for block in vectors_of(points, layer).blocks()) == examples  # type: ignore[arg-type]
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most(10)
    assert (most(3_000) - most(500)) / 2_500 / OF_A_WORD < 0.1


@pytest.mark.parametrize(
    ("measure", "parameters"),
    [
        ("probe", {}),
        ("probe", {"erase": "other"}),
        ("probe", {"model": "logistic"}),
        ("probe", {"model": "mlp"}),
        ("probe", {"model": "mlp", "hidden": "64,32", "erase": "other"}),
        ("mdl", {"control": True}),
    ],
)
@pytest.mark.parametrize("words", [50, 6_000])
def test_reading_again_gives_the_same_numbers(
    words: int, measure: str, parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of fewer points than features, and of more points than are read at a time."""
    monkeypatch.setattr(mlp, "MOST_ROUNDS", 4)
    more = {"probe_seeds": 1} if measure == "probe" else {}
    held = computed(words, 40, measure=measure, **parameters, **more)
    monkeypatch.setattr(vectors, "HELD", 0)
    again = computed(words, 40, measure=measure, **parameters, **more)
    assert [one.value for one in again] == [one.value for one in held]
    assert [one.details for one in again] == [one.details for one in held]
    for one, other in zip(held, again, strict=True):
        for name, array in (one.artefact or {}).items():
            np.testing.assert_array_equal(array, (other.artefact or {})[name])


@pytest.mark.parametrize("hidden", ["8,8", later("grid")])
def test_layers_that_are_fitted_together_are_those_fitted_one_by_one(
    hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.measures.probes.mlp_sizes.GRID", ((2, 2), (16, 8)))
    clear, words, width = (0.0, 0.4, 2.0), 900, 12
    asked = {"probe_seeds": 2, "model": "mlp", "hidden": hidden}
    together = computed(words, width, clear=clear, **asked)
    for room in (2, 1):
        monkeypatch.setattr(vectors, "HELD", room * 4 * words * width)
        for one, other in zip(together, computed(words, width, clear=clear, **asked), strict=True):
            assert (one.layer, one.statistic, one.n) == (other.layer, other.statistic, other.n)
            assert one.value == pytest.approx(other.value, abs=0.02)
            assert (one.details or {}).get("hidden") == (other.details or {}).get("hidden")
    accuracy = [one.value for one in together if one.statistic == "accuracy"]
    assert accuracy == sorted(accuracy)
    assert accuracy[2] > accuracy[0] + 0.2  # type: ignore[operator]


def test_chunks_are_the_chosen_points_in_order() -> None:
    corpus, labels, layer = endless_corpus(3_000), endless_labels(3_000), EndlessLayer(8)
    points = labelled(corpus, labels)  # type: ignore[arg-type]
    rows = np.array([0, 7, 999, 1_000, 2_999])
    found = vectors_of(points, layer)  # type: ignore[arg-type]
    assert len(list(found.chunks(rows))) == 3
    np.testing.assert_array_equal(found.of(rows), layer.hidden(0, 3_000)[rows].astype(np.float32))
    np.testing.assert_array_equal(found.mapped(np.negative).of(rows), -np.asarray(found.of(rows)))


@pytest.mark.parametrize("held", [0, vectors.HELD])
def test_a_copy_has_the_points_in_the_order_asked_for(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "HELD", held)
    corpus, labels, layer = endless_corpus(3_000), endless_labels(3_000), EndlessLayer(8)
    points = labelled(corpus, labels)  # type: ignore[arg-type]
    rows = np.random.default_rng(0).permutation(3_000)[:2_000]
    found = np.asarray(vectors_of(points, layer).of(rows))  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, layer.hidden(0, 3_000)[rows].astype(np.float32))
