"""Are loss, gradient and Hessian of a stored model those of a slow one in float64, and is nothing left changed?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from store.errors import BertdynError
from store.evaluation import curvature
from store.evaluation.curvature import DIFFERENCES, EXACT, Curvature
from store.evaluation.model import StoredModel
from store.models.classifier import Classifying, classifying
from store.models.load import Encoder, load, look
from tests.classified import KEY, LAYERS, World
from tests.hessians import SlowLoss
from tests.parameters import later

FAMILIES = (
    ("bert", "SequenceClassification"),
    ("distilbert", "TokenClassification"),
    ("albert", "SequenceClassification"),
    later("deberta-v2", "SequenceClassification"),
    later("roberta", "SequenceClassification"),
    later("electra", "TokenClassification"),
)
"""ALBERT's layers are tied: they are one set of weights."""
Make = Callable[[str, str], World]


def rows_of(world: World, some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the logits and true classes of some labels."""
    _, _, true = world.rows(world.logits(world.model()))
    rows = some if world.task == "SequenceClassification" else world.corpus.word_first[some].astype(np.int64)
    return rows, true[some]


def stored(world: World, some: np.ndarray, names: list[str] | None = None) -> Curvature:
    return StoredModel(world.store, world.store.checkpoint("dev", KEY)).curvature(names, *rows_of(world, some), "cpu")


def close(found: np.ndarray, expected: np.ndarray, relative: float) -> None:
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) < relative * np.linalg.norm(expected)


def vector(size: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(size, np.float32)


@pytest.mark.parametrize(("family", "task"), FAMILIES)
@pytest.mark.parametrize("tokens", [1024, 24])
def test_derivatives_are_those_of_single_sentences(
    classified: Make, monkeypatch: pytest.MonkeyPatch, family: str, task: str, tokens: int
) -> None:
    """Of all rows together, not of the mean of batches: with 24 tokens, batches have one to five sentences."""
    monkeypatch.setitem(curvature.BATCH_TOKENS, "cpu", tokens)
    world = classified(family, task)
    some = np.array([0, 2, 3, 5, 6]) if task == "SequenceClassification" else np.r_[0:4, 9:40]
    slow, found = SlowLoss.of(world, some), stored(world, some)
    loss, gradient = found.slope()
    assert loss == pytest.approx(slow.loss().item(), rel=1e-6)
    close(gradient, slow.gradient(), 1e-4)
    one = vector(len(gradient))
    close(found.product(one), slow.products()(one.astype(np.float64)), 1e-4)
    assert found.products == EXACT


@pytest.mark.parametrize("layer", [0, 2, LAYERS + 1])
def test_groups_of_weights_have_blocks_of_the_whole(classified: Make, layer: int) -> None:
    """Layers below them run once, and the second product is as good as the first."""
    world = classified("bert", "SequenceClassification")
    place = {0: "embeddings.", LAYERS + 1: "classifier."}.get(layer, f".layer.{layer - 1}.")
    every = np.arange(7)
    slow = SlowLoss.of(world, every, lambda name: place in name)
    prefix = f"{slow.model.base_model_prefix}."
    names = [n.removeprefix(prefix) for n, _ in slow.model.named_parameters() if place in n]
    found = stored(world, every, names)
    close(found.slope()[1], slow.gradient(), 1e-4)
    one = vector(len(found.weights))
    close(found.product(one[::-1]), slow.products()(one[::-1].astype(np.float64)), 1e-4)
    close(found.product(one), slow.products()(one.astype(np.float64)), 1e-4)


def test_a_change_is_a_change_of_the_weights_without_dropout(classified: Make) -> None:
    """Losses at two points give the gradient between them; and each is the same every time."""
    found = stored(classified("bert", "SequenceClassification"), np.arange(7))
    one = vector(len(found.weights))
    one *= 1e-2 / np.linalg.norm(one)
    (high, _), (low, _), (_, gradient) = found.slope(one), found.slope(-one), found.slope()
    assert (high - low) / 2 == pytest.approx(float(gradient @ one), rel=0.02)
    assert found.slope(one)[0] == high
    assert np.array_equal(found.slope(0 * one)[1], gradient)


@pytest.fixture
def loaded(classified: Make) -> tuple[World, Encoder, Classifying]:
    """A model of its own, which a test may break."""
    world = classified("bert", "SequenceClassification")
    files = look(world.folder)
    encoder = load(files, torch.device("cpu"))
    found = classifying(encoder, files.config)
    assert not isinstance(found, str)
    return world, encoder, found


def of_model(world: World, encoder: Encoder, found: Classifying) -> Curvature:
    parameters = dict(found.model.named_parameters())
    return Curvature(encoder, found, parameters, world.corpus, *rows_of(world, np.arange(7)), 0)


def state(model: Any) -> dict[str, tuple[bytes, int]]:
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {name: (tensor.detach().numpy().tobytes(), tensor.data_ptr()) for name, tensor in tensors}


def test_afterwards_the_model_is_the_old_one_bit_for_bit(loaded: tuple[World, Encoder, Classifying]) -> None:
    """Also after a failure in between; integer buffers, such as positions, never move."""
    _, _, classifier = loaded
    classifier.model.classifier.bias.requires_grad_(False)
    found = of_model(*loaded)
    before, one = state(classifier.model), vector(len(found.weights))
    assert any(not buffer.is_floating_point() for buffer in classifier.model.buffers())
    found.slope(one)
    found.product(one)
    hook = classifier.model.classifier.register_forward_pre_hook(lambda *_: 1 / 0)
    for run in (found.slope, found.product):
        with pytest.raises(ZeroDivisionError):
            run(one)
    hook.remove()
    assert state(classifier.model) == before
    assert all(parameter.grad is None for parameter in classifier.model.parameters())
    assert [name for name, p in classifier.model.named_parameters() if not p.requires_grad] == ["classifier.bias"]


class Once(torch.autograd.Function):
    """A function that torch can differentiate only once, as the fused kernels of attention are."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Any) -> Any:
        return slope * (1 - torch.tanh(ctx.saved_tensors[0]) ** 2)


class OnceTanh(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return Once.apply(x)


def test_where_torch_cannot_differentiate_twice_gradients_are_compared(
    loaded: tuple[World, Encoder, Classifying],
) -> None:
    _, encoder, classifier = loaded
    exact = of_model(*loaded)
    one = vector(len(exact.weights))
    expected = exact.product(one)
    encoder.model.pooler.activation = OnceTanh()
    found, before = of_model(*loaded), state(classifier.model)
    close(found.product(one), expected, 5e-3)
    assert (found.products, exact.products) == (DIFFERENCES, EXACT)
    assert not found.product(0 * one).any()
    assert state(classifier.model) == before


def test_what_cannot_be_differentiated_alone_is_refused(classified: Make) -> None:
    with pytest.raises(BertdynError, match=r"no weight 'encoder\.x'"):
        stored(classified("bert", "SequenceClassification"), np.arange(7), ["encoder.x"])
    with pytest.raises(BertdynError, match="share their weights"):
        stored(classified("albert", "SequenceClassification"), np.arange(7), ["classifier.bias"])
