"""Probes: how well a classifier reads an annotation off each layer, and what that is worth (Zhou & Srikumar 2022).

One cell is one checkpoint: all its layers are probed on the same points, split and control tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from explorer.measures.base import Context, Given, Measure, MeasureError, Parameter, Value
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
from explorer.measures.labelled import shuffled_labels
from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.controls import CONTROLS, Items, selectivity
from explorer.measures.probes.erasure import fit_eraser
from explorer.measures.probes.evaluation import Evaluation, evaluate
from explorer.measures.probes.lda import fit_lda
from explorer.measures.probes.linear_probe import LinearProbe
from explorer.measures.probes.logistic import fit_logistic, prepared
from explorer.measures.probes.points import SENTENCE, Points, labelled
from explorer.measures.probes.splits import Split, parts_of, random_parts, split_points
from explorer.measures.protocols import Labels, Layer

ACCURACY, SPREAD, F1, BITS = "accuracy", "accuracy-sd", "macro-f1", "bits"
MAJORITY, CONTROL, SELECTIVITY, CONFUSION = "majority", "control-accuracy", "selectivity", "confusion"
WORD_TYPE, NO_CONTROL = "word-type", "none"
ERASED = replace(POINTS, title="labels to erase", by="erase")
"""Labels that are erased from the points before they are probed."""


def lda(points: np.ndarray, labels: np.ndarray, c: float) -> list[LinearProbe]:
    """Return the linear discriminant of each set of labels, int64 [S, n], of points [n, d]."""
    return fit_lda(class_sums([points], labels))


def logistic(points: np.ndarray, labels: np.ndarray, c: float) -> list[LinearProbe]:
    """Return the logistic regression of each set of labels, int64 [S, n], of points [n, d]; ``c``: see Parameter C."""
    shared = prepared(points)
    return [fit_logistic(shared, of, c) for of in labels]


MODELS: Mapping[str, Callable[[np.ndarray, np.ndarray, float], list[LinearProbe]]] = {"lda": lda, "logistic": logistic}


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
    known, examples = points.types, len(points.corpus.offsets) - 1
    controlled = control != NO_CONTROL and (control != WORD_TYPE or known is not None)
    types = np.zeros(len(points.labels), np.int64) if known is None else known
    items = Items(points.labels, points.example, examples, types)
    found = []
    for seed, split in enumerate(splits, 1):
        sets = [points.labels]
        sets += [CONTROLS[control](items, seed)] if controlled else []
        sets += [
            shuffled_labels(points.labels, points.example, examples, seed, draw) for draw in range(1, shuffles + 1)
        ]
        found.append(Trial(split, np.stack(sets), controlled))
    return found


def outcome_of(vectors: np.ndarray, trial: Trial, model: str, c: float, erased: np.ndarray | None) -> Outcome:
    """Fit and score probes of all label sets of a trial.

    Args:
        vectors: float32 [n, d].
        erased: labels that are erased first, int64 [n], negative if there is none; None: nothing is erased.

    Raises:
        MeasureError: there are no more training points than labels.
    """
    split = trial.split
    if erased is not None:
        rows = split.train[erased[split.train] >= 0]
        if len(np.unique(erased[rows])) < 2:
            raise MeasureError("The labels to erase have fewer than two values in train.")
        vectors = fit_eraser(class_sums([vectors[rows]], erased[None, rows])).apply(vectors)
    train, test = trial.labels[:, split.train], vectors[split.test].astype(np.float64)
    fits = MODELS[model](vectors[split.train], train, c)
    scores = [
        evaluate(fit.logits(test), fit.classes, labels[split.test], _counts(known, fit.classes), fit.parameters)
        for fit, labels, known in zip(fits, trial.labels, train, strict=True)
    ]
    control = scores[1] if trial.control else None
    shuffles = tuple(one.accuracy for one in scores[1 + trial.control :])
    return Outcome(scores[0], control, shuffles, fits[0].parameters, fits[0].reason)


def _counts(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the number of labels of each class, int64 [K]."""
    return np.bincount(np.searchsorted(classes, labels), minlength=len(classes))


def _erased(points: Points, labels: Labels | None) -> np.ndarray | None:
    """Return the label to erase of each point, int64 [n]; None if there are none.

    Raises:
        MeasureError: the labels are of other units than those that are probed.
    """
    if labels is None:
        return None
    if labels.level != points.level:
        raise MeasureError(
            f"Labels of {labels.level}s cannot be erased from {points.level}s: choose labels of {points.level}s."
        )
    return np.asarray(labels.values).astype(np.int64)[points.place]


def probe(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return accuracy, its controls and further scores of each layer, on the test points.

    Raises:
        MeasureError: the labels or the split cannot be probed; some hidden states are not finite.
    """
    points = labelled(given.corpus, given.labels, str(parameters["sentence"]))
    split = given.others.get(SPLITS.kind)
    splits = splits_of(points, split, int(str(parameters["probe_seeds"])))
    trials = trials_of(points, splits, str(parameters["control"]), context.trust.null)
    model, c, erased = (
        str(parameters["model"]),
        float(str(parameters["C"])),
        _erased(points, given.others.get(ERASED.by)),
    )
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
        outcomes = [outcome_of(vectors, trial, model, c, erased) for trial in trials]
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
        yield Value(selectivity(float(accuracy.mean()), control), n, SELECTIVITY, layer=layer)


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
        inputs=(*hidden(*ALONE), POINTS, ERASED, SPLITS),
        operands=ALONE,
        axes=(EVERY_LAYER, LABEL_A, LABEL_B),
        unit="share",
        low=0.0,
        high=1.0,
        direction="1 = every label is read off the layer; compare majority, control and chance",
        definition=(
            "Accuracy on test of a linear discriminant (equal to scikit-learn's with solver lsqr) or a multinomial "
            "logistic regression (equal to scikit-learn's at its optimum: L2 penalty, unscaled features) that is "
            "trained on the vectors of one layer: first token or mean of a sentence, mean of a word's sub-words, both "
            "words of an arc. Trained on the split train of the corpus and scored on test; without a split, on a "
            "random one of whole sentences for each of several probe seeds (60, 20, 20 %), equal texts on one side. "
            "Beside it: its standard deviation over probe seeds, macro-F1 over the labels that occur, the loss in "
            "bits per point, the accuracy of the most frequent label of train, and the accuracy on a control task "
            "(one fixed random label per word type) with the difference to it, selectivity. The null shuffles the "
            "labels of whole examples. With erase, all that is linear of other labels is removed from the vectors "
            "first (LEACE)."
        ),
        source=(
            "Zhou & Srikumar 2022; control task: Hewitt & Liang 2019; erasing: Belrose et al. 2023 (LEACE); "
            "discriminant: Fisher 1936."
        ),
        cost="One reading of the layer, X'X, and sums by label: many label sets cost little more than one.",
        counts="test points",
        compute=probe,
        summary=(
            "accuracy of a linear probe on classes of sentences, words or arcs, with standard deviation over probe "
            "seeds, macro-F1, bits, majority, control task, selectivity and, on request, shuffled labels"
        ),
        others=("scikit-learn: one layer at a time; Holmes: the last layer only, and its loss takes the softmax twice"),
        parameters=(
            Parameter("model", "lda", "linear discriminant, or logistic regression", tuple(MODELS)),
            Parameter("C", 1.0, "inverse strength of logistic regression's penalty", low=1e-6, high=1e6),
            Parameter("erase", "", "labels that are erased from the vectors first; empty: none"),
            Parameter("sentence", "cls", "vector of a sentence: first token, or mean of the others", SENTENCE),
            Parameter(
                "control",
                WORD_TYPE,
                "control task: word types (for words and arcs), shuffled labels",
                (*CONTROLS, NO_CONTROL),
            ),
            Parameter("probe_seeds", 5, "random splits, if the corpus has no split of its own", low=1, high=100),
        ),
        main=ACCURACY,
        null="the labels of whole examples",
        details=("layer", "label"),
        cells=once,
    ),
)
