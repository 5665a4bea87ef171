"""Edge probes that are kept give the stored scores again, and say what they cannot read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.metrics import f1_score

from explorer.measures.computation import Context, Given, MeasureError, Uncertainty, Value
from explorer.measures.probes import edge
from explorer.measures.probes.kept_edge import KeptEdgeProbe, kept_edge_probe
from explorer.measures.probes.spans import token_spans
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer

MEASURE = get("edge-probe")
NAMES, SENTENCES, WORDS = ("a", "b", "c"), 40, 5
CORPUS = MemoryCorpus([6] * SENTENCES, [(6 * s + t, 1 + (t == 1)) for s in range(SENTENCES) for t in (0, 1, 3, 4, 5)])
RNG = np.random.default_rng(5)
KIND = RNG.integers(0, 3, SENTENCES * WORDS)
STATES = [RNG.standard_normal((6 * SENTENCES, 8)).astype(np.float16) for _ in range(3)]
for _n, _states in enumerate(STATES):
    _states[np.asarray(CORPUS.word_first), KIND] += np.float16(0.8 * _n)
PART = np.repeat([0, 1, 2], (24, 6, 10))
PAIRS = np.array([(w, w, v, v) for s in range(SENTENCES) for w, v in ((5 * s, 5 * s + 1), (5 * s + 2, 5 * s + 4))])
SETS = MemoryLabels(
    "pair", NAMES, np.array([n for w, _, v, _ in PAIRS for n in (KIND[w], KIND[v])]), PAIRS.repeat(2, 0)
)
OF_WORDS = MemoryLabels("word", NAMES, KIND)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "RATE", 1e-2)
    monkeypatch.setattr(edge, "STEPS", 6)


def computed(labels: MemoryLabels, keep: bool = True, seeds: int = 2, **parameters: object) -> list[Value]:
    read = {"checkpoint": {"hidden": tuple(map(MemoryLayer, STATES))}}
    split = MemoryLabels("sentence", ("train", "dev", "test"), PART)
    given = Given(CORPUS, read, labels, others={"split": split})  # type: ignore[arg-type, dict-item]
    chosen = {"projection": 8, "rounds": 4, "probe_seeds": seeds, **parameters}
    return MEASURE.compute(given, dict(MEASURE.settle(chosen)), Context(trust=Uncertainty(null=1, keep=keep)))


def artefact(values: list[Value]) -> Mapping[str, np.ndarray]:
    (found,) = {id(v.artefact): v.artefact for v in values if v.statistic == "f1"}.values()
    assert found is not None
    assert all(v.artefact is None for v in values if v.statistic != "f1")
    return found


def restored(values: list[Value], layer: int) -> KeptEdgeProbe:
    return kept_edge_probe(artefact(values), layer, {}, NAMES)


@pytest.mark.parametrize("mix", ["none", "all", "cumulative"])
@pytest.mark.parametrize("labels", [OF_WORDS, SETS], ids=["words", "pairs"])
def test_kept_probes_give_the_stored_scores_of_each_layer_and_seed(labels: MemoryLabels, mix: str) -> None:
    values = computed(labels, mix=mix)
    words = np.arange(len(KIND))[:, None].repeat(2, 1)[:, None] if labels is OF_WORDS else PAIRS.reshape(-1, 2, 2)
    truth = np.zeros((len(words), 3), bool)
    truth[np.arange(len(words)), KIND[words[:, 0, 0]]] = truth[np.arange(len(words)), KIND[words[:, -1, 0]]] = True
    test = PART[words[:, 0, 0] // WORDS] == 2
    stored = {v.layer: v.value for v in values if v.statistic == "f1"}
    assert list(stored) == ([2] if mix == "all" else [0, 1, 2])
    for layer, value in stored.items():
        probe = restored(values, layer)
        assert probe.layers == ((layer,) if mix == "none" else tuple(range(layer + 1)))
        states = np.stack([STATES[n] for n in probe.layers])
        states = states[0] if len(states) == 1 else states
        places = token_spans(CORPUS, words[test])
        said = [[[name in of for name in NAMES] for of in probe.predict(states, places, seed)] for seed in (1, 2)]
        found = [f1_score(truth[test], np.array(one), average="micro", zero_division=0) for one in said]
        assert np.mean(found) == pytest.approx(value)
        each = [probe.probabilities(states, places, seed) for seed in (1, 2)]
        assert not np.allclose(*each)
        np.testing.assert_allclose(probe.probabilities(states, places), np.mean(each, axis=0))


def test_layers_that_are_trained_in_parts_are_kept_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    together = computed(OF_WORDS)
    monkeypatch.setattr("explorer.measures.probes.parts.AT_ONCE", 1)
    places = token_spans(CORPUS, np.arange(50)[:, None].repeat(2, 1))
    parts = computed(OF_WORDS)
    for layer in range(3):
        one, other = (restored(of, layer).probabilities(STATES[layer], places) for of in (together, parts))
        np.testing.assert_allclose(one, other, atol=0.05)


def test_nothing_is_kept_unasked() -> None:
    assert all(v.artefact is None for v in computed(OF_WORDS, keep=False))


def test_what_a_probe_cannot_read_is_refused_in_a_sentence() -> None:
    probe, mixed = restored(computed(SETS, seeds=1), 1), restored(computed(SETS, seeds=1, mix="all"), 2)
    places = np.array([[[0, 0], [1, 2]]])
    with pytest.raises(MeasureError, match=r"reads hidden states \[tokens, 8\], not \[240, 7\]"):
        probe.predict(STATES[1][:, :7], places)
    with pytest.raises(MeasureError, match=r"reads hidden states \[3, tokens, 8\], not \[240, 8\]"):
        mixed.predict(STATES[1], places)
    with pytest.raises(MeasureError, match=r"reads targets \[n, 2, 2\], not \[1, 2\]"):
        probe.predict(STATES[1], places[:, 0])
    with pytest.raises(MeasureError, match="outside of the 240 tokens"):
        probe.predict(STATES[1], places + 239)
    with pytest.raises(MeasureError, match="no probe seed 2"):
        probe.predict(STATES[1], places, seed=2)
    assert probe.predict(STATES[1], places[:0]) == []
