"""A fitted linear probe, whatever it was fitted by."""

from __future__ import annotations

from collections.abc import Mapping
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

    @property
    def details(self) -> Mapping[str, object]:
        """What to report of the fit: nothing."""
        return {}

    @property
    def width(self) -> int:
        """Width d of the points."""
        return self.weights.shape[1]

    def arrays(self, classes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays of the same probe for more classes, which it never predicts.

        Args:
            classes: label ids, ascending, int64 [K]; the probe's own are among them.
        """
        own = np.searchsorted(classes, self.classes)
        weights, intercepts = np.zeros((len(classes), self.weights.shape[1])), np.full(len(classes), -np.inf)
        weights[own], intercepts[own] = self.weights, self.intercepts
        return {"weights": weights, "intercepts": intercepts}

    @classmethod
    def of(cls, classes: np.ndarray, arrays: Mapping[str, np.ndarray]) -> LinearProbe:
        """Return the probe with these classes and ``arrays``."""
        return cls(classes, arrays["weights"], arrays["intercepts"])

    def logits(self, points: np.ndarray) -> np.ndarray:
        """Return unnormalised log-probabilities of points [n, d]: float64 [n, K]."""
        found: np.ndarray = points @ self.weights.T + self.intercepts
        return found
