"""Loss curve: the loss on the straight line between two checkpoints (Goodfellow et al. 2015; Hao et al. 2019).

For a reference with weights w0 (by default the pre-trained model) and a checkpoint with weights w1:

    f(alpha) = L(w0 + alpha (w1 - w0))        f(0): the reference        f(1): the checkpoint

At alpha = 0 and alpha = 1 the weights are those of the two sides, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import cast

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import COMPARED, LABELS, LANDSCAPE, At, Axis, Known, Scope, model, weights
from explorer.measures.landscapes.grids import GRID, GRID_HELP, RANGE, ends_in, line, places
from explorer.measures.landscapes.losses import Losses, kept
from explorer.measures.landscapes.sample import EXAMPLES
from explorer.measures.landscapes.weights import GROUPS, NORMS, Moved, combined, gram, moved
from explorer.measures.outcomes import LOSS, Outcome, point_values
from explorer.measures.output_labels import MAP
from explorer.measures.protocols import Weights

ALPHA = Axis("alpha", "alpha", "float")
ALWAYS = (0.0, 0.5, 1.0)
PARAMETERS = (EXAMPLES, GROUPS, NORMS, MAP)


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose the points of a coarse grid, then finer ones where the curve bends; 0, 0.5 and 1 are always among them.

    Raises:
        MeasureError: the range cannot be read.
    """
    along = places(ends_in(str(scope.parameters[RANGE.name])), int(str(scope.parameters[GRID])))
    yield from line(ALPHA.name, along, ALWAYS, known, LOSS)


def line_between(given: Given, parameters: Mapping[str, object], context: Context) -> tuple[Moved, float]:
    """Return the weights that move between the two checkpoints of a cell, and their distance.

    Raises:
        MeasureError: the checkpoints are equal or not comparable.
    """
    own, reference = (cast(Weights, given.operands[operand.role]["weights"]) for operand in COMPARED)
    groups, norms = str(parameters[GROUPS.name]), str(parameters[NORMS.name])

    def measured() -> tuple[Moved, float]:
        found = moved(own, {"reference": reference}, groups, norms)
        return found, math.sqrt(gram(found.names, reference, [own])[0, 0])

    found, distance = kept(context, ("line", own.identity, reference.identity, groups, norms), measured)
    if distance == 0:
        raise MeasureError("The two checkpoints have the same weights: there is no line between them.")
    return found, distance


def on_line(
    given: Given, parameters: Mapping[str, object], context: Context
) -> tuple[float, Outcome, dict[str, object]]:
    """Return the coordinate of a cell's point, the predictions there, and the details of its values.

    Raises:
        MeasureError: labels and classes do not match; the checkpoints are equal or not comparable.
    """
    own, reference = (cast(Weights, given.operands[operand.role]["weights"]) for operand in COMPARED)
    losses = Losses.of(given, parameters, context)
    alpha = float(dict(given.at.more)[ALPHA.name])
    along, distance = line_between(given, parameters, context)
    values = combined(along.names, ((1 - alpha, reference.tensor), (alpha, own.tensor)))
    found = losses.at(values, along)
    return alpha, found, {"distance": distance, "stays": list(along.stays), "examples": len(losses.labels.examples)}


def loss_curve(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss and error at one point of the line.

    Raises:
        MeasureError: as ``on_line``.
    """
    _, found, details = on_line(given, parameters, context)
    return point_values(found, context.trust, details, keep=True)


POINT = "Mean cross-entropy, and share of wrong predictions (error), at"
ADAPTIVE = (
    "A coarse grid comes first, then finer points where interpolation would be wrong by more than 1 % of the loss, or "
    "of 0.05 nats where the loss is lower."
)
EVALUATION = (
    "The model computes in float32 and evaluation mode, in batches fixed by the sample. Losses are means over the "
    "labelled examples of the sample, or over their labelled words, summed in float64. Embeddings, layers and pooler "
    "move; the classifier moves where both sides have one with the same classes, and else stays the checkpoint's (see "
    "the details). Standard errors over examples are in the details. A sample of another size is another value."
)

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="loss-curve",
        title="Loss curve",
        topic=LANDSCAPE,
        why="how the loss falls on the way from the pre-trained model, and how wide the valley is",
        inputs=(*model(COMPARED[0]), *weights(*COMPARED), LABELS),
        operands=COMPARED,
        axes=(ALPHA,),
        unit="nats",
        low=0.0,
        high=math.inf,
        direction="alpha 0 = the reference, 1 = the checkpoint; no bump between them = no barrier",
        definition=(
            f"{POINT} w0 + alpha (w1 - w0), where w0 are the weights of the reference and w1 those of the checkpoint. "
            f"{ADAPTIVE} {EVALUATION}"
        ),
        source="Hao, Dong, Wei, Xu 2019 (EMNLP), one-dimensional loss curve; Goodfellow et al. 2015.",
        cost="One pass of the model over the sample per point: 13 to 41 points with the default grid.",
        counts="labels",
        compute=loss_curve,
        summary=(
            "loss and error on the straight line from the reference (alpha 0) to the checkpoint (alpha 1) and beyond, "
            "on a fixed sample of the labelled examples. Runs the model from the checkpoint's folder"
        ),
        others="oxford-loss-landscapes takes the end's weights for the difference and visits other points",
        parameters=(
            RANGE,
            Parameter(GRID, 41, GRID_HELP, low=3, high=1001, coordinates=True),
            *PARAMETERS,
        ),
        main=LOSS,
        intervals=INTERVALS,
        slow=True,
        final=True,
        cells=cells,
    ),
)
