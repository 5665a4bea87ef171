"""Are eigenvalue, trace and Hessian products of a classifier those of hessian-eigenthings on one batch?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import hessian_eigenthings as elsewhere
import numpy as np
import pytest
import torch

from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import At
from explorer.measures.registry import get
from store.evaluation.model import StoredModel
from store.models.weights import StoredWeights
from tests.classified import KEY, World

SIZE = 7
"""Number of sentences of the corpus, of 3 to 16 tokens."""


def batch_of(world: World, examples: Iterable[int]) -> dict[str, Any]:
    """Padded tokens, mask and true classes of some sentences."""
    corpus, chosen = world.corpus, list(examples)
    _, _, true = world.rows(world.logits(world.model()))
    ids = [torch.tensor(corpus.token_ids[corpus.offsets[e] : corpus.offsets[e + 1]].astype(np.int64)) for e in chosen]
    padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in ids], batch_first=True)
    return {"input_ids": padded, "attention_mask": mask, "labels": torch.from_numpy(true[chosen].astype(np.int64))}


def hessian(world: World, batches: Iterable[Iterable[int]], chosen: Any = None) -> Any:
    """The other library's Hessian in float64, as the mean over batches."""
    model = copy.deepcopy(world.model()).double()

    def loss(model: Any, batch: dict[str, Any]) -> Any:
        inputs = {name: value for name, value in batch.items() if name != "labels"}
        return torch.nn.functional.cross_entropy(model(**inputs).logits, batch["labels"])

    return elsewhere.HessianOperator(
        model, [batch_of(world, examples) for examples in batches], loss, param_filter=chosen
    )


def ours(world: World, name: str = "sharpness", at: At = At()) -> dict[str, Value]:  # noqa: B008 (frozen)
    own = {
        "model": StoredModel(world.store, world.store.checkpoint("dev", KEY)),
        "weights": StoredWeights.of(world.store, "dev", KEY),
    }
    given = Given(world.corpus, {"checkpoint": own}, world.corpus.annotations[world.annotation], at=at)
    measure = get(name)
    parameters = dict(measure.settle({"iterations": 60, "tolerance": 0.001, "draws": 10, "ascent_steps": 1}))
    return {value.statistic: value for value in measure.compute(given, parameters, Context())}


@pytest.fixture(scope="module")
def world(classified: Callable[[str, str], World]) -> World:
    return classified("bert", "SequenceClassification")


@pytest.fixture(scope="module")
def found(world: World) -> dict[str, Value]:
    return ours(world)


def top(operator: Any) -> float:
    solved = elsewhere.lanczos(operator, k=1, max_iter=80, which="LA", tol=1e-8, reorthogonalize=True, seed=0)
    assert bool(solved.converged[0])
    return float(solved.eigenvalues[0])


def test_the_eigenvalue_is_that_of_the_other_library(world: World, found: dict[str, Value]) -> None:
    assert found["eigenvalue"].value == pytest.approx(top(hessian(world, [range(SIZE)])), rel=1e-3)


def test_the_trace_of_a_block_is_that_of_the_other_library(world: World) -> None:
    """Of the classifier's, where the other estimate is exact: its sketch has as many vectors as the block has rows."""
    block = hessian(world, [range(SIZE)], elsewhere.match_names("classifier.*"))
    there = elsewhere.trace(block, num_matvecs=3 * block.size, seed=0).estimate
    found = ours(world, "layer-sharpness", At(more=(("part", "classifier"),)))["trace"]
    error = float(str(found.details["se"]))
    assert error < 0.1 * there  # else the comparison says nothing
    assert abs((found.value or 0.0) - there) < 5 * error + 1e-4 * there


def test_products_with_the_hessian_are_those_of_the_other_library(world: World) -> None:
    model, operator = StoredModel(world.store, world.store.checkpoint("dev", KEY)), hessian(world, [range(SIZE)])
    _, _, true = world.rows(world.logits(world.model()))
    at = model.curvature(None, np.arange(SIZE), true, "cpu")
    parts = {name.removeprefix("bert."): parameter for name, parameter in operator.model.named_parameters()}
    draw = np.random.default_rng(0)
    vector = {name: draw.standard_normal(tuple(p.shape)) for name, p in parts.items()}
    there = operator.matvec(torch.cat([torch.from_numpy(vector[name].reshape(-1)) for name in parts])).numpy()
    ends = np.cumsum([0, *(p.numel() for p in parts.values())])
    by_name = {name: there[a:b] for name, a, b in zip(parts, ends, ends[1:], strict=False)}
    flat = np.concatenate([vector[name].reshape(-1) for name in sorted(parts)])
    here = at.product(flat.astype(np.float32))
    exact = np.concatenate([by_name[name] for name in sorted(parts)])
    assert at.products == "exact"
    assert np.linalg.norm(here - exact) <= 1e-4 * np.linalg.norm(exact)


def test_the_mean_over_unequal_batches_is_another_value_there(world: World, found: dict[str, Value]) -> None:
    """Each of our examples weighs the same, however they are batched."""
    uneven = top(hessian(world, [range(SIZE - 1), [SIZE - 1]]))
    assert abs(uneven / (found["eigenvalue"].value or 0.0) - 1) > 0.05
