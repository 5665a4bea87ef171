"""Edge probes: what a small network reads off the tokens of spans and of pairs of spans (Tenney et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import (
    ALONE,
    CHECKPOINT,
    EVERY_LAYER,
    LABEL_A,
    LABELLED,
    SPLITS,
    Input,
    hidden,
    once,
)
from explorer.measures.labelled import shuffled_labels
from explorer.measures.probes import edge
from explorer.measures.probes.edge_scores import SetScores, centre_of_gravity, expected_layer, majority, set_scores
from explorer.measures.probes.kept_edge import arrays_of, kept_edge_probe
from explorer.measures.probes.parts import parts_of_layers
from explorer.measures.probes.splits import Split, parts_of, random_parts, said_of_unknown, split_points
from explorer.measures.probes.targets import Targets, targets_of
from explorer.measures.probes.trials import MOST_SEEDS
from explorer.measures.protocols import Labels, Layer

F1, SPREAD, MAJORITY, LABEL_F1 = "f1", "f1-sd", "majority", "label-f1"
WEIGHT, GAMMA, CENTRE, EXPECTED = "weight", "gamma", "centre-of-gravity", "expected-layer"
TARGETS = Input("annotation", "labels of spans", levels=("word", "arc", "span", "pair"), of="class")
NONE, ALL, CUMULATIVE = "none", "all", "cumulative"


@dataclass(frozen=True, eq=False)
class _Probed:
    """One trained probe of a layer or a mix of layers."""

    scores: SetScores
    """Scores on test."""
    mix: np.ndarray
    """Weights of the layers that were read with it, with the sum 1."""
    gamma: float
    """Factor of the mix."""
    rounds: int
    stopped: bool
    parameters: int
    weights: Mapping[str, np.ndarray]
    """Parameters of the network by name; empty if they are not kept."""


def inputs_of(mix: str, count: int) -> np.ndarray:
    """Return the layers that each probe reads, bool [B, count]: one each, all, or all up to each of them.

    The score of a probe belongs to the last of its layers.
    """
    if mix == ALL:
        return np.ones((1, count), bool)
    return np.eye(count, dtype=bool) if mix == NONE else np.tri(count, dtype=bool)


def edge_probe(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the micro-F1 of each layer or mix of layers on the test targets, and what the mixes are made of.

    Raises:
        MeasureError: the labels or the split cannot be probed; some hidden states are not finite.
    """
    targets = targets_of(given.corpus, given.labels)
    split = given.others.get(SPLITS.kind)
    splits = _splits(targets, split, int(str(parameters["probe_seeds"])))
    layers = cast(tuple[Layer, ...], given.operands[CHECKPOINT.role]["hidden"])
    inputs = inputs_of(str(parameters["mix"]), len(layers))
    orders = [np.arange(len(targets.labels))] * len(splits)
    orders += [_shuffled(targets, context.trust.seed, draw) for draw in range(context.trust.null)]
    parts, keep = _parts(inputs, targets, layers), context.trust.keep
    runs: list[list[_Probed]] = [[] for _ in orders]
    for i, (probes, read) in enumerate(parts):
        states = targets.states([layers[n] for n in read])
        for j, order in enumerate(orders):
            place = j % len(splits)
            schedule = edge.Schedule(
                int(str(parameters["projection"])), int(str(parameters["rounds"])), place + 1, context.device
            )
            report = partial(_report, context, i * len(orders) + j, len(parts) * len(orders))
            chosen, labels = inputs[np.ix_(probes, read)], targets.labels[order]
            found = _probed(states, targets.spans, labels, splits[place], chosen, schedule, report)
            stays = keep and j < len(splits)
            runs[j] += found if stays else (replace(one, weights={}) for one in found)
    several, shuffled = runs[: len(splits)], runs[len(splits) :]
    details = _details(targets, splits, split is not None)
    base = float(np.mean([majority(targets.labels, each.train, each.test) for each in splits]))
    unknown = said_of_unknown([_unknown(targets, each) for each in splits], len(splits[0].test))
    kept = arrays_of(inputs, [[run[b].weights for run in several] for b in range(len(inputs))]) if keep else None
    values: list[Value] = []
    for b, own in enumerate(inputs):
        layer, seeds = int(np.flatnonzero(own)[-1]), [run[b] for run in several]
        values += _values(layer, seeds, [run[b].scores.f1 for run in shuffled], details, base, unknown)
        if context.detail:
            values += _of_labels(layer, seeds, targets.names)
    if inputs[-1].sum() > 1:  # the last probe mixes all layers
        values += _of_mix([run[-1] for run in several])
    if len(inputs) > 1 and inputs[-1].sum() > 1:
        values += _of_gains(np.array([[one.scores.f1 for one in run] for run in several]), several[0][0].scores.n)
    return [replace(one, artefact=kept) if one.statistic == F1 else one for one in values]


def _splits(targets: Targets, split: Labels | None, seeds: int) -> list[Split]:
    """Return a split of the targets for each probe seed: the split of the corpus, or a random one."""
    group, sets = targets.corpus.same_text, targets.sets
    found = []
    for seed in range(1, seeds + 1):
        part = random_parts(group, seed) if split is None else parts_of(split.names, np.asarray(split.values))
        found.append(split_points(sets, targets.example, part, group).with_dev(sets, seed))
    return found


def _shuffled(targets: Targets, seed: int, draw: int) -> np.ndarray:
    """Return the target whose labels each target gets, int64 [n]: those of whole examples are permuted."""
    examples = len(targets.corpus.offsets) - 1
    return shuffled_labels(np.arange(len(targets.labels)), targets.example, examples, seed, draw)


def _parts(inputs: np.ndarray, targets: Targets, layers: Sequence[Layer]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the probes to train at once and the layers that they read."""
    if (inputs.sum(1) > 1).any():
        return [(np.arange(len(inputs)), np.arange(len(layers)))]
    return [(some, some) for some in parts_of_layers(len(layers), 4 * len(targets.tokens) * layers[0].width)]


def _report(context: Context, done: int, total: int, share: float) -> None:
    context.progress("probing spans", (done + share) / total)


def _probed(
    states: np.ndarray,
    spans: np.ndarray,
    labels: np.ndarray,
    split: Split,
    inputs: np.ndarray,
    schedule: edge.Schedule,
    report: Callable[[float], None],
) -> Iterator[_Probed]:
    """Train the probes of some inputs on train and dev, and yield each with its scores on test."""
    probes = edge.train(states, spans, labels, split.train, split.dev, inputs, schedule, report)
    said = probes.logits(states, spans[split.test], schedule.device) >= 0
    for b, mix in enumerate(probes.mix):
        yield _Probed(
            set_scores(said[b], labels[split.test]),
            mix,
            float(probes.weights["gamma"][b]),
            probes.rounds[b],
            probes.stopped[b],
            probes.parameters,
            probes.weights_of(b),
        )


def _details(targets: Targets, splits: Sequence[Split], of_corpus: bool) -> Mapping[str, object]:
    first = splits[0]
    return {
        **{part: len(rows) for part, rows in (("train", first.train), ("dev", first.dev), ("test", first.test))},
        "split": "of the corpus" if of_corpus else "random, one for each probe seed",
        "probe seeds": len(splits),
        "labels": int(targets.labels.any(0).sum()),
        # "unknown": targets of test with a label that train does not have; "repeated": those whose text is in train
        "unknown": _unknown(targets, first),
        "repeated": first.repeated,
    }


def _unknown(targets: Targets, split: Split) -> int:
    """Return the number of test targets with a label that train does not have."""
    known = targets.labels[split.train].any(0)
    return int(targets.labels[split.test][:, ~known].any(1).sum())


def _values(
    layer: int,
    seeds: Sequence[_Probed],
    shuffled: Sequence[float],
    details: Mapping[str, object],
    base: float,
    unknown: str,
) -> Iterator[Value]:
    n = seeds[0].scores.n
    more = {**details, "parameters": seeds[0].parameters, "rounds": [one.rounds for one in seeds]}
    if len(shuffled) > 1:
        more["null_sd"] = float(np.std(shuffled, ddof=1))
    f1 = [one.scores.f1 for one in seeds]
    late = "" if all(one.stopped for one in seeds) else "still improving after the last round: raise --rounds"
    reason = "; ".join(each for each in (late, unknown) if each)
    null = float(np.mean(shuffled)) if shuffled else None
    yield Value(float(np.mean(f1)), n, F1, null=null, details=more, reason=reason, layer=layer)
    yield from _spread(f1, n, SPREAD, "share", layer)
    yield Value(base, n, MAJORITY, layer=layer)


def _of_labels(layer: int, seeds: Sequence[_Probed], names: Sequence[str]) -> Iterator[Value]:
    """Yield the F1 of each label that occurs, over the targets of all probe seeds."""
    every = SetScores(
        sum(one.scores.n for one in seeds),
        *(sum(getattr(one.scores, part) for one in seeds) for part in ("right", "predicted", "true")),
    )
    for name, f1 in zip(names, every.label_f1.tolist(), strict=True):
        if np.isfinite(f1):
            yield Value(f1, every.n, LABEL_F1, label_a=name, layer=layer)


def _of_mix(seeds: Sequence[_Probed]) -> Iterator[Value]:
    """Yield the weights of the mix of all layers, its factor and its centre of gravity, averaged over probe seeds."""
    n = seeds[0].scores.n
    for layer, weights in enumerate(np.stack([one.mix for one in seeds]).T.tolist()):
        yield Value(float(np.mean(weights)), n, WEIGHT, layer=layer)
    yield Value(float(np.mean([one.gamma for one in seeds])), n, GAMMA, "factor")
    centres = [centre_of_gravity(one.mix) for one in seeds]
    yield Value(float(np.mean(centres)), n, CENTRE, "layers")
    yield from _spread(centres, n, f"{CENTRE}-sd", "layers")


def _of_gains(scores: np.ndarray, n: int) -> Iterator[Value]:
    """Yield the expected layer of cumulative scores [seeds, layers], averaged over probe seeds first."""
    expected = expected_layer(scores.mean(0))
    reason = "the mix of all layers is no better than the embedding output" if expected is None else ""
    yield Value(expected, n, EXPECTED, "layers", reason=reason)


def _spread(values: Sequence[float], n: int, statistic: str, unit: str, layer: int | None = None) -> Iterator[Value]:
    """Yield the standard deviation over probe seeds, if there are several."""
    if len(values) > 1:
        yield Value(float(np.std(values, ddof=1)), n, statistic, unit, layer=layer)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="edge-probe",
        title="Edge probe F1",
        topic=LABELLED,
        why="in which layers spans and their relations can be read",
        inputs=(*hidden(*ALONE), TARGETS, SPLITS),
        operands=ALONE,
        axes=(EVERY_LAYER, LABEL_A),
        unit="share",
        low=0.0,
        high=1.0,
        direction="1 = every label of every span is read off the layer; compare majority and chance",
        definition=(
            "Micro-F1 on test, over all pairs of a target and a label, of a network that sees only the tokens of one "
            "or two spans: a linear projection of each sub-word, a sum over the span with learned softmax weights, "
            "both with weights of their own for the second span; a linear layer with tanh, layer normalisation and "
            "dropout, and a logit for each label, which is predicted from 0 on (Tenney et al. 2019, as in jiant). A "
            "word is a span of one word, an arc two spans. Trained on the split train of the corpus, stopped by "
            "micro-F1 on dev (or on a tenth of train), scored on test; without a split, on a random one of whole "
            "sentences for each probe seed (60, 20, 20 %), texts of the same token ids on one side. One layer at a "
            "time; or a mix of all (softmax weights times a factor), with its weights and their centre of gravity; or "
            "cumulative, mixes of the layers 0 to l for each l, whose gains give the expected layer: sum l gain(l) / "
            "sum gain(l), l from 1 on. The score of a mix belongs to its last layer. Beside it: the standard deviation "
            "over probe seeds, and the micro-F1 of the most frequent label of train. The F1 of a single label is over "
            "the test targets of all probe seeds together. The null shuffles the labels of whole examples; draws take "
            "turns with the seeds."
        ),
        source=(
            "Tenney et al. 2019 (edge probing) and 2019b (mixes, cumulative scoring); Merchant et al. 2020, section 4."
        ),
        cost="One training of all layers for each probe seed and each null draw, some hundred steps; a GPU helps.",
        counts="test targets",
        compute=edge_probe,
        summary=(
            "micro-F1 of labels of spans, pairs of spans, words or arcs, read off the tokens of the spans by a small "
            "network; of single layers, of a mix of all with its weights and centre of gravity, or of cumulative mixes "
            "with the expected layer (Tenney et al. 2019)"
        ),
        others=(
            "jiant 1: one run for each layer, up to 250,000 steps; jiant 2: the last layer only, its dependency task "
            "gives every test target the same label"
        ),
        parameters=(
            Parameter(
                "mix", NONE, "each layer alone, a mix of all, or mixes of layers 0 to l", (NONE, ALL, CUMULATIVE)
            ),
            Parameter("projection", 256, "width of the projection (Merchant et al.: 512)", low=1, high=4096),
            Parameter("rounds", 50, "most rounds of training, each at least an epoch", low=1, high=10_000),
            Parameter("probe_seeds", 2, "random splits if the corpus has none; first weights", low=1, high=MOST_SEEDS),
        ),
        main=F1,
        null="the labels of whole examples",
        details=("layer", "label"),
        keeps="the trained probes of all layers or mixes and probe seeds",
        restore=kept_edge_probe,
        version=3,
        slow=True,
        cells=once,
    ),
)
