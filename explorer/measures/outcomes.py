"""Score logits against labels: loss, accuracy and macro-F1, and their paired difference to those of a whole checkpoint.

Every score is a function of sums over whole examples. So its standard error (jackknife) and its interval need no second
pass, and the difference of two scores is paired: both sides are resampled together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import Uncertainty, Value
from explorer.measures.output_labels import met
from explorer.measures.protocols import Corpus, Labels, Outputs
from explorer.measures.resampling import jackknife_error, jackknife_interval, percentile_interval, resample_counts

LOSS, ERROR, ACCURACY, F1 = "loss", "error", "accuracy", "macro-f1"
CHANGE = "-change"
"""Ending of the statistic that is the difference to the whole checkpoint."""
_FEWEST = 2
"""Minimum number of examples for a standard error."""
_ROWS, _LOSS, _RIGHT, _BY_CLASS = 0, 1, 2, 3
"""Columns of the sums: rows, losses, right predictions; then, per class, right predictions and occurrences."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Predictions of n labelled rows: examples, or words at their first sub-word."""

    loss: np.ndarray
    """Cross-entropy of each row's label in nats, float64 [n]."""
    predicted: np.ndarray
    """Class with the largest logit, int64 [n]."""
    true: np.ndarray
    """Class of the label, int64 [n]."""
    example: np.ndarray
    """Example of each row, int64 [n]."""
    classes: int

    @classmethod
    def of(cls, outputs: Outputs, labels: Labels, corpus: Corpus, said: str) -> Outcome:
        """Return the predictions of the labelled rows of a corpus.

        Raises:
            MeasureError: labels and classes do not match (see ``output_labels.met``).
        """
        found, true = met(outputs, labels, corpus, said)
        loss = -found.log[np.arange(len(true)), true]
        return cls(loss, found.chosen, true, found.example, len(found.labels))

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Loss, whether the prediction is right, and example of each row, to be stored."""
        return {"loss": self.loss, "right": self.predicted == self.true, "example": self.example}

    def sums(self) -> np.ndarray:
        """Return the sums over the rows of each example that has any, float64 [E, 3 + 2 classes]."""
        example = np.unique(self.example, return_inverse=True)[1]
        right = self.predicted == self.true
        found = np.zeros((int(example.max(initial=-1)) + 1, _BY_CLASS + 2 * self.classes))
        for column, values in ((_ROWS, np.ones(len(right))), (_LOSS, self.loss), (_RIGHT, right)):
            found[:, column] = np.bincount(example, values, minlength=len(found))
        np.add.at(found, (example[right], _BY_CLASS + self.true[right]), 1.0)
        for classes in (self.true, self.predicted):
            np.add.at(found, (example, _BY_CLASS + self.classes + classes), 1.0)
        return found


def _mean(column: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda sums: sums[..., column] / sums[..., _ROWS]


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    """Return the mean F1 over the classes that occur in truth or prediction, [...], from sums [..., 3 + 2 classes]."""
    right, occurs = np.split(sums[..., _BY_CLASS:], 2, axis=-1)
    there = occurs > 0.5  # counts, which rounding may move
    return np.asarray((2 * right / np.where(there, occurs, 1.0) * there).sum(-1) / there.sum(-1))


def _error(sums: np.ndarray) -> np.ndarray:
    return np.asarray(1 - sums[..., _RIGHT] / sums[..., _ROWS])


_SCORES: Mapping[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    LOSS: ("nats", _mean(_LOSS)),
    ACCURACY: ("share", _mean(_RIGHT)),
    F1: ("share", _macro_f1),
}
"""Unit and function of each score."""


def outcome_values(
    found: Outcome, whole: Outcome, trust: Uncertainty, *, head: int | None = None, layer: int | None = None
) -> list[Value]:
    """Return the scores of an outcome and their differences to those of the whole checkpoint on the same rows.

    Each has its standard error over examples in its details (``se``), and the requested interval. The loss of each row
    is stored with the loss.

    Args:
        found: outcome of the changed model.
        whole: outcome of the unchanged model.
        trust: interval to compute.
        head: attention head that the values belong to.
        layer: layer that the values belong to.
    """
    n = len(found.true)
    if not n:
        return [Value(None, 0, LOSS + CHANGE, head=head, layer=layer, reason="no example or word has a label")]
    own, other = found.sums(), whole.sums()
    both = np.concatenate((own, other), axis=1)
    values = []
    for name, (unit, score) in _SCORES.items():
        for statistic, sums, function in ((name, own, score), (name + CHANGE, both, _difference(score))):
            value, interval, details = _estimate(sums, function, trust)
            arrays = found.arrays if statistic == LOSS else None
            values.append(
                Value(value, n, statistic, unit, head, interval=interval, details=details, layer=layer, artefact=arrays)
            )
    return values


def point_values(found: Outcome, trust: Uncertainty, details: Mapping[str, object], keep: bool) -> list[Value]:
    """Return loss and error (share of wrong predictions) of a point, each with its standard error in its details.

    Args:
        trust: interval to compute.
        details: further details of both.
        keep: whether to store the loss of each row.
    """
    sums, n = found.sums(), len(found.true)
    values = []
    for name, unit, score in ((LOSS, "nats", _mean(_LOSS)), (ERROR, "share", _error)):
        value, interval, own = _estimate(sums, score, trust)
        arrays = found.arrays if keep and name == LOSS else None
        values.append(Value(value, n, name, unit, interval=interval, details={**own, **details}, artefact=arrays))
    return values


def _difference(score: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    def difference(sums: np.ndarray) -> np.ndarray:
        own, other = np.split(sums, 2, axis=-1)
        return score(own) - score(other)

    return difference


def _estimate(
    sums: np.ndarray, score: Callable[[np.ndarray], np.ndarray], trust: Uncertainty
) -> tuple[float, tuple[float, float] | None, dict[str, object]]:
    """Return a score of all examples, its interval, and its standard error or the reason why it has none."""
    total = sums.sum(0)
    value = float(score(total))
    if len(sums) < _FEWEST:
        return value, None, {"no_interval": "an interval needs at least two examples"}
    left_out = score(total - sums)
    details: dict[str, object] = {"se": jackknife_error(left_out)}
    if not trust.interval:
        return value, None, details
    if trust.interval == "jackknife":
        return value, jackknife_interval(value, left_out, trust.level), details
    drawn = score(resample_counts(len(sums), trust.resamples, trust.seed) @ sums)
    return value, percentile_interval(drawn, trust.level), details
