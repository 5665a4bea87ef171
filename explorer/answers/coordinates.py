"""Read the place of a row along each axis. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from explorer.measures.declaration import HEAD, LAYER, REF_LAYER, Coordinate
from store.results import Result

STEP, SEED, TASK, OTHER_SEED, CORPUS = "step", "seed", "task", "other_seed", "corpus"
"""Axes that the checkpoints give; all others are a measure's."""

_COORDINATES: Mapping[str, Callable[[Result], Coordinate | None]] = {
    TASK: lambda r: r.recipe,
    SEED: lambda r: r.seed,
    OTHER_SEED: lambda r: r.ref_seed,
    CORPUS: lambda r: r.corpus,
    STEP: lambda r: r.step,
    LAYER.name: lambda r: r.layer,
    REF_LAYER.name: lambda r: r.ref_layer,
    HEAD.name: lambda r: r.head,
    "label_a": lambda r: r.label_a,
    "label_b": lambda r: r.label_b,
}


def coordinate(name: str) -> Callable[[Result], Coordinate | None]:
    """Return the function from a row to its place along an axis; None where it has none."""
    return _COORDINATES.get(name, _further(name))


def _further(name: str) -> Callable[[Result], Coordinate | None]:
    return lambda r: dict(r.axes).get(name)
