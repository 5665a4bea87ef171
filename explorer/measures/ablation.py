"""Ablation: the evaluation metrics of runs that were made without some layers, against the number of these layers.

The runs are those of ``bertdyn ablate``, which writes kind and number of layers beside their checkpoints. The metrics
are those that the Trainer logged. A plain run of the same task is the whole model; it has no coordinate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from explorer.measures.base import Measure
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import ALONE, CHECKPOINT, KIND, MATTERS, At, K, Known, Scope, metrics

EVAL = "eval_"
"""Beginning of the names of the Trainer's evaluation metrics."""
ACCURACY = "accuracy"
_UNITS = {ACCURACY: "share", "f1": "share", "loss": "nats"}
"""Units of the metrics that ``bertdyn ablate`` logs."""


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> tuple[At, ...]:
    """Propose one cell per checkpoint, at the coordinates of its run."""
    return (At(more=scope.run),)


def ablation(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the evaluation metrics that the Trainer logged at the checkpoint's step."""
    logged = cast(Mapping[str, float], given.operands[CHECKPOINT.role]["metrics"])
    names = {name: name.removeprefix(EVAL) for name in sorted(logged)}
    return [Value(logged[name], 1, said, _UNITS.get(said, "1")) for name, said in names.items()]


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="ablation",
        title="Accuracy of ablated runs",
        topic=MATTERS,
        why="how many layers can be frozen, removed or reset before the task suffers",
        inputs=metrics(*ALONE),
        operands=ALONE,
        axes=(K, KIND),
        unit="share",
        low=0.0,
        high=1.0,
        direction="the plain run's = the layers do not matter, lower = they do",
        definition=(
            "Accuracy on the evaluation file, as the Trainer logged it at the checkpoint's step; further statistics: "
            "all its other evaluation metrics, such as loss and f1. k: number of layers that the variant concerns. "
            "kind freeze: the embeddings and the bottom k layers keep their weights; truncate: the classifier sits on "
            "layer k; reinit: the top k layers start from new weights; scratch: all weights do (no k). A plain run has "
            "neither k nor kind. Both are read from run.json beside the checkpoints; a variant without one is a kind "
            "of its own, named like the variant."
        ),
        source="Merchant et al. 2020 (freezing, truncation); Zhang et al. 2021 (re-initialisation).",
        cost="Nothing is read but the list of checkpoints.",
        counts="run",
        compute=ablation,
        summary=(
            "evaluation metrics that the Trainer logged, against the number of layers that were frozen, removed or "
            "re-initialised (`bertdyn ablate`), beside the plain run"
        ),
        main=ACCURACY,
        cells=cells,
    ),
)
