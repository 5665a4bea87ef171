"""Evaluate a checkpoint's model at other weights, on a fixed sample of the labelled examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

from explorer.measures.computation import Context, Given
from explorer.measures.declaration import CHECKPOINT
from explorer.measures.evaluation import Evaluated
from explorer.measures.landscapes.sample import EXAMPLES, SampledLabels, sampled
from explorer.measures.landscapes.weights import Moved
from explorer.measures.outcomes import Outcome
from explorer.measures.output_labels import MAP, matched
from explorer.measures.protocols import Model

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Losses:
    """A checkpoint's model with the sample that it is evaluated on."""

    run: Model
    labels: SampledLabels
    given: Given
    said: str
    """Mapping of labels to classes (parameter ``map``)."""
    device: str

    @classmethod
    def of(cls, given: Given, parameters: Mapping[str, object], context: Context) -> Losses:
        """Return the model of the measured checkpoint with the sample.

        Raises:
            MeasureError: labels and classes do not match, no example has a label, or the number of examples cannot be
                read.
        """
        run = cast(Model, given.operands[CHECKPOINT.role]["model"])
        labels = sampled(given.labels, given.corpus, str(parameters[EXAMPLES.name]))
        said = str(parameters[MAP.name])
        matched(run, labels, said)
        return cls(run, labels, given, said, context.device)

    def at(self, values: Mapping[str, np.ndarray], moved: Moved) -> Outcome:
        """Return the predictions with other values of the weights that move.

        Raises:
            MeasureError: the model fails.
        """
        used = {name: value for name, value in values.items() if self.run.pooler or name not in moved.pooler}
        run = self.run
        logits = run.logits(used, self.device, self.labels.examples)
        return Outcome.of(
            Evaluated(logits, run.head, run.labels, run.problem), self.labels, self.given.corpus, self.said
        )


def kept(context: Context, key: tuple[object, ...], make: Callable[[], T]) -> T:
    """Return a value from the worker's memory; make it if it is not there."""
    if key not in context.kept:
        context.kept[key] = make()
    return cast(T, context.kept[key])
