"""Probes: how well a classifier reads an annotation off each layer, and what that is worth (Zhou & Srikumar 2022).

One cell is one checkpoint: all its layers are probed on the same points, split and control tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from explorer.measures.base import Context, Given, Measure, Parameter, Value
from explorer.measures.declaration import (
    ALONE,
    CHECKPOINT,
    EVERY_LAYER,
    LABEL_A,
    LABEL_B,
    POINTS,
    SPLITS,
    hidden,
    once,
)
from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.controls import shuffled_labels, word_type_labels
from explorer.measures.probes.evaluation import Evaluation, evaluate
from explorer.measures.probes.lda import fit_lda
from explorer.measures.probes.points import SENTENCE, Points, labelled
from explorer.measures.probes.splits import Split, parts_of, random_parts, split_points
from explorer.measures.protocols import Labels, Layer

ACCURACY, SPREAD, F1, BITS = "accuracy", "accuracy-sd", "macro-f1", "bits"
MAJORITY, CONTROL, SELECTIVITY, CONFUSION = "majority", "control-accuracy", "selectivity", "confusion"
WORD_TYPE, NO_CONTROL = "word-type", "none"


@dataclass(frozen=True, eq=False)
class Trial:
    """One probe seed: a split, and the label sets that are probed on it."""

    split: Split
    labels: np.ndarray
    """int64 [sets, n]: the labels, then the control task where there is one, then the shuffles."""
    control: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """Scores of one trial in one layer."""

    scores: Evaluation
    control: Evaluation | None
    shuffles: tuple[float, ...]
    """Accuracies on shuffled labels."""
    parameters: int
    reason: str
    """What is unusual about the fit; empty if nothing is."""


def splits_of(points: Points, split: Labels | None, seeds: int) -> list[Split]:
    """Return the split of the corpus or, if it has none, a random one for each probe seed.

    Raises:
        MeasureError: as ``split_points`` and ``parts_of``.
    """
    group = points.corpus.same_text
    if split is not None:
        parts = [parts_of(split.names, np.asarray(split.values))]
    else:
        parts = [random_parts(group, seed) for seed in range(1, seeds + 1)]
    return [split_points(points.labels, points.example, part, group) for part in parts]


def trials_of(points: Points, splits: Sequence[Split], control: str, shuffles: int) -> list[Trial]:
    """Return the trials of each split, with their control tasks and shuffled labels."""
    types = points.types if control == WORD_TYPE else None
    found = []
    for seed, split in enumerate(splits, 1):
        sets = [points.labels]
        if types is not None:
            sets.append(word_type_labels(types, points.labels, split.train, seed))
        parts = split.train, split.dev, split.test
        sets += [shuffled_labels(points.labels, parts, seed, draw) for draw in range(shuffles)]
        found.append(Trial(split, np.stack(sets), types is not None))
    return found


def outcome_of(vectors: np.ndarray, trial: Trial) -> Outcome:
    """Fit and score linear discriminants of all label sets of a trial.

    Raises:
        MeasureError: there are no more training points than labels.
    """
    split = trial.split
    sums = class_sums([vectors[split.train]], trial.labels[:, split.train])
    test = vectors[split.test].astype(np.float64)
    fits = fit_lda(sums)
    scores = [
        evaluate(fit.logits(test), fit.classes, labels[split.test], known.counts, fit.parameters)
        for fit, labels, known in zip(fits, trial.labels, sums.sets, strict=True)
    ]
    control = scores[1] if trial.control else None
    shuffles = tuple(one.accuracy for one in scores[1 + trial.control :])
    return Outcome(scores[0], control, shuffles, fits[0].parameters, fits[0].reason)


def probe(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return accuracy, its controls and further scores of each layer, on the test points.

    Raises:
        MeasureError: the labels or the split cannot be probed; some hidden states are not finite.
    """
    points = labelled(given.corpus, given.labels, str(parameters["sentence"]))
    split = given.others.get(SPLITS.kind)
    splits = splits_of(points, split, int(str(parameters["probe_seeds"])))
    trials = trials_of(points, splits, str(parameters["control"]), context.trust.null)
    first = splits[0]
    # "unknown": test points whose label train does not have; "repeated": those whose text is in train.
    details = {
        **{part: len(rows) for part, rows in (("train", first.train), ("dev", first.dev), ("test", first.test))},
        "split": "random, one for each probe seed" if split is None else "of the corpus",
        "probe seeds": len(splits),
        "labels": len(np.unique(points.labels)),
        "unknown": int(np.isin(points.labels[first.test], first.unseen).sum()),
        "repeated": first.repeated,
    }
    layers = cast(tuple[Layer, ...], given.operands[CHECKPOINT.role]["hidden"])
    values: list[Value] = []
    for number, layer in enumerate(layers):
        vectors = points.vectors(layer)
        outcomes = [outcome_of(vectors, trial) for trial in trials]
        values += _values(number, outcomes, details)
        if context.detail:
            values += _confusion(number, outcomes, points.names)
        context.progress("probing layers", (number + 1) / len(layers))
    return values


def _values(layer: int, outcomes: Sequence[Outcome], details: Mapping[str, object]) -> Iterator[Value]:
    one = outcomes[0]
    n, points = one.scores.n, int(str(details["train"]))
    many = one.parameters > points
    reason = f"{one.parameters:,} parameters for {points:,} training points: compare the control" if many else ""
    more = {**details, "parameters": one.parameters, "fit": one.reason}
    accuracy = np.array([each.scores.accuracy for each in outcomes])
    shuffles = [value for each in outcomes for value in each.shuffles]
    null = float(np.mean(shuffles)) if shuffles else None
    if len(shuffles) > 1:
        more["null_sd"] = float(np.std(shuffles, ddof=1))
    yield Value(float(accuracy.mean()), n, ACCURACY, null=null, details=more, reason=reason, layer=layer)
    if len(outcomes) > 1:
        yield Value(float(accuracy.std(ddof=1)), n, SPREAD, layer=layer)
    yield Value(_mean(each.scores.macro_f1 for each in outcomes), n, F1, layer=layer)
    bits = _mean(each.scores.bits for each in outcomes)
    known = bits if np.isfinite(bits) else None
    yield Value(known, n, BITS, "bits", layer=layer, reason="" if known is not None else "train has no label of test")
    yield Value(_mean(each.scores.majority for each in outcomes), n, MAJORITY, layer=layer)
    if one.control is not None:
        control = _mean(each.control.accuracy for each in outcomes if each.control is not None)
        yield Value(control, n, CONTROL, layer=layer)
        yield Value(float(accuracy.mean()) - control, n, SELECTIVITY, layer=layer)


def _confusion(layer: int, outcomes: Sequence[Outcome], names: Sequence[str]) -> Iterator[Value]:
    """Yield the number of test points of each label that were given each label, over all probe seeds."""
    count: dict[tuple[str, str], int] = {}
    for each in outcomes:
        ids = each.scores.labels.tolist()
        for a, b in zip(*map(np.ndarray.tolist, np.nonzero(each.scores.confusion)), strict=True):
            place = names[ids[a]], names[ids[b]]
            count[place] = count.get(place, 0) + int(each.scores.confusion[a, b])
    for (a, b), many in sorted(count.items()):
        n = sum(each.scores.n for each in outcomes)
        yield Value(float(many), n, CONFUSION, "points", label_a=a, label_b=b, layer=layer)


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="probe",
        title="Probe accuracy",
        inputs=(*hidden(*ALONE), POINTS, SPLITS),
        operands=ALONE,
        axes=(EVERY_LAYER, LABEL_A, LABEL_B),
        unit="share",
        low=0.0,
        high=1.0,
        direction="1 = every label is read off the layer; compare majority, control and chance",
        definition=(
            "Accuracy on test of a linear discriminant (equal to scikit-learn's with solver lsqr) that is trained on "
            "the vectors of one layer: first token or mean of a sentence, mean of a word's sub-words, both words of an "
            "arc. Trained on the split train of the corpus and scored on test; without a split, on a random one of "
            "whole sentences for each of several probe seeds (60, 20, 20 %), equal texts on one side. Beside it: its "
            "standard deviation over probe seeds, macro-F1 over the labels that occur, the loss in bits per point, the "
            "accuracy of the most frequent label of train, and the accuracy on a control task (one fixed random label "
            "per word type) with the difference to it, selectivity. The null shuffles labels within each part."
        ),
        source="Zhou & Srikumar 2022; control task: Hewitt & Liang 2019; discriminant: Fisher 1936.",
        cost="One reading of the layer, X'X, and sums by label: many label sets cost little more than one.",
        counts="test points",
        compute=probe,
        summary=(
            "accuracy of a linear probe on classes of sentences, words or arcs, with standard deviation over probe "
            "seeds, macro-F1, bits, majority, control task, selectivity and, on request, shuffled labels"
        ),
        others=("scikit-learn: one layer at a time; Holmes: the last layer only, and its loss takes the softmax twice"),
        parameters=(
            Parameter("sentence", "cls", "vector of a sentence: first token, or mean of the others", SENTENCE),
            Parameter("control", WORD_TYPE, "control task for words and arcs", (WORD_TYPE, NO_CONTROL)),
            Parameter("probe_seeds", 5, "random splits, if the corpus has no split of its own", low=1, high=100),
        ),
        main=ACCURACY,
        null="the labels within train, dev and test",
        details=("layer", "label"),
        cells=once,
    ),
)
