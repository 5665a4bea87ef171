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
from explorer.measures.probes.mlp import SIZES, MlpProbe, Sizes, fit_mlps
from explorer.measures.probes.mlp_sizes import choose_mlps
from explorer.measures.probes.splits import Split
from explorer.measures.probes.vectors import Vectors


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

    @property
    def details(self) -> Mapping[str, object]:
        """What to report of the fit, by name."""
        ...

    def arrays(self, classes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays of the same classifier for more classes, ascending, int64 [K], which it never predicts."""
        ...

    def logits(self, points: np.ndarray) -> np.ndarray:
        """Return unnormalised log-probabilities of points [n, d]: float [n, K]."""
        ...


@dataclass(frozen=True)
class Settings:
    """How classifiers are fitted. A classifier uses those that it knows."""

    c: float = 1.0
    """Inverse strength C of a penalty."""
    sizes: tuple[Sizes, ...] = (SIZES,)
    """Numbers of hidden units that dev chooses from."""
    device: str = "cpu"
    """Device of torch."""


Fit = Callable[[Sequence[Vectors], np.ndarray, Split, int, Settings], Sequence[Sequence[Fitted]]]
"""Function of the vectors of n points in some layers, sets of labels, int64 [S, n], a split, a probe seed, and the
settings.

It returns a classifier for each layer and set, fitted to the points of train. What dev chooses, it chooses for each
layer by the first set; the other classifiers of the layer are made alike."""


@dataclass(frozen=True)
class Model:
    """One kind of classifier."""

    fit: Fit
    restored: Callable[[np.ndarray, Mapping[str, np.ndarray]], Fitted]
    """Function of classes, int64 [K], and the classifier's ``arrays`` that returns the classifier."""
    together: bool = False
    """Whether it is quicker to fit several layers at once than one after the other."""
    seeded: bool = False
    """Whether a fit depends on the probe seed, and stops by the points of dev."""
    warns: bool = True
    """Whether an unusual fit makes its scores doubtful. A discriminant's covariance is singular after every layer norm,
    which changes nothing."""


def _lda(
    layers: Sequence[Vectors], labels: np.ndarray, split: Split, seed: int, settings: Settings
) -> Sequence[Sequence[Fitted]]:
    return [fit_lda(class_sums(vectors.chunks(split.train), labels[:, split.train])) for vectors in layers]


def _logistic(
    layers: Sequence[Vectors], labels: np.ndarray, split: Split, seed: int, settings: Settings
) -> Sequence[Sequence[Fitted]]:
    found = []
    for vectors in layers:
        shared = prepared(vectors.of(split.train))
        found.append([fit_logistic(shared, of[split.train], settings.c) for of in labels])
    return found


def _mlp(
    layers: Sequence[Vectors], labels: np.ndarray, split: Split, seed: int, settings: Settings
) -> Sequence[Sequence[Fitted]]:
    used = np.union1d(split.train, split.dev)
    train, dev = (np.searchsorted(used, rows) for rows in (split.train, split.dev))
    points = [vectors.of(used) for vectors in layers]
    found = choose_mlps(points, labels[0, used], train, dev, (seed,), settings.sizes, settings.device)
    for sizes in dict.fromkeys(first.sizes for (first,) in found):
        alike = [layer for layer, (first, *_) in enumerate(found) if first.sizes == sizes]
        for of in labels[1:]:
            fits = fit_mlps([points[i] for i in alike], of[used], train, dev, (seed,), sizes, settings.device)
            for layer, fit in zip(alike, fits, strict=True):
                found[layer] += fit
    return found


MODELS: Mapping[str, Model] = {
    "lda": Model(_lda, LinearProbe.of, warns=False),
    "logistic": Model(_logistic, LinearProbe.of),
    "mlp": Model(_mlp, MlpProbe.of, together=True, seeded=True),
}
