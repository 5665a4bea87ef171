"""Participation ratio: the number of directions that share the variance of a layer's hidden states.

(sum l)^2 / sum l^2 with l the eigenvalues of the covariance (Gao et al. 2017; Recanatesi et al. 2019): k for variance
spread evenly over k directions. Strong directions dominate: with outlier dimensions, it counts only these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from explorer.measures import spectrum
from explorer.measures.base import Measure
from explorer.measures.computation import INTERVALS, Context, Given, Value
from explorer.measures.declaration import ALONE, LAYER, SPREAD, hidden

if TYPE_CHECKING:
    import numpy as np


def ratio(eigenvalues: np.ndarray) -> float:
    """Return (sum l)^2 / sum l^2 of eigenvalues [k], all above 0: between 1 and k."""
    p = eigenvalues / eigenvalues.sum()
    return float(1 / (p @ p))


def participation_ratio(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the participation ratio of one layer, in dimensions.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    return spectrum.value_of(given.layer, given.corpus, parameters, context, ratio, "dimensions")


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="participation-ratio",
        title="Participation ratio",
        topic=SPREAD,
        why="as effective-rank, ruled by the largest directions",
        inputs=hidden(*ALONE),
        operands=ALONE,
        axes=(LAYER,),
        unit="dimensions",
        low=1.0,
        high=float("inf"),
        direction="1 = all variance in one direction, the width = spread evenly over all",
        definition=(
            "(sum l)^2 / sum l^2 with l the eigenvalues of the covariance of the chosen tokens' hidden states. "
            f"{spectrum.KEPT} {spectrum.SAME_SIZE}"
        ),
        source="Gao et al. 2017 (bioRxiv 214262); of layers of networks: Recanatesi et al. 2019.",
        cost=spectrum.COST,
        counts="tokens",
        compute=participation_ratio,
        summary=(
            "(sum l)^2 / sum l^2 of the eigenvalues l of the covariance (Gao et al. 2017; Recanatesi et al. 2019: "
            "2.012). Outlier dimensions dominate it"
        ),
        others="without centring, the mean counts as a direction (1.022); of singular values (30.42)",
        parameters=(spectrum.TOKENS,),
        intervals=INTERVALS,
    ),
)
