"""Anisotropy: the share of the variance that lies along one direction.

l_1 / sum l with l the eigenvalues of the centred covariance (Razzhigaev et al. 2024: sigma_1^2 / sum sigma^2). The mean
cosine of random pairs of tokens (Ethayarajh 2019) has the same name but is another number: it measures the distance of
the mean from 0. It needs the norm of every row, so it cannot be computed from the cached sums.
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


def largest_share(eigenvalues: np.ndarray) -> float:
    """Return the first of descending eigenvalues [k] as a share of their sum: between 1 / k and 1."""
    return float(eigenvalues[0] / eigenvalues.sum())


def anisotropy(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the anisotropy of one layer, a share.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    return spectrum.value_of(given.layer, given.corpus, parameters, context, largest_share, "share")


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="anisotropy",
        title="Anisotropy",
        topic=SPREAD,
        why="whether one direction takes over",
        inputs=hidden(*ALONE),
        operands=ALONE,
        axes=(LAYER,),
        unit="share",
        low=0.0,
        high=1.0,
        direction="1 / width = the same variance in all directions, 1 = all in one",
        definition=(
            "Largest eigenvalue of the covariance of the chosen tokens' hidden states, as a share of the sum of all. "
            "The mean is subtracted first: this is not the mean cosine of random pairs (Ethayarajh 2019). "
            f"{spectrum.KEPT} {spectrum.SAME_SIZE}"
        ),
        source="Razzhigaev et al. 2024 (Findings of EACL, The Shape of Learning).",
        cost=spectrum.COST,
        counts="tokens",
        compute=anisotropy,
        summary="largest eigenvalue of the covariance as a share of their sum (Razzhigaev et al. 2024: 0.6795)",
        others=(
            "Ethayarajh 2019: mean cosine of random pairs, which tells how large the mean is (0.9887); manylatents: "
            "share of the largest singular value (0.1495); without centring (0.9891)"
        ),
        parameters=(spectrum.TOKENS,),
        intervals=INTERVALS,
    ),
)
