"""Train structural probes: a linear map under which squared distances are tree distances (Hewitt & Manning 2019).

Distances are ||B(h_i - h_j)||^2 and depths ||B h_i||^2, each with a map of its own. Training follows the authors'
code: L1 loss, divided by the squared length of the sentence (depths: by its length) and averaged over the sentences
of a batch of 20; Adam, initial entries uniform in -0.05 to 0.05; after an epoch without a better loss on dev the rate
falls to a tenth and Adam begins anew; some such epochs in a row, or 30 in all, end it, and the best map is kept. Three
things differ. An epoch of a small treebank has too few steps to judge a rate by, so that there several are one round
of at least STEPS steps, and rounds are counted instead. The rate begins at RATE (theirs: 0.001), which needs fewer
rounds for the same scores. PATIENCE rounds without a better loss end it (theirs: 5): with the rates after those,
nothing moves any more. All layers are trained at once, each with its own rate and its own end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer.measures.moments import full_precision
from explorer.measures.probes.trees import Tree

if TYPE_CHECKING:
    import torch

Kind = Literal["distance", "depth"]
BATCH, ROUNDS, STEPS, PATIENCE = 20, 30, 65, 3
RATE, INITIAL, BETTER = 3e-3, 0.05, 1e-4


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
            yield PREDICTED[self.kind](vectors[tree.words], self.maps[layer])


def squared_depths(vectors: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Return ||B h||^2 of each vector of a sentence [m, width], float64 [m], for the map B [width, rank]."""
    found: np.ndarray = ((vectors @ projection).astype(np.float64) ** 2).sum(1)
    return found


def squared_distances(vectors: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Return ||B(h_i - h_j)||^2 of each pair of a sentence's vectors [m, width], float64 [m, m]."""
    mapped = (vectors @ projection).astype(np.float64)
    square = (mapped**2).sum(1)
    return np.asarray(np.maximum(square[:, None] + square[None, :] - 2 * mapped @ mapped.T, 0.0))


PREDICTED: Mapping[Kind, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "distance": squared_distances,
    "depth": squared_depths,
}
"""Functions of a sentence's vectors and a map that return what the map predicts."""


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some sentences: their n words one after the other, and their places in a table of s sentences by m words."""

    words: torch.Tensor
    """Place of each word among those of the corpus, int64 [n]."""
    table: torch.Tensor
    """Word (from 0 to n) at each place of the table, int64 [s, m]; n beyond a sentence."""
    gold: torch.Tensor
    """float32 [s, m, m] or [s, m]."""
    weight: torch.Tensor
    """1 / (length of the sentence, squared for distances), 0 beyond it, in the shape of ``gold``."""


@full_precision()
def train(
    kind: Kind,
    vectors: np.ndarray,
    trees: Sequence[Tree],
    dev: Sequence[Tree],
    rank: int,
    seed: int,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda share: None,
) -> StructuralProbe:
    """Train the probes of several layers on the same sentences, in the same order.

    Args:
        vectors: vectors of the corpus's words in each layer, float32 [layers, W, width].
        trees: the sentences to train on, at least one.
        dev: those that tell when to stop; without any, the loss in training does.
        rank: columns of the map.
        progress: called with the finished share of the rounds after each of them.
    """
    import torch

    made = torch.Generator().manual_seed(seed)
    layers, _, width = vectors.shape
    first = (torch.rand(1, width, rank, generator=made) * 2 - 1) * INITIAL
    best, rounds = first.repeat(layers, 1, 1), [0] * layers
    live = _Live(first.repeat(layers, 1, 1).to(device), device)
    states = torch.from_numpy(vectors).to(device)
    tried = list(_batches(kind, dev, device))
    passes = math.ceil(STEPS / math.ceil(len(trees) / BATCH))
    for number in range(ROUNDS):
        order = [i for _ in range(passes) for i in torch.randperm(len(trees), generator=made).tolist()]
        running = torch.zeros(len(live.layers), device=device)
        for batch in _batches(kind, [trees[i] for i in order], device):
            losses, gradient = _losses(kind, live.maps, live.words(states, batch), batch)
            live.step(gradient())
            running += losses * len(batch.table)
        found = running / len(order)
        if tried:
            parts = [
                _losses(kind, live.maps, live.words(states, batch), batch)[0] * len(batch.table) for batch in tried
            ]
            found = torch.stack(parts).sum(0) / len(dev)
        for n in live.layers:
            rounds[n] = number + 1
        for n, better in live.judge(found):
            best[n] = better.cpu()
        progress((number + 1) / ROUNDS)
        going = live.going()
        if not len(going):
            break
        if len(going) < len(live.layers):
            live.keep(going)
    return StructuralProbe(kind, best.numpy(), tuple(rounds))


class _Live:
    """The maps that are still trained, by Adam (Kingma & Ba 2015, algorithm 1) with a rate of its own for each."""

    def __init__(self, maps: torch.Tensor, device: str) -> None:
        import torch

        self.maps = maps
        self.layers = list(range(len(maps)))
        """Layer of each map."""
        self._mean, self._square = torch.zeros_like(maps), torch.zeros_like(maps)
        self._steps, self._rate = (
            torch.zeros(len(maps), 1, 1, device=device),
            torch.full((len(maps), 1, 1), RATE, device=device),
        )
        self._least, self._poor = [math.inf] * len(maps), [0] * len(maps)

    def words(self, states: torch.Tensor, batch: _Batch) -> torch.Tensor:
        """Return the vectors of a batch's words in the layers of the maps, [layers, n, width]."""
        found = states.index_select(1, batch.words)
        return found if len(found) == len(self.layers) else found[self.layers]

    def step(self, gradient: torch.Tensor) -> None:
        """Change the maps by one step."""
        self._steps += 1
        self._mean.mul_(0.9).add_(gradient, alpha=0.1)
        self._square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        size = (self._square / (1 - 0.999**self._steps)).sqrt_().add_(1e-8)
        self.maps.addcdiv_(self._mean * (-self._rate / (1 - 0.9**self._steps)), size)

    def judge(self, losses: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """Yield each layer whose loss is better than before, and its map; the others go on with a tenth of the rate."""
        for i, (layer, loss) in enumerate(zip(self.layers, losses.tolist(), strict=True)):
            if loss < self._least[i] - BETTER:
                self._least[i], self._poor[i] = loss, 0
                yield layer, self.maps[i]
            else:
                self._poor[i] += 1
                self._rate[i] /= 10
                self._mean[i], self._square[i], self._steps[i] = 0.0, 0.0, 0.0

    def going(self) -> list[int]:
        """Return the positions of the layers whose loss may still get better."""
        return [i for i, poor in enumerate(self._poor) if poor < PATIENCE]

    def keep(self, going: list[int]) -> None:
        """Go on with some of the layers alone."""
        self.maps = self.maps[going]
        self._mean, self._square, self._steps, self._rate = (
            each[going] for each in (self._mean, self._square, self._steps, self._rate)
        )
        self.layers, self._poor = ([each[i] for i in going] for each in (self.layers, self._poor))
        self._least = [self._least[i] for i in going]


def _batches(kind: Kind, trees: Sequence[Tree], device: str) -> Iterator[_Batch]:
    import torch

    for start in range(0, len(trees), BATCH):
        some = trees[start : start + BATCH]
        longest, many = max(tree.length for tree in some), sum(tree.length for tree in some)
        shape = (len(some), longest, longest) if kind == "distance" else (len(some), longest)
        table = np.full((len(some), longest), many, np.int64)
        gold, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        at = 0
        for i, tree in enumerate(some):
            m = tree.length
            table[i, :m] = np.arange(at, at + m)
            part = (i, slice(m), slice(m)) if kind == "distance" else (i, slice(m))
            gold[part] = tree.distance if kind == "distance" else tree.depth
            weight[part] = 1.0 / (m**2 if kind == "distance" else m)
            at += m
        words = np.concatenate([np.arange(tree.words.start, tree.words.stop) for tree in some])
        yield _Batch(*(torch.from_numpy(each).to(device) for each in (words, table, gold, weight)))


def _losses(
    kind: Kind, maps: torch.Tensor, words: torch.Tensor, batch: _Batch
) -> tuple[torch.Tensor, Callable[[], torch.Tensor]]:
    """Return the mean loss of a batch for each layer, [layers], and a function that returns its gradient.

    ``words`` are the vectors of the batch's words in each layer, [layers, n, width].

    With w_ij = sign(predicted - gold) * weight, the gradient of a mapped word a_i is, for distances,
    4 (a_i sum_j w_ij - sum_j w_ij a_j), and 2 w_i a_i for depths.
    """
    import torch

    mapped = words @ maps  # [layers, n, rank]
    if kind == "depth":
        predicted = torch.nn.functional.pad((mapped**2).sum(-1), (0, 1))[:, batch.table]
    else:
        flat = torch.nn.functional.pad(mapped, (0, 0, 0, 1)).index_select(1, batch.table.flatten())
        placed = flat.view(-1, batch.table.shape[1], maps.shape[2])  # [layers * s, m, rank]
        square = (placed**2).sum(-1)
        sums = square[:, :, None] + square[:, None, :]
        predicted = torch.baddbmm(sums, placed, placed.transpose(1, 2), alpha=-2).view(len(maps), *batch.gold.shape)
    wrong = predicted - batch.gold
    losses = (wrong.abs() * batch.weight).flatten(1).sum(1) / len(batch.table)

    def gradient() -> torch.Tensor:
        signs = torch.sign(wrong) * (batch.weight / len(batch.table))
        there = batch.table.flatten() < len(batch.words)
        if kind == "depth":
            of_words = 2 * signs.flatten(1)[:, there, None] * mapped
        else:
            signs = -4 * signs.flatten(0, 1)
            signs.diagonal(dim1=1, dim2=2).sub_(signs.sum(-1))
            of_words = torch.bmm(signs, placed).view(len(maps), len(there), -1)[:, there]
        return words.transpose(1, 2) @ of_words

    return losses, gradient
