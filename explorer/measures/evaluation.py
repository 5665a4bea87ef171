"""Run a model with changed weights, or take its logits from the cache if equal weights have run before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import Context
from explorer.measures.protocols import Model

_VERSION = "1"


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Logits of a classifier that was run now (implements ``protocols.Outputs``)."""

    logits: np.ndarray
    head: str
    labels: tuple[str, ...]
    problem: str


def evaluated(model: Model, values: Mapping[str, np.ndarray], context: Context) -> Evaluated:
    """Return the logits of a model with other values of some weights.

    They are cached by the changed weights themselves: groups of the same layers, another annotation or another interval
    need no second pass.

    Args:
        values: new values by name, float32; empty for the model as it is.
    """
    key = ("evaluation", _VERSION, model.identity, context.device, _digest(values))
    found = context.shelf.get(key)
    if found is None:
        found = {"logits": model.logits(values, context.device)}
        context.shelf.put(key, found)
    return Evaluated(found["logits"], model.head, model.labels, model.problem)


def _digest(values: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(values.items()):
        digest.update(f"{name} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()
