"""Effective rank: the number of directions over which a layer's hidden states are spread, from their entropy.

erank = exp(- sum p_i log p_i), p_i = s_i / sum s, with s the singular values of the centred hidden states (Roy and
Vetterli 2007). The square roots of the eigenvalues of the covariance are proportional to s. Many authors
normalise the eigenvalues themselves, p_i = s_i^2 / sum s^2: the perplexity of the explained variance, a smaller number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from explorer.measures import spectrum
from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, Value
from explorer.measures.declaration import ALONE, LAYER, SPREAD, hidden

if TYPE_CHECKING:
    import numpy as np


def perplexity(weights: np.ndarray) -> float:
    """Return the exponential of the entropy of weights [k], all above 0, scaled to sum 1: between 1 and k."""
    import numpy as np

    p = weights / weights.sum()
    return float(np.exp(-(p * np.log(p)).sum()))


def effective_rank(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the effective rank of one layer, in dimensions.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    power = 0.5 if parameters["spectrum"] == "singular-values" else 1.0

    def formula(eigenvalues: np.ndarray) -> float:
        return perplexity(eigenvalues**power)

    return spectrum.value_of(given.layer, given.corpus, parameters, context, formula, "dimensions")


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="effective-rank",
        title="Effective rank",
        topic=SPREAD,
        why="over how many directions a layer spreads: whether it collapses",
        inputs=hidden(*ALONE),
        operands=ALONE,
        axes=(LAYER,),
        unit="dimensions",
        low=1.0,
        high=float("inf"),
        direction="1 = all variance in one direction, the width = spread evenly over all",
        definition=(
            "exp(- sum p log p) with p_i = s_i / sum s and s the singular values of the chosen tokens' centred hidden "
            "states; with spectrum=eigenvalues, p_i is the share of the variance, s_i^2 / sum s^2. "
            f"{spectrum.KEPT} {spectrum.SAME_SIZE}"
        ),
        source="Roy and Vetterli 2007 (EUSIPCO), of singular values; of eigenvalues: Del Giudice 2021.",
        cost=spectrum.COST,
        counts="tokens",
        compute=effective_rank,
        summary=(
            "number of directions over which one layer's hidden states are spread: exponential of the entropy of the "
            "*singular values* of the centred hidden states, scaled to sum 1 (Roy and Vetterli 2007: 137.22 for the "
            "first array of our test pair). `--spectrum eigenvalues`: of the shares of the variance (3.90). Reads "
            "nothing if `svcca` or a measure like it has cached its directions"
        ),
        others=(
            "RankMe does not centre and adds 1e-7 to each (16.92); reptrix's RankMe uses eigenvalues and adds the same "
            "(3.90); Diff-eRank scales every row to length 1, then uses eigenvalues (8.21)"
        ),
        parameters=(
            spectrum.TOKENS,
            Parameter(
                "spectrum",
                "singular-values",
                "numbers that are scaled to sum 1: singular-values = as Roy and Vetterli, weak directions count much; "
                "eigenvalues = shares of the variance, as in matrix entropy",
                choices=("singular-values", "eigenvalues"),
            ),
        ),
        intervals=INTERVALS,
    ),
)
