"""Loss surface: the loss on the plane of the start and two solutions (Hao et al. 2019).

For an origin with weights w0 (by default the pre-trained model), a checkpoint with w1 and another one with w2:

    d1 = w1 - w0        d2 = (w2 - w0) ||w1 - w0|| / ||w2 - w0||        f(alpha, beta) = L(w0 + alpha d1 + beta d2)

(0, 0) is the origin and (1, 0) the checkpoint, bit for bit. The directions are not made orthogonal; their cosine is the
value of a cell of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import (
    CHECKPOINT,
    COMPARED,
    LABELS,
    LANDSCAPE,
    ORIGIN,
    At,
    Axis,
    Known,
    Scope,
    model,
    weights,
)
from explorer.measures.landscapes.grids import GRID, GRID_HELP, RANGE, ends_in, places, plane
from explorer.measures.landscapes.losses import Losses, kept
from explorer.measures.landscapes.weights import GROUPS, NORMS, Moved, Start, combined, gram, moved
from explorer.measures.loss_curve import ADAPTIVE, ALPHA, EVALUATION, PARAMETERS, POINT
from explorer.measures.outcomes import LOSS, point_values
from explorer.measures.protocols import Weights

BETA = Axis("beta", "beta", "float")
PLANE = (BETA.name, ALPHA.name)
"""Axes of a surface, upwards and across."""
START = Parameter(
    ORIGIN.role, "pretrained", "start of the directions: what --against takes, such as pretrained or first"
)
COSINE = "cosine"
_PARALLEL = 0.999
"""Cosine of two directions from which on they span no plane."""
_OPERANDS = (*COMPARED, ORIGIN)


@dataclass(frozen=True)
class TaskPlane:
    """The plane of an origin and two solutions."""

    moved: Moved
    first: float
    """Distance of the first solution from the origin."""
    second: float
    """Distance of the second one."""
    cosine: float
    """Cosine of the two directions."""
    takes: tuple[str, ...]
    """Modules that the origin does not have, and takes from the checkpoint."""

    @property
    def scale(self) -> float:
        """Factor of the second difference: both directions have the length of the first."""
        return self.first / self.second

    @property
    def details(self) -> dict[str, object]:
        """Numbers of the plane, for the details of its points."""
        named = {"distance": self.first, "other_distance": self.second, "cosine": self.cosine, "scale": self.scale}
        return {**named, "stays": list(self.moved.stays), "origin_takes": list(self.takes)}


def task_plane(
    own: Weights, other: Weights, origin: Start, parameters: Mapping[str, object], context: Context
) -> TaskPlane:
    """Return the plane of an origin and two solutions.

    Raises:
        MeasureError: they are not comparable, a solution equals the origin, or both lie in the same direction.
    """
    groups, norms = str(parameters[GROUPS.name]), str(parameters[NORMS.name])

    def measured() -> TaskPlane:
        found = moved(own, {"reference": other, ORIGIN.role: origin}, groups, norms)
        products = gram(found.names, origin, [own, other])
        first, second = math.sqrt(products[0, 0]), math.sqrt(products[1, 1])
        for length, who in ((first, "checkpoint"), (second, "reference")):
            if length == 0:
                raise MeasureError(f"The {who} has the same weights as the {ORIGIN.role}: they span no plane.")
        return TaskPlane(found, first, second, float(products[0, 1] / (first * second)), origin.takes)

    key = ("plane", own.identity, other.identity, origin.identity, groups, norms)
    found = kept(context, key, measured)
    require_plane(found.cosine)
    return found


def require_plane(cosine: float) -> None:
    """Check that two directions span a plane.

    Raises:
        MeasureError: they are parallel.
    """
    if said := parallel(cosine):
        raise MeasureError(said)


def parallel(cosine: float) -> str:
    """Return why two directions span no plane; empty if they do."""
    if abs(cosine) <= _PARALLEL:
        return ""
    return f"The two directions are parallel (cosine {cosine:.6f}): they span no plane."


def point_of(at: At) -> tuple[float, float]:
    """Return the coordinates beta and alpha of a cell."""
    beta, alpha = (float(place) for _, place in at.more)  # in the order of the axes
    return beta, alpha


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose the plane itself, then the points of a coarse grid, then finer ones where the surface bends.

    Raises:
        MeasureError: the range cannot be read.
    """
    yield At()
    along = places(ends_in(str(scope.parameters[RANGE.name])), int(str(scope.parameters[GRID])))
    yield from plane(PLANE, along, along, known, LOSS)


def loss_surface(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss and error at one point of the plane; without a point, the cosine of the plane's directions.

    Raises:
        MeasureError: labels and classes do not match; or as ``task_plane``.
    """
    own, other, stored = (cast(Weights, given.operands[one.role]["weights"]) for one in _OPERANDS)
    losses = Losses.of(given, parameters, context)
    origin = Start(stored, own)
    found = task_plane(own, other, origin, parameters, context)
    if not given.at.more:
        return [Value(found.cosine, found.moved.count, COSINE, "", details=found.details)]
    beta, alpha = point_of(given.at)
    scaled = beta * found.scale
    parts = ((1 - alpha - scaled, origin.tensor), (alpha, own.tensor), (scaled, other.tensor))
    outcome = losses.at(combined(found.moved.names, parts), found.moved)
    details = {**found.details, "examples": len(losses.labels.examples)}
    return point_values(outcome, context.trust, details, keep=False)


SURFACE_COST = "One pass of the model over the sample per point: 26 to 290 points with the default grid."
GRID_OF_PLANE = Parameter(GRID, 17, GRID_HELP, low=3, high=257, coordinates=True)

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="loss-surface",
        title="Loss surface",
        topic=LANDSCAPE,
        why="the paper's picture: two solutions and the loss on the plane between them",
        inputs=(*model(CHECKPOINT), *weights(*_OPERANDS), LABELS),
        operands=_OPERANDS,
        axes=(BETA, ALPHA),
        unit="nats",
        low=0.0,
        high=math.inf,
        direction="(0,0) = the origin, (1,0) = the checkpoint, a wide low region = a flat solution in this plane",
        definition=(
            f"{POINT} w0 + alpha d1 + beta d2: w0 are the weights of the origin, d1 leads to the checkpoint, and d2 to "
            "the reference, scaled to the length of d1. The directions are not made orthogonal; a value without alpha "
            "and beta is their cosine (n: weights). An origin without a classifier takes the checkpoint's, so that "
            f"both solutions keep their own. {ADAPTIVE} {EVALUATION}"
        ),
        source="Hao, Dong, Wei, Xu 2019 (EMNLP), two-dimensional loss surface.",
        cost=SURFACE_COST,
        counts="labels",
        compute=loss_surface,
        summary=(
            "loss and error on the plane of the pre-trained model (0, 0), the checkpoint (1, 0) and another solution: "
            "the next seed, or what --against names. Runs the model from the checkpoint's folder"
        ),
        others="the authors' scripts shuffle the batches anew at every point",
        parameters=(START, RANGE, GRID_OF_PLANE, *PARAMETERS),
        default_reference="next-seed",
        preposition="toward",
        main=LOSS,
        intervals=INTERVALS,
        slow=True,
        final=True,
        path="trajectory",
        alone=True,
        cells=cells,
    ),
)
