"""Anisotropy: the share of the variance that lies along one direction.

l_1 / sum l with l the eigenvalues of the centred covariance (Razzhigaev et al. 2024: sigma_1^2 / sum sigma^2). The mean
cosine of random pairs of tokens (Ethayarajh 2019) goes by the same name and is another number: it measures how far the
mean is from 0, needs every row's own norm, and so cannot be had from the sums that are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from explorer.measures import spectrum
from explorer.measures.base import INTERVALS, Context, Given, Measure, Value
from explorer.measures.declaration import ALONE, LAYER, hidden

if TYPE_CHECKING:
    import numpy as np


def largest_share(eigenvalues: np.ndarray) -> float:
    """Return the share of the first of falling eigenvalues [k] in their sum: between 1 / k and 1."""
    return float(eigenvalues[0] / eigenvalues.sum())


def anisotropy(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the anisotropy of one layer, a share.

    Raises:
        MeasureError: hidden states that are not finite.
    """
    return spectrum.value_of(given.layer, given.corpus, parameters, context, largest_share, "share")


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="anisotropy",
        title="Anisotropy",
        inputs=hidden(*ALONE),
        operands=ALONE,
        axes=(LAYER,),
        unit="share",
        low=0.0,
        high=1.0,
        direction="1 / width = the same variance in all directions, 1 = all in one",
        definition=(
            "Largest eigenvalue of the covariance of the chosen tokens' hidden states, as a share of the sum of all. "
            "The mean is taken off first: this is not the mean cosine of random pairs (Ethayarajh 2019). "
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
