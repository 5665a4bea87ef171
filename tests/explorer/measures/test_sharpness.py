"""Is sharpness that of dense Hessians, for the whole model and its parts, and the same every time?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, eigsh

from explorer.compute.run import compute
from explorer.measures.base import Context, Given, MeasureError, Value, canonical
from explorer.measures.declaration import NOTHING_KNOWN, At, Scope
from explorer.measures.registry import get
from explorer.measures.sharpness import cells, sharpness
from explorer.selection import Selection, ask_store
from explorer.selection.stored import further_axes
from store.evaluation.model import StoredModel
from store.models.weights import StoredWeights
from store.results import Result
from store.rows import Is, RowQuery
from tests.classified import KEY, LAYERS, World
from tests.explorer.measures.memory import MemoryLabels
from tests.hessians import SlowLoss
from tests.pools import here

Make = Callable[[str, str], World]
Rows = dict[tuple[str, int | None, str], Result]
QUICK = {"iterations": 60, "tolerance": 0.001, "draws": 40, "ascent_steps": 4}


def asked(world: World, **parameters: object) -> Rows:
    given = tuple((QUICK | parameters).items())
    selection = Selection("sharpness", "dev", annotation=world.annotation, tasks=("t",), steps=None, parameters=given)
    question = ask_store(world.store, selection)
    outcome = compute(world.store, [question], workers=1, device="cpu", executor=here)
    assert not outcome.failures, outcome
    query = RowQuery(
        (Is("measure", "sharpness"), Is("parameters", canonical(dict(question.parameters)))),
        axes=further_axes(get("sharpness")),
    )
    return {(str(dict(r.axes).get("part", "")), r.layer, r.statistic): r for r in world.store.results(query)}


def of(world: World, at: At = At(), **parameters: object) -> list[Value]:
    own = {
        "model": StoredModel(world.store, world.store.checkpoint("dev", KEY)),
        "weights": StoredWeights.of(world.store, "dev", KEY),
    }
    given = Given(world.corpus, {"checkpoint": own}, world.corpus.annotations[world.annotation], at=at)
    return sharpness(given, dict(get("sharpness").settle(QUICK | parameters)), Context())
