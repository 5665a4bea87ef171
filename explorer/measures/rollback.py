"""Rollback: the loss of a checkpoint with groups of layers set back to the reference's weights (Hao et al. 2019).

For a checkpoint with weights w, a reference with weights w0, and a group g of layers:

    change of the loss = L(w with w0 in g) - L(w)

The classifier stays the checkpoint's. The direction ``into`` is the opposite question, where the task is learnt:

    change of the loss = L(w0 with w in g) - L(w0)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import COMPARED, LABELS, LAYER, MATTERS, At, Axis, Known, Scope, model, weights
from explorer.measures.evaluation import evaluated
from explorer.measures.outcomes import CHANGE, LOSS, Outcome, outcome_values
from explorer.measures.output_labels import MAP, matched
from explorer.measures.protocols import Model, Weights

if TYPE_CHECKING:
    import numpy as np

PART = Axis("part", "group of layers", "text")
NONE, ALL, POOLER, UP_TO, FROM = "none", "all", "pooler", "up-to", "from"
THIRDS = ("lower", "middle", "upper")
DIRECTION = Parameter(
    "direction",
    "back",
    "groups of the checkpoint set back to the reference, or groups of the checkpoint put into the reference",
    ("back", "into"),
)
"""Not a parameter ``into``: SQL cannot read that name without quotes."""


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose every group: none, all, single layers, those up to a layer, those from a layer on, and thirds.

    A single layer has no part; layer 0 is the embeddings. With a list of groups, propose none, all and those.

    Raises:
        MeasureError: the list of groups cannot be read, or names layers that do not exist.
    """
    yield from map(_part, (NONE, ALL))
    layers, listed = min(scope.layers), str(scope.parameters["groups"])
    if listed:
        groups = dict.fromkeys(listed.split(","))
        for text in groups:
            layers_in(text, None, layers)
        yield from map(_part, groups)
        return
    yield from (At(layer, layer) for layer in range(layers + 1))
    yield from (At(layer, layer, ((PART.name, part),)) for part in (UP_TO, FROM) for layer in range(1, layers + 1))
    yield from map(_part, (POOLER, *(THIRDS if layers >= len(THIRDS) else ())))


def _part(name: str) -> At:
    return At(more=((PART.name, name),))


def layers_in(part: str, layer: int | None, layers: int) -> range | tuple[int, ...]:
    """Return the layers of a group; 0 is the embeddings.

    Args:
        part: name of the group; empty for a single layer.
        layer: layer that a single layer, ``up-to`` and ``from`` refer to.
        layers: number of the encoder's layers.

    Raises:
        MeasureError: the part is not the name of a group, and not a list of layers such as 1-2+5.
    """
    if layer is not None:
        return {UP_TO: range(1, layer + 1), FROM: range(layer, layers + 1)}.get(part, range(layer, layer + 1))
    if part in THIRDS:
        third = THIRDS.index(part)
        return range(1 + layers * third // len(THIRDS), 1 + layers * (third + 1) // len(THIRDS))
    named = {NONE: range(0), POOLER: range(0), ALL: range(layers + 1)}
    return named[part] if part in named else _listed(part, layers)


def _listed(text: str, layers: int) -> tuple[int, ...]:
    found: set[int] = set()
    for piece in text.split("+"):
        first, dash, last = (side.strip() for side in piece.partition("-"))
        ends = (first, last) if dash else (first, first)
        if not all(end.isdecimal() for end in ends):
            raise MeasureError(f"groups: '{text}' is not a group of layers such as 3, 1-2 or 1-2+5.")
        found |= set(range(int(ends[0]), int(ends[1]) + 1))
    if not found or max(found) > layers:
        raise MeasureError(f"groups: '{text}' has no layers, or some outside 0 to {layers}; 0 is the embeddings.")
    return tuple(sorted(found))


def rollback(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss, accuracy and macro-F1 with one group of layers exchanged, and their differences to no exchange.

    Raises:
        MeasureError: labels and classes do not match; the reference is of another architecture or has another number of
            layers; the list of groups cannot be read.
    """
    checkpoint, target = (operand.role for operand in COMPARED)
    run = cast(Model, given.operands[checkpoint]["model"])
    own, reference = (cast(Weights, given.operands[role]["weights"]) for role in (checkpoint, target))
    said = str(parameters[MAP.name])
    matched(run, given.labels, said)
    part = str(dict(given.at.more).get(PART.name, ""))
    pooler = _pooler(own) & _pooler(reference) if run.pooler else frozenset[str]()
    if part == POOLER and not pooler:
        reason = "the reference has no pooler" if run.pooler else "the classifier uses no pooler"
        return [Value(None, 0, LOSS + CHANGE, reason=reason)]
    every = _names(own, range(run.layers + 1))
    _check_alike(every, reference, run.layers)
    chosen = _names(own, layers_in(part, given.at.layer, run.layers))
    if part in (POOLER, ALL):
        chosen |= pooler
    base = every | pooler if parameters[DIRECTION.name] == "into" else frozenset[str]()
    whole, found = (
        Outcome.of(evaluated(run, _tensors(reference, names), context), given.labels, given.corpus, said)
        for names in (base, base ^ chosen)
    )
    return outcome_values(found, whole, context.trust)


def _names(stored: Weights, layers: range | tuple[int, ...]) -> frozenset[str]:
    return frozenset(name for layer in layers for name in stored.modules(layer))


def _pooler(stored: Weights) -> frozenset[str]:
    return frozenset(name for name, module in stored.modules(None).items() if module == POOLER)


def _tensors(stored: Weights, names: frozenset[str]) -> dict[str, np.ndarray]:
    return {name: stored.tensor(name) for name in sorted(names)}


def _check_alike(own: frozenset[str], reference: Weights, layers: int) -> None:
    missing = sorted(own - _names(reference, range(layers + 1)))
    if missing or reference.modules(layers + 1):
        why = f"it has no {missing[0]}" if missing else "it has more layers"
        raise MeasureError(f"The reference is of another architecture than the checkpoint: {why}.")


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="rollback",
        title="Rollback damage",
        topic=MATTERS,
        why="which layers the task needs: damage when they are set back to the pre-trained weights",
        inputs=(*model(COMPARED[0]), *weights(*COMPARED), LABELS),
        operands=COMPARED,
        axes=(LAYER, PART),
        unit="nats",
        low=float("-inf"),
        high=float("inf"),
        direction="0 = the group's fine-tuning does not matter, higher = the loss grows without it",
        definition=(
            "Change of the mean cross-entropy when the weights of a group of layers are set back to the reference's; "
            "the classifier stays. Groups: each single layer (0: embeddings); by part, up-to (layers 1 to the layer), "
            "from (the layer to the last), lower, middle and upper third, pooler, all (embeddings, layers and pooler) "
            "and none; or a list. Further statistics: the loss itself, accuracy, macro-F1 over the classes of labels "
            "and predictions, and the changes of both. Rows and labels as in output-loss. Standard errors (se in the "
            "details, jackknife over examples) and intervals of changes are paired. The model computes in float32 and "
            "evaluation mode, in batches fixed by the corpus; sums are in float64. With direction into, the "
            "reference's weights under the checkpoint's classifier are the whole, and the groups are taken from the "
            "checkpoint."
        ),
        source="Hao, Dong, Wei, Xu 2019 (EMNLP), layer-wise rollback.",
        cost=(
            "One pass of the model over the corpus per group of different layers: 20 for 6 layers. Logits are cached."
        ),
        counts="labels",
        compute=rollback,
        summary=(
            "change of the classifier's loss, accuracy and macro-F1 when groups of layers are set back to the "
            "reference's weights: single layers, up to or from a layer, thirds, embeddings, pooler, or a list. "
            "`--direction into` asks the opposite: the reference with groups taken from the checkpoint. Runs the model "
            "from the checkpoint's folder"
        ),
        others="mergekit exchanges layers of two models and saves the result, without an evaluation",
        parameters=(
            Parameter("groups", "", "groups of layers instead of the usual ones, such as 1-2,3-4,5+6; 0: embeddings"),
            DIRECTION,
            MAP,
        ),
        main="loss-change",
        intervals=INTERVALS,
        slow=True,
        cells=cells,
    ),
)
