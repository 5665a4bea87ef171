"""Train edge probes: what a small network reads off the tokens of one or two spans (Tenney et al. 2019).

The network is that of the authors' code (jiant 1). Each token vector is projected by a linear map. A span is the sum of
its projected tokens, weighted by a softmax over the scores that a learned vector gives them; the second span has a map
and a vector of its own. A linear layer with tanh, layer normalisation, dropout of 0.3 and another linear layer give one
logit for each label. The loss is the binary cross-entropy of every label; a label is predicted if its logit is at least
0. An input that mixes layers is the sum of their vectors with softmax weights, times a factor gamma; an input of one
layer is its vectors as they are.

Some things differ, because they need fewer steps: minibatches of BATCH targets (the authors: the targets of 32
sentences), the learning rates RATE and MIX_RATE (0.0001 for all), and no decay of them. As theirs, training stops by
micro-F1 on dev, at equal F1 by the loss, and the best weights are kept. Dev is asked after each round: an epoch, or as
many epochs as make STEPS steps.

All probes of one seed see the same targets in the same order and begin with the same weights; each stops on its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.measures.moments import full_precision

if TYPE_CHECKING:
    import torch

BATCH, RATE, DROPOUT = 64, 2e-3, 0.3
STEPS = 30
"""Least number of steps after which dev is asked."""
MIX_RATE = 2e-2
"""Learning rate of the parameters that mix layers, which would hardly move in a few hundred steps of RATE."""
PATIENCE = 4
"""Number of rounds without a better score on dev after which a probe stops."""
NORM = 1e-5
"""Constant of the layer normalisation."""


@dataclass(frozen=True)
class Schedule:
    """How probes are trained."""

    width: int = 256
    """Width of the projection and of the hidden layer."""
    rounds: int = 50
    """Maximum number of rounds."""
    seed: int = 1
    """Seed of the first weights, of the order of the targets and of dropout."""
    device: str = "cpu"
    """Device of torch."""


@dataclass(frozen=True, eq=False)
class EdgeProbes:
    """B trained probes, one for each layer or mix of layers."""

    inputs: np.ndarray
    """Layers that each probe reads, bool [B, layers]."""
    weights: Mapping[str, np.ndarray]
    """Parameters of all probes by name, float32 [B, ...]."""
    rounds: tuple[int, ...]
    """Number of rounds up to the kept weights of each probe."""
    stopped: tuple[bool, ...]
    """Whether each probe stopped by dev, not by the maximum number of rounds."""

    @property
    def mix(self) -> np.ndarray:
        """Weight of each layer in each probe's input, float64 [B, layers]; its rows have the sum 1."""
        scores = np.where(self.inputs, self.weights["mix"].astype(np.float64), -np.inf)
        shares = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(shares / shares.sum(1, keepdims=True))

    @property
    def parameters(self) -> int:
        """Number of parameters of one probe, without the weights that mix layers."""
        return sum(each[0].size for name, each in self.weights.items() if name not in _MIXING)

    def weights_of(self, probe: int) -> dict[str, np.ndarray]:
        """Return the parameters of one probe by name, those of the mix only for the layers that it reads."""
        found = {name: each[probe] for name, each in self.weights.items()}
        return {**found, "mix": found["mix"][self.inputs[probe]]}

    def logits(self, states: np.ndarray, spans: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Return the logits of targets, float32 [B, n, K].

        Args:
            states: vectors of tokens in each layer, [layers, t, width].
            spans: first and last token of each span, positions in ``states``, int64 [n, 1 or 2, 2], n at least 1.
        """
        import torch

        weights, inputs, vectors = (
            {name: torch.from_numpy(each).to(device) for name, each in self.weights.items()},
            torch.from_numpy(self.inputs).to(device),
            torch.from_numpy(states).to(device),
        )
        with full_precision(), torch.no_grad():
            every = _batches(spans, np.arange(len(spans)), device)
            found = torch.cat([_logits(weights, inputs, vectors, batch) for batch in every], 1)
        return np.asarray(found.cpu().numpy())


@dataclass(frozen=True, eq=False)
class _Span:
    """One span of each of S targets: the m tokens that lie in any of them, and those in each."""

    tokens: torch.Tensor
    """int64 [m]"""
    outside: torch.Tensor
    """Whether a token is outside of the target's span, bool [S, m]."""


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some targets: their positions [S], and their first and perhaps second spans."""

    rows: torch.Tensor
    spans: tuple[_Span, ...]


def train(
    states: np.ndarray,
    spans: np.ndarray,
    labels: np.ndarray,
    rows: np.ndarray,
    dev: np.ndarray,
    inputs: np.ndarray,
    schedule: Schedule,
    progress: Callable[[float], None] = lambda share: None,
) -> EdgeProbes:
    """Train one probe for each layer or mix of layers.

    Args:
        states: vectors of tokens in each layer, [layers, t, d].
        spans: first and last token of each span, positions in ``states``, int64 [n, 1 or 2, 2].
        labels: whether each target has each label, bool [n, K].
        rows: targets to train on, int64, at least one.
        dev: targets that tell when to stop, int64, at least one.
        inputs: layers that each probe reads, bool [B, layers]; each at least one.
        progress: called with the finished share of the rounds after each of them.
    """
    import torch

    device = schedule.device
    made = torch.Generator().manual_seed(schedule.seed)
    first = _first(len(states), states.shape[2], spans.shape[1], schedule.width, labels.shape[1], made)
    live = _Live({name: each.to(device) for name, each in first.items()}, torch.from_numpy(inputs).to(device))
    vectors, gold = torch.from_numpy(states).to(device), torch.from_numpy(labels).float().to(device)
    held_out = list(_batches(spans, dev, device))
    epochs = math.ceil(STEPS / math.ceil(len(rows) / BATCH))
    with full_precision():
        for number in range(1, schedule.rounds + 1):
            order = np.concatenate([rows[torch.randperm(len(rows), generator=made).numpy()] for _ in range(epochs)])
            for batch in _batches(spans, order, device):
                kept = torch.rand(len(batch.rows), schedule.width, generator=made) >= DROPOUT
                live.step(vectors, gold, batch, kept.to(device) / (1 - DROPOUT))
            live.judge(number, *live.scores(vectors, gold, held_out))
            progress(number / schedule.rounds)
            if not live.going:
                break
    return EdgeProbes(
        inputs,
        {name: each.cpu().numpy() for name, each in live.best.items()},
        tuple(live.rounds),
        tuple(live.stopped),
    )


class _Live:
    """The probes that are still trained, by Adam, and the best weights of all of them."""

    def __init__(self, first: Mapping[str, torch.Tensor], inputs: torch.Tensor) -> None:
        import torch

        many = len(inputs)
        self.inputs = inputs
        self.weights = {
            name: each.repeat(many, *[1] * (each.dim() - 1)).requires_grad_() for name, each in first.items()
        }
        self.best = {name: each.detach().clone() for name, each in self.weights.items()}
        self.rounds, self.stopped = [0] * many, [False] * many
        self.going = list(range(many))
        self._highest = [(-1.0, 0.0)] * many
        mixing = [self.weights[name] for name in _MIXING]
        others = [each for name, each in self.weights.items() if name not in _MIXING]
        groups: list[dict[str, Any]] = [{"params": mixing, "lr": MIX_RATE}, {"params": others}]
        self._adam = torch.optim.Adam(groups, RATE, fused=True)

    def step(self, states: torch.Tensor, gold: torch.Tensor, batch: _Batch, dropout: torch.Tensor) -> None:
        """Take a step of Adam on a minibatch."""
        loss = _losses(_logits(self.weights, self.inputs, states, batch, dropout), gold[batch.rows])
        self._adam.zero_grad()
        loss.sum().backward()
        self._adam.step()

    def scores(
        self, states: torch.Tensor, gold: torch.Tensor, batches: Sequence[_Batch]
    ) -> tuple[list[float], list[float]]:
        """Return micro-F1 and the mean loss of each probe on some targets."""
        import torch

        with torch.no_grad():
            counts = torch.zeros(len(self.inputs), 2, device=states.device)
            losses = torch.zeros(len(self.inputs), device=states.device)
            for batch in batches:
                logits, truth = _logits(self.weights, self.inputs, states, batch), gold[batch.rows]
                said = logits >= 0
                counts[:, 0] += 2 * (said * truth).sum((1, 2))
                counts[:, 1] += said.sum((1, 2)) + truth.sum()
                losses += _losses(logits, truth) * len(batch.rows)
            f1 = counts[:, 0] / counts[:, 1].clamp(min=1)
            return f1.tolist(), losses.tolist()

    def judge(self, number: int, f1: Sequence[float], losses: Sequence[float]) -> None:
        """Keep the weights of probes that got better; go on training the probes that may still get better."""
        stays = []
        for i, probe in enumerate(self.going):
            if (f1[i], -losses[i]) > self._highest[probe]:
                self._highest[probe], self.rounds[probe] = (f1[i], -losses[i]), number
                for name, each in self.weights.items():
                    self.best[name][probe] = each[i].detach()
            self.stopped[probe] = number - self.rounds[probe] >= PATIENCE
            stays += [] if self.stopped[probe] else [i]
        if len(stays) < len(self.going):
            self._keep(stays)

    def _keep(self, stays: list[int]) -> None:
        self.going, self.inputs = [self.going[i] for i in stays], self.inputs[stays]
        for each in self.weights.values():
            state = self._adam.state[each]
            each.data, each.grad = each.data[stays], None
            for name in ("exp_avg", "exp_avg_sq"):
                if name in state:
                    state[name] = state[name][stays]


def _first(
    layers: int, width: int, spans: int, hidden: int, labels: int, made: torch.Generator
) -> dict[str, torch.Tensor]:
    """Return the first parameters of a probe, [1, ...], uniform in +-1 / sqrt(inputs) as torch's linear layers are."""
    import torch

    def uniform(*shape: int, inputs: int) -> torch.Tensor:
        return (2 * torch.rand(1, *shape, generator=made) - 1) * inputs**-0.5

    found = {"mix": torch.zeros(1, layers), "gamma": torch.ones(1)}
    for n in range(spans):
        found[f"map{n}"], found[f"map{n}_bias"] = uniform(width, hidden, inputs=width), uniform(1, hidden, inputs=width)
        found[f"score{n}"] = uniform(hidden, 1, inputs=hidden)
    joined = spans * hidden
    found["hidden"], found["hidden_bias"] = uniform(joined, hidden, inputs=joined), uniform(1, hidden, inputs=joined)
    found["norm"], found["norm_bias"] = torch.ones(1, 1, hidden), torch.zeros(1, 1, hidden)
    found["out"], found["out_bias"] = uniform(hidden, labels, inputs=hidden), uniform(1, labels, inputs=hidden)
    return found


def _logits(
    weights: Mapping[str, torch.Tensor],
    inputs: torch.Tensor,
    states: torch.Tensor,
    batch: _Batch,
    dropout: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the logits of a batch, [B, S, K].

    Args:
        states: [layers, t, d].
        dropout: factor of each hidden unit, [S, width].
    """
    import torch

    pooled = []
    for n, span in enumerate(batch.spans):
        vectors = _mixed(weights, inputs, states.index_select(1, span.tokens).float())
        mapped = torch.baddbmm(weights[f"map{n}_bias"], vectors, weights[f"map{n}"])  # [B, m, width]
        scores = torch.bmm(mapped, weights[f"score{n}"]).transpose(1, 2)  # [B, 1, m]
        pooled.append(torch.bmm(scores.masked_fill(span.outside, -torch.inf).softmax(2), mapped))
    hidden = torch.baddbmm(weights["hidden_bias"], torch.cat(pooled, 2), weights["hidden"]).tanh()
    hidden = torch.nn.functional.layer_norm(hidden, hidden.shape[2:], eps=NORM) * weights["norm"] + weights["norm_bias"]
    return torch.baddbmm(weights["out_bias"], hidden if dropout is None else hidden * dropout, weights["out"])


def _mixed(weights: Mapping[str, torch.Tensor], inputs: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Return the input of each probe, [B, m, d], from the vectors of all layers, [layers, m, d]."""
    import torch

    if int(inputs.sum()) == len(inputs):  # each probe reads one layer
        return vectors if len(inputs) == len(vectors) else vectors[inputs.int().argmax(1)]
    gamma = torch.where(inputs.sum(1) > 1, weights["gamma"], 1.0)
    shares = weights["mix"].masked_fill(~inputs, -torch.inf).softmax(1) * gamma[:, None]
    return (shares @ vectors.flatten(1)).unflatten(1, vectors.shape[1:])


def _losses(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean binary cross-entropy of each probe, [B]."""
    import torch

    given = truth.expand_as(logits)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, given, reduction="none").mean((1, 2))


def _batches(spans: np.ndarray, rows: np.ndarray, device: str) -> Iterator[_Batch]:
    import torch

    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        yield _Batch(
            torch.from_numpy(some).to(device), tuple(_span(spans[some, n], device) for n in range(spans.shape[1]))
        )


def _span(bounds: np.ndarray, device: str) -> _Span:
    """Return the tokens of one span of each target, given its first and last token, int64 [S, 2]."""
    import torch

    first, last = bounds[:, :1], bounds[:, 1:]
    lengths = (last - first)[:, 0] + 1
    begins = np.cumsum(lengths) - lengths
    tokens = np.unique(np.arange(lengths.sum()) + np.repeat(first[:, 0] - begins, lengths))
    outside = (tokens < first) | (tokens > last)
    return _Span(torch.from_numpy(tokens).to(device), torch.from_numpy(outside).to(device))


_MIXING = ("mix", "gamma")
"""Names of the parameters that mix layers."""
