"""Score the predictions of a probe on held-out points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of a probe on n points. A point whose label the probe was not trained on is an error."""

    n: int
    accuracy: float
    macro_f1: float
    """Mean F1 over the labels that occur in truth or prediction; 0 for a label that is never right."""
    bits: float
    """Mean -log2 of the true label's probability over the points whose label the probe knows; NaN if it knows none."""
    majority: float
    """Accuracy of always predicting the most frequent label of train."""
    unseen: int
    """Number of points whose label train does not have."""
    examples_per_parameter: float
    """Training points per free parameter of the probe: the fewer, the more it can memorise."""
    labels: np.ndarray
    """Labels of the probe and of the points, ascending, int64 [C]."""
    confusion: np.ndarray
    """Number of points by true label (rows) and predicted label (columns), int64 [C, C]."""


def evaluate(
    logits: np.ndarray, classes: np.ndarray, truth: np.ndarray, trained: np.ndarray, parameters: int
) -> Evaluation:
    """Score a probe's logits against the true labels.

    Accuracy and macro-F1 equal scikit-learn's ``accuracy_score`` and ``f1_score(average="macro", zero_division=0)``.

    Args:
        logits: unnormalised log-probabilities, float [n, K], n at least 1. They must not be log-probabilities of other
            numbers: the softmax is taken here, once.
        classes: labels of the K columns, ascending, int64 [K].
        truth: true labels, int64 [n].
        trained: number of training points of each class, int64 [K].
        parameters: number of the probe's free parameters.
    """
    return evaluation(*predictions(logits, classes, truth), classes, truth, trained, parameters)


def predictions(logits: np.ndarray, classes: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the label that each point is given, int64 [n], and -log2 of the true label's probability, float64 [n].

    The bits are NaN for a label that the probe does not know. Arguments as of ``evaluate``.
    """
    known = np.isin(truth, classes)
    bits = np.full(len(truth), np.nan)
    bits[known] = bits_of(logits[known], np.searchsorted(classes, truth[known]))
    return classes[logits.argmax(1)], bits


def evaluation(
    predicted: np.ndarray,
    bits: np.ndarray,
    classes: np.ndarray,
    truth: np.ndarray,
    trained: np.ndarray,
    parameters: int,
) -> Evaluation:
    """Return the scores of what ``predictions`` returned. The other arguments are as of ``evaluate``."""
    labels = np.union1d(classes, truth)
    true, given = np.searchsorted(labels, truth), np.searchsorted(labels, predicted)
    count = len(labels)
    confusion = np.bincount(true * count + given, minlength=count * count).reshape(count, count)
    right, occurs = confusion.diagonal(), confusion.sum(0) + confusion.sum(1)
    known = np.isin(truth, classes)
    return Evaluation(
        n=len(truth),
        accuracy=float(right.sum() / len(truth)),
        macro_f1=float((2 * right[occurs > 0] / occurs[occurs > 0]).mean()),
        bits=float(bits[known].mean()) if known.any() else float("nan"),
        majority=float((truth == classes[trained.argmax()]).mean()),
        unseen=int((~known).sum()),
        examples_per_parameter=float(trained.sum() / parameters),
        labels=labels,
        confusion=confusion,
    )


def bits_of(logits: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return -log2 of the softmax of logits [n, K] at one column of each row: float64 [n]."""
    wide = np.asarray(logits, np.float64)
    top = wide.max(1, keepdims=True)
    lost = np.log(np.exp(wide - top).sum(1)) - (wide[np.arange(len(wide)), column] - top[:, 0])
    bits: np.ndarray = lost / np.log(2)
    return bits
