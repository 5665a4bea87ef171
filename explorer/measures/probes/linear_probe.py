"""A fitted linear probe, whatever it was fitted by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A linear classifier of points of width d into K classes."""

    classes: np.ndarray
    """Label ids, ascending, int64 [K]."""
    weights: np.ndarray
    """float64 [K, d]"""
    intercepts: np.ndarray
    """float64 [K]"""
    reason: str = ""
    """Reason why the fit is not what it should be, such as a limit that was reached; empty if it is."""

    @property
    def parameters(self) -> int:
        """Number of free parameters: one function for all classes could be added without changing a prediction."""
        return (len(self.classes) - 1) * (self.weights.shape[1] + 1)

    def logits(self, points: np.ndarray) -> np.ndarray:
        """Return unnormalised log-probabilities of points [n, d]: float64 [n, K]."""
        found: np.ndarray = points @ self.weights.T + self.intercepts
        return found
