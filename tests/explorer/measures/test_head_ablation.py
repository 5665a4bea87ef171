"""Is a masked head one whose attention gives nothing, in every encoder?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from explorer.compute.run import compute
from explorer.measures.head_ablation import without_head
from explorer.selection import Selection, ask_store
from store.results import Result
from store.rows import Is, RowQuery
from tests.classified import World
from tests.parameters import later
from tests.pools import here

HEADS = 2
OUTPUTS = {
    "bert": "bert.encoder.layer.{}.attention.output.dense",
    "roberta": "roberta.encoder.layer.{}.attention.output.dense",
    "electra": "electra.encoder.layer.{}.attention.output.dense",
    "deberta-v2": "deberta.encoder.layer.{}.attention.output.dense",
    "distilbert": "distilbert.transformer.layer.{}.attention.out_lin",
}
"""The module that reads the heads' results, one after the other, by its name in transformers."""


@contextmanager
def masked(model: Any, name: str, heads: tuple[int, ...]) -> Iterator[Any]:
    """Multiply what some heads (from 0) of one layer give by zero on its way, as a mask of the attention does."""

    def mask(module: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        context = given[0].clone()
        size = context.shape[-1] // HEADS
        for head in heads:
            context[..., head * size : (head + 1) * size] *= 0.0
        return (context, *given[1:])

    hook = model.get_submodule(name).register_forward_pre_hook(mask)
    yield model
    hook.remove()


@pytest.mark.parametrize("family", ["bert", *(later(name) for name in OUTPUTS if name != "bert")])
def test_every_head_and_every_whole_layer(classified: Callable[[str, str], World], family: str) -> None:
    world = classified(family, "TokenClassification" if family == "distilbert" else "SequenceClassification")
    question = ask_store(
        world.store, Selection("head-ablation", "dev", annotation=world.annotation, tasks=("t",), steps=None)
    )
    assert compute(world.store, [question], workers=1, device="cpu", executor=here).ok
    found = {
        (r.layer, r.head, r.statistic): r for r in world.store.results(RowQuery((Is("measure", "head-ablation"),)))
    }
    whole = world.rows(world.logits(world.model()))[0].mean()
    for layer in (1, 3):
        for head, heads in ((1, (0,)), (2, (1,)), (None, (0, 1))):
            with masked(world.model(), OUTPUTS[family].format(layer - 1), heads) as model:
                loss, said, true = world.rows(world.logits(model))
            assert value(found[layer, head, "loss"]) == pytest.approx(loss.mean(), abs=2e-5)
            assert value(found[layer, head, "accuracy"]) == pytest.approx((said == true).mean())
            assert value(found[layer, head, "loss-change"]) == pytest.approx(loss.mean() - whole, abs=4e-5)
            assert abs(value(found[layer, head, "loss-change"])) > 1e-4
    assert {key[:2] for key in found} == {(layer, head) for layer in (1, 2, 3) for head in (None, 1, 2)}


def value(row: Result) -> float:
    assert row.value is not None, row.reason
    return row.value


def test_only_the_columns_of_the_head_are_zero() -> None:
    output = np.arange(1.0, 25.0, dtype=np.float32).reshape(4, 6)
    found = without_head(output, 3, 2)
    assert not found[:, 2:4].any()
    np.testing.assert_array_equal(np.delete(found, [2, 3], axis=1), np.delete(output, [2, 3], axis=1))
    assert output.all()
