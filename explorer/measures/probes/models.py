"""List the classifiers that a probe can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.lda import fit_lda
from explorer.measures.probes.linear_probe import LinearProbe
from explorer.measures.probes.logistic import fit_logistic, prepared
from explorer.measures.probes.mlp import MlpProbe, fit_mlps
from explorer.measures.probes.splits import Split


class Fitted(Protocol):
    """A fitted classifier."""

    @property
    def classes(self) -> np.ndarray:
        """Label ids, ascending, int64 [K]."""
        ...

    @property
    def parameters(self) -> int:
        """Number of free parameters."""
        ...

    @property
    def width(self) -> int:
        """Width d of the points."""
        ...

    @property
    def reason(self) -> str:
        """What is unusual about the fit; empty if nothing is."""
        ...

    def arrays(self, classes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays of the same classifier for more classes, ascending, int64 [K], which it never predicts."""
        ...

    def logits(self, points: np.ndarray) -> np.ndarray:
        """Return unnormalised log-probabilities of points [n, d]: float [n, K]."""
        ...


Fit = Callable[[np.ndarray, np.ndarray, Split, int, float, str], Sequence[Fitted]]
"""Function of points [n, d], sets of labels, int64 [S, n], a split, a probe seed, the inverse strength C of a penalty,
and a device of torch. It returns a classifier for each set, fitted to the points of train."""


@dataclass(frozen=True)
class Model:
    """One kind of classifier."""

    fit: Fit
    restored: Callable[[np.ndarray, Mapping[str, np.ndarray]], Fitted]
    """Function of classes, int64 [K], and the classifier's ``arrays`` that returns the classifier."""
    seeded: bool = False
    """Whether a fit depends on the probe seed."""
    warns: bool = True
    """Whether an unusual fit makes its scores doubtful. A discriminant's covariance is singular after every layer norm,
    which changes nothing."""


def _lda(points: np.ndarray, labels: np.ndarray, split: Split, seed: int, c: float, device: str) -> Sequence[Fitted]:
    return fit_lda(class_sums([points[split.train]], labels[:, split.train]))


def _logistic(
    points: np.ndarray, labels: np.ndarray, split: Split, seed: int, c: float, device: str
) -> Sequence[Fitted]:
    shared = prepared(points[split.train])
    return [fit_logistic(shared, of[split.train], c) for of in labels]


def _mlp(points: np.ndarray, labels: np.ndarray, split: Split, seed: int, c: float, device: str) -> Sequence[Fitted]:
    held = split.with_dev(seed)
    return [fit_mlps([points], of, held.train, held.dev, (seed,), device=device)[0][0] for of in labels]


MODELS: Mapping[str, Model] = {
    "lda": Model(_lda, LinearProbe.of, warns=False),
    "logistic": Model(_logistic, LinearProbe.of),
    "mlp": Model(_mlp, MlpProbe.of, seeded=True),
}
