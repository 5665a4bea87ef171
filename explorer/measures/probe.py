"""Probes: how well a classifier reads an annotation off each layer, and what that is worth (Zhou & Srikumar 2022).

One cell is one checkpoint: all its layers are probed on the same points, split and control tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from explorer.measures.base import PREDICTIONS, Measure, Parameter
from explorer.measures.computation import Context, Given, MeasureError, Value
from explorer.measures.declaration import (
    ALONE,
    CHECKPOINT,
    EVERY_LAYER,
    LABEL_A,
    LABEL_B,
    LABELLED,
    POINTS,
    SPLITS,
    hidden,
    once,
)
from explorer.measures.probes.controls import CONTROLS, WORD_TYPE, selectivity
from explorer.measures.probes.kept import arrays_of, kept_probe, votes
from explorer.measures.probes.mlp import SIZES
from explorer.measures.probes.mlp_sizes import sizes_in, spelled
from explorer.measures.probes.models import MODELS, Settings
from explorer.measures.probes.points import SENTENCE, Points, labelled
from explorer.measures.probes.splits import said_of_unknown
from explorer.measures.probes.trials import MOST_SEEDS, NO_CONTROL, Outcome, outcomes_of, splits_of, trials_of
from explorer.measures.probes.vectors import parts_together, vectors_of
from explorer.measures.protocols import Labels, Layer

ACCURACY, SPREAD, F1, BITS = "accuracy", "accuracy-sd", "macro-f1", "bits"
MAJORITY, CONTROL, SELECTIVITY, CONFUSION = "majority", "control-accuracy", "selectivity", "confusion"
ERASED = replace(POINTS, title="labels to erase", by="erase")
"""Labels that are erased from the points before they are probed."""


def _erased(points: Points, labels: Labels | None) -> np.ndarray | None:
    """Return the label to erase of each point, int64 [n], -1 for a point without one; None if nothing is erased.

    Raises:
        MeasureError: the labels are of other units than those that are probed, or a unit has several.
    """
    if labels is None:
        return None
    if labels.level != points.level:
        raise MeasureError(
            f"Labels of {labels.level}s cannot be erased from {points.level}s: choose labels of {points.level}s."
        )
    others = labelled(points.corpus, labels, points.sentence)
    unit = np.unique(np.concatenate([points.spans, others.spans]), axis=0, return_inverse=True)[1].reshape(-1)
    found = np.full(len(unit), -1)
    found[unit[len(points.spans) :]] = others.labels
    return found[unit[: len(points.spans)]]


def probe(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return accuracy, its controls and further scores of each layer, on the test points.

    Raises:
        MeasureError: the labels or the split cannot be probed; some hidden states are not finite.
    """
    points = labelled(given.corpus, given.labels, str(parameters["sentence"]))
    split = given.others.get(SPLITS.kind)
    model = MODELS[str(parameters["model"])]
    settings = Settings(float(str(parameters["C"])), sizes_in(str(parameters["hidden"])), context.device)
    splits = splits_of(points, split, int(str(parameters["probe_seeds"])), model.seeded)
    trials = trials_of(points, splits, str(parameters["control"]), context.trust.null, context.trust.seed)
    erased = _erased(points, given.others.get(ERASED.by))
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
    read, fitted = [], []
    for part in parts_together(points, layers) if model.together else np.arange(len(layers))[:, None]:
        vectors = [vectors_of(points, layers[number]) for number in part]
        of_trials = []
        for done, trial in enumerate(trials, 1):
            of_trials.append(outcomes_of(vectors, trial, model, settings, erased))
            context.progress("probing layers", (part[0] + len(part) * done / len(trials)) / len(layers))
        del vectors  # or those of two parts are held while the next one is read
        for number, outcomes in zip(part.tolist(), zip(*of_trials, strict=True), strict=True):
            values += _values(number, outcomes, details)
            read.append(votes([each.predicted for each in outcomes], points.place, len(given.labels.values)))
            if context.trust.keep:
                fitted.append([(each.probe, each.eraser) for each in outcomes])
            if context.detail:
                values += _confusion(number, outcomes, points.names)
    arrays = {PREDICTIONS: np.stack(read), **(arrays_of(fitted) if fitted else {})}
    return [replace(one, artefact=arrays) if one.statistic == ACCURACY else one for one in values]


def _values(layer: int, outcomes: Sequence[Outcome], details: Mapping[str, object]) -> Iterator[Value]:
    one = outcomes[0]
    n, points = one.scores.n, int(str(details["train"]))
    parameters = max(each.probe.parameters for each in outcomes)
    free = f"{parameters:,} parameters for {points:,} training points and no control task to compare"
    said = [each.warning for each in outcomes]
    said += [free] if parameters > points and one.control is None else []
    said += [said_of_unknown([each.scores.unseen for each in outcomes], n)]
    reason = "; ".join(each for each in dict.fromkeys(said) if each)
    more = {**details, "parameters": parameters, "fit": one.probe.reason}
    more |= {name: [each.probe.details[name] for each in outcomes] for name in one.probe.details}
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
        topic=LABELLED,
        why="what can be read off a layer, against a control that says what the number is worth",
        inputs=(*hidden(*ALONE), POINTS, ERASED, SPLITS),
        operands=ALONE,
        axes=(EVERY_LAYER, LABEL_A, LABEL_B),
        unit="share",
        low=0.0,
        high=1.0,
        direction="1 = every label is read off the layer; compare majority, control and chance",
        definition=(
            "Accuracy on test of a linear discriminant (equal to scikit-learn's with solver lsqr, without directions "
            "in which the points of a label vary only by rounding: layer normalisation leaves one), a multinomial "
            "logistic regression (equal to scikit-learn's at its optimum: L2 penalty, unscaled features), or a "
            "perceptron with two hidden layers (Adam, stopped by dev; with hidden=grid, for each layer and probe seed "
            "of the sizes with the least loss on dev, which the control task and the shuffled labels get too), trained "
            "on the vectors of one layer: first token or mean of a sentence, mean of a word's sub-words, mean of a "
            "span's words, both words of an arc, both spans of a pair. Trained on the split train of the corpus and "
            "scored on test; without a split, on a random one of whole sentences for each of several probe seeds (60, "
            "20, 20 %), texts of the same token ids on one side. Beside it: its standard deviation over probe seeds, "
            "macro-F1 over the labels of truth and predictions, the loss in bits per point (of points whose label "
            "train has), the accuracy of the most frequent label of train, and the accuracy on a control task (one "
            "fixed random label per word type or, for spans, arcs and pairs, per tuple of their words; words with the "
            "same token ids are one type) with the difference to it, selectivity. The null shuffles the labels of "
            "whole examples. The numbers of points are those of the first probe seed. A point is predicted by the "
            "probes that were not trained on it: the label that most of them give. With erase, all that is linear of "
            "other labels is removed from the vectors first (LEACE)."
        ),
        source=(
            "Zhou & Srikumar 2022; control task: Hewitt & Liang 2019; erasing: Belrose et al. 2023 (LEACE); "
            "discriminant: Fisher 1936."
        ),
        cost="One reading of the layer, X'X, and sums by label: many label sets cost little more than one.",
        counts="test points",
        compute=probe,
        summary=(
            "accuracy of a linear probe on classes of sentences, words, spans, arcs or pairs of spans, with standard "
            "deviation over probe seeds, macro-F1, bits, majority, control task, selectivity and, on request, shuffled "
            "labels"
        ),
        others=("scikit-learn: one layer at a time; Holmes: the last layer only, and its loss takes the softmax twice"),
        parameters=(
            Parameter("model", "lda", "linear discriminant, logistic regression or perceptron", tuple(MODELS)),
            Parameter(
                "C",
                1.0,
                "inverse strength of logistic regression's penalty",
                low=1e-6,
                high=1e6,
                only=("model", "logistic"),
            ),
            Parameter(
                "hidden",
                ",".join(map(str, SIZES)),
                "units of a perceptron's two hidden layers, or grid: 32 to 256 each, as dev chooses",
                spelling=spelled,
                only=("model", "mlp"),
            ),
            Parameter("erase", "", "labels that are erased from the vectors first; empty: none"),
            Parameter("sentence", "cls", "vector of a sentence: first token, or mean of the others", SENTENCE),
            Parameter("control", WORD_TYPE, "control task; sentences have no types", (*CONTROLS, NO_CONTROL)),
            Parameter(
                "probe_seeds", 5, "random splits if the corpus has none; fits of a perceptron", low=1, high=MOST_SEEDS
            ),
        ),
        main=ACCURACY,
        companions=((MAJORITY, "majority"), (CONTROL, "control")),
        null="the labels of whole examples",
        details=("layer", "label"),
        keeps="the fitted probes of all layers and probe seeds",
        restore=kept_probe,
        confusion=CONFUSION,
        predicts=True,
        version=5,
        cells=once,
    ),
)
