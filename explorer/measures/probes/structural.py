"""Train structural probes: a linear map under which squared distances are tree distances (Hewitt & Manning 2019).

Distances are ||B(h_i - h_j)||^2 and depths ||B h_i||^2, each with a map of its own. Training follows the authors'
code: L1 loss, divided by the squared length of the sentence (depths: by its length) and averaged over the sentences
of a batch of 20; Adam with learning rate 0.001, initial entries uniform in -0.05 to 0.05; after an epoch without a
better loss on dev the rate falls to a tenth and Adam begins anew; five such epochs in a row, or 30 in all, end it,
and the best map is kept. One thing differs: an epoch of a small treebank has too few steps to judge a rate by, so
that there several are one round of at least 100 steps, and rounds are counted instead. All layers are trained at
once, each with its own rate and its own end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer.measures.probes.trees import Tree

if TYPE_CHECKING:
    import torch

Kind = Literal["distance", "depth"]
BATCH, ROUNDS, STEPS, PATIENCE = 20, 30, 100, 5
RATE, INITIAL, BETTER = 1e-3, 0.05, 1e-4


@dataclass(frozen=True, eq=False)
class StructuralProbe:
    """The maps of one or more layers."""

    kind: Kind
    maps: np.ndarray
    """float32 [layers, width, rank]."""
    rounds: tuple[int, ...]
    """Rounds that each layer was trained for."""

    def predict(self, layer: int, vectors: np.ndarray, trees: Sequence[Tree]) -> Iterator[np.ndarray]:
        """Yield the squared distances [m, m], or the squared depths [m], of each sentence.

        Args:
            vectors: vectors of the corpus's words in that layer, float32 [W, width].
        """
        for tree in trees:
            mapped = (vectors[tree.words] @ self.maps[layer]).astype(np.float64)
            square = (mapped**2).sum(1)
            if self.kind == "depth":
                yield square
            else:
                yield np.maximum(square[:, None] + square[None, :] - 2 * mapped @ mapped.T, 0.0)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some sentences, padded to the length of the longest."""

    words: torch.Tensor
    """Place of each word among those of the corpus, int64 [s, m]; 0 beyond a sentence."""
    gold: torch.Tensor
    """float32 [s, m, m] or [s, m]."""
    weight: torch.Tensor
    """1 / (length of the sentence, squared for distances), 0 beyond it, in the shape of ``gold``."""


def train(
    kind: Kind,
    vectors: Sequence[np.ndarray],
    trees: Sequence[Tree],
    dev: Sequence[Tree],
    rank: int,
    seed: int,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda share: None,
) -> StructuralProbe:
    """Train the probes of several layers on the same sentences, in the same order.

    Args:
        vectors: vectors of the corpus's words in each layer, float32 [W, width].
        trees: the sentences to train on, at least one.
        dev: those that tell when to stop; without any, the loss in training does.
        rank: columns of the map.
        progress: called with the finished share of the rounds after each of them.
    """
    import torch

    made = torch.Generator().manual_seed(seed)
    layers, width = len(vectors), vectors[0].shape[1]
    first = (torch.rand(1, width, rank, generator=made) * 2 - 1) * INITIAL
    maps = first.repeat(layers, 1, 1).to(device).requires_grad_()
    best, least = maps.detach().clone(), torch.full((layers,), float("inf"), device=device)
    rates = torch.full((layers,), RATE, device=device)
    poor, rounds = [0] * layers, [0] * layers
    moments = _Adam(maps)
    states = torch.stack([torch.from_numpy(np.ascontiguousarray(v)) for v in vectors]).to(device)
    tried = list(_batches(kind, dev, device))
    passes = math.ceil(STEPS / math.ceil(len(trees) / BATCH))
    for number in range(ROUNDS):
        active = [n for n in range(layers) if poor[n] < PATIENCE]
        if not active:
            break
        order = [i for _ in range(passes) for i in torch.randperm(len(trees), generator=made).tolist()]
        running = torch.zeros(layers, device=device)
        for batch in _batches(kind, [trees[i] for i in order], device):
            loss = _losses(kind, maps, states, batch)
            (gradient,) = torch.autograd.grad(loss.sum(), maps)
            running += loss.detach() * len(batch.words)
            moments.step(maps, gradient, rates)
        with torch.no_grad():
            found = running / len(order)
            if tried:
                found = sum((_losses(kind, maps, states, b) * len(b.words) for b in tried), torch.zeros_like(running))
                found = found / len(dev)
            for n in active:
                rounds[n] = number + 1
                if float(found[n]) < float(least[n]) - BETTER:
                    least[n], best[n], poor[n] = found[n], maps[n], 0
                else:
                    poor[n] += 1
                    rates[n] /= 10
                    moments.forget(n)
                if poor[n] >= PATIENCE:
                    rates[n] = 0.0
        progress((number + 1) / ROUNDS)
    return StructuralProbe(kind, best.cpu().numpy(), tuple(rounds))


class _Adam:
    """Adam with a learning rate of its own for each layer (Kingma & Ba 2015, algorithm 1)."""

    def __init__(self, maps: torch.Tensor) -> None:
        import torch

        self._mean, self._square = torch.zeros_like(maps), torch.zeros_like(maps)
        self._steps = torch.zeros(len(maps), 1, 1, device=maps.device)

    def step(self, maps: torch.Tensor, gradient: torch.Tensor, rates: torch.Tensor) -> None:
        """Change the maps by one step."""
        import torch

        with torch.no_grad():
            self._steps += 1
            self._mean.mul_(0.9).add_(gradient, alpha=0.1)
            self._square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            mean = self._mean / (1 - 0.9**self._steps)
            square = self._square / (1 - 0.999**self._steps)
            maps -= rates[:, None, None] * mean / (square.sqrt() + 1e-8)

    def forget(self, layer: int) -> None:
        """Begin anew for one layer."""
        self._mean[layer], self._square[layer], self._steps[layer] = 0.0, 0.0, 0.0


def _batches(kind: Kind, trees: Sequence[Tree], device: str) -> Iterator[_Batch]:
    import torch

    for start in range(0, len(trees), BATCH):
        some = trees[start : start + BATCH]
        longest = max(tree.length for tree in some)
        shape = (len(some), longest, longest) if kind == "distance" else (len(some), longest)
        words = np.zeros((len(some), longest), np.int64)
        gold, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for i, tree in enumerate(some):
            m = tree.length
            words[i, :m] = np.arange(tree.words.start, tree.words.stop)
            part = (i, slice(m), slice(m)) if kind == "distance" else (i, slice(m))
            gold[part] = tree.distance if kind == "distance" else tree.depth
            weight[part] = 1.0 / (m**2 if kind == "distance" else m)
        yield _Batch(*(torch.from_numpy(each).to(device) for each in (words, gold, weight)))


def _losses(kind: Kind, maps: torch.Tensor, states: torch.Tensor, batch: _Batch) -> torch.Tensor:
    """Return the mean loss of a batch for each layer, [layers]."""
    mapped = states[:, batch.words] @ maps[:, None]  # [layers, s, m, rank]
    square = (mapped**2).sum(-1)
    if kind == "depth":
        predicted = square
    else:
        predicted = square[..., :, None] + square[..., None, :] - 2 * mapped @ mapped.transpose(-1, -2)
    wrong = (predicted - batch.gold).abs() * batch.weight
    return wrong.flatten(1).sum(1) / len(batch.words)
