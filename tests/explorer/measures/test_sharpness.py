"""Is sharpness that of dense Hessians, for the whole model and its parts, and the same every time?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, eigsh

from explorer.compute.run import compute
from explorer.measures.base import canonical
from explorer.measures.computation import Context, Given, MeasureError, Value
from explorer.measures.declaration import At, Scope
from explorer.measures.registry import get
from explorer.measures.sharpness import layer_sharpness
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
WHOLE = At()
QUICK = {"iterations": 60, "tolerance": 0.001, "draws": 4, "ascent_steps": 4}


def asked(world: World, measure: str = "sharpness", **parameters: object) -> Rows:
    given = tuple((QUICK | parameters).items())
    selection = Selection(measure, "dev", annotation=world.annotation, tasks=("t",), steps=None, parameters=given)
    question = ask_store(world.store, selection)
    outcome = compute(world.store, [question], workers=1, device="cpu", executor=here)
    assert not outcome.failures, outcome
    query = RowQuery(
        (Is("measure", measure), Is("parameters", canonical(dict(question.parameters)))),
        axes=further_axes(get(measure)),
    )
    return {(str(dict(r.axes).get("part", "")), r.layer, r.statistic): r for r in world.store.results(query)}


def of(world: World, at: At = WHOLE, **parameters: object) -> list[Value]:
    own = {
        "model": StoredModel(world.store, world.store.checkpoint("dev", KEY)),
        "weights": StoredWeights.of(world.store, "dev", KEY),
    }
    given = Given(world.corpus, {"checkpoint": own}, world.corpus.annotations[world.annotation], at=at)
    measure = get("sharpness" if at == WHOLE else "layer-sharpness")
    return measure.compute(given, dict(measure.settle(QUICK | parameters)), Context())


def test_an_eigenvalue_that_has_not_converged_says_so(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    for iterations, said in ((2, "not converged after 2 iterations"), (60, "")):
        (top,) = (v for v in of(world, iterations=iterations, draws=2) if v.statistic == "eigenvalue")
        assert bool(top.details["converged"]) is not bool(said)
        assert top.reason.startswith(said)
        assert bool(top.reason) is bool(said)


def test_the_whole_model_has_the_eigenvalue_and_trace_of_its_hessian(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    found = asked(world)
    assert {(part, layer) for part, layer, _ in found} == {("", None)}
    slow = SlowLoss.of(world, np.arange(7))
    product, size = slow.products(), len(slow.gradient())
    (top,) = eigsh(LinearOperator((size, size), product, dtype=np.float64), 1, which="LA", return_eigenvectors=False)
    row = found["", None, "eigenvalue"]
    details = json.loads(row.details)
    assert row.value == pytest.approx(top, rel=1e-4)
    assert (row.n, details["converged"], details["products"], details["weights"]) == (7, True, "exact", size)
    assert details["residual"] <= 1e-3 * top
    assert found["", None, "loss"].value == pytest.approx(slow.loss().item(), abs=1e-5)
    assert json.loads(found["", None, "loss"].details)["gradient_norm"] == pytest.approx(
        np.linalg.norm(slow.gradient()), rel=1e-4
    )


def test_each_part_has_that_of_its_own_block(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    found = asked(world, "layer-sharpness")
    places = {("", n) for n in range(LAYERS + 1)} | {("pooler", None), ("classifier", None)}
    assert {(part, layer) for part, layer, _ in found} == places
    for part, size in (("classifier", 50), ("pooler", 600)):
        slow = SlowLoss.of(world, np.arange(7), lambda name, part=part: name.startswith(part))
        dense = slow.hessian()
        assert len(dense) == size
        assert found[part, None, "eigenvalue"].value == pytest.approx(np.linalg.eigvalsh(dense)[-1], rel=1e-4)
        row = found[part, None, "trace"]
        assert abs(row.value - np.trace(dense)) < 4 * json.loads(row.details)["se"] + 1e-4
        assert found[part, None, "loss"].value == pytest.approx(slow.loss().item(), abs=1e-5)
    sizes = [json.loads(found[part, layer, "loss"].details)["weights"] for part, layer in places]
    assert sum(sizes) == sum(p.numel() for p in world.model().parameters())
    again = asked(world)["", None, "eigenvalue"]
    assert again.value >= max(found[part, layer, "eigenvalue"].value for part, layer in places)  # interlacing


def test_a_small_box_rises_by_the_gradients_corner(classified: Make) -> None:
    world = classified("distilbert", "TokenClassification")
    slow = SlowLoss.of(world, np.arange(len(world.corpus.word_first)))
    epsilon = 1e-6
    weights = np.concatenate([p.detach().numpy().reshape(-1) for p in slow.chosen])
    corner = epsilon * (np.abs(weights) + 1) @ np.abs(slow.gradient())
    (rise,) = (v for v in of(world, epsilon=epsilon, draws=2, iterations=2) if v.statistic == "epsilon-sharpness")
    assert rise.value == pytest.approx(100 * corner / (1 + slow.loss().item()), rel=0.05)
    assert rise.n == len(world.corpus.word_first)


def test_a_classifier_without_a_pooler_says_so(classified: Make) -> None:
    world = classified("distilbert", "TokenClassification")
    (row,) = of(world, At(more=(("part", "pooler"),)))
    assert row.reason == "the classifier uses no pooler"


def test_two_runs_give_the_same_bits_and_another_seed_others(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    quick: dict[str, Any] = {"iterations": 4, "draws": 2, "ascent_steps": 2, "examples": 5}
    first, second = of(world, At(2), **quick), of(world, At(2), **quick)
    assert first == second
    assert {value.n for value in first} == {5}
    other = of(world, At(2), **quick, vector_seed=1)
    same = {v.statistic for v, w in zip(first, other, strict=True) if v.value == w.value}
    assert not same & {"eigenvalue", "trace"}
    assert "loss" in same


def test_the_whole_model_is_one_cell_and_its_parts_are_one_each() -> None:
    scope = Scope(dict(get("sharpness").settle({})), (2,))
    whole, each = (list(get(name).cells(scope, {})) for name in ("sharpness", "layer-sharpness"))
    assert whole == [At()]
    assert [(at.layer, dict(at.more).get("part")) for at in each] == [
        (None, "classifier"), (None, "pooler"), (2, None), (1, None), (0, None)
    ]  # fmt: skip


def test_labels_without_a_class_are_refused_and_a_map_helps(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    labels = world.corpus.annotations[world.annotation]
    own = {
        "model": StoredModel(world.store, world.store.checkpoint("dev", KEY)),
        "weights": StoredWeights.of(world.store, "dev", KEY),
    }
    named = MemoryLabels("sentence", tuple({"0": "bad", "1": "good"}[name] for name in labels.names), labels.values)
    given = Given(world.corpus, {"checkpoint": own}, named, at=At(more=(("part", "classifier"),)))
    parameters = dict(get("layer-sharpness").settle(QUICK))
    with pytest.raises(MeasureError, match="has no class for"):
        layer_sharpness(given, parameters, Context())
    plain = layer_sharpness(replace(given, annotation=labels), parameters, Context())
    assert layer_sharpness(given, {**parameters, "map": "bad=0,good=1"}, Context()) == plain
