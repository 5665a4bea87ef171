"""Data maps: a run's predictions of each example's label along training (Swayamdipta et al. 2020).

From the paper "Dataset Cartography". Over the stored checkpoints of a run, from the first to the given one: the mean
probability of the label (confidence), its standard deviation (variability), and the share of checkpoints that predict
it (correctness).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from explorer.measures.base import Compute, Measure
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import EXAMPLE, LABELS, PATH, PREDICTIONS, logits
from explorer.measures.output_labels import MAP, met
from explorer.measures.outputs import DETAILS, averaged
from explorer.measures.protocols import Outputs

NEVER_LEARNT = 1000
"""Value for examples that were never learnt, instead of a count of forgetting, as in the authors' code."""


@dataclass(frozen=True, eq=False)
class Course:
    """Predictions of labelled rows by the checkpoints of a run."""

    probability: np.ndarray
    """Probability of the label, float64 [checkpoints, n]."""
    right: np.ndarray
    """Whether the label is predicted, bool [checkpoints, n]."""
    example: np.ndarray
    """Example of each row, int64 [n]."""

    @property
    def forgotten(self) -> np.ndarray:
        """Number of times that each row's label was predicted and then forgotten, int64 [n] (Toneva et al. 2019);
        NEVER_LEARNT if it was never predicted."""
        times = (self.right[:-1] & ~self.right[1:]).sum(0)
        return np.asarray(np.where(self.right.any(0), times, NEVER_LEARNT))


def course(given: Given, said: str) -> Course:
    """Return the predictions of labelled rows by the checkpoints of a run.

    Raises:
        MeasureError: there are fewer than two checkpoints; or as ``output_labels.met``.
    """
    path = cast(tuple[Outputs, ...], given.operands[PATH.role]["logits"])
    if len(path) < 2:
        raise MeasureError("A data map needs several checkpoints of a run, but there is only one.")
    found = [met(outputs, given.labels, given.corpus, said) for outputs in path]
    return Course(
        np.stack([np.exp(one.log[np.arange(len(right)), right]) for one, right in found]),
        np.stack([one.chosen == right for one, right in found]),
        found[0][0].example,
    )


def confidence(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the mean over rows of the label's mean probability; with detail, also per example.

    Raises:
        MeasureError: as ``course``.
    """
    return _of(given, parameters, context, lambda found: found.probability.mean(0))


def variability(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the mean over rows of the standard deviation of the label's probability; with detail, also per example.

    Raises:
        MeasureError: as ``course``.
    """
    return _of(given, parameters, context, lambda found: found.probability.std(0))


def correctness(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the mean over rows of the share of checkpoints that predict the label; with detail, also per example.

    Raises:
        MeasureError: as ``course``.
    """
    return _of(given, parameters, context, lambda found: found.right.mean(0))


def _of(
    given: Given, parameters: Mapping[str, object], context: Context, reduced: Callable[[Course], np.ndarray]
) -> list[Value]:
    found = course(given, str(parameters.get("map", "")))
    details = {"checkpoints": len(found.probability)}
    values = averaged(np.asarray(reduced(found), np.float64), found.example, given.corpus, context)
    return [replace(values[0], details={**values[0].details, **details}), *values[1:]]


_ROWS = (
    " The value is the mean over rows; --detail example adds one value per example. Rows are labelled examples, or "
    "labelled words (an example's value is then the mean over its words). All stored checkpoints of the run up to the "
    "step are used, so the number depends on how often checkpoints were saved."
)
_SOURCE = "Swayamdipta et al. 2020, section 2"


def _measure(name: str, title: str, why: str, what: str, source: str, direction: str, compute: Compute) -> Measure:
    return Measure(
        name=name,
        title=title,
        topic=PREDICTIONS,
        why=why,
        inputs=(*logits(PATH), LABELS),
        operands=(PATH,),
        axes=(EXAMPLE,),
        unit="share",
        low=0.0,
        high=1.0,
        direction=direction,
        definition=what + _ROWS,
        source=source,
        cost="Reading the stored logits of the run.",
        counts="labels",
        compute=compute,
        summary=what.rstrip("."),
        parameters=(MAP,),
        intervals=INTERVALS,
        details=DETAILS,
    )


MEASURES: tuple[Measure, ...] = (
    _measure(
        "confidence",
        "Confidence along training",
        "which examples are easy, hard or wrongly labelled",
        "Mean probability of an example's label over the checkpoints of the run.",
        f"{_SOURCE}, equation of the confidence.",
        "1 = certain and right all along",
        confidence,
    ),
    _measure(
        "variability",
        "Variability along training",
        "which examples the run keeps changing its mind about",
        "Standard deviation (over n) of the probability of an example's label over the checkpoints of the run.",
        f"{_SOURCE}, equation of the variability.",
        "0 = the same probability all along",
        variability,
    ),
    _measure(
        "correctness",
        "Correctness along training",
        "which examples are never learnt",
        "Share of the checkpoints of the run that predict an example's label.",
        f"{_SOURCE}; there the number of epochs.",
        "1 = right all along",
        correctness,
    ),
)
