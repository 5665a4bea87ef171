"""Compute the curvature of a function from products with its Hessian H, and its rise in a box around a point.

Vectors are flat arrays of n numbers, float32 or float64; their inner products are summed in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import MeasureError

Product = Callable[[np.ndarray], np.ndarray]
"""Function v -> Hv, both [n], with a symmetric H."""
Slope = Callable[[np.ndarray], "tuple[float, np.ndarray]"]
"""Function of a change d [n] of a point that returns value and gradient [n] at the changed point."""
Done = Callable[[int], None]
"""Function that is called after each product or gradient with their number so far."""
_BYTES = 2**29
"""Bytes of vectors that Lanczos keeps before it restarts."""
_FEWEST, _MOST = 6, 24
"""Number of vectors that it keeps at least and at most, whatever they take."""
_CHUNK = 2**14
"""Number of elements of each vector that are converted to float64 at once."""


@dataclass(frozen=True, eq=False)
class Eigenvalue:
    """The largest eigenvalue of a symmetric matrix, as far as it was found."""

    value: float
    """Rayleigh quotient v'Hv of the unit vector v that was found."""
    residual: float
    """Norm of Hv - value v: there is an eigenvalue within this distance of the value."""
    iterations: int
    """Number of products Hv, with the last one, which measures the residual."""
    converged: bool
    """Whether the residual is at most the tolerance times the absolute value."""
    lowest: float
    """Lowest Rayleigh quotient that was met: the smallest eigenvalue is at most this."""
    vectors: np.ndarray
    """Orthonormal Ritz vectors in memory at the end [k, n], the last one that of the value."""
    quotients: np.ndarray
    """Their Rayleigh quotients, float64 [k]."""


@dataclass(frozen=True)
class Trace:
    """An unbiased estimate of the trace of a matrix."""

    value: float
    error: float
    """Standard error over the random vectors."""
    draws: int


@dataclass(frozen=True)
class Rise:
    """The rise of a function from the middle of a box to the highest point that was found in it."""

    start: float
    """Value in the middle."""
    slope: float
    """Norm of the gradient in the middle."""
    highest: float
    gradients: int
    """Number of values and gradients computed after the first one."""

    @property
    def percent(self) -> float:
        """The rise in percent of 1 + the value in the middle (Keskar et al. 2017, equation 4)."""
        return 100.0 * (self.highest - self.start) / (1.0 + self.start)


def silent(number: int) -> None:
    """Ignore a progress report."""


def largest_eigenvalue(
    product: Product, first: np.ndarray, *, iterations: int, tolerance: float, done: Done = silent
) -> Eigenvalue:
    """Return the algebraically largest eigenvalue of a symmetric matrix, by Lanczos with full reorthogonalisation.

    If the vectors would take too much memory, it restarts from the upper half of the Ritz vectors (thick restart, Wu
    and Simon 2000). A last product measures the residual.

    Args:
        product: v -> Hv.
        first: first vector [n], not zero; a random one is orthogonal to no eigenvector. All vectors have its type.
        iterations: maximum number of products, at least 2.
        tolerance: residual at which to stop, relative to the eigenvalue.
        done: called after each product.

    Raises:
        MeasureError: a product is not finite.
    """
    size = min(max(_FEWEST, min(_MOST, _BYTES // first.nbytes)), len(first))
    basis = np.empty((size, len(first)), first.dtype)
    basis[0] = first / norm(first)
    projected = np.zeros((size, size))
    used, lowest, smallest = 1, np.inf, float(np.finfo(first.dtype).eps)
    for count in range(1, iterations):
        rest = _finite(product(basis[used - 1])).astype(first.dtype)
        done(count)
        projected[used - 1, :used] = projected[:used, used - 1] = _orthogonalise(rest, basis[:used])
        values, turns = np.linalg.eigh(projected[:used, :used])
        lowest, length = min(lowest, float(values[0])), norm(rest)
        enough = length * abs(turns[-1, -1]) <= 0.5 * tolerance * abs(values[-1])
        if enough or used == len(first) or length <= smallest * np.abs(values).max() or count == iterations - 1:
            break
        if used == size:
            used = size // 2
            _combine(basis, turns[:, -used:])
            projected = np.zeros((size, size))
            projected[range(used), range(used)] = values[-used:]
        basis[used] = rest / length
        used += 1
    _combine(basis, turns)
    vector = basis[used - 1]
    image = _finite(product(vector)).astype(np.float64)
    done(count + 1)
    value = float(_dots(vector[None], image)[0]) / norm(vector) ** 2
    residual = norm(image - value * vector)
    converged = residual <= tolerance * abs(value)
    return Eigenvalue(value, residual, count + 1, converged, min(lowest, value), basis[:used], values)


def trace(
    product: Product,
    vectors: np.ndarray,
    quotients: np.ndarray,
    generator: np.random.Generator,
    *,
    draws: int,
    done: Done = silent,
) -> Trace:
    """Estimate the trace of a symmetric matrix: exact on known directions, from random vectors of signs elsewhere.

    The random part is the mean of v'Hv (Hutchinson 1990) over vectors v without their components in the known
    directions. Its error comes from the rest of the matrix only, so that large known eigenvalues do not add to it (as
    in Hutch++, Meyer et al. 2021).

    Args:
        product: v -> Hv.
        vectors: orthonormal known directions [k, n]; k may be 0.
        quotients: v'Hv of each of them [k].
        generator: random numbers, independent of the known directions.
        draws: number of random vectors, at least 2.
        done: called after each product.

    Raises:
        MeasureError: a product is not finite.
    """
    found = []
    for count in range(draws):
        vector = signs(vectors.shape[1], generator)
        _orthogonalise(vector, vectors)
        found.append(_dots(vector[None], _finite(product(vector)))[0])
        done(count + 1)
    return Trace(float(quotients.sum() + np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(draws)), draws)


def rise_in_box(slope: Slope, half: np.ndarray, random: np.ndarray, *, steps: int, done: Done = silent) -> Rise:
    """Return the rise of a function in the box of changes |d| <= half, by projected gradient ascent.

    A step adds the half-widths in the direction of the gradient's signs and cuts the sum to the box, so that the first
    step ends in the corner that is highest for a linear function. Steps are halved when the value does not rise.

    Args:
        slope: value and gradient [n] at a change.
        half: half-widths [n].
        random: signs [n] to move by where the first gradient is zero.
        steps: maximum number of steps.
        done: called after each step.

    Raises:
        MeasureError: a gradient in the middle is not finite.
    """
    change = np.zeros_like(half)
    start, gradient = slope(change)
    steepness = norm(_finite(gradient))
    highest, size, count = start, 1.0, 0
    direction = np.where(gradient == 0.0, random, np.sign(gradient)).astype(half.dtype)
    while count < steps:
        trial = np.clip(change + np.float32(size) * half * direction, -half, half)
        if np.array_equal(trial, change):
            break
        count += 1
        value, gradient = slope(trial)
        done(count)
        if value > highest:
            highest, change, direction = value, trial, np.sign(gradient).astype(half.dtype)
        else:
            size /= 2.0
    return Rise(start, steepness, highest, count)


def signs(size: int, generator: np.random.Generator) -> np.ndarray:
    """Return random signs, -1 or 1 with equal chances, float32 [size]."""
    return generator.integers(0, 2, size, np.int8).astype(np.float32) * np.float32(2) - np.float32(1)


def norm(vector: np.ndarray) -> float:
    """Return the Euclidean norm of a vector."""
    return float(np.sqrt(_dots(vector[None], vector)[0]))


def _finite(vector: np.ndarray) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise MeasureError("The loss has no finite derivatives at these weights.")
    return vector


def _orthogonalise(vector: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Subtract the projection on orthonormal rows from a vector, in place and twice; return the inner products."""
    found = np.zeros(len(basis))
    for _ in range(2):
        part = _dots(basis, vector)
        for start in range(0, len(vector), _CHUNK):
            piece = slice(start, start + _CHUNK)
            vector[piece] -= part @ basis[:, piece].astype(np.float64)
        found += part
    return found


def _combine(basis: np.ndarray, factors: np.ndarray) -> None:
    """Replace the first rows of a basis by combinations of its rows, in place; a column of factors makes one row."""
    for start in range(0, basis.shape[1], _CHUNK):
        part = basis[: len(factors), start : start + _CHUNK].astype(np.float64)
        basis[: factors.shape[1], start : start + _CHUNK] = factors.T @ part


def _dots(rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the inner products of rows [k, n] with a vector [n], summed in float64."""
    found = np.zeros(len(rows))
    for start in range(0, len(vector), _CHUNK):
        piece = slice(start, start + _CHUNK)
        found += rows[:, piece].astype(np.float64) @ vector[piece].astype(np.float64)
    return found
