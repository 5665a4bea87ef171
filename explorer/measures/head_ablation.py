"""Head ablation: the loss of a checkpoint with one attention head masked (Michel et al. 2019).

A masked head contributes nothing to its layer: the columns of the attention's output matrix that read the head are
zero, which equals multiplying its attention by zero. The bias of that matrix stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from explorer.measures.base import Measure
from explorer.measures.computation import INTERVALS, Context, Given, MeasureError, Value
from explorer.measures.declaration import ALONE, ATTENTION_LAYER, CHECKPOINT, HEAD, LABELS, MATTERS, model, weights
from explorer.measures.evaluation import evaluated
from explorer.measures.outcomes import Outcome, outcome_values
from explorer.measures.output_labels import MAP, matched
from explorer.measures.protocols import Model, Weights

if TYPE_CHECKING:
    import numpy as np

_MODULE = "attention-output"


def without_head(output: np.ndarray, heads: int, head: int) -> np.ndarray:
    """Return an attention's output matrix [width, heads x d] with the columns of one head (from 1) set to zero."""
    masked = output.copy()
    size = output.shape[1] // heads
    masked[:, (head - 1) * size : head * size] = 0.0
    return masked


def head_ablation(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss, accuracy and macro-F1 with each head of one layer masked, and their differences to no mask.

    The values without a head are those with all heads of the layer masked.

    Raises:
        MeasureError: labels and classes do not match; the layer has no attention output that is known.
    """
    run = cast(Model, given.operands[CHECKPOINT.role]["model"])
    said = str(parameters[MAP.name])
    matched(run, given.labels, said)
    stored = cast(Weights, given.operands[CHECKPOINT.role]["weights"])
    name, output = _output(stored, given.at.layer, run.heads)

    def outcome(changed: Mapping[str, np.ndarray]) -> Outcome:
        return Outcome.of(evaluated(run, changed, context), given.labels, given.corpus, said)

    whole = outcome({})
    values = outcome_values(outcome({name: output * 0.0}), whole, context.trust)
    for head in range(1, run.heads + 1):
        masked = without_head(output, run.heads, head)
        values += outcome_values(outcome({name: masked}), whole, context.trust, head=head)
        context.progress("masking heads", head / run.heads)
    return values


def _output(stored: Weights, layer: int | None, heads: int) -> tuple[str, np.ndarray]:
    names = [name for name, module in stored.modules(layer).items() if module == _MODULE]
    found = [(name, tensor) for name in names if (tensor := stored.tensor(name)).ndim == 2]
    if len(found) != 1 or found[0][1].shape[1] % heads:
        raise MeasureError(f"Layer {layer} has no matrix that is known to join its {heads} attention heads.")
    return found[0]


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="head-ablation",
        title="Head ablation",
        topic=MATTERS,
        why="which attention heads the task needs",
        inputs=(*model(*ALONE), *weights(*ALONE), LABELS),
        operands=ALONE,
        axes=(ATTENTION_LAYER, HEAD),
        unit="nats",
        low=float("-inf"),
        high=float("inf"),
        direction="0 = the head does not matter, higher = the loss grows without it",
        definition=(
            "Change of the mean cross-entropy when one attention head is masked: it contributes zero to its layer's "
            "attention output. The value of a layer is that with all of its heads masked. Further statistics: the loss "
            "itself, accuracy, macro-F1 over the classes of labels and predictions, and the changes of both. Rows and "
            "labels as in output-loss. Standard errors (se in the details, jackknife over examples) and intervals of "
            "changes are paired. Encoders: BERT, RoBERTa, ELECTRA, DistilBERT, DeBERTa."
        ),
        source="Michel, Levy, Neubig 2019, section 3.2.",
        cost="One pass of the model over the corpus per head, and one per layer. Logits are cached.",
        counts="labels",
        compute=head_ablation,
        summary=(
            "change of the classifier's loss, accuracy and macro-F1 when one attention head is masked, and when all "
            "heads of a layer are. Runs the model from the checkpoint's folder"
        ),
        parameters=(MAP,),
        main="loss-change",
        intervals=INTERVALS,
        slow=True,
    ),
)
