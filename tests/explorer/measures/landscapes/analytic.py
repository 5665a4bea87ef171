"""A model in memory whose loss is a known function of its weights, and its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from explorer.measures.base import Measure
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import At, Known, Scope
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels

MODULES = {0: {"words": "embeddings"}, 1: {"one.weight": "query", "one.bias": "query"}, 2: {"two.weight": "value"}}
HEADS = {"pooler.weight": "pooler", "classifier.weight": "classifier"}
SHAPES = {
    "words": (5, 2), "one.weight": (3, 2), "one.bias": (3,), "two.weight": (2, 2), "pooler.weight": (2, 2),
    "classifier.weight": (2, 2),
}  # fmt: skip


@dataclass
class MemoryWeights:
    """Weights of one checkpoint; counts what is read."""

    arrays: Mapping[str, np.ndarray]
    identity: str
    classes: tuple[str, ...] = ("no", "yes")
    reads: list[str] = field(default_factory=list)

    @classmethod
    def random(cls, seed: int, heads: bool = True, **changes: Any) -> MemoryWeights:
        draw = np.random.default_rng(seed)
        arrays = {name: draw.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
        kept = {name: value for name, value in arrays.items() if heads or name not in HEADS}
        return cls(kept, f"{seed}", ("no", "yes") if heads else (), **changes)

    def modules(self, layer: int | None) -> Mapping[str, str]:
        found = HEADS if layer is None else MODULES.get(layer, {})
        return {name: module for name, module in found.items() if name in self.arrays}

    def tensor(self, name: str) -> np.ndarray:
        self.reads.append(name)
        return self.arrays[name]

    def shape(self, name: str) -> tuple[int, ...]:
        return self.arrays[name].shape

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        return self.tensor(name).reshape(-1)[start:stop]

    def flat(self) -> np.ndarray:
        """All weights as one vector, float64."""
        return np.concatenate([self.arrays[name].reshape(-1).astype(np.float64) for name in sorted(self.arrays)])


@dataclass
class AnalyticModel:
    """Two classes, every label the first, and the loss that a function of all weights gives to each example."""

    own: MemoryWeights
    loss: Callable[[np.ndarray], np.ndarray]
    """Losses of the examples, [E], from all weights as one vector."""
    layers: int = 2
    heads: int = 1
    identity: str = "model"
    head: str = "sequence"
    labels: tuple[str, ...] = ("no", "yes")
    problem: str = "single_label_classification"
    pooler: bool = True
    seen: list[Mapping[str, np.ndarray]] = field(default_factory=list)

    def logits(self, values: Mapping[str, np.ndarray], device: str, examples: np.ndarray | None = None) -> np.ndarray:
        self.seen.append(values)
        weights = replace(self.own, arrays={**self.own.arrays, **values}).flat()
        losses = self.loss(weights)
        if examples is not None:
            losses = np.where(np.isin(np.arange(len(losses)), examples), losses, 1.0)
        # log(1 + e^z) is the loss of the first class with the logits (0, z).
        return np.stack([np.zeros(len(losses)), np.log(np.expm1(losses))], 1).astype(np.float32)


EXAMPLES = 6


def labelled() -> tuple[MemoryCorpus, MemoryLabels]:
    """Six sentences of the first class."""
    return MemoryCorpus([1] * EXAMPLES), MemoryLabels("sentence", ("no", "yes"), np.zeros(EXAMPLES, np.int32))


def bowl(centre: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a loss that grows with the squared distance from a centre, another way for each example."""
    slopes = np.linspace(0.01, 0.05, EXAMPLES)

    def loss(weights: np.ndarray) -> np.ndarray:
        return 0.3 + slopes * float(((weights - centre) ** 2).sum())

    return loss


@dataclass
class Run:
    """A measure that is computed round by round, as the planner does it."""

    measure: Measure
    given: Callable[[At], Given]
    parameters: Mapping[str, object]
    layers: tuple[int, ...] = (2,)
    context: Context = field(default_factory=Context)
    values: dict[At, list[Value]] = field(default_factory=dict)
    rounds: list[int] = field(default_factory=list)
    """Number of new cells of each round."""

    @property
    def settled(self) -> dict[str, object]:
        return dict(self.measure.settle(self.parameters))

    def all(self) -> dict[At, list[Value]]:
        """Compute every cell."""
        assert self.measure.cells is not None
        arrays: dict[str, Mapping[str, np.ndarray]] = {}
        while True:
            known = {at: tuple(self._known(at, value, arrays) for value in found) for at, found in self.values.items()}
            proposed = list(self.measure.cells(Scope(self.settled, self.layers), known))
            assert len(proposed) == len(set(proposed)), "a cell is proposed twice"
            assert set(self.values) <= set(proposed), "a finished cell is not proposed any more"
            new = [at for at in proposed if at not in self.values]
            if not new:
                return self.values
            self.rounds.append(len(new))
            for at in new:
                given = replace(self.given(at), at=at, known=known, artefact=arrays.__getitem__)
                self.values[at] = self.measure.compute(given, self.settled, self.context)

    @staticmethod
    def _known(at: At, value: Value, arrays: dict[str, Mapping[str, np.ndarray]]) -> Known:
        name = f"{at}{value.statistic}" if value.artefact else ""
        if value.artefact:
            arrays[name] = value.artefact
        finite = value.value is not None and np.isfinite(value.value)
        return Known(value.statistic, value.value if finite else None, name)

    def of(self, statistic: str) -> dict[tuple[float, ...], float | None]:
        """Return one statistic of the points, by their coordinates."""
        return {
            tuple(float(place) for _, place in at.more): value.value
            for at, found in self.values.items()
            for value in found
            if value.statistic == statistic and at.more
        }
