"""Points of lines and planes: a coarse grid first, then finer where linear interpolation would be wrong.

All functions are pure. A finer grid over the same range contains every point of a coarser one that divides it, so that
stored points are used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product

from explorer.measures.base import Parameter
from explorer.measures.computation import MeasureError
from explorer.measures.declaration import At, Known

TOLERANCE = 0.01
"""Error of linear interpolation, relative to the loss, above which an interval is halved."""
LEAST = 0.05
"""Loss in nats below which the error is relative to this one: smaller losses all look like none."""
COARSEST = {1: 8, 2: 4}
"""Minimum number of intervals of the coarse grid along an axis, by the number of axes."""
RANGE = Parameter(
    "range",
    "-0.5,1.5",
    "first and last coordinate, in multiples of the distance between the two checkpoints",
    coordinates=True,
)
GRID = "grid"
GRID_HELP = "number of points of the finest grid along an axis"
Ends = tuple[Fraction, Fraction]
Point = tuple[int, ...]
Loss = Callable[[Point], "float | None"]


def ends_in(text: str) -> Ends:
    """Return the ends of a range written as ``-0.5,1.5``.

    Raises:
        MeasureError: it is not of that form, or empty.
    """
    try:
        low, high = (Fraction(part.strip()) for part in text.split(","))
    except (ValueError, ZeroDivisionError):
        raise MeasureError(f"range: '{text}' is not of the form -0.5,1.5.") from None
    if low >= high:
        raise MeasureError(f"range: '{text}' must end above its start.")
    return low, high


def places(ends: Ends, many: int) -> tuple[float, ...]:
    """Return so many evenly spaced coordinates; each is the nearest float to its exact value."""
    low, high = ends
    return tuple(float(low + (high - low) * i / (many - 1)) for i in range(many))


def line(
    axis: str, along: Sequence[float], always: Iterable[float], known: Mapping[At, tuple[Known, ...]], loss: str
) -> list[At]:
    """Return the points of a line to evaluate, given the finished ones; those proposed earlier are among them.

    Args:
        axis: name of the axis.
        along: coordinates of the finest grid, ascending.
        always: further coordinates that are always evaluated.
        known: numbers of the finished points.
        loss: statistic that decides where the grid is refined.
    """
    chosen = _refined((len(along),), lambda point: _loss(known, at(axis, along[point[0]]), loss))
    found = {along[point[0]] for point in chosen} | set(always)
    return [at(axis, place) for place in sorted(found)]


def plane(
    axes: tuple[str, str],
    one: Sequence[float],
    other: Sequence[float],
    known: Mapping[At, tuple[Known, ...]],
    loss: str,
) -> list[At]:
    """Return the points of a square grid to evaluate, given the finished ones; those proposed earlier are among them.

    Args:
        axes: names of the axes.
        one: coordinates of the finest grid along the first axis, ascending.
        other: as many along the second.
        known: numbers of the finished points.
        loss: statistic that decides where the grid is refined.
    """

    def place(point: Point) -> At:
        return At(more=((axes[0], one[point[0]]), (axes[1], other[point[1]])))

    chosen = _refined((len(one), len(other)), lambda point: _loss(known, place(point), loss))
    return [place(point) for point in sorted(chosen)]


def at(axis: str, place: float) -> At:
    """Return a point of a line."""
    return At(more=((axis, place),))


class _Unknown(Exception):  # noqa: N818 (a signal, not an error)
    """The loss at a point is not known yet."""


def _loss(known: Mapping[At, tuple[Known, ...]], where: At, statistic: str) -> float | None:
    """Return the loss at a finished point; None where it is not a finite number.

    Raises:
        _Unknown: the point is not finished.
    """
    if where not in known:
        raise _Unknown
    return next((one.value for one in known[where] if one.statistic == statistic), None)


def _refined(shape: Point, loss: Loss) -> set[Point]:
    """Return the points of a grid, level by level, up to the first level with a point that is not known."""
    step = _coarsest(shape[0], COARSEST[len(shape)])
    found = set(product(*(range(0, many, step) for many in shape)))
    corners = list(product((0, 1), repeat=len(shape)))
    while step > 1:
        half = step // 2
        try:
            values = {point: loss(point) for point in found if not any(i % step for i in point)}
        except _Unknown:
            return found
        new = set()
        for start in sorted(values):
            cell = [tuple(i + step * by for i, by in zip(start, corner, strict=True)) for corner in corners]
            if all(point in values for point in cell) and _bends(cell, values, step):
                inside = product(*((i, i + half, i + step) for i in start))
                new |= set(inside)
        if not new - found:
            return found
        found |= new
        step = half
    return found


def _coarsest(many: int, least: int) -> int:
    """Return the step of the coarse grid: the largest power of two that divides the intervals and leaves some."""
    step = 1
    while (many - 1) % (2 * step) == 0 and (many - 1) // (2 * step) >= least:
        step *= 2
    return step


def _bends(cell: Sequence[Point], values: Mapping[Point, float | None], step: int) -> bool:
    """Whether interpolation inside a cell would be wrong, by the second differences around its corners.

    A quadratic with second difference d over two steps is d / 8 away from the chord in the middle of one step.
    """
    for point in cell:
        here = values[point]
        for axis in range(len(point)):
            before, after = (values.get((*point[:axis], point[axis] + by, *point[axis + 1 :])) for by in (-step, step))
            if here is None or before is None or after is None:
                continue
            if abs(before - 2 * here + after) / 8 > TOLERANCE * max(LEAST, abs(here), abs(before), abs(after)):
                return True
    return False
