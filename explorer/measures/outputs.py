"""Compare the predictions of two checkpoints' own classifiers: divergence, and share of changed labels.

A row is an example of a sequence classifier, or a word of a token classifier, read at its first sub-word. Probabilities
are the softmax of the logits or, for several labels at once, the sigmoid of each logit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from explorer.measures.base import Measure
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Uncertainty, Value
from explorer.measures.declaration import COMPARED, EXAMPLE, PREDICTIONS, logits
from explorer.measures.protocols import Corpus, Model, Outputs
from explorer.measures.resampling import ratio_interval

DETAILS = ("whole", "example")
_FEWEST = 2
"""Minimum number of examples for an interval."""
_REGRESSION = "a regression has no distribution over classes"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Log-probabilities of classes per row."""

    log: np.ndarray
    """Log-probabilities, float64 [n, classes]; for several labels at once [n, classes, 2], of each label and of its
    absence."""
    example: np.ndarray
    """Example of each row, int64 [n]."""
    labels: tuple[str, ...]

    @property
    def several(self) -> bool:
        """Whether a row may have several labels at once."""
        return self.log.ndim == 3

    @property
    def chosen(self) -> np.ndarray:
        """Predicted class, int64 [n]; for several labels at once, whether each is predicted, bool [n, classes]."""
        return self.log[..., 0] > self.log[..., 1] if self.several else self.log.argmax(1)


def rows_of(outputs: Outputs, corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of each example or word, float64 [n, classes], and its example, int64 [n].

    Raises:
        MeasureError: the logits do not fit the corpus.
    """
    found = np.asarray(outputs.logits, np.float64)
    examples = len(corpus.offsets) - 1
    if outputs.head == "sequence":
        if len(found) != examples:
            raise MeasureError(f"{len(found)} rows of logits do not fit {examples} examples.")
        return found, np.arange(examples)
    if len(found) != int(corpus.offsets[-1]):
        raise MeasureError(f"{len(found)} rows of logits do not fit {int(corpus.offsets[-1])} tokens.")
    example = np.repeat(np.arange(examples), np.diff(corpus.word_offsets))
    return found[corpus.word_first], example


def check_classes(classifier: Outputs | Model) -> None:
    """Check that a classifier has classes.

    Raises:
        MeasureError: it is a regression or finds spans.
    """
    if classifier.problem == "regression":
        raise MeasureError(f"The classifier is a regression: {_REGRESSION}.")
    if classifier.head == "span":
        raise MeasureError("The classifier finds spans (question answering): its outputs are not classes.")


def predictions(outputs: Outputs, corpus: Corpus) -> Predictions:
    """Return the log-probabilities of a classifier's outputs.

    Raises:
        MeasureError: the classifier is a regression or finds spans.
    """
    check_classes(outputs)
    found, example = rows_of(outputs, corpus)
    if outputs.problem == "multi_label_classification":
        # log sigmoid(x) = -log(1 + exp(-x)), and the same for -x.
        log = np.stack((-np.logaddexp(0.0, -found), -np.logaddexp(0.0, found)), axis=-1)
    else:
        with np.errstate(invalid="ignore"):  # logits that are not finite give losses that are not
            log = found - np.logaddexp.reduce(found, axis=1, keepdims=True)
    return Predictions(log, example, outputs.labels)


def compared(given: Given) -> tuple[Predictions, Predictions]:
    """Return the predictions of a checkpoint and of its reference, with the same classes in the same order.

    Raises:
        MeasureError: a classifier is a regression or finds spans, or the two have different labels.
    """
    own, reference = (
        predictions(cast(Outputs, given.operands[operand.role]["logits"]), given.corpus) for operand in COMPARED
    )
    if sorted(own.labels) != sorted(reference.labels) or own.log.ndim != reference.log.ndim:
        raise MeasureError(
            f"The classifiers have different labels ({_listed(own.labels)}; {_listed(reference.labels)}): their "
            "outputs cannot be compared."
        )
    order = [reference.labels.index(label) for label in own.labels]
    return own, Predictions(reference.log[:, order], reference.example, own.labels)


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the Kullback-Leibler divergence sum p log2(p / q) in bits, float64 [n].

    Args:
        p: log-probabilities (natural logarithms) [n, classes] or [n, classes, 2]; ``q`` has the same shape.
    """
    terms = np.exp(p) * (p - q)
    return np.asarray(np.maximum(terms.reshape(len(p), -1).sum(1), 0.0) / np.log(2.0))


def output_kl(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the mean divergence of the checkpoint's predictions from the reference's; with detail, also per example.

    Raises:
        MeasureError: as ``compared``.
    """
    own, reference = compared(given)
    return averaged(divergence(own.log, reference.log), own.example, given.corpus, context)


def churn(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the share of rows whose predicted label differs from the reference's; with detail, also per example.

    Raises:
        MeasureError: as ``compared``.
    """
    own, reference = compared(given)
    changed = own.chosen != reference.chosen
    return averaged(
        (changed.any(1) if changed.ndim > 1 else changed).astype(np.float64), own.example, given.corpus, context
    )


def averaged(values: np.ndarray, example: np.ndarray, corpus: Corpus, context: Context) -> list[Value]:
    """Return the mean over all rows, with the requested interval over whole examples; with detail, also per example."""
    if not len(values):
        return [Value(None, 0, reason="no example or word has an output")]
    examples = len(corpus.offsets) - 1
    counts = np.bincount(example, minlength=examples)
    sums = np.bincount(example, values, minlength=examples)
    there = np.flatnonzero(counts)
    interval, details = _interval(sums[there], counts[there], context.trust)
    found = [Value(float(values.mean()), len(values), interval=interval, details=details)]
    if context.detail != "example":
        return found
    return found + [Value(float(sums[i] / counts[i]), int(counts[i]), example=i) for i in there.tolist()]


def _interval(
    sums: np.ndarray, counts: np.ndarray, trust: Uncertainty
) -> tuple[tuple[float, float] | None, dict[str, object]]:
    if not trust.interval:
        return None, {}
    if len(counts) < _FEWEST:
        return None, {"no_interval": "an interval needs at least two examples"}
    return ratio_interval(sums, counts, trust.interval, trust.level, trust.resamples, trust.seed), {}


def _listed(labels: tuple[str, ...]) -> str:
    return ", ".join(labels[:6]) + ", ..." * (len(labels) > 6)


_ROWS = "Rows are examples of a sequence classifier, or words of a token classifier, each read at its first sub-word. "

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="output-kl",
        title="Divergence of predictions",
        topic=PREDICTIONS,
        why="how much the predictions change from checkpoint to checkpoint",
        inputs=logits(*COMPARED),
        axes=(EXAMPLE,),
        unit="bits",
        low=0.0,
        high=float("inf"),
        direction="0 = the same probabilities",
        definition=(
            "Mean over rows of the Kullback-Leibler divergence sum p log2(p / q) of the checkpoint's class "
            "probabilities p from the reference's q. "
            + _ROWS
            + "Classes are matched by name; for several labels at once, the divergences "
            "are summed over labels."
        ),
        source="Kullback and Leibler 1951.",
        cost="Reading the stored logits.",
        counts="predictions",
        compute=output_kl,
        summary="mean Kullback-Leibler divergence of the classifier's probabilities from the reference's",
        default_reference="previous",
        intervals=INTERVALS,
        details=DETAILS,
    ),
    Measure(
        name="churn",
        title="Changed predictions",
        topic=PREDICTIONS,
        why="how many predictions still flip from checkpoint to checkpoint",
        inputs=logits(*COMPARED),
        axes=(EXAMPLE,),
        unit="share",
        low=0.0,
        high=1.0,
        direction="0 = the same labels, 1 = another label everywhere",
        definition=(
            "Share of rows whose predicted label (the largest logit) differs from the reference's. " + _ROWS + "For "
            "several labels at once, a row counts if any label differs."
        ),
        source="Milani Fard et al. 2016, definition 1 (churn of two classifiers).",
        cost="Reading the stored logits.",
        counts="predictions",
        compute=churn,
        summary="share of examples or words whose predicted label differs from the reference's",
        symmetric=True,
        default_reference="previous",
        intervals=INTERVALS,
        details=DETAILS,
    ),
)
