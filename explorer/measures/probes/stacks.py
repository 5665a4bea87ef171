"""Store the arrays of fitted models of all layers and probe seeds as one array for each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def stacked(prefix: str, rows: Sequence[Sequence[Mapping[str, np.ndarray]]]) -> dict[str, np.ndarray]:
    """Return each array of all layers and seeds as one, [layers, seeds, ...], with zeros where lengths differ.

    Args:
        prefix: beginning of the names of the stacked arrays.
        rows: arrays of each model by name, by layer and seed.
    """
    names = rows[0][0] if rows[0] else ()
    return {prefix + name: _filled([[one[name] for one in seeds] for seeds in rows]) for name in names}


def unstacked(prefix: str, arrays: Mapping[str, np.ndarray], layer: int) -> list[dict[str, np.ndarray]]:
    """Return the arrays of the models of one layer (counted from 0 along the stack) by name, one per seed."""
    own = {name.removeprefix(prefix): array[layer] for name, array in arrays.items() if name.startswith(prefix)}
    return [{name: array[i] for name, array in own.items()} for i in range(len(next(iter(own.values()), ())))]


def _filled(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    every = [one for seeds in rows for one in seeds]
    shape = tuple(max(sizes) for sizes in zip(*(one.shape for one in every), strict=True))
    found = np.zeros((len(rows), len(rows[0]), *shape), every[0].dtype)
    for i, seeds in enumerate(rows):
        for j, one in enumerate(seeds):
            found[i, j, ...][tuple(slice(size) for size in one.shape)] = one
    return found
