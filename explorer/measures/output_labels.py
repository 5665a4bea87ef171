"""Loss and accuracy of a checkpoint's own classifier on labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import ALONE, EXAMPLE, LABELS, PREDICTIONS, logits
from explorer.measures.outputs import DETAILS, Predictions, averaged, check_classes, predictions
from explorer.measures.protocols import Corpus, Labels, Model, Outputs

_LEVELS = {"sequence": "sentence", "token": "word"}
_SHOWN = 12
"""Number of labels that a message names."""
MAP = Parameter(
    "map", "", "Which label of the corpus is which class, as negative=0,positive=1 (names or numbers of classes)."
)


def class_of(labels: tuple[str, ...], classes: tuple[str, ...], said: str = "") -> tuple[int, ...]:
    """Return the class (from 0) of each label of a corpus; -1 for a label without a class.

    Labels are matched to classes by name (in any case) or, if the classes have the default names ``LABEL_0`` ..., by
    number.

    Args:
        labels: names of the corpus's labels.
        classes: names of the classifier's classes, in their order.
        said: ``LABEL=CLASS,...``; labels that are not in it are matched as above.

    Raises:
        MeasureError: the mapping has another form or an unknown label or class; or no label has a class.
    """
    given: dict[str, int] = {}
    by_name = {name: number for number, name in enumerate(classes)}
    by_name |= {name.lower(): number for number, name in enumerate(classes) if name.lower() not in by_name}
    numbers = {str(number): number for number in range(len(classes))}
    for part in filter(None, said.split(",")):
        label, equals, named = (piece.strip() for piece in part.partition("="))
        number = by_name.get(named, numbers.get(named))
        if not equals or label not in labels or number is None:
            raise MeasureError(f"map: '{part}' is not of the form LABEL=CLASS. {_both(labels, classes)}")
        given[label] = number
    default = all(name == f"LABEL_{number}" for number, name in enumerate(classes))
    found = []
    for label in labels:
        number = given.get(label, by_name.get(label, by_name.get(label.lower())))
        if number is None and default:
            number = numbers.get(label)
        found.append(-1 if number is None else number)
    if not labels or min(found) < 0:
        lost = [label for label, number in zip(labels, found, strict=True) if number < 0]
        raise MeasureError(
            f"The classifier has no class for {_listed(lost) or 'any label'}. {_both(labels, classes)} Match them with "
            "--map LABEL=CLASS,..."
        )
    return tuple(found)


def matched(classifier: Outputs | Model, labels: Labels, said: str) -> tuple[int, ...]:
    """Return the class (from 0) of each label that a classifier is tested on, as ``class_of``.

    Raises:
        MeasureError: labels of words for a classifier of sentences, or the reverse; a classifier without classes, or
            one that gives several at once; or as ``class_of``.
    """
    check_classes(classifier)
    level = _LEVELS.get(classifier.head, "")
    if level and labels.level != level:
        raise MeasureError(
            f"The classifier labels {level}s, but the annotation has labels of {labels.level}s: name another one."
        )
    if classifier.problem == "multi_label_classification":
        raise MeasureError("The classifier gives several labels at once, but the annotation has one per sentence.")
    return class_of(labels.names, classifier.labels, said)


def met(outputs: Outputs, labels: Labels, corpus: Corpus, said: str = "") -> tuple[Predictions, np.ndarray]:
    """Return the predictions of labelled rows, and the true class of each row, int64 [n].

    Raises:
        MeasureError: as ``matched``, or the outputs do not fit the corpus.
    """
    number = np.array(matched(outputs, labels, said), np.int64)
    found = predictions(outputs, corpus)
    ids = np.asarray(labels.values, np.int64)
    if len(ids) != len(found.log):
        raise MeasureError(f"{len(ids)} labels do not fit {len(found.log)} outputs.")
    there = ids >= 0
    return Predictions(found.log[there], found.example[there], found.labels), number[ids[there]]


def _of(given: Given, parameters: Mapping[str, object]) -> tuple[Predictions, np.ndarray]:
    outputs = cast(Outputs, given.operands[ALONE[0].role]["logits"])
    return met(outputs, given.labels, given.corpus, str(parameters.get("map", "")))


def output_loss(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the mean cross-entropy of the labels in nats; with detail, also per example.

    Raises:
        MeasureError: as ``met``.
    """
    found, right = _of(given, parameters)
    return averaged(-found.log[np.arange(len(right)), right], found.example, given.corpus, context)


def output_accuracy(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the share of labels that are predicted; with detail, also per example.

    Raises:
        MeasureError: as ``met``.
    """
    found, right = _of(given, parameters)
    return averaged((found.chosen == right).astype(np.float64), found.example, given.corpus, context)


def _both(labels: tuple[str, ...], classes: tuple[str, ...]) -> str:
    return f"The corpus has labels {_listed(labels)}; the classifier has classes {_listed(classes)}."


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + ", ..." * (len(names) > _SHOWN)


_ROWS = (
    "Rows are the labelled examples of a sequence classifier, or the labelled words of a token classifier, each read "
    "at its first sub-word. Labels and classes are matched by name; classes with default names, by number."
)

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="output-loss",
        title="Loss of the classifier",
        topic=PREDICTIONS,
        why="how well the classifier does on labels of your own",
        inputs=(*logits(*ALONE), LABELS),
        operands=ALONE,
        axes=(EXAMPLE,),
        unit="nats",
        low=0.0,
        high=float("inf"),
        direction="0 = certain and right",
        definition="Mean over rows of -log p(label), natural logarithm, p the softmax of the logits. " + _ROWS,
        source="Cross-entropy, as the Hugging Face Trainer logs it (there averaged over batches).",
        cost="Reading the stored logits.",
        counts="labels",
        compute=output_loss,
        summary="mean cross-entropy of the checkpoint's own classifier on an annotation",
        parameters=(MAP,),
        intervals=INTERVALS,
        details=DETAILS,
    ),
    Measure(
        name="output-accuracy",
        title="Accuracy of the classifier",
        topic=PREDICTIONS,
        why="how often the classifier is right on labels of your own",
        inputs=(*logits(*ALONE), LABELS),
        operands=ALONE,
        axes=(EXAMPLE,),
        unit="share",
        low=0.0,
        high=1.0,
        direction="0 = never right, 1 = always right",
        definition="Share of rows whose label has the largest logit. " + _ROWS,
        source="Accuracy.",
        cost="Reading the stored logits.",
        counts="labels",
        compute=output_accuracy,
        summary="share of labels that the checkpoint's own classifier predicts",
        parameters=(MAP,),
        intervals=INTERVALS,
        details=DETAILS,
    ),
)
