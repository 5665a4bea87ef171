"""The edge probe: its targets, its network, its scores, and what it says of layers whose content is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer.measures.computation import Context, Given, MeasureError, Uncertainty, Value
from explorer.measures.probes import edge
from explorer.measures.probes.edge_scores import centre_of_gravity, expected_layer, majority, set_scores
from explorer.measures.probes.targets import Targets, targets_of
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer

MEASURE = get("edge-probe")
SENTENCES, WORDS, NAMES = 60, 5, ("a", "b", "c", "d")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take few large steps: the layers of these tests are easy."""
    for name, value in {"RATE": 1e-2, "MIX_RATE": 0.1, "STEPS": 12}.items():
        monkeypatch.setattr(edge, name, value)


def corpus() -> MemoryCorpus:
    """Sentences of five words, the second of which has two sub-words."""
    first = [6 * s + t for s in range(SENTENCES) for t in (0, 1, 3, 4, 5)]
    return MemoryCorpus([6] * SENTENCES, [(t, 1 + (t % 6 == 1)) for t in first])


def spans(seed: int = 0) -> MemoryLabels:
    """Spans of one to three words, three per sentence, each with one of four labels."""
    rng = np.random.default_rng(seed)
    begin = rng.integers(0, 3, (SENTENCES, 3)) + WORDS * np.arange(SENTENCES)[:, None]
    items = np.unique(np.stack([begin, begin + rng.integers(0, 3, begin.shape)], -1).reshape(-1, 2), axis=0)
    return MemoryLabels("span", NAMES, rng.integers(0, 4, len(items)), items)


def noise(seed: int, width: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((6 * SENTENCES, width)).astype(np.float32)


def telling(labels: MemoryLabels, seed: int = 9) -> np.ndarray:
    """Tokens of which the first one of each labelled word says its label, and the others nothing."""
    words = np.asarray(corpus().word_first)
    states = 0.1 * noise(seed)
    states[words[np.flatnonzero(labels.values >= 0)], labels.values[labels.values >= 0]] += 3
    return states


def words_labels(seed: int = 0) -> MemoryLabels:
    return MemoryLabels("word", NAMES, np.random.default_rng(seed).integers(0, 4, SENTENCES * WORDS))


def given(layers: list[np.ndarray], labels: MemoryLabels, split: MemoryLabels | None = None) -> Given:
    read = {"checkpoint": {"hidden": tuple(map(MemoryLayer, layers))}}
    return Given(corpus(), read, labels, others={} if split is None else {"split": split})  # type: ignore[arg-type]


def computed(of: Given, context: Context | None = None, **parameters: object) -> list[Value]:
    settled = dict(MEASURE.settle({"projection": 16, "rounds": 8, "probe_seeds": 1, **parameters}))
    return MEASURE.compute(of, settled, context or Context())


def by_place(values: list[Value]) -> dict[tuple[str, int | None], float]:
    return {(v.statistic, v.layer): v.value for v in values if v.value is not None}


def test_rows_with_equal_positions_are_one_target_with_a_set_of_labels() -> None:
    items = np.array([[0, 1], [0, 1], [7, 7], [3, 3]])
    found = targets_of(corpus(), MemoryLabels("span", NAMES, np.array([2, 0, -1, 1]), items))  # type: ignore[arg-type]
    assert found.labels.tolist() == [[True, False, True, False], [False, True, False, False], [False] * 4]
    assert found.example.tolist() == [0, 0, 1]
    # words 0 and 1 are the tokens 0 to 2; word 3 is token 4, word 7 token 9
    assert found.tokens.tolist() == [0, 1, 2, 4, 9]
    assert found.spans[:, 0].tolist() == [[0, 2], [3, 3], [4, 4]]
    assert len(set(found.sets.tolist())) == 3


def test_words_are_spans_of_one_word_and_arcs_two_and_those_without_a_label_are_left_out() -> None:
    values = np.full(SENTENCES * WORDS, -1)
    values[[1, 5]] = 3, 0
    words = targets_of(corpus(), MemoryLabels("word", NAMES, values))  # type: ignore[arg-type]
    assert words.tokens[words.spans].tolist() == [[[1, 2]], [[6, 6]]]
    arcs = MemoryLabels("arc", NAMES, np.array([1, -1, 2]), np.array([[0, 1], [1, 3], [8, 5]]))
    found = targets_of(corpus(), arcs)  # type: ignore[arg-type]
    assert found.tokens[found.spans].tolist() == [[[0, 0], [1, 2]], [[10, 10], [6, 6]]]
    assert found.labels.argmax(1).tolist() == [1, 2]


def test_only_tokens_of_spans_are_kept_as_they_are_stored() -> None:
    labels = MemoryLabels("span", NAMES, np.array([0, 1]), np.array([[1, 1], [9, 9]]))
    targets = targets_of(corpus(), labels)  # type: ignore[arg-type]
    states = noise(0).astype(np.float16)
    kept = targets.states([MemoryLayer(states, hidden_chunk=7), MemoryLayer(2 * states)])
    assert kept.dtype == np.float16
    assert np.array_equal(kept, np.stack([states[[1, 2, 11]], 2 * states[[1, 2, 11]]]))
    states[1] = np.nan
    with pytest.raises(MeasureError, match="NaN"):
        targets.states([MemoryLayer(states)])


def logits_of(weights: dict[str, np.ndarray], states: np.ndarray, inputs: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Logits of one probe and one target, written down from the paper in float64."""
    scores = np.exp(weights["mix"][inputs])
    gamma = weights["gamma"] if inputs.sum() > 1 else 1.0
    mixed = gamma * np.einsum("l,ltd->td", scores / scores.sum(), states[inputs])
    pooled = []
    for n, (first, last) in enumerate(spans.tolist()):
        projected = [weights[f"map{n}"].T @ mixed[t] + weights[f"map{n}_bias"][0] for t in range(first, last + 1)]
        attention = np.exp([float(each @ weights[f"score{n}"][:, 0]) for each in projected])
        pooled.append(sum(a * each for a, each in zip(attention / attention.sum(), projected, strict=True)))
    hidden = np.tanh(np.concatenate(pooled) @ weights["hidden"] + weights["hidden_bias"][0])
    hidden = (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5)
    hidden = hidden * weights["norm"][0] + weights["norm_bias"][0]
    return np.asarray(hidden @ weights["out"] + weights["out_bias"][0])


@pytest.mark.parametrize("count", [1, 2])
def test_the_network_is_the_papers_and_does_not_depend_on_the_order_of_targets(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "BATCH", 7)
    rng = np.random.default_rng(count)
    states = rng.standard_normal((3, 40, 6)).astype(np.float32)
    first = rng.integers(0, 36, (20, count))
    places = np.stack([first, first + rng.integers(0, 4, first.shape)], -1)
    inputs = np.array([[True, False, False], [True, True, False], [True, True, True]])
    shapes = {"mix": (3,), "gamma": (), "hidden": (5 * count, 5), "hidden_bias": (1, 5), "out": (5, 4)}
    shapes |= {"norm": (1, 5), "norm_bias": (1, 5), "out_bias": (1, 4)}
    for n in range(count):
        shapes |= {f"map{n}": (6, 5), f"map{n}_bias": (1, 5), f"score{n}": (5, 1)}
    weights = {name: rng.standard_normal((3, *shape)).astype(np.float32) for name, shape in shapes.items()}
    probes = edge.EdgeProbes(inputs, weights, (1, 1, 1), (True, True, True))
    found = probes.logits(states, places)
    slow = [
        [logits_of({k: v[b].astype(np.float64) for k, v in weights.items()}, states, inputs[b], one) for one in places]
        for b in range(3)
    ]
    np.testing.assert_allclose(found, slow, rtol=1e-4, atol=1e-4)
    order = rng.permutation(20)
    np.testing.assert_allclose(probes.logits(states, places[order]), found[:, order], rtol=1e-4, atol=1e-5)
    assert probes.mix[0].tolist() == [1, 0, 0]
    np.testing.assert_allclose(probes.mix.sum(1), 1)


def test_micro_f1_is_scikit_learns() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    said, true = rng.random((2, 50, 4)) < 0.3
    found = set_scores(said, true)
    assert found.f1 == pytest.approx(f1_score(true, said, average="micro"))
    assert found.label_f1 == pytest.approx(f1_score(true, said, average=None))
    always = np.zeros_like(true)
    always[:, true[:20].sum(0).argmax()] = True
    assert majority(true, np.arange(20), np.arange(20, 50)) == pytest.approx(
        f1_score(true[20:], always[20:], average="micro")
    )


def test_the_centre_of_gravity_is_of_weights_and_the_expected_layer_of_gains() -> None:
    assert centre_of_gravity(np.array([0.5, 0.0, 0.5])) == 1
    assert expected_layer(np.array([0.2, 0.2, 0.8])) == pytest.approx(2)
    assert expected_layer(np.array([0.2, 0.5, 0.8])) == pytest.approx(1.5)
    assert expected_layer(np.array([0.8, 0.9, 0.7])) is None


def identities(labels: MemoryLabels) -> list[np.ndarray]:
    """A layer whose tokens say the label of the word that they begin, and one of noise."""
    return [telling(labels), noise(1)]


def test_labels_that_are_in_the_vectors_are_read_and_noise_gives_chance() -> None:
    labels = words_labels()
    found = by_place(computed(given(identities(labels), labels)))
    assert found["f1", 0] == 1
    assert found["f1", 1] < 0.45
    assert found["majority", 0] == found["majority", 1] < 0.45


def test_one_hot_identities_of_spans_are_read() -> None:
    """Each of the 30 kinds of words has a dimension of its own, and its label is drawn at random."""
    rng = np.random.default_rng(3)
    kind, label_of = rng.integers(0, 30, SENTENCES * WORDS), rng.integers(0, 4, 30)
    states = np.zeros((6 * SENTENCES, 30), np.float32)
    first = np.asarray(corpus().word_first)
    states[first, kind] = 1
    items = np.repeat(np.arange(SENTENCES * WORDS), 2).reshape(-1, 2)
    assert by_place(computed(given([states], MemoryLabels("span", NAMES, label_of[kind], items))))["f1", 0] == 1


def test_a_target_may_have_several_labels_and_two_spans() -> None:
    """The first label is that of the first word, the second that of the second: each span has its own weights."""
    words = words_labels()
    pairs = [(WORDS * s + i, WORDS * s + j) for s in range(SENTENCES) for i, j in ((0, 2), (2, 0), (3, 1), (4, 3))]
    items = np.repeat([(i, i, j, j) for i, j in pairs], 2, axis=0)
    values = np.array([n for i, j in pairs for n in (words.values[i] % 2, 2 + words.values[j] % 2)])
    found = by_place(computed(given(identities(words), MemoryLabels("pair", NAMES, values, items))))
    assert found["f1", 0] > 0.97
    assert found["f1", 0] > found["f1", 1] + 0.3


def test_a_mix_finds_the_layer_that_has_the_labels_and_so_do_the_gains() -> None:
    labels = words_labels()
    layers = [noise(0), noise(1), telling(labels), noise(2)]
    values = computed(given(layers, labels), mix="cumulative")
    found = by_place(values)
    assert [v.layer for v in values if v.statistic == "f1"] == [0, 1, 2, 3]
    assert found["f1", 2] > found["f1", 1] + 0.3
    assert found["expected-layer", None] == pytest.approx(2, abs=0.35)
    assert found["centre-of-gravity", None] == pytest.approx(2, abs=0.35)
    weights = np.array([found["weight", layer] for layer in range(4)])
    assert weights.sum() == pytest.approx(1)
    assert weights.argmax() == 2
    whole = by_place(computed(given(layers, labels), mix="all"))
    assert whole["f1", 3] > 0.9  # the score of a mix belongs to its last layer
    assert ("f1", 0) not in whole
    assert "expected-layer" not in {name for name, _ in whole}


def test_the_first_of_cumulative_mixes_is_the_probe_of_the_embedding_output_alone() -> None:
    """It trains longer than the others here, so that it is the last one in the batch."""
    labels = words_labels()
    layers = [telling(labels) + 2 * noise(4), telling(labels), telling(labels, 8)]
    alone, mixed = (computed(given(layers, labels), mix=mix) for mix in ("none", "cumulative"))
    (one,), (first,) = ([v for v in of if (v.statistic, v.layer) == ("f1", 0)] for of in (alone, mixed))
    assert first.value == pytest.approx(one.value, abs=0.02)
    assert first.details["rounds"] == one.details["rounds"]


def test_the_expected_layer_needs_a_gain() -> None:
    labels = words_labels()
    values = computed(given([telling(labels), 0 * noise(1)], labels), mix="cumulative")
    (expected,) = (v for v in values if v.statistic == "expected-layer")
    assert expected.value is None
    assert "no better" in expected.reason


def test_seeds_have_a_spread_and_are_the_same_again() -> None:
    labels = words_labels()
    layers = [0.5 * telling(labels) + 0.7 * noise(1)]
    values = computed(given(layers, labels), probe_seeds=2, rounds=3)
    assert values == computed(given(layers, labels), probe_seeds=2, rounds=3)
    found = by_place(values)
    assert found["f1-sd", 0] > 0
    assert len(json.loads(json.dumps(dict(values[0].details)))["rounds"]) == 2


def test_layers_are_the_same_alone_and_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = words_labels()
    layers = [telling(labels), noise(1), telling(labels) + noise(2)]
    together = by_place(computed(given(layers, labels), rounds=3))
    monkeypatch.setattr("explorer.measures.probes.parts.AT_ONCE", 1)
    assert by_place(computed(given(layers, labels), rounds=3)) == pytest.approx(together, abs=0.02)


def test_shuffled_labels_give_chance_and_each_label_its_own_f1_on_request() -> None:
    labels = words_labels()
    context = Context(trust=Uncertainty(null=2), detail="label")
    values = computed(given([telling(labels)], labels), context)
    assert values[0].value == 1
    assert values[0].null is not None
    assert values[0].null < 0.45
    assert "null_sd" in values[0].details
    assert {v.label_a: v.value for v in values if v.statistic == "label-f1"} == dict.fromkeys(NAMES, 1.0)


def test_the_split_of_the_corpus_is_taken_and_what_train_lacks_is_counted() -> None:
    labels = words_labels()
    labels.values[labels.values == 3] = 2
    labels.values[-1] = 3
    part = np.array([0] * 30 + [1] * 10 + [2] * 20)
    values = computed(given([telling(labels)], labels, MemoryLabels("sentence", ("train", "dev", "test"), part)))
    details = values[0].details
    assert (details["train"], details["dev"], details["test"]) == (150, 50, 100)
    assert (details["unknown"], details["split"], values[0].n) == (1, "of the corpus", 100)
    assert "test has labels that train lacks: 1 of 100 points, which count as errors" in values[0].reason


def test_labels_that_cannot_be_probed_are_refused_in_a_sentence() -> None:
    labels = spans()
    labels.values[:] = 2
    with pytest.raises(MeasureError, match="same label"):
        computed(given([noise(0)], labels))
    nobody = MemoryLabels("sentence", ("train", "dev"), np.arange(SENTENCES) % 2)
    with pytest.raises(MeasureError, match="no labelled points in test"):
        computed(given([noise(0)], spans(), nobody))
    empty = MemoryLabels("span", NAMES, np.empty(0, np.int64), np.empty((0, 2), np.int64))
    with pytest.raises(MeasureError, match="no labelled points in train"):
        computed(given([noise(0)], empty))


def test_training_that_the_last_round_ends_says_so() -> None:
    labels = words_labels()
    assert "--rounds" in computed(given([telling(labels)], labels), rounds=1)[0].reason


def test_targets_know_their_examples() -> None:
    found: Targets = targets_of(corpus(), spans())  # type: ignore[arg-type]
    assert (np.diff(found.example) >= 0).all()
    assert found.example.max() == SENTENCES - 1
