"""Loss surface on the plane of a run's first two principal components (Li et al. 2018).

For the weights w_i of a run's checkpoints and w of its last one, p1 and p2 are the first two principal components of
w_i - w, with the length s of the whole displacement:

    f(alpha, beta) = L(w + alpha p1 + beta p2)

(0, 0) is the last checkpoint, bit for bit. The checkpoints' coordinates are values of the plane's own cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import CHECKPOINT, LABELS, LANDSCAPE, PATH, At, Known, Scope, model, weights
from explorer.measures.landscapes.grids import GRID, Ends, ends_in, places, plane
from explorer.measures.landscapes.losses import Losses, kept
from explorer.measures.landscapes.paths import FIRST, POINT, SECOND, Path, course, principal_plane
from explorer.measures.landscapes.weights import GROUPS, NORMS, Moved, combined, displaced, gram, moved
from explorer.measures.loss_curve import ADAPTIVE, ALPHA, EVALUATION, PARAMETERS
from explorer.measures.loss_curve import POINT as LOSS_AT
from explorer.measures.loss_surface import BETA, GRID_OF_PLANE, PLANE, SURFACE_COST, point_of
from explorer.measures.outcomes import LOSS, point_values
from explorer.measures.protocols import Weights

AUTO, RANGE = "auto", "range"
VARIANCE = "variance"
_SIDES = (Fraction(2), Fraction(4), Fraction(8), Fraction(16))
"""Widths of the square that is drawn, in multiples of the displacement: the first that holds the path with a margin."""
_MARGIN = 1.25


@dataclass(frozen=True, eq=False)
class PathPlane:
    """The plane of a run's first two principal components, and the run in it."""

    moved: Moved
    directions: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]
    path: Path
    unit: float
    """Length of both directions: the distance between the first and the last checkpoint."""
    variance: tuple[float, ...]
    """Share of the variance that each holds."""
    course: Mapping[str, float]
    """Length and turns of the path."""


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose the plane itself, then the points of a coarse grid, then finer ones where the surface bends.

    Raises:
        MeasureError: the range cannot be read.
    """
    yield At()
    said, many = str(scope.parameters[RANGE]), int(str(scope.parameters[GRID]))
    if said == AUTO:
        if At() not in known:
            return
        ends = [_around([one.value for one in known[At()] if one.statistic == axis], many) for axis in (SECOND, FIRST)]
        wide = max(high - low for low, high in ends)
        ends = [_widened(low, high, wide) for low, high in ends]
    else:
        ends = [ends_in(said)] * 2
    yield from plane(PLANE, places(ends[0], many), places(ends[1], many), known, LOSS)


def _around(found: list[float | None], many: int) -> Ends:
    """Return a range that holds some coordinates with a margin, and has 0 among its points."""
    there = [value for value in found if value is not None] or [0.0]
    low, high = min(there), max(there)
    side = next((side for side in _SIDES if side >= _MARGIN * (high - low)), _SIDES[-1])
    step = side / (many - 1)
    start = round(Fraction((low + high) / 2) / step) * step - (many - 1) // 2 * step
    return start, start + side


def _widened(low: Fraction, high: Fraction, wide: Fraction) -> Ends:
    """Return a range of the given width, a multiple of the old one, around the old one."""
    times = wide / (high - low)
    middle = (low + high) / 2
    start = middle - wide / 2 if times != 1 else low
    return start, start + wide


def loss_surface_pca(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss and error at one point of the plane; without a point, the checkpoints' coordinates.

    Raises:
        MeasureError: labels and classes do not match; or the run's checkpoints span no plane.
    """
    members = cast("tuple[Weights, ...]", given.operands[PATH.role]["weights"])
    losses = Losses.of(given, parameters, context)
    found = _plane(members, given.steps[PATH.role], parameters, context)
    if not given.at.more:
        return _of_plane(found)
    beta, alpha = point_of(given.at)
    first, second = (direction.__getitem__ for direction in found.directions)
    values = combined(found.moved.names, ((1.0, members[-1].tensor), (alpha, first), (beta, second)))
    outcome = losses.at(values, found.moved)
    details = {"distance": found.unit, "stays": list(found.moved.stays), "examples": len(losses.labels.examples)}
    return point_values(outcome, context.trust, details, keep=False)


def _of_plane(found: PathPlane) -> list[Value]:
    many = found.moved.count
    details = {"distance": found.unit, "checkpoints": len(found.path.steps), "stays": list(found.moved.stays)}
    values = [Value(sum(found.variance), many, VARIANCE, "share", details={**details, "each": list(found.variance)})]
    values += [Value(value, many, name, "", details=details) for name, value in found.course.items()]
    return [*values, *found.path.values(many)]


def _plane(
    members: Sequence[Weights], steps: tuple[int, ...], parameters: Mapping[str, object], context: Context
) -> PathPlane:
    groups, norms = str(parameters[GROUPS.name]), str(parameters[NORMS.name])

    def made() -> PathPlane:
        last = members[-1]
        others = {f"checkpoint of step {step}": one for step, one in zip(steps[:-1], members[:-1], strict=True)}
        found = moved(last, others, groups, norms)
        products = gram(found.names, last, members)
        coefficients, variance = principal_plane(products)
        if len(coefficients) < 2:
            raise MeasureError(
                f"The {len(members)} checkpoints of the run span no plane: at least three with different weights are "
                "needed."
            )
        unit = math.sqrt(products[0, 0])
        along = coefficients @ products / unit
        squares = np.diag(products)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(squares > 0, (along**2).sum(0) * unit**2 / squares, np.nan)
        drawn = Path(steps, along.T, share, np.sqrt(squares) / unit)
        first, second = (displaced(found.names, last, members[:-1], row[:-1] * unit) for row in coefficients)
        return PathPlane(found, (first, second), drawn, unit, tuple(variance.tolist()), course(products, unit))

    return kept(context, ("path plane", *(one.identity for one in members), groups, norms), made)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="loss-surface-pca",
        title="Loss surface along a run",
        topic=LANDSCAPE,
        why="the loss along the path that the run took",
        inputs=(*model(CHECKPOINT), *weights(PATH), LABELS),
        operands=(CHECKPOINT, PATH),
        axes=(BETA, ALPHA, POINT),
        unit="nats",
        low=0.0,
        high=math.inf,
        direction="(0,0) = the run's last checkpoint, 1 = the distance from its first one",
        definition=(
            f"{LOSS_AT} w + alpha p1 + beta p2: w are the weights of the run's last checkpoint, p1 and p2 the first "
            "two principal components of its checkpoints' weights, as long as the way from the first to the last. "
            "Values without alpha and beta: the share of the variance that both hold (variance), and for each "
            "checkpoint (point: its step) the coordinates alpha and beta, its distance, and the share of its squared "
            "displacement that the plane holds; and length, tortuosity and mean step-cosine of the path, as in "
            f"trajectory. The n of these values is the number of weights. {ADAPTIVE} {EVALUATION}"
        ),
        source="Li, Xu, Taylor, Studer, Goldstein 2018 (NeurIPS), section 7.",
        cost=SURFACE_COST,
        counts="labels",
        compute=loss_surface_pca,
        summary=(
            "loss and error on the plane of the first two principal components of a run's checkpoints, with the run's "
            "path in it. Runs the model from the checkpoint's folder"
        ),
        others="loss-landscape's plot_trajectory computes the same plane, without the share of each displacement",
        parameters=(
            Parameter(RANGE, AUTO, "first and last coordinate; auto: around the path", coordinates=True),
            GRID_OF_PLANE,
            *PARAMETERS,
        ),
        main=LOSS,
        intervals=INTERVALS,
        slow=True,
        path="loss-surface-pca",
        alone=True,
        cells=cells,
    ),
)
