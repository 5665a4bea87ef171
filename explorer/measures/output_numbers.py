"""Error of a checkpoint's own regression on numbers of sentences (such as the similarities of STS-B)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from explorer.measures.base import Measure
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import ALONE, EXAMPLE, PREDICTIONS, Input, logits
from explorer.measures.outputs import DETAILS, averaged, rows_of
from explorer.measures.protocols import Outputs

NUMBERS = Input("annotation", "numbers", levels=("sentence",), of="number")
"""Numbers of sentences of the corpus."""
_FEWEST = 2
"""Minimum number of examples for a correlation."""


def output_error(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the mean squared error of a regression and the correlations of its outputs with the numbers.

    With detail, also the squared error per example.

    Raises:
        MeasureError: the classifier is not a regression with one number per example, or the numbers do not fit.
    """
    outputs = cast(Outputs, given.operands[ALONE[0].role]["logits"])
    if outputs.problem != "regression" or outputs.head != "sequence" or outputs.logits.shape[1] != 1:
        raise MeasureError("The classifier is not a regression with one number per example, so it has no such error.")
    found, example = rows_of(outputs, given.corpus)
    right = np.asarray(given.labels.values, np.float64)
    if len(right) != len(found):
        raise MeasureError(f"{len(right)} numbers do not fit {len(found)} outputs.")
    there = np.isfinite(right)
    said, right = found[there, 0], right[there]
    whole, *each = averaged((said - right) ** 2, example[there], given.corpus, context)
    return [whole, *_correlations(said, right), *each]


def _correlations(said: np.ndarray, right: np.ndarray) -> list[Value]:
    from scipy.stats import rankdata

    pairs = {"pearson": (said, right), "spearman": (rankdata(said), rankdata(right))}
    return [_correlation(name, x, y) for name, (x, y) in pairs.items()]


def _correlation(name: str, x: np.ndarray, y: np.ndarray) -> Value:
    if len(x) < _FEWEST or not np.ptp(x) or not np.ptp(y):
        return Value(None, len(x), name, "", reason="outputs or numbers that are all alike have no correlation")
    x, y = x - x.mean(), y - y.mean()
    value = float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return Value(max(-1.0, min(1.0, value)), len(x), name, "")


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="output-error",
        title="Error of the regression",
        topic=PREDICTIONS,
        why="how far the regression is off on numbers of your own",
        inputs=(*logits(*ALONE), NUMBERS),
        operands=ALONE,
        axes=(EXAMPLE,),
        unit="squared units of the numbers",
        low=0.0,
        high=float("inf"),
        direction="0 = every number met",
        definition=(
            "Mean over examples of (output - number)^2. Further statistics are Pearson's correlation of outputs and "
            "numbers, and Spearman's, which is Pearson's of their ranks (mean ranks for ties)."
        ),
        source="Mean squared error; both correlations as GLUE reports them for STS-B (Wang et al. 2019).",
        cost="Reading the stored logits.",
        counts="examples",
        compute=output_error,
        summary="mean squared error and correlations of the checkpoint's own regression on numbers of sentences",
        intervals=INTERVALS,
        details=DETAILS,
    ),
)
