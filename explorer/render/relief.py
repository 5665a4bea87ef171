"""Values on a plane as numbers and in three dimensions, for files and figures; the terminal does not draw them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.render.heat import HeatMap


@dataclass(frozen=True, eq=False)
class Relief:
    """A map as a relief: the values are heights."""

    heat: HeatMap
    x: tuple[float, ...]
    """Coordinates of the columns."""
    y: tuple[float, ...]
    """Coordinates of the rows."""


@dataclass(frozen=True, eq=False)
class PlaneGrid:
    """Losses and errors on a grid, for one corpus or several."""

    title: str
    x: np.ndarray
    """Coordinates along the first direction, float64 [columns]."""
    y: np.ndarray
    losses: Mapping[str, np.ndarray]
    """Losses by corpus, float64 [rows, columns]; NaN where there is no value."""
    errors: Mapping[str, np.ndarray]
    """Shares of wrong predictions by corpus."""
    computed: Mapping[str, np.ndarray]
    """Whether each point was computed, bool [rows, columns], by corpus."""
