"""The structural probe as a measure: what it takes for a tree, a split and punctuation."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from explorer.measures.computation import Context, Given, MeasureError, Uncertainty, Value
from explorer.measures.probes import structural
from explorer.measures.probes.kept_structural import KeptStructuralProbe
from explorer.measures.probes.splits import random_parts
from explorer.measures.probes.trees import tree_scores
from explorer.measures.registry import get
from explorer.measures.structural_probe import trees_of
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer
from tests.explorer.measures.probes.test_trees import embedded

MEASURE = get("structural-probe")


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structural, "ROUNDS", 5)
    monkeypatch.setattr(structural, "STEPS", 20)


def given(split: MemoryLabels | None = None, sentences: int = 60) -> Given:
    """Sentences of one token a word, two layers of which the first holds the trees."""
    rng = np.random.default_rng(0)
    vectors, trees = embedded(rng, sentences, 30, 2)
    corpus = MemoryCorpus([tree.length for tree in trees], [(n, 1) for n in range(len(vectors))])
    heads = np.full(len(vectors), -1)
    for tree in trees:
        for word in range(tree.length):
            near = np.flatnonzero((tree.distance[word] == 1) & (tree.depth == tree.depth[word] - 1))
            if len(near):
                heads[tree.words.start + word] = tree.words.start + int(near[0])
    layers = tuple(MemoryLayer(each) for each in (vectors, rng.permutation(vectors)))
    others = {} if split is None else {"split": split}
    tree_labels = MemoryLabels("word", (), heads)
    return Given(corpus, {"checkpoint": {"hidden": layers}}, tree_labels, others=others)  # type: ignore[arg-type]


def computed(of: Given, **parameters: object) -> list[Value]:
    return MEASURE.compute(of, dict(MEASURE.settle({"upos": "", "rank": 30, **parameters})), Context())


def test_each_layer_has_four_numbers_of_the_test_sentences_and_the_one_with_trees_is_better(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(structural, "STEPS", 400)
    values = computed(given())
    assert [(v.layer, v.statistic) for v in values] == [
        (layer, statistic) for layer in (0, 1) for statistic in ("uuas", "root", "distance-spearman", "depth-spearman")
    ]
    found = {(v.layer, v.statistic): v.value for v in values}
    assert found[0, "uuas"] > found[1, "uuas"] + 0.1  # type: ignore[operator]
    details = dict(values[0].details)
    assert (details["train"], details["dev"], details["test"], values[0].n) == (36, 12, 12, 12)
    assert json.dumps(details)


def test_the_split_of_the_corpus_is_taken_where_there_is_one() -> None:
    split = MemoryLabels(
        "sentence", ("train", "validation", "test"), np.array([0] * 40 + [1] * 5 + [2] * 10 + [-1] * 5)
    )
    details = dict(computed(given(split))[0].details)
    assert (details["train"], details["dev"], details["test"], details["split"]) == (40, 5, 10, "of the corpus")
    with pytest.raises(MeasureError, match="No sentence of test"):
        computed(given(MemoryLabels("sentence", ("train", "dev"), np.array([0, 1] * 30))))


def test_a_split_without_dev_is_stopped_by_a_tenth_of_its_training_sentences() -> None:
    details = dict(
        computed(given(MemoryLabels("sentence", ("train", "test"), np.array([0] * 50 + [1] * 10))))[0].details
    )
    assert (details["train"], details["dev"], details["test"]) == (45, 5, 10)


def test_sentences_without_a_whole_tree_are_left_out_and_counted() -> None:
    some = given()
    heads = np.asarray(some.labels.values)
    heads[0] = -2
    assert trees_of(some.corpus, some.labels, None)[0] is None
    assert dict(computed(some)[0].details)["without a tree"] == 1


def test_punctuation_is_found_by_its_part_of_speech() -> None:
    some = given()
    upos = MemoryLabels("word", ("NOUN", "PUNCT"), (np.arange(len(some.labels.values)) % 4 == 0).astype(np.int64))
    found = [tree for tree in trees_of(some.corpus, some.labels, upos) if tree is not None]
    assert np.concatenate([tree.counted for tree in found]).tolist() == (upos.values == 0).tolist()
    assert all(tree.counted.all() for tree in trees_of(some.corpus, some.labels, None) if tree is not None)


def test_layers_are_the_same_alone_and_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    together = computed(given())
    monkeypatch.setattr("explorer.measures.probes.parts.AT_ONCE", 1)
    alone = computed(given())
    assert [(v.layer, v.statistic) for v in alone] == [(v.layer, v.statistic) for v in together]
    assert [v.value for v in alone] == pytest.approx([v.value for v in together], abs=0.03)


def test_kept_maps_give_the_stored_scores() -> None:
    some = given()
    settled = dict(MEASURE.settle({"upos": "", "rank": 30}))
    values = MEASURE.compute(some, settled, Context(trust=Uncertainty(keep=True)))
    arrays = next(v.artefact for v in values if v.statistic == "uuas")
    assert arrays is not None
    assert MEASURE.restore is not None
    trees = trees_of(some.corpus, some.labels, None)
    test = [
        tree for tree, part in zip(trees, random_parts(some.corpus.same_text, 1), strict=True) if tree and part == 2
    ]
    for layer, states in enumerate(some.operands["checkpoint"]["hidden"]):  # type: ignore[arg-type, var-annotated]
        probe = MEASURE.restore(arrays, layer, settled, ())
        assert isinstance(probe, KeptStructuralProbe)
        vectors = [states.hidden(tree.words.start, tree.words.stop) for tree in test]
        scores = tree_scores(test, map(probe.distances, vectors), map(probe.depths, vectors))
        stored = {v.statistic: v.value for v in values if v.layer == layer}
        found = scores.uuas, scores.root, scores.distance, scores.depth
        assert found == pytest.approx(tuple(stored.values()), abs=1e-9)
        with pytest.raises(MeasureError, match=r"reads vectors \[m, 32\], not \[4, 2\]"):
            probe.depths(np.zeros((4, 2)))
    assert all(v.artefact is None for v in computed(some))


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, again, other = computed(given()), computed(given()), computed(given(), probe_seed=2)
    assert first == again
    assert [v.value for v in first] != [v.value for v in other]


@pytest.mark.parametrize("kind", ["distance", "depth"])
def test_training_is_adam_on_the_mean_loss_of_the_sentences(kind: structural.Kind, monkeypatch) -> None:
    """Against a loop over sentences, with the gradients of torch, in rounds of three batches."""
    import torch

    monkeypatch.setattr(structural, "STEPS", 6)
    vectors, trees = embedded(np.random.default_rng(0), 55, 12, 2)
    found = structural.train(kind, vectors[None], trees[:50], trees[50:], 4, seed=3)
    states = torch.from_numpy(vectors)

    def loss_of(some: list) -> torch.Tensor:
        losses = []
        for tree in some:
            mapped = states[tree.words] @ projection
            if kind == "distance":
                wrong = ((mapped[:, None] - mapped[None]) ** 2).sum(-1) - torch.from_numpy(tree.distance)
                losses.append(wrong.abs().sum() / tree.length**2)
            else:
                losses.append(((mapped**2).sum(-1) - torch.from_numpy(tree.depth)).abs().sum() / tree.length)
        return torch.stack(losses).mean()

    made = torch.Generator().manual_seed(3)
    projection = ((torch.rand(1, vectors.shape[1], 4, generator=made) * 2 - 1) * structural.INITIAL)[0].requires_grad_()
    best, least, rate = projection.detach().clone(), math.inf, structural.RATE
    adam = torch.optim.Adam([projection], rate)
    for _ in range(found.rounds[0]):
        order = [i for _ in range(2) for i in torch.randperm(50, generator=made).tolist()]
        for start in range(0, 100, 20):
            adam.zero_grad()
            loss_of([trees[i] for i in order[start : start + 20]]).backward()
            adam.step()
        with torch.no_grad():
            dev = float(loss_of(trees[50:]))
        if dev < least - structural.BETTER:
            best, least = projection.detach().clone(), dev
        else:
            rate /= 10
            adam = torch.optim.Adam([projection], rate)
    np.testing.assert_allclose(found.maps[0], best.numpy(), atol=1e-4)


def test_products_are_exact_whatever_the_process_allows() -> None:
    import torch

    seen: set[str] = set()
    context = Context(progress=lambda *_: seen.add(torch.get_float32_matmul_precision()))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        MEASURE.compute(given(sentences=20), dict(MEASURE.settle({"upos": "", "rank": 4})), context)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert seen == {"highest"}
