"""Sharpness of a checkpoint: the curvature of its loss, for the whole model and for each group of its weights.

For the mean cross-entropy L of labelled rows as a function of the weights w of a group, with Hessian H:

    eigenvalue         largest eigenvalue of H
    trace              sum of all eigenvalues of H
    epsilon-sharpness  100 (max L(w + d) - L(w)) / (1 + L(w)) over |d_i| <= epsilon (|w_i| + 1)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import (
    ALONE,
    CHECKPOINT,
    LABELS,
    LANDSCAPE,
    LAYER,
    At,
    Known,
    Scope,
    model,
    once,
    weights,
)
from explorer.measures.landscapes.curvature import Done, largest_eigenvalue, rise_in_box, signs, trace
from explorer.measures.landscapes.sample import EXAMPLES, sampled
from explorer.measures.output_labels import MAP, matched
from explorer.measures.protocols import Corpus, Curvature, Labels, Model, Weights
from explorer.measures.rollback import PART, POOLER

CLASSIFIER = "classifier"
EIGENVALUE, TRACE, EPSILON, LOSS = "eigenvalue", "trace", "epsilon-sharpness", "loss"
_PRODUCT = 4
"""Time of a product with the Hessian, in gradients, for the progress."""


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose each group of weights, the upper ones first, which are quick: layers below a group run once.

    A single layer has no part; layer 0 is the embeddings.
    """
    yield from (At(more=((PART.name, part),)) for part in (CLASSIFIER, POOLER))
    yield from (At(layer) for layer in range(min(scope.layers), -1, -1))


def sharpness(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the largest eigenvalue and the trace of the Hessian, epsilon-sharpness, and the loss of a whole model.

    Raises:
        MeasureError: labels and classes do not match; no example has a label; the loss has no finite derivatives.
    """
    return _measured(given, parameters, context, None)


def layer_sharpness(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return what ``sharpness`` returns for one layer, or the embeddings, the pooler or the classifier.

    Raises:
        MeasureError: as ``sharpness``.
    """
    part = str(dict(given.at.more).get(PART.name, ""))
    if part == POOLER and not cast(Model, given.operands[CHECKPOINT.role]["model"]).pooler:
        return [Value(None, 0, EIGENVALUE, reason="the classifier uses no pooler")]
    stored = cast(Weights, given.operands[CHECKPOINT.role]["weights"])
    names = [name for name, module in stored.modules(given.at.layer).items() if not part or module == part]
    return _measured(given, parameters, context, names)


def _measured(
    given: Given, parameters: Mapping[str, object], context: Context, names: Collection[str] | None
) -> list[Value]:
    """Return the values of some weights; None: of all."""
    run = cast(Model, given.operands[CHECKPOINT.role]["model"])
    numbers = matched(run, given.labels, str(parameters[MAP.name]))
    labels = sampled(given.labels, given.corpus, str(parameters[EXAMPLES.name]))
    rows, classes = _rows(labels, given.corpus, numbers)
    return _values(run.curvature(names, rows, classes, context.device), len(rows), parameters, context)


def _rows(labels: Labels, corpus: Corpus, numbers: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the labelled rows of the logits, and the class of each, int64 [n]."""
    ids = np.asarray(labels.values, np.int64)
    there = np.flatnonzero(ids >= 0)
    rows = corpus.word_first[there] if labels.level == "word" else there
    return np.asarray(rows, np.int64), np.array(numbers, np.int64)[ids[there]]


def _values(at: Curvature, n: int, parameters: Mapping[str, object], context: Context) -> list[Value]:
    own = at.weights
    iterations, draws, steps = (int(str(parameters[name])) for name in ("iterations", "draws", "ascent_steps"))
    tolerance, epsilon = (float(str(parameters[name])) for name in ("tolerance", "epsilon"))
    generator = np.random.default_rng([int(str(parameters["vector_seed"])), len(own)])
    total = _PRODUCT * (iterations + draws) + steps

    def told(before: int, each: int) -> Done:
        return lambda count: context.progress("measuring curvature", (before + each * count) / total)

    first = generator.standard_normal(len(own), np.float32)
    top = largest_eigenvalue(at.product, first, iterations=iterations, tolerance=tolerance, done=told(0, _PRODUCT))
    every = trace(
        at.product, top.vectors, top.quotients, generator, draws=draws, done=told(_PRODUCT * iterations, _PRODUCT)
    )
    half = (epsilon * (np.abs(own) + 1.0)).astype(np.float32)
    rise = rise_in_box(
        at.slope, half, signs(len(own), generator), steps=steps, done=told(_PRODUCT * (iterations + draws), 1)
    )
    made = {"products": at.products, "weights": len(own)}
    found = {"residual": top.residual, "iterations": top.iterations, "converged": top.converged, "lowest": top.lowest}
    why = f"not converged after {top.iterations} iterations (residual {top.residual:.3g}): raise --iterations"
    return [
        Value(top.value, n, EIGENVALUE, details={**found, **made}, reason="" if top.converged else why),
        Value(every.value, n, TRACE, details={"se": every.error, "draws": every.draws, **made}),
        Value(rise.percent, n, EPSILON, "%", details={"highest_loss": rise.highest, "steps": rise.gradients}),
        Value(rise.start, n, LOSS, details={"gradient_norm": rise.slope, "weights": len(own)}),
    ]


_WHOLE = Measure(
    name="sharpness",
    title="Sharpness of the loss",
    topic=LANDSCAPE,
    why="how sharp the minimum is, in numbers",
    inputs=(*model(*ALONE), LABELS),
    operands=ALONE,
    axes=(),
    unit="nats",
    low=float("-inf"),
    high=float("inf"),
    direction="0 = flat, higher = the loss bends more",
    definition=(
        "Largest eigenvalue of the Hessian of the mean cross-entropy, with respect to all weights of encoder, "
        "pooler and classifier. Largest is algebraic: the lowest value that was "
        "met is in the details. By Lanczos with full reorthogonalisation from a random vector; details: residual "
        "|Hv - value v|, iterations, converged (residual at most tolerance x value). Further statistics: trace, on "
        "the vectors of Lanczos exactly, elsewhere by Hutchinson's estimator with its standard error (se); "
        "epsilon-sharpness, 100 (max L - L) / (1 + L) over changes |d| <= epsilon (|w| + 1) of each weight w, by "
        "projected sign ascent, so a lower bound; and the loss L itself. "
        "Rows and labels as in output-loss, each row weighing the same. The model computes in float32 and "
        "evaluation mode, without dropout; sums are in float64. Products with the Hessian are exact (eager "
        "attention), or finite differences where torch cannot differentiate the model twice: see details."
    ),
    source=(
        "Eigenvalue: Yao et al. 2020 (PyHessian). Trace: Hutchinson 1990, Meyer et al. 2021. Epsilon-sharpness: "
        "Keskar et al. 2017, equation 4, with epsilon 1e-3; 1e-5 for fine-tuned BERT in Juneja et al. 2023."
    ),
    cost=(
        "Up to iterations + draws products with the Hessian, each about four gradients over the "
        "examples, and ascent-steps gradients. Of a single layer, those below it run once."
    ),
    counts="labels",
    compute=sharpness,
    summary=(
        "largest eigenvalue and trace of the Hessian of the classifier's loss, and epsilon-sharpness, on a sample "
        "of labelled examples. Runs the model from the checkpoint's folder"
    ),
    others=(
        "PyHessian takes batches as tuples only; hessian-eigenthings averages batches, not examples, and is wrong "
        "for unequal ones"
    ),
    parameters=(
        EXAMPLES,
        Parameter("iterations", 40, "maximum number of Hessian products for the eigenvalue", low=2, high=1000),
        Parameter("tolerance", 0.01, "relative residual at which the eigenvalue has converged", low=1e-6, high=0.5),
        Parameter("draws", 10, "random vectors for the trace", low=2, high=10_000),
        Parameter("epsilon", 1e-5, "half-width of the box of epsilon-sharpness", low=1e-9, high=1.0),
        Parameter("ascent_steps", 10, "maximum number of steps of epsilon-sharpness", low=1, high=1000),
        Parameter("vector_seed", 0, "seed of all random vectors", low=0, high=2**31 - 1),
        MAP,
    ),
    main=EIGENVALUE,
    slow=True,
    cells=once,
)

MEASURES: tuple[Measure, ...] = (
    _WHOLE,
    replace(
        _WHOLE,
        name="layer-sharpness",
        title="Sharpness of the loss by layer",
        topic=LANDSCAPE,
        why="in which layers the loss is sharp",
        inputs=(*model(*ALONE), *weights(*ALONE), LABELS),
        axes=(LAYER, PART),
        definition=(
            "As sharpness, for the weights of one group alone: the values of its block of the Hessian, and changes of "
            "its weights only. Groups: each layer; layer 0, the embeddings; by part, pooler and classifier."
        ),
        compute=layer_sharpness,
        summary=(
            "the same for each layer, the embeddings, the pooler and the classifier alone: where the loss bends, in up "
            "to 9 times the time for 6 layers"
        ),
        others="PyHessian and hessian-eigenthings are asked for it in their issues",
        cells=cells,
    ),
)
