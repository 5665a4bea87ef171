"""Paths of checkpoints through weights: coordinates in a plane, length and turns. Pure; from inner products alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import Value
from explorer.measures.declaration import Axis, Coordinate

POINT = Axis("point", "step of the checkpoint", within=True)
SIDE = Axis("side", "run", "text", within=True)
FIRST, SECOND = "alpha", "beta"
"""Statistics with the coordinates in the plane."""
SHARE, DISTANCE = "share", "distance"
LENGTH, TORTUOSITY, TURN = "length", "tortuosity", "step-cosine"
_NOTHING = 1e-13
"""Squared distance, in multiples of the largest from the origin, that is rounding."""


@dataclass(frozen=True, eq=False)
class Path:
    """The checkpoints of a run in a plane."""

    steps: tuple[int, ...]
    """Steps of the k checkpoints, ascending."""
    places: np.ndarray
    """Coordinates, float64 [k, 2], in multiples of the unit; NaN without a plane."""
    share: np.ndarray
    """Share of the squared displacement that the plane holds, float64 [k]; NaN without a displacement."""
    distance: np.ndarray
    """Distance from the origin of the plane, float64 [k], in multiples of the unit."""

    def values(self, weights: int, axes: tuple[tuple[str, str], ...] = ()) -> Iterator[Value]:
        """Yield the values of each checkpoint; the origin itself has no share, and no plane gives no coordinates.

        Args:
            weights: number of weights that move.
            axes: coordinates that all values share.
        """
        for i, step in enumerate(self.steps):
            at: tuple[tuple[str, Coordinate], ...] = (*axes, (POINT.name, step))
            for name, value in zip((FIRST, SECOND), self.places[i].tolist(), strict=True):
                if np.isfinite(value):
                    yield Value(value, weights, name, "", axes=at)
            yield Value(float(self.distance[i]), weights, DISTANCE, "", axes=at)
            if np.isfinite(self.share[i]):
                yield Value(float(self.share[i]), weights, SHARE, "share", axes=at)


def least_squares(products: np.ndarray, members: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of the nearest points of a plane, [k, 2], and the share of each square that it holds, [k].

    Args:
        products: inner products of the two directions, [2, 2].
        members: inner products of k displacements with the directions, [k, 2].
        squares: squared lengths of the displacements, [k].
    """
    places = np.linalg.solve(products, members.T).T
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(squares > 0, (places * members).sum(1) / squares, np.nan)
    return places, share


def projection_of_the_paper(products: np.ndarray, members: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return coordinates as Hao et al. (2019) draw them, [k, 2].

    The second is not the coordinate along the second direction, but the length of everything that is orthogonal to the
    first, in multiples of its length; it is never negative.
    """
    alpha = members[:, 0] / products[0, 0]
    beta = np.sqrt(np.maximum(squares / products[0, 0] - alpha**2, 0.0))
    return np.stack([alpha, beta], 1)


def course(products: np.ndarray, unit: float) -> Mapping[str, float]:
    """Return a path's length, its length over the distance of its ends, and the mean cosine of successive steps.

    Numbers that do not exist (no step, no displacement) are left out.

    Args:
        products: inner products of k displacements from one origin, [k, k], in the order of the steps.
        unit: unit of the length.
    """
    along, found = course_by_step(products, unit), dict[str, float]()
    if len(products) > 1:
        found = {name: float(along[name][-1]) for name in (LENGTH, TORTUOSITY)}
        found[TURN] = float(np.mean(along[TURN][2:])) if len(products) > 2 else np.nan
    return {name: value for name, value in found.items() if np.isfinite(value)}


def course_by_step(products: np.ndarray, unit: float) -> Mapping[str, np.ndarray]:
    """Return the same numbers at each checkpoint, float64 [k]; NaN where they do not exist.

    Length and tortuosity are those of the path up to the checkpoint; the cosine is that of the step that ends there
    with the one before.

    Args:
        products: inner products of k displacements from one origin, [k, k], in the order of the steps.
        unit: unit of the length.
    """
    steps = np.diff(np.eye(len(products)), axis=0)
    of_steps = steps @ products @ steps.T
    lengths = np.sqrt(np.maximum(np.diag(of_steps), 0.0))
    travelled = np.concatenate([[0.0], np.cumsum(lengths)])
    squares = np.diag(products) - 2 * products[0] + products[0, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        length = travelled / (unit or np.nan)
        tortuosity = travelled / np.sqrt(np.where(squares > _NOTHING * np.diag(products).max(), squares, np.nan))
        turns = np.concatenate([[np.nan] * min(2, len(products)), np.diag(of_steps, 1) / (lengths[1:] * lengths[:-1])])
    return {LENGTH: length, TORTUOSITY: tortuosity, TURN: turns}


def principal_plane(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first two principal components of a path, as sums of its displacements, and their variance shares.

    The direction of each is such that the path's first checkpoint has no positive coordinate along it, seen from the
    last one.

    Args:
        products: inner products of the displacements of k checkpoints from the last one, [k, k].

    Returns:
        Coefficients of the displacements, [2, k], for directions of length 1, and shares, [2]; fewer rows if the path
        spans fewer dimensions.
    """
    many = len(products)
    centred = np.eye(many) - 1 / many
    values, vectors = np.linalg.eigh(centred @ products @ centred)
    order = np.argsort(values)[::-1][:2]
    total = np.maximum(values, 0).sum()
    order = order[values[order] > 1e-9 * max(total, 1e-300)]
    coefficients = (centred @ vectors[:, order] / np.sqrt(values[order])).T
    along = coefficients @ products
    coefficients *= np.where(along[:, :1] > 0, -1.0, 1.0)
    return coefficients, values[order] / total if total > 0 else values[order]
