"""A measure that only tests know: a surface over two axes of its own, refined in a second round, and its summary.

It proves that the core needs no other change for one: BERTDYN_MEASURES=tests.ridge is all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise, product

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import ALONE, COMPARED, LAYER, PATH, At, Axis, Known, Scope, hidden

TILT = Axis("tilt", "tilt", "float")
FOLD = Axis("fold", "fold", "int")


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose the corners, then the middle of the tilts beside the best corner, then the summary."""
    corners = [_at(float(tilt), fold) for tilt, fold in product((0, 1), (1, 2))]
    yield from corners
    if not all(at in known for at in corners):
        return
    best = max(corners, key=lambda at: (known[at][0].value or 0.0, at))
    middle = _at(0.5, dict(best.more)["fold"])
    yield middle
    if middle in known:
        yield At()


def ridge(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the height at one point; without a point, the largest that is known, with the points as an artefact."""
    points = {at: number for at, known in given.known.items() if at.more for number in known}
    if not given.at.more:
        heights = {at: number.value or 0.0 for at, number in points.items()}
        table = np.array([[*dict(at.more).values(), height] for at, height in sorted(heights.items())])
        return [Value(max(heights.values()), len(heights), "top", artefact={"points": table})]
    layers = given.operands["checkpoint"]["hidden"]
    assert isinstance(layers, tuple)
    tokens = int(np.asarray(given.corpus.offsets)[-1])
    size = float(np.abs(layers[-1].hidden(0, tokens).astype(np.float64)).mean())
    where = dict(given.at.more)
    return [Value(size * (1 + float(where["tilt"])) * int(where["fold"]) * float(str(parameters["scale"])), tokens)]


def _at(tilt: float, fold: object) -> At:
    return At(more=(("tilt", tilt), ("fold", int(str(fold)))))


MEASURES = (
    Measure(
        name="ridge",
        title="Ridge height",
        inputs=hidden(*ALONE),
        operands=ALONE,
        axes=(TILT, FOLD),
        unit="height",
        low=0.0,
        high=float("inf"),
        direction="0 = flat",
        definition="Mean size of the last layer's hidden states, times 1 + tilt, times fold; 'top' is the largest.",
        source="These tests.",
        cost="One reading of the last layer per point.",
        counts="tokens",
        compute=ridge,
        summary="a surface over tilt and fold that only tests know",
        parameters=(Parameter("scale", 1.0, "multiplies every height", low=0.0),),
        cells=cells,
    ),
)


def drift(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return how far the mean of the hidden states moves along a run, layer by layer: a path as one operand."""
    members = given.operands["path"]["hidden"]
    assert isinstance(members, tuple)
    tokens = int(np.asarray(given.corpus.offsets)[-1])
    found = []
    for layer in range(len(members[0])):
        means = [each[layer].hidden(0, tokens).astype(np.float64).mean(axis=0) for each in members]
        steps = [float(np.linalg.norm(b - a)) for a, b in pairwise(means)]
        found.append(Value(sum(steps), len(members), layer=layer))
    return found


MEASURES += (
    Measure(
        name="drift",
        title="Drift along a run",
        inputs=hidden(PATH),
        operands=(PATH,),
        axes=(replace(LAYER, within=True),),
        unit="distance",
        low=0.0,
        high=float("inf"),
        direction="0 = nothing moved",
        definition="Sum over a run's steps of the distances between the means of a layer's hidden states.",
        source="These tests.",
        cost="One reading of every layer of every checkpoint of a run.",
        counts="checkpoints",
        compute=drift,
        summary="how far a run's mean hidden state travels; only tests know it",
    ),
)


def step_ridge(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the largest change of a hidden state over one step of the run."""
    operands = (given.operands[role]["hidden"] for role in ("checkpoint", "reference"))
    tokens = int(np.asarray(given.corpus.offsets)[-1])
    after, before = (layers[-1].hidden(0, tokens).astype(np.float64) for layers in operands)  # type: ignore[index]
    return [Value(float(np.abs(after - before).max()), tokens)]


MEASURES += (
    replace(
        MEASURES[0],
        name="step-ridge",
        title="Largest step",
        inputs=hidden(*COMPARED),
        operands=COMPARED,
        axes=(),
        compute=step_ridge,
        parameters=(),
        cells=None,
        default_reference="previous",
        summary="the largest change over one step; only tests know it",
    ),
)
