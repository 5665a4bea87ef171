"""Loss surface around a checkpoint in two random directions with the norms of its filters (Li et al. 2018).

For weights w and random directions d1, d2, each row of which has the norm of the same row of w:

    f(alpha, beta) = L(w + alpha d1 + beta d2)

(0, 0) is the checkpoint, bit for bit. By default the picture ends where the loss has doubled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, Value
from explorer.measures.declaration import ALONE, CHECKPOINT, LABELS, LANDSCAPE, At, Known, Scope, model, weights
from explorer.measures.landscapes.grids import GRID, Ends, ends_in, places, plane
from explorer.measures.landscapes.losses import Losses, kept
from explorer.measures.landscapes.weights import GROUPS, NORMS, Moved, combined, inner_product, moved, random_direction
from explorer.measures.loss_curve import ADAPTIVE, ALPHA, EVALUATION, PARAMETERS, POINT
from explorer.measures.loss_surface import BETA, COSINE, GRID_OF_PLANE, PLANE, SURFACE_COST, point_of
from explorer.measures.outcomes import LOSS, point_values
from explorer.measures.protocols import Weights

AUTO, RANGE = "auto", "range"
DRAW = Parameter(
    "draw", 0, "random seed of the directions: another one shows whether the picture is an accident", low=0
)
RADII = tuple(Fraction(1, 2**k) for k in range(8, -1, -1))
"""Half widths that are tried, in multiples of the filters' norms."""
_DOUBLED = 2.0
_STAY = "stay"


@dataclass(frozen=True, eq=False)
class RandomPlane:
    """Two random directions."""

    moved: Moved
    directions: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]
    cosine: float
    """Cosine of the two directions."""
    length: float
    """Length of the first direction: the norm of the weights that move."""


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose the plane itself, points further and further away until the loss has doubled, and then a grid up to them.

    Raises:
        MeasureError: the range cannot be read.
    """
    yield At()
    said = str(scope.parameters[RANGE])
    if said == AUTO:
        probes, ends = _search(known)
        yield from probes
        if ends is None:
            return
    else:
        probes, ends = [], ends_in(said)
    along = places(ends, int(str(scope.parameters[GRID])))
    tried = set(probes)
    yield from (point for point in plane(PLANE, along, along, known, LOSS) if point not in tried)


def _search(known: Mapping[At, tuple[Known, ...]]) -> tuple[list[At], Ends | None]:
    """Return the points that find the range, and the range once it is known."""
    centre = _at(0.0, 0.0)
    found = [centre]
    if centre not in known:
        return found, None
    least = _loss(known, centre)
    for radius in RADII:
        far = float(radius)
        ring = [_at(far, 0.0), _at(-far, 0.0), _at(0.0, far), _at(0.0, -far)]
        found += ring
        if not all(point in known for point in ring):
            return found, None
        losses = [_loss(known, point) for point in ring]
        if least is None or any(loss is None or loss >= _DOUBLED * least for loss in losses):
            return found, (-radius, radius)
    return found, (-RADII[-1], RADII[-1])


def _at(alpha: float, beta: float) -> At:
    return At(more=((BETA.name, beta), (ALPHA.name, alpha)))


def _loss(known: Mapping[At, tuple[Known, ...]], where: At) -> float | None:
    return next((one.value for one in known[where] if one.statistic == LOSS), None)


def loss_surface_random(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss and error at one point of the plane; without a point, the cosine of the plane's directions.

    Raises:
        MeasureError: labels and classes do not match, or no such layers.
    """
    own = cast(Weights, given.operands[CHECKPOINT.role]["weights"])
    losses = Losses.of(given, parameters, context)
    found = _plane(own, parameters, context)
    details = {"cosine": found.cosine, "distance": found.length, "stays": list(found.moved.stays)}
    if not given.at.more:
        return [Value(found.cosine, found.moved.count, COSINE, "", details=details)]
    beta, alpha = point_of(given.at)
    first, second = (direction.__getitem__ for direction in found.directions)
    values = combined(found.moved.names, ((1.0, own.tensor), (alpha, first), (beta, second)))
    outcome = losses.at(values, found.moved)
    return point_values(outcome, context.trust, {**details, "examples": len(losses.labels.examples)}, keep=False)


def _plane(own: Weights, parameters: Mapping[str, object], context: Context) -> RandomPlane:
    groups, norms, draw = str(parameters[GROUPS.name]), str(parameters[NORMS.name]), int(str(parameters[DRAW.name]))

    def made() -> RandomPlane:
        found = moved(own, {}, groups, norms)
        first, second = (random_direction(found.names, own.tensor, draw, number) for number in (0, 1))
        squares = [inner_product(one, other) for one, other in ((first, first), (second, second), (first, second))]
        cosine = squares[2] / math.sqrt(squares[0] * squares[1])
        return RandomPlane(found, (first, second), cosine, math.sqrt(squares[0]))

    return kept(context, ("random plane", own.identity, groups, norms, draw), made)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="loss-surface-random",
        title="Loss surface in random directions",
        topic=LANDSCAPE,
        why="how flat the minimum is in directions that nobody chose",
        inputs=(*model(CHECKPOINT), *weights(CHECKPOINT), LABELS),
        operands=ALONE,
        axes=(BETA, ALPHA),
        unit="nats",
        low=0.0,
        high=math.inf,
        direction="(0,0) = the checkpoint, 1 = each filter moved by its own norm, a wide low region = a flat solution",
        definition=(
            f"{POINT} w + alpha d1 + beta d2: w are the weights, and each row of d1 and d2 is random with the norm of "
            "the same row of w (the weights of one output, or the embedding of one token). Layer norms and biases stay "
            "unless norms is move; each is then scaled as one row. A value without alpha and beta is the cosine of the "
            "directions. With range auto, the grid ends at the first radius, of 1/256, 1/128, ... 1, at which the loss "
            f"on an axis is twice that of the checkpoint. {ADAPTIVE} {EVALUATION}"
        ),
        source="Li, Xu, Taylor, Studer, Goldstein 2018 (NeurIPS), filter normalisation.",
        cost=SURFACE_COST,
        counts="labels",
        compute=loss_surface_random,
        summary=(
            "loss and error around a checkpoint in two random directions that are as long as its filters, up to where "
            "the loss has doubled; --draw takes other directions. Runs the model from the checkpoint's folder"
        ),
        others="Landscaper's orthogonal directions are parallel in some cases, and it adds noise to the largest loss",
        parameters=(
            DRAW,
            Parameter(RANGE, AUTO, "first and last coordinate; auto: until the loss doubles", coordinates=True),
            GRID_OF_PLANE,
            *(Parameter(NORMS.name, _STAY, NORMS.help, NORMS.choices) if one is NORMS else one for one in PARAMETERS),
        ),
        main=LOSS,
        intervals=INTERVALS,
        slow=True,
        final=True,
        alone=True,
        cells=cells,
    ),
)
