"""Loss, gradient and Hessian of a small classifier by a slow way: float64, one sentence after the other, no padding."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tests.classified import World


@dataclass(frozen=True)
class SlowLoss:
    """Mean cross-entropy of some rows as a function of the parameters whose names are chosen, in the names' order."""

    world: World
    model: Any
    chosen: tuple[Any, ...]
    rows: np.ndarray
    true: np.ndarray

    @classmethod
    def of(cls, world: World, rows: np.ndarray, chosen: Callable[[str], bool] = lambda name: True) -> SlowLoss:
        """Rows are positions among the labels of sentences or words."""
        model = copy.deepcopy(world.model()).double()
        prefix = f"{model.base_model_prefix}."
        named = sorted((name.removeprefix(prefix), p) for name, p in model.named_parameters())
        _, _, true = world.rows(world.logits(world.model()))
        return cls(world, model, tuple(p for name, p in named if chosen(name)), rows, true)

    def loss(self) -> Any:
        corpus = self.world.corpus
        logits = []
        for start, stop in zip(corpus.offsets, corpus.offsets[1:], strict=False):
            output = self.model(torch.tensor(corpus.token_ids[start:stop].astype(np.int64))[None]).logits[0]
            logits.append(output.reshape(-1, output.shape[-1]))
        every = torch.cat(logits)
        if self.world.task == "TokenClassification":
            every = every[corpus.word_first]
        right = torch.log_softmax(every, 1)[torch.from_numpy(self.rows), torch.from_numpy(self.true[self.rows])]
        return -right.mean()

    def gradient(self) -> np.ndarray:
        return _flat(torch.autograd.grad(self.loss(), self.chosen)).numpy()

    def products(self) -> Callable[[np.ndarray], np.ndarray]:
        slope = _flat(torch.autograd.grad(self.loss(), self.chosen, create_graph=True))

        def product(vector: np.ndarray) -> np.ndarray:
            return _flat(torch.autograd.grad(slope @ torch.from_numpy(vector), self.chosen, retain_graph=True)).numpy()

        return product

    def hessian(self) -> np.ndarray:
        product = self.products()
        return np.stack([product(row) for row in np.eye(sum(p.numel() for p in self.chosen))])


def _flat(tensors: Any) -> Any:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])
