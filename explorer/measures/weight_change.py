"""Weight change: the distance that fine-tuning moved the weights of each layer, and of each module in it.

For the weights w of a module, all its matrices and biases as one vector, and those of the reference w0:

    relative change = ||w - w0|| / ||w0||        cosine = <w, w0> / (||w|| ||w0||)

Both are computed from the stored weights, without a model or a corpus. Layer 0 is everything before the first layer:
embeddings and their layer norm. Pooler and classifier have no layer. If the classifiers differ, or the reference has
none, there is no value for the classifier, and a reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from explorer.measures.base import Measure
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import COMPARED, LANDSCAPE, LAYER, At, Axis, Known, Scope, weights
from explorer.measures.protocols import Weights

if TYPE_CHECKING:
    import numpy as np

MODULE = Axis("module", "module", "text", within=True)
RELATIVE, COSINE = "relative", "cosine"
_BLOCK = 1 << 16
"""Number of weights per block: as float64 they fit in the cache."""
_SHOWN = 3
"""Number of weights that a reason names."""


@dataclass
class WeightSums:
    """Sums over pairs of weights w and w0, in float64."""

    weights: int = 0
    own: float = 0.0
    """Sum of w^2."""
    reference: float = 0.0
    """Sum of w0^2."""
    product: float = 0.0
    """Sum of w w0."""
    change: float = 0.0
    """Sum of (w - w0)^2; computing it from the other three would lose precision for small changes."""

    def add(self, own: np.ndarray, reference: np.ndarray) -> None:
        """Add two float32 vectors [n], in float64, block by block."""
        import numpy as np

        with np.errstate(invalid="ignore"):  # the sums will not be finite
            for start in range(0, len(own), _BLOCK):
                w = own[start : start + _BLOCK].astype(np.float64)
                w0 = reference[start : start + _BLOCK].astype(np.float64)
                self.own += float(w @ w)
                self.reference += float(w0 @ w0)
                self.product += float(w @ w0)
                np.subtract(w, w0, out=w)
                self.change += float(w @ w)
        self.weights += len(own)

    def __add__(self, other: WeightSums) -> WeightSums:
        return WeightSums(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def values(self, axes: tuple[tuple[str, str], ...]) -> Iterator[Value]:
        """Yield relative change and cosine, or the reason why they do not exist."""
        finite = math.isfinite(self.own) and math.isfinite(self.reference)
        if not finite or self.reference == 0.0:
            reason = "the reference's weights are all zero" if finite else "some weights are not finite numbers"
            yield from (Value(None, self.weights, s, axes=axes, reason=reason) for s in (RELATIVE, COSINE))
            return
        yield Value((self.change / self.reference) ** 0.5, self.weights, RELATIVE, axes=axes)
        if self.own == 0.0:
            yield Value(None, self.weights, COSINE, "", axes=axes, reason="the weights are all zero")
            return
        # Rounding of the sums could exceed 1.
        cosine = max(-1.0, min(1.0, self.product / (self.own * self.reference) ** 0.5))
        yield Value(cosine, self.weights, COSINE, "", axes=axes)


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose every layer from the embeddings on, then one cell for the weights without a layer."""
    yield from (At(layer, layer) for layer in range(min(scope.layers) + 1))
    yield At()


def weight_change(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return relative change and cosine of one layer and of each of its modules; without a layer, of task heads."""
    own, reference = (cast(Weights, given.operands[operand.role]["weights"]) for operand in COMPARED)
    layer = given.at.layer
    here, there = own.modules(layer), reference.modules(layer)
    sums: dict[str, WeightSums] = {}
    apart: dict[str, list[str]] = {}
    for name in sorted(here.keys() | there.keys()):
        module = here.get(name) or there[name]
        if name not in here or name not in there:
            apart.setdefault(module, []).append(
                f"{name} is only in the {'reference' if name in there else 'checkpoint'}"
            )
            continue
        w, w0 = own.tensor(name), reference.tensor(name)
        if w.shape != w0.shape:
            shapes = " and ".join(" x ".join(map(str, one.shape)) for one in (w, w0))
            apart.setdefault(module, []).append(f"{name} has shapes {shapes}")
            continue
        sums.setdefault(module, WeightSums()).add(w.reshape(-1), w0.reshape(-1))
    found: list[Value] = []
    if layer is not None:
        whole = sum(sums.values(), WeightSums())
        reasons = [reason for module in apart.values() for reason in module]
        found += [_refused((), reasons)] if reasons else whole.values(())
    for module in sorted(sums.keys() | apart.keys()):
        axes = ((MODULE.name, module),)
        found += [_refused(axes, apart[module])] if module in apart else sums[module].values(axes)
    return found or [Value(None, 0, RELATIVE, reason="neither checkpoint has weights here")]


def _refused(axes: tuple[tuple[str, str], ...], reasons: list[str]) -> Value:
    more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return Value(None, 0, RELATIVE, axes=axes, reason="not comparable: " + "; ".join(reasons[:_SHOWN]) + more)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="weight-change",
        title="Weight change",
        topic=LANDSCAPE,
        why="which layers' weights moved; needs no texts",
        inputs=weights(*COMPARED),
        operands=COMPARED,
        axes=(LAYER, MODULE),
        unit="relative",
        low=0.0,
        high=float("inf"),
        direction="0 = the same weights, 1 = a change as large as the reference's weights",
        definition=(
            "||w - w0|| / ||w0|| over all weights of a layer, and of each module in it; a second statistic is the "
            "cosine of w and w0. Sums in float64. Layer 0: embeddings and their layer norm; pooler and classifier have "
            "no layer."
        ),
        source="Norm of the difference relative to the reference's norm, and cosine: from no single paper.",
        cost="One reading of both checkpoints' weights from their folders; no array of the store is read.",
        counts="weights",
        compute=weight_change,
        summary=(
            "change of the weights per layer and per module (query, key, value, attention output, both MLP matrices, "
            "layer norms, embeddings, pooler, classifier): relative norm of the change, and cosine. Read from the "
            "checkpoints' folders, which must still hold the same weights"
        ),
        others="modeldelta gives both numbers per matrix of two models",
        main=RELATIVE,
        cells=cells,
    ),
)
