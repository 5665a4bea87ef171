"""Trajectory: the checkpoints of two runs on the plane of a loss surface (Hao et al. 2019, Li et al. 2018).

The plane is that of ``loss-surface``: from an origin w0, d1 leads to the last checkpoint of the run and d2 to that of
the reference's run, scaled to the length of d1. For the displacement d of a checkpoint from w0:

    least squares:  the alpha and beta of the point of the plane that is nearest to w0 + d
    paper:          alpha = <d, d1> / ||d1||^2,  beta = sqrt(||d||^2 / ||d1||^2 - alpha^2)

The share of ||d||^2 that the plane holds says how far the picture may be believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, MeasureError, Value
from explorer.measures.declaration import LANDSCAPE, ORIGIN, PATH, REFERENCE_PATH, once, weights
from explorer.measures.landscapes.paths import (
    POINT,
    SHARE,
    SIDE,
    Path,
    course,
    course_by_step,
    least_squares,
    projection_of_the_paper,
)
from explorer.measures.landscapes.weights import GROUPS, NORMS, Start, gram, moved
from explorer.measures.loss_surface import COSINE, START, parallel
from explorer.measures.protocols import Weights

LEAST_SQUARES, PAPER = "least-squares", "paper"
PROJECTION = Parameter(
    "projection", LEAST_SQUARES, "coordinates: the nearest point of the plane, or as the paper draws them",
    (LEAST_SQUARES, PAPER),
)  # fmt: skip
OWN, OTHER = "checkpoint", "reference"
_OPERANDS = (PATH, REFERENCE_PATH, ORIGIN)


def trajectory(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return coordinates, shares and distances of the checkpoints of both runs, and the length and turns of the paths.

    Raises:
        MeasureError: the checkpoints are not comparable, or the end of a run equals the origin.
    """
    paths = [cast("tuple[Weights, ...]", given.operands[one.role]["weights"]) for one in (PATH, REFERENCE_PATH)]
    steps = [given.steps[one.role] for one in (PATH, REFERENCE_PATH)]
    origin = cast(Weights, given.operands[ORIGIN.role]["weights"])
    named = {
        f"{side} of step {step}": one
        for side, path, of in zip((OWN, OTHER), paths, steps, strict=True)
        for step, one in zip(of, path, strict=True)
    }
    own = named[f"{OWN} of step {steps[0][-1]}"]
    start = Start(origin, own)
    others = {who: one for who, one in (*named.items(), (ORIGIN.role, start)) if one is not own}
    found = moved(own, others, str(parameters[GROUPS.name]), str(parameters[NORMS.name]))
    products = gram(found.names, start, list(named.values()))
    return _values(products, steps, str(parameters[PROJECTION.name]), found.count, list(found.stays))


def _values(
    products: np.ndarray, steps: list[tuple[int, ...]], projection: str, many: int, stays: list[str]
) -> list[Value]:
    """Return all values, given the inner products of the displacements of both paths, one after the other."""
    own = len(steps[0])
    ends = [own - 1, len(products) - 1]
    lengths = np.sqrt(np.diag(products))
    if not lengths[ends].all():
        raise MeasureError(f"The end of a run has the same weights as the {ORIGIN.role}: they span no plane.")
    unit = float(lengths[ends[0]])
    cosine = float(products[ends[0], ends[1]] / (lengths[ends[0]] * lengths[ends[1]]))
    no_plane = parallel(cosine)
    scale = np.array([1.0, unit / lengths[ends[1]]])
    plane, members = products[np.ix_(ends, ends)] * np.outer(scale, scale), products[:, ends] * scale
    squares = np.diag(products)
    places, share = np.full((len(squares), 2), np.nan), np.full(len(squares), np.nan)
    values = [Value(None, many, SHARE, "share", reason=no_plane)]
    if not no_plane:
        places, share = least_squares(plane, members, squares)
        places = projection_of_the_paper(plane, members, squares) if projection == PAPER else places
        values = []
    values += [Value(cosine, many, COSINE, "", details={"distance": unit, "scale": float(scale[1]), "stays": stays})]
    for side, part, of in ((OWN, slice(own), steps[0]), (OTHER, slice(own, None), steps[1])):
        axes = ((SIDE.name, side),)
        drawn = Path(of, places[part], share[part], lengths[part] / unit)
        values += drawn.values(many, axes)
        for name, value in course(products[part, part], unit).items():
            values.append(Value(value, many, name, "", axes=axes))
        for name, along in course_by_step(products[part, part], unit).items():
            for step, here in zip(of, along.tolist(), strict=True):
                if math.isfinite(here):
                    values.append(Value(here, many, name, "", axes=(*axes, (POINT.name, step))))
    return values


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="trajectory",
        title="Trajectory",
        topic=LANDSCAPE,
        why="where the checkpoints lie on that plane, and how straight the path is",
        inputs=weights(*_OPERANDS),
        operands=_OPERANDS,
        axes=(SIDE, POINT),
        unit="",
        low=-math.inf,
        high=math.inf,
        direction="share 1 = the plane holds the whole displacement, 0 = nothing of it",
        definition=(
            "For each checkpoint (point: its step) of the run and of the reference's run (side): coordinates alpha and "
            "beta on the plane of loss-surface, the distance from the origin in multiples of the first direction, and "
            "the share of the squared displacement that the plane holds. Coordinates are those of the nearest point of "
            "the plane; with projection paper, beta is the length of everything orthogonal to the first direction, and "
            "never negative. If both runs end in the same direction, there is no plane and there are no coordinates. "
            "For each run: length of the path in multiples of the first direction, its length over the distance of its "
            "ends (tortuosity), and the mean cosine of successive steps. With a point, length and tortuosity are those "
            "of the path up to it, and the cosine is that of the step that ends there with the one before. All numbers "
            "come from inner products of weights in float64."
        ),
        source="Hao, Dong, Wei, Xu 2019 (EMNLP), trajectories; Li et al. 2018 for the least-squares projection.",
        cost="One reading of the weights of all checkpoints of both runs; no model is run.",
        counts="weights",
        compute=trajectory,
        summary=(
            "coordinates of a run's checkpoints, and of the other solution's run, on the plane of loss-surface, with "
            "the share of each displacement that the plane holds; length, tortuosity and turns of the paths"
        ),
        others="loss-landscape projects on orthogonal directions only",
        parameters=(START, PROJECTION, GROUPS, NORMS),
        version=3,
        default_reference="next-seed",
        preposition="toward",
        main=SHARE,
        alone=True,
        cells=once,
    ),
)
