"""Early exit: the loss of the checkpoint's own classifier on the hidden states of every layer.

The classifier, with its pooler, was trained on the last layer. This is truncation without training: it shows from which
layer on the classifier can read its task, not whether another classifier could.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from explorer.measures import tokens
from explorer.measures.base import Measure
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import (
    ALONE,
    CHECKPOINT,
    EVERY_LAYER,
    LABELS,
    MATTERS,
    classifier,
    hidden,
    logits,
    once,
)
from explorer.measures.evaluation import Evaluated
from explorer.measures.outcomes import Outcome, outcome_values
from explorer.measures.output_labels import MAP, matched
from explorer.measures.protocols import Corpus, Layer, Outputs, VectorClassifier

TOLERANCE = 0.05
"""Largest difference to the stored logits of the last layer, relative to their largest: hidden states are float16."""


def exit_logits(own: VectorClassifier, layer: Layer, corpus: Corpus) -> np.ndarray:
    """Return the logits of a classifier on one layer's hidden states, float32 [examples or tokens, classes].

    Classifiers of sequences read the first token of each example.
    """
    rows = "cls" if own.head == "sequence" else "all"
    parts = [own.logits(block.astype(np.float32)) for (block,) in tokens.blocks((layer,), corpus, rows)]
    return np.concatenate(parts) if parts else np.empty((0, len(own.labels)), np.float32)


def early_exit(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss, accuracy and macro-F1 of the classifier on every layer, and their differences to the last layer.

    Raises:
        MeasureError: labels and classes do not match; or the logits of the last layer are not those that are stored,
            since the classifier reads more than single hidden states.
    """
    read = given.operands[CHECKPOINT.role]
    own, stored = cast(VectorClassifier, read["classifier"]), cast(Outputs, read["logits"])
    layers = cast(tuple[Layer, ...], read["hidden"])
    said = str(parameters[MAP.name])
    matched(stored, given.labels, said)

    def outcome(found: np.ndarray) -> Outcome:
        outputs = Evaluated(found, own.head, own.labels, own.problem)
        return Outcome.of(outputs, given.labels, given.corpus, said)

    last = exit_logits(own, layers[-1], given.corpus)
    check_last(last, stored.logits)
    whole = outcome(last)
    values: list[Value] = []
    for number, layer in enumerate(layers[:-1]):
        found = outcome(exit_logits(own, layer, given.corpus))
        values += outcome_values(found, whole, context.trust, layer=number)
        context.progress("reading layers", (number + 1) / len(layers))
    return values + outcome_values(whole, whole, context.trust, layer=len(layers) - 1)


def check_last(found: np.ndarray, stored: np.ndarray) -> None:
    """Refuse a classifier whose logits of the last layer are not the stored ones.

    Raises:
        MeasureError: they differ by more than the rounding of hidden states explains.
    """
    if found.shape == stored.shape and not found.size:
        return
    off = float(np.abs(found - stored).max()) if found.shape == stored.shape else float("inf")
    if not off <= TOLERANCE * max(1.0, float(np.abs(stored).max(initial=0.0))):
        raise MeasureError(
            f"The classifier cannot be applied to single layers: on the last one its logits differ from the stored by "
            f"{off:.2g}. It reads more than the hidden states of one token, or has an unusual activation."
        )


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="early-exit",
        title="Loss of the classifier by layer",
        topic=MATTERS,
        why="from which layer on the answer is there already",
        inputs=(*hidden(*ALONE), *classifier(*ALONE), *logits(*ALONE), LABELS),
        operands=ALONE,
        axes=(EVERY_LAYER,),
        unit="nats",
        low=0.0,
        high=float("inf"),
        direction="0 = certain and right; the last layer's is the checkpoint's own loss",
        definition=(
            "Mean cross-entropy of the checkpoint's own classifier, with its pooler, on the stored hidden states of "
            "each layer. Further statistics: accuracy, macro-F1 over the classes of labels and predictions, and the "
            "changes of all three to the last layer. Rows and labels as in output-loss. Standard errors (se in the "
            "details, jackknife over examples) and intervals of changes are paired. A classifier whose logits of the "
            "last layer are not the stored ones is refused."
        ),
        source="Truncation without training; trained exits: DeeBERT (Xin et al. 2020).",
        cost="One reading of the hidden states and one small product per layer; no model is run.",
        counts="labels",
        compute=early_exit,
        summary=(
            "loss, accuracy and macro-F1 of the checkpoint's own classifier on the stored hidden states of every "
            "layer: truncation without training"
        ),
        parameters=(MAP,),
        main="loss",
        intervals=INTERVALS,
        cells=once,
    ),
)
