"""The weights that move on a line or plane, sums of weights, and the geometry of differences.

Nothing but the result is kept in memory: weights are read one tensor, or one block of it, at a time.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures.base import Parameter
from explorer.measures.computation import MeasureError
from explorer.measures.protocols import Weights
from explorer.measures.rollback import POOLER, layers_in

CLASSIFIER = "classifier"
GROUPS = Parameter("groups", "", "layers that move, such as upper or 1-2+5; empty: all weights")
NORMS = Parameter(
    "norms", "move", "whether layer norms and biases (weights with one dimension) move or stay", ("move", "stay")
)
Read = Callable[[str], np.ndarray]
"""Return a weight by its name, float32."""
_BLOCK = 1 << 16
"""Number of weights per block: as float64 a few of them fit in the cache."""
_HELD = 1 << 20
"""Number of weights of all checkpoints that are held at once: with many checkpoints, blocks are smaller."""


@dataclass(frozen=True)
class Moved:
    """The weights that move, and what stays as it is in the measured checkpoint."""

    names: tuple[str, ...]
    count: int
    """Number of weights in all of them."""
    pooler: frozenset[str] = frozenset()
    """Those of the pooler."""
    stays: tuple[str, ...] = ()
    """What stays, and why, in words."""


def moved(own: Weights, others: Mapping[str, Weights], groups: str, norms: str) -> Moved:
    """Return the weights that move between a checkpoint and others.

    Embeddings and layers must be the same on all sides. Pooler and classifier move if all have them in the same shape
    and, for the classifier, with the same classes; else they stay.

    Args:
        own: weights of the measured checkpoint.
        others: weights of the others, by the words that name them.
        groups: layers that move, as text (``rollback.layers_in``); empty: everything.
        norms: ``move`` or ``stay``.

    Raises:
        MeasureError: another architecture, another number of layers, another vocabulary, the same classes in another
            order, or no such layers.
    """
    layers = 0
    while own.modules(layers + 1):
        layers += 1
    chosen = layers_in(groups, None, layers) if groups else range(layers + 1)
    every = {layer: own.modules(layer) for layer in range(layers + 1)}
    for who, other in others.items():
        _check_alike(own, other, every, who)
    found = [name for layer in chosen for name in every[layer]]
    stays = [f"all but {groups}"] if groups else []
    heads: dict[str, list[str]] = {}
    for name, module in own.modules(None).items():
        if not groups and module in (POOLER, CLASSIFIER):
            heads.setdefault(module, []).append(name)
    for module, names in sorted(heads.items()):
        reasons = [why for who, other in others.items() if (why := _apart(own, other, module, names, who))]
        if reasons:
            stays.append(f"{module}: {'; '.join(reasons)}")
        else:
            found += names
    if norms == "stay":
        found = [name for name in found if len(own.shape(name)) > 1]
        stays.append("layer norms and biases")
    if not found:
        raise MeasureError(f"groups: '{groups}' has no weights that can move.")
    once = tuple(dict.fromkeys(found))
    count = sum(math.prod(own.shape(name)) for name in once)
    return Moved(once, count, frozenset(heads.get(POOLER, ())), tuple(stays))


def _check_alike(own: Weights, other: Weights, every: Mapping[int, Mapping[str, str]], who: str) -> None:
    for layer, names in every.items():
        there = other.modules(layer)
        missing = sorted(names.keys() ^ there.keys())
        if missing:
            raise MeasureError(f"The {who} is of another architecture: only one side has {missing[0]}.")
        for name in names:
            shapes = own.shape(name), other.shape(name)
            if shapes[0] != shapes[1]:
                said = " and ".join(" x ".join(map(str, shape)) for shape in shapes)
                raise MeasureError(f"The {who} is of another size: {name} has shapes {said}.")
    if other.modules(len(every)):
        raise MeasureError(f"The {who} is of another architecture: it has more layers.")


def _apart(own: Weights, other: Weights, module: str, names: Sequence[str], who: str) -> str:
    """Return why a head cannot move to another checkpoint's; empty if it can.

    Raises:
        MeasureError: both have the same classes in another order.
    """
    there = {name for name, of in other.modules(None).items() if of == module}
    if not set(names) <= there:
        return f"the {who} has none"
    if any(own.shape(name) != other.shape(name) for name in names):
        return f"that of the {who} has another shape"
    if module == POOLER or own.classes == other.classes:
        return ""
    if sorted(own.classes) == sorted(other.classes):
        raise MeasureError(
            f"The classifiers have the same classes in another order: {', '.join(own.classes)} and, in the {who}, "
            f"{', '.join(other.classes)}."
        )
    return f"that of the {who} has other classes"


class Start:
    """Weights of an origin, with the pooler and classifier of a checkpoint where the origin has none.

    Both ends of a plane then keep their own classifiers: only the origin has none.
    """

    def __init__(self, origin: Weights, own: Weights) -> None:
        """
        Args:
            origin: the origin's weights, opened.
            own: the checkpoint's weights, opened.
        """
        there = set(origin.modules(None).values())
        lent = {n: m for n, m in own.modules(None).items() if m in (POOLER, CLASSIFIER) and m not in there}
        self.takes = tuple(sorted(set(lent.values())))
        """Modules that are the checkpoint's."""
        self.identity = f"{origin.identity} with {self.takes} of {own.identity}"
        self.classes = own.classes if CLASSIFIER in self.takes else origin.classes
        self._origin, self._own, self._lent = origin, own, lent

    def modules(self, layer: int | None) -> Mapping[str, str]:
        """See ``protocols.Weights``."""
        found = self._origin.modules(layer)
        return {**found, **self._lent} if layer is None else found

    def tensor(self, name: str) -> np.ndarray:
        """See ``protocols.Weights``."""
        return self._of(name).tensor(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """See ``protocols.Weights``."""
        return self._of(name).shape(name)

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """See ``protocols.Weights``."""
        return self._of(name).part(name, start, stop)

    def _of(self, name: str) -> Weights:
        return self._own if name in self._lent else self._origin


def combined(names: Sequence[str], parts: Sequence[tuple[float, Read]]) -> dict[str, np.ndarray]:
    """Return the sum of weights times coefficients for each name, float32.

    A side with the coefficient 0 is not read, and a single side with the coefficient 1 is returned as it is: corners of
    a plane are exactly the checkpoints.

    Args:
        parts: coefficient and weights of each side.
    """
    used = [(coefficient, read) for coefficient, read in parts if coefficient != 0]
    found = {}
    for name in names:
        total: np.ndarray | None = None
        with np.errstate(over="ignore", invalid="ignore"):  # the loss will not be finite
            for coefficient, read in used:
                value = read(name)
                scaled = value if coefficient == 1 else value * np.float32(coefficient)
                total = scaled if total is None else np.add(total, scaled, out=None if coefficient == 1 else scaled)
        found[name] = np.zeros_like(parts[0][1](name)) if total is None else total
    return found


def gram(names: Sequence[str], origin: Weights, points: Sequence[Weights]) -> np.ndarray:
    """Return the inner products of the differences of k points from an origin, float64 [k, k].

    The memory that this takes does not grow with k.
    """
    many = len(points)
    found = np.zeros((many + 1,) * 2)
    # A row of zeros, since the product of a single row with itself is summed by threads in any order.
    held = np.zeros((many + 1) * _block(many + 1))
    for name in names:
        for start, stop in _blocks(math.prod(origin.shape(name)), many + 1):
            base = origin.part(name, start, stop).astype(np.float64)
            differences = held[: (many + 1) * (stop - start)].reshape(many + 1, stop - start)
            for row, point in zip(differences, points, strict=False):
                np.subtract(point.part(name, start, stop), base, out=row)
            differences[many] = 0.0
            found += differences @ differences.T
    return found[:-1, :-1]


def displaced(
    names: Sequence[str], origin: Weights, points: Sequence[Weights], coefficients: Sequence[float]
) -> dict[str, np.ndarray]:
    """Return the sum of the differences of k points from an origin times coefficients, float32, summed in float64.

    Beside the result, the memory that this takes does not grow with k.
    """
    found = {}
    for name in names:
        along = np.empty(origin.shape(name), np.float32)
        flat = along.reshape(-1)
        for start, stop in _blocks(len(flat), 1):
            base = origin.part(name, start, stop).astype(np.float64)
            total = np.zeros_like(base)
            for point, coefficient in zip(points, coefficients, strict=True):
                total += coefficient * (point.part(name, start, stop) - base)
            flat[start:stop] = total
        found[name] = along
    return found


def _block(rows: int) -> int:
    """Return the number of weights per block, of which there are as many rows in memory."""
    return max(1, min(_BLOCK, _HELD // rows))


def _blocks(entries: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield the first entry of each block, and one past its last."""
    block = _block(rows)
    yield from ((start, min(start + block, entries)) for start in range(0, entries, block))


def inner_product(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> float:
    """Return the inner product of two directions with the same names, summed in float64, block by block."""
    found = 0.0
    for name, value in one.items():
        ours, theirs = value.reshape(-1), other[name].reshape(-1)
        for start, stop in _blocks(len(ours), 1):
            block = slice(start, stop)
            found += float(ours[block].astype(np.float64) @ theirs[block].astype(np.float64))
    return found


def random_direction(names: Sequence[str], weights: Read, seed: int, number: int) -> dict[str, np.ndarray]:
    """Return a random direction with the norm of each filter of the weights (Li et al. 2018), float32.

    A filter is a row of a matrix: the weights of one output, or the embedding of one token; a vector is one filter.

    Args:
        names: weights that move.
        weights: weights whose filters give the norms.
        seed: random seed.
        number: number of the direction; those of one seed are independent.
    """
    found = {}
    for name in names:
        value = weights(name)
        draw = np.random.default_rng([seed, number, zlib.crc32(name.encode())])
        direction = draw.standard_normal(value.shape, np.float32)
        rows, along = value.reshape(_filters(value), -1), direction.reshape(_filters(value), -1)
        norms = np.linalg.norm(along, axis=1, keepdims=True)
        along *= np.linalg.norm(rows, axis=1, keepdims=True) / np.where(norms > 0, norms, 1)
        found[name] = direction
    return found


def _filters(value: np.ndarray) -> int:
    return value.shape[0] if value.ndim > 1 else 1
