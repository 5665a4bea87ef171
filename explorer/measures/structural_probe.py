"""Structural probes: how much of each sentence's dependency tree lies in a layer as distances and depths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, MeasureError, Value
from explorer.measures.declaration import ALONE, CHECKPOINT, EVERY_LAYER, LABELLED, SPLITS, Input, hidden, once
from explorer.measures.probes import structural
from explorer.measures.probes.kept_structural import kept_structural_probe
from explorer.measures.probes.parts import parts_of_layers
from explorer.measures.probes.points import word_means
from explorer.measures.probes.splits import PARTS, advice, parts_of, random_parts, with_dev_examples
from explorer.measures.probes.trees import LONGEST, SHORTEST, Tree, TreeScores, tree_of, tree_scores
from explorer.measures.protocols import Corpus, Labels, Layer

KINDS: tuple[structural.Kind, ...] = ("distance", "depth")
UUAS, ROOT, DISTANCE, DEPTH = "uuas", "root", "distance-spearman", "depth-spearman"
TREE = Input("annotation", "trees", levels=("word",), of="tree")
UPOS = Input("annotation", "parts of speech", levels=("word",), of="class", by="upos")
PUNCTUATION = "PUNCT"
"""Part of speech of punctuation in Universal Dependencies."""


def trees_of(corpus: Corpus, heads: Labels, upos: Labels | None) -> list[Tree | None]:
    """Return the tree of each example; None if it has none.

    Args:
        heads: position of each word's head among all words of the corpus; -1 for a root, less if there is none.
        upos: parts of speech, by which punctuation is found; None: no word counts as punctuation.
    """
    counted = np.ones(len(heads.values), bool)
    if upos is not None and PUNCTUATION in upos.names:
        counted = np.asarray(upos.values) != upos.names.index(PUNCTUATION)
    found: list[Tree | None] = []
    for start, stop in zip(corpus.word_offsets[:-1].tolist(), corpus.word_offsets[1:].tolist(), strict=True):
        own = np.asarray(heads.values[start:stop], np.int64)
        inside = (own >= start) & (own < stop)
        found.append(
            tree_of(slice(start, stop), np.where(inside, own - start, np.minimum(own, -1)), counted[start:stop])
        )
    return found


def structural_probe(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return UUAS, root accuracy and both Spearman correlations of each layer, on the test sentences.

    Raises:
        MeasureError: train or test has no sentence with a tree; some hidden states are not finite.
    """
    corpus = given.corpus
    trees = trees_of(corpus, given.labels, given.others.get(UPOS.by))
    seed, rank = int(str(parameters["probe_seed"])), int(str(parameters["rank"]))
    split = given.others.get(SPLITS.kind)
    at = random_parts(corpus.same_text, seed) if split is None else parts_of(split.names, np.asarray(split.values))
    at = with_dev_examples(at, corpus.same_text, seed)
    parts = [[tree for tree, place in zip(trees, at.tolist(), strict=True) if tree and place == n] for n in range(3)]
    for name, some in zip(PARTS, parts, strict=True):
        if not some and name != "dev":
            raise MeasureError(f"No sentence of {name} has a whole tree.{advice(at, name)}")
    layers = cast(tuple[Layer, ...], given.operands[CHECKPOINT.role]["hidden"])
    details = {
        **{part: len(some) for part, some in zip(PARTS, parts, strict=True)},
        "without a tree": sum(tree is None for tree in trees),
        "split": "of the corpus" if split is not None else "random",
    }
    values: list[Value] = []
    maps: list[dict[str, np.ndarray]] = []
    divided = parts_of_layers(len(layers), 4 * len(corpus.word_first) * layers[0].width)
    for i, together in enumerate(divided):
        vectors = np.empty((len(together), len(corpus.word_first), layers[0].width), np.float32)
        for n, layer in enumerate(together.tolist()):
            vectors[n] = word_means(layers[layer], corpus)
        report = partial(_report, context, i, len(divided))
        probes = {
            kind: structural.train(
                kind, vectors, parts[0], parts[1], rank, seed, context.device, partial(report, f"probe of {kind}")
            )
            for kind in KINDS
        }
        maps.append({str(kind): probe.maps for kind, probe in probes.items()})
        for n, layer in enumerate(together.tolist()):
            scores = tree_scores(parts[2], *(probes[kind].predict(n, vectors[n], parts[2]) for kind in KINDS))
            rounds = {kind: probe.rounds[n] for kind, probe in probes.items()}
            values += _values(layer, scores, {**details, "edges": scores.edges, "rounds": rounds})
    kept = {str(kind): np.concatenate([of[kind] for of in maps]) for kind in KINDS} if context.trust.keep else None
    return [replace(one, artefact=kept) if one.statistic == UUAS else one for one in values]


def _report(context: Context, done: int, total: int, what: str, share: float) -> None:
    context.progress(what, (done + share) / total)


def _values(layer: int, scores: TreeScores, details: Mapping[str, object]) -> Iterable[Value]:
    short = f"no test sentence has {SHORTEST} to {LONGEST} words"
    for statistic, value, unit, reason in (
        (UUAS, scores.uuas, "share", "no test sentence has two words besides punctuation"),
        (ROOT, scores.root, "share", ""),
        (DISTANCE, scores.distance, "correlation", short),
        (DEPTH, scores.depth, "correlation", short),
    ):
        because = reason if value is None else ""
        yield Value(value, scores.sentences, statistic, unit, layer=layer, details=details, reason=because)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="structural-probe",
        title="Structural probe UUAS",
        topic=LABELLED,
        why="whether a layer holds syntax trees",
        inputs=(*hidden(*ALONE), TREE, UPOS, SPLITS),
        operands=ALONE,
        version=4,
        axes=(EVERY_LAYER,),
        unit="share",
        low=0.0,
        high=1.0,
        direction="1 = the trees are in the layer as distances, low = they are not",
        definition=(
            "A linear map B of each layer is trained so that ||B(h_i - h_j)||^2 is the number of arcs between two "
            "words, and another so that ||B h_i||^2 is a word's depth. On test sentences: UUAS, the share of the "
            "trees' edges in the minimum spanning trees of the predicted distances; root, the share of sentences whose "
            "word of least depth is the root; Spearman correlations of the distances from each word and of the depths, "
            f"averaged by length of the sentence, {SHORTEST} to {LONGEST} words. UUAS and root leave punctuation out, "
            "by UPOS (the authors: by seven tags of the Penn Treebank). Words are means of their sub-words. Trained on "
            "the split train, stopped by dev (or by a tenth of train), scored on test; without a split of the corpus, "
            "a random one of whole sentences."
        ),
        source="Hewitt & Manning 2019, as their code trains and reports; Merchant et al. 2020, section 4.",
        cost="One training of all layers, some thousand small steps; a GPU helps.",
        counts="sentences",
        compute=structural_probe,
        summary=(
            "UUAS, root accuracy and Spearman correlations of distance and depth of a structural probe, on words with "
            "a dependency tree"
        ),
        others="structural-probes (the authors): a configuration and an hdf5 file for each layer",
        parameters=(
            Parameter("rank", 128, "columns of the map (Merchant et al.: 512)", low=1, high=4096),
            Parameter("probe_seed", 1, "seed of the first map, the order of sentences and a random split", low=0),
            Parameter("upos", "UPOS", "labels of words in which punctuation is PUNCT; empty: no word is left out"),
        ),
        main=UUAS,
        keeps="the trained maps of all layers",
        restore=kept_structural_probe,
        slow=True,
        cells=once,
    ),
)
