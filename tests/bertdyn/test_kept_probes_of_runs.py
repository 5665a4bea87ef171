"""Probes that `compute(..., keep=True)` stored, read back with `runs.probe` and applied to the stored hidden states."""

from __future__ import annotations

import numpy as np
import pytest

import bertdyn
from bertdyn.runs import Runs
from explorer.measures.probes import edge, structural
from explorer.measures.probes.spans import token_spans
from explorer.measures.probes.trees import tree_of, tree_scores
from store.corpora.annotations import make_annotation
from tests.pools import here
from tests.synthetic import make_store, sample_corpus

pytestmark = pytest.mark.index
AT = {"seed": 1, "step": 40}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Words with labels and chains as trees (each word's head is the one before it), and a split."""
    path = tmp_path_factory.mktemp("kept") / "runs.bertdyn"
    words = sample_corpus("words", kind="word", labels=("a", "b"))
    store = make_store(path, tasks=("sst2",), seeds=("1",), steps=(0, 40), pretrained=False, corpora=[words])
    heads = np.arange(words.info.words) - 1
    heads[words.word_offsets[:-1][np.diff(words.word_offsets) > 0]] = -1
    store.annotate("words", make_annotation("heads", "word", "tree", (), heads))
    parts = np.repeat([0, 1, 2], (24, 6, 10))
    store.annotate("words", make_annotation("split", "sentence", "split", ("train", "dev", "test"), parts))
    return bertdyn.open(path)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.compute.executors.workers_of", lambda scheduler, store: here)
    monkeypatch.setattr(edge, "STEPS", 5)
    monkeypatch.setattr(structural, "ROUNDS", 3)
    monkeypatch.setattr(structural, "STEPS", 5)


def stored(runs: Runs, measure: str, layer: int) -> dict[str, float]:
    name = measure.replace("-", "_")
    where = f"WHERE layer = {layer} AND step = 40"
    return dict(runs.sql(f"SELECT statistic, value FROM {name} {where}").rows)


def test_a_probe(own: Runs) -> None:
    own.compute("probe", annotation="label", keep=True, **AT)
    probe = own.probe("sst2", **AT, layer=2, annotation="label")
    corpus, labels = own.corpus(), own.annotation("label")
    states = own.hidden("sst2", **AT, layer=2).astype(np.float32)
    spans = zip(corpus.word_first.tolist(), corpus.word_length.tolist(), strict=True)
    vectors = np.stack([states[first : first + length].mean(0) for first, length in spans])
    rows = np.arange(len(vectors)) >= corpus.word_offsets[30]
    right = np.array(probe.predict(vectors[rows])) == np.array(labels.names)[labels.values[rows]]
    assert right.mean() == pytest.approx(stored(own, "probe", 2)["accuracy"])


def test_an_edge_probe(own: Runs) -> None:
    chosen = {"annotation": "label", "projection": 8, "rounds": 2, "probe_seeds": 1}
    own.compute("edge-probe", keep=True, **chosen, **AT)
    probe = own.probe("sst2", **AT, layer=2, measure="edge-probe", **chosen)
    corpus, labels = own.corpus(), own.annotation("label")
    rows = np.arange(corpus.word_offsets[30], corpus.info.words)
    places = token_spans(corpus, rows[:, None].repeat(2, 1))
    said = probe.predict(own.hidden("sst2", **AT, layer=2), places)
    right = sum(labels.names[labels.values[row]] in one for row, one in zip(rows.tolist(), said, strict=True))
    assert 2 * right / (len(rows) + sum(map(len, said))) == pytest.approx(stored(own, "edge-probe", 2)["f1"])


def test_a_structural_probe(own: Runs) -> None:
    chosen = {"annotation": "heads", "rank": 4, "upos": ""}
    own.compute("structural-probe", keep=True, **chosen, **AT)
    probe = own.probe("sst2", **AT, layer=2, measure="structural-probe", **chosen)
    corpus = own.corpus()
    states = own.hidden("sst2", **AT, layer=2).astype(np.float32)
    trees, vectors = [], []
    for start, stop in zip(corpus.word_offsets[30:-1].tolist(), corpus.word_offsets[31:].tolist(), strict=True):
        tree = tree_of(slice(start, stop), np.arange(stop - start) - 1, np.ones(stop - start, bool))
        assert tree is not None
        trees.append(tree)
        bounds = [(corpus.word_first[w], corpus.word_first[w] + corpus.word_length[w]) for w in range(start, stop)]
        vectors.append(np.stack([states[first:end].mean(0) for first, end in bounds]))
    scores = tree_scores(trees, map(probe.distances, vectors), map(probe.depths, vectors))
    found = stored(own, "structural-probe", 2)
    assert (scores.uuas, scores.root) == pytest.approx((found["uuas"], found["root"]))
    assert scores.distance == pytest.approx(found["distance-spearman"], abs=0.02)


def test_what_was_not_kept_is_said_with_the_call_that_keeps_it(own: Runs) -> None:
    chosen = {"annotation": "label", "projection": 8, "rounds": 1, "probe_seeds": 1, "mix": "all"}
    with pytest.raises(bertdyn.BertdynError, match=r"were not kept: 'bertdyn compute edge-probe .*--mix all.* --keep'"):
        own.probe("sst2", **AT, layer=1, measure="edge-probe", **chosen)
    own.compute("edge-probe", keep=True, **chosen, **AT)
    last = own.store.checkpoint("words", own._checkpoint("sst2", 1, 40, "words")[1]).layers
    with pytest.raises(bertdyn.BertdynError, match=f"no edge-probe of layer 1 with these parameters, only of {last}"):
        own.probe("sst2", **AT, layer=1, measure="edge-probe", **chosen)
    with pytest.raises(bertdyn.BertdynError, match="mdl keeps no probes"):
        own.probe("sst2", **AT, layer=1, measure="mdl", annotation="label")
