"""Choose the numbers of hidden units of perceptrons by dev.

Zhou and Srikumar (2022) search a grid of sizes and penalties by cross-validation; here the penalty is fixed, and the
sizes with the least loss on dev are taken, for each layer and probe seed on its own. No test point takes part.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.probes.mlp import MlpProbe, Sizes, fit_mlps
from explorer.measures.probes.scratch import Rows

ALL = "grid"
GRID: tuple[Sizes, ...] = tuple(product((32, 64, 128, 256), (32, 64, 128, 256)))
"""Sizes of the paper, all 16 pairs."""
MOST_UNITS = 4096
"""Maximum number of units of a hidden layer."""


def choose_mlps(
    layers: Sequence[Rows],
    labels: np.ndarray,
    train: np.ndarray,
    dev: np.ndarray,
    seeds: Sequence[int],
    grid: Sequence[Sizes],
    device: str = "cpu",
) -> list[list[MlpProbe]]:
    """Return the probe of the sizes with the least loss on dev for each layer and seed, as ``fit_mlps`` does.

    Of equally good sizes, the first of the grid is taken.

    Raises:
        MeasureError: as ``fit_mlps``.
    """
    fits = [fit_mlps(layers, labels, train, dev, seeds, sizes, device) for sizes in grid]
    return [
        [min(found, key=lambda probe: probe.loss) for found in zip(*of_layer, strict=True)]
        for of_layer in zip(*fits, strict=True)
    ]


def sizes_in(text: str) -> tuple[Sizes, ...]:
    """Return the sizes that a text allows: one pair such as ``64,32``, or all of GRID for ALL.

    Raises:
        MeasureError: it is neither, or a number is outside 1 to MOST_UNITS.
    """
    if text.strip() == ALL:
        return GRID
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isdecimal() and 1 <= int(part) <= MOST_UNITS for part in parts):
        raise MeasureError(
            f"hidden: '{text}' is neither the units of two hidden layers (1 to {MOST_UNITS} each), such as 64,32, nor "
            f"'{ALL}'."
        )
    return ((int(parts[0]), int(parts[1])),)


def spelled(text: str) -> str:
    """Return the spelling of ``sizes_in`` that is stored.

    Raises:
        MeasureError: as ``sizes_in``.
    """
    sizes = sizes_in(text)
    return ALL if sizes == GRID else ",".join(map(str, sizes[0]))
