"""Fit perceptrons with two hidden layers, for many layers and probe seeds in one batch.

The classifier is that of Zhou and Srikumar (2022): two hidden layers of rectified linear units, of 32 to 256 units
each, as scikit-learn's ``MLPClassifier`` fits it: unscaled features, Glorot's uniform initialisation, Adam, minibatches
of 200 in a new order each epoch, an L2 penalty of ALPHA / 2 |W|^2 per minibatch. Three things differ, because they need
fewer epochs for the same accuracy: the learning rate (scikit-learn: 0.001), early stopping on the loss of the given dev
points (on the accuracy of a random tenth of train), and that the best weights are returned. Dev is asked after each
round: an epoch, or as many epochs as make STEPS steps, since few points make few steps.

Each probe has its own weights and stops on its own; the batch only shares the products. On a GPU it holds the probes of
all layers, on a CPU those of one: its caches then hold the points of a minibatch, which takes a seventh less time. The
initialisation and the order of the points depend on the seed alone, so a probe is the same whatever else is fitted with
it, up to float32 rounding (bit for bit, as far as was seen, with MKL).
There is no start from another probe: that would be another estimator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.moments import ROWS, full_precision
from explorer.measures.probes.scratch import Rows

if TYPE_CHECKING:
    import torch

Read = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""Read rows of a layer, by their positions [m], into a tensor [m, d], and return it."""
Sizes = tuple[int, int]
"""Numbers of units of the two hidden layers."""
SIZES: Sizes = (64, 64)
"""Default numbers of hidden units."""
BATCH, RATE, ALPHA = 200, 3e-3, 1e-4
MOMENTUM, SQUARES, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants."""
STEPS = 30
"""Minimum number of steps between two looks at dev."""
PATIENCE, GAIN, MOST_ROUNDS = 5, 1e-4, 200
"""A probe stops after PATIENCE rounds without a gain of GAIN nats on dev, or after MOST_ROUNDS."""
_NAMES = ("weights", "biases")


@dataclass(frozen=True, eq=False)
class MlpProbe:
    """A perceptron for points of width d and K classes."""

    classes: np.ndarray
    """Label ids, ascending, int64 [K]."""
    weights: tuple[np.ndarray, ...]
    """Weights of each layer of units, float32 [inputs, outputs]."""
    biases: tuple[np.ndarray, ...]
    """float32 [outputs]"""
    rounds: int
    """Number of rounds up to the returned weights."""
    reason: str = ""
    """Reason why the fit is not what it should be; empty if it is."""
    loss: float = float("nan")
    """Loss on dev in nats with the returned weights; NaN if it is not known."""

    @property
    def sizes(self) -> Sizes:
        """Numbers of hidden units."""
        first, second = (len(each) for each in self.biases[:-1])
        return first, second

    @property
    def details(self) -> Mapping[str, object]:
        """What to report of the fit: the sizes."""
        return {"hidden": ",".join(map(str, self.sizes))}

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(a.size for a in (*self.weights, *self.biases))

    @property
    def width(self) -> int:
        """Width d of the points."""
        return len(self.weights[0])

    def arrays(self, classes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays of the same probe for more classes, which it never predicts.

        Args:
            classes: label ids, ascending, int64 [K]; the probe's own are among them.
        """
        own = np.searchsorted(classes, self.classes)
        weights = np.zeros((len(self.weights[-1]), len(classes)), np.float32)
        biases = np.full(len(classes), -np.inf, np.float32)
        weights[:, own], biases[own] = self.weights[-1], self.biases[-1]
        every = zip((*self.weights[:-1], weights), (*self.biases[:-1], biases), strict=True)
        return {f"{name}{i}": array for i, pair in enumerate(every) for name, array in zip(_NAMES, pair, strict=True)}

    @classmethod
    def of(cls, classes: np.ndarray, arrays: Mapping[str, np.ndarray]) -> MlpProbe:
        """Return the probe with these classes and ``arrays``; its number of rounds is not known."""
        depth = range(len(arrays) // len(_NAMES))
        weights, biases = (tuple(arrays[f"{name}{i}"] for i in depth) for name in _NAMES)
        return cls(classes, weights, biases, 0)

    def logits(self, points: np.ndarray) -> np.ndarray:
        """Return unnormalised log-probabilities of points [n, d]: float32 [n, K]."""
        found = points.astype(np.float32, copy=False)
        for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found = (np.maximum(found, 0) if i else found) @ weights + bias
        return found


def fit_mlps(
    layers: Sequence[Rows],
    labels: np.ndarray,
    train: np.ndarray,
    dev: np.ndarray,
    seeds: Sequence[int],
    sizes: Sizes = SIZES,
    device: str = "cpu",
) -> list[list[MlpProbe]]:
    """Return the probes of each layer, one per seed.

    Args:
        layers: points of each layer, all of one width, float [n, d]. Those in memory are held in float32 on the device;
            of those in a file, each minibatch is read.
        labels: label ids, int64 [n].
        train: rows of the training points, int64.
        dev: rows of the points for early stopping, int64; labels that train does not have are left out.
        seeds: seeds of initialisation and order.
        sizes: numbers of hidden units.
        device: device of torch.

    Raises:
        MeasureError: train has fewer than two labels, or dev none of its labels.
    """
    classes = np.unique(labels[train])
    if len(classes) < 2:
        raise MeasureError("All training points have the same label: a probe needs at least two labels.")
    dev = dev[np.isin(labels[dev], classes)]
    if not len(dev):
        raise MeasureError("A probe with hidden units stops early by its loss on dev, and dev has no points.")
    codes = np.searchsorted(classes, labels)
    shapes = list(zip((layers[0].shape[1], *sizes), (*sizes, len(classes)), strict=True))
    probes: list[MlpProbe] = []
    together = 1 if device == "cpu" else len(layers)
    for start in range(0, len(layers), together):
        with full_precision():
            reads = [_reader(layer, device) for layer in layers[start : start + together]]
            points, held_out = ((_tensor(rows, device), _tensor(codes[rows], device)) for rows in (train, dev))
            fitted = _Batch(reads, points, held_out, shapes, seeds).fitted()
        probes += [_probe(classes, shapes, *one) for one in zip(*fitted, strict=True)]
    return [probes[i : i + len(seeds)] for i in range(0, len(probes), len(seeds))]


def _probe(
    classes: np.ndarray,
    shapes: list[tuple[int, int]],
    flat: torch.Tensor,
    rounds: torch.Tensor,
    stopped: torch.Tensor,
    loss: torch.Tensor,
) -> MlpProbe:
    """Return a fitted probe with flat parameters [P]; ``stopped`` is 1 if it stopped by itself."""
    reason = "" if stopped else f"still improving after {MOST_ROUNDS} rounds"
    if not rounds:  # these are the initial weights
        reason = "the loss on dev was never finite: nothing was learnt"
    weights, biases = zip(*((w.numpy(), b.numpy()[0]) for w, b in _views(flat, shapes)), strict=True)
    return MlpProbe(classes, weights, biases, int(rounds), reason, float(loss))


class _Batch:
    """All probes while they are fitted: their flat parameters [B, P], and which layer and seed each belongs to."""

    def __init__(
        self,
        reads: Sequence[Read],
        train: tuple[torch.Tensor, torch.Tensor],
        dev: tuple[torch.Tensor, torch.Tensor],
        shapes: list[tuple[int, int]],
        seeds: Sequence[int],
    ) -> None:
        """Begin: ``reads`` read the layers; of train and dev, the rows and codes are given."""
        import torch

        self.reads, self.shapes = reads, shapes
        (self.rows, self.codes), (self.dev, self.dev_codes) = train, dev
        self.n, self.device = len(self.rows), self.rows.device
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        begin = torch.stack([_initial(shapes, g) for g in self.generators]).to(self.device)
        self.flat = begin.repeat(len(reads), 1)
        self.mean, self.square = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.layer = torch.arange(len(reads), device=self.device).repeat_interleave(len(seeds))
        self.seed = torch.arange(len(seeds), device=self.device).repeat(len(reads))
        self.number = torch.arange(len(self.flat), device=self.device)
        self.room = torch.empty(len(self.flat) * min(BATCH, self.n) * shapes[0][0], device=self.device)
        """Memory for the points of a minibatch: a new one for each would take an eighth of the time."""
        self.steps = 0

    def fitted(self) -> tuple[torch.Tensor, ...]:
        """Return the best parameters [B, P], their rounds, whether each probe stopped by itself, and its loss on dev,
        [B] each."""
        import torch

        best, count = self.flat.clone(), len(self.flat)
        least = torch.full((count,), torch.inf, device=self.device)
        rounds, stopped = torch.zeros((2, count), dtype=torch.int64, device=self.device)
        epochs = math.ceil(STEPS / math.ceil(self.n / BATCH))
        for number in range(1, MOST_ROUNDS + 1):
            for _ in range(epochs):
                self._epoch()
            loss = self._dev_loss()
            better = loss < least[self.number] - GAIN
            gained = self.number[better]
            best[gained], least[gained], rounds[gained] = self.flat[better], loss[better], number
            going = number - rounds[self.number] < PATIENCE
            stopped[self.number[~going]] = 1
            if not going.any():
                break
            if not going.all():
                self._keep(going)
        return best.cpu(), rounds.cpu(), stopped.cpu(), least.cpu()

    def _epoch(self) -> None:
        import torch

        order = torch.stack([torch.randperm(self.n, generator=g) for g in self.generators]).to(self.device)
        width, classes = self.shapes[0][0], self.shapes[-1][1]
        of_layers = [(read, self.seed[own]) for read, own in self._of_layers()]
        for start in range(0, self.n, BATCH):
            chosen = order[:, start : start + BATCH]
            size, at = chosen.shape[1], 0
            points = self.room[: len(self.flat) * size * width].view(-1, size, width)
            for read, seeds in of_layers:
                read(self.rows[chosen[seeds].flatten()], points[at : at + len(seeds)].view(-1, width))
                at += len(seeds)
            one_hot = torch.nn.functional.one_hot(self.codes[chosen], classes).float()
            self._step(points, one_hot[self.seed])

    def _of_layers(self) -> list[tuple[Read, torch.Tensor]]:
        """Return, for each layer that has probes, in order, its reader and the positions of its probes."""
        found = [(read, (self.layer == layer).nonzero()[:, 0]) for layer, read in enumerate(self.reads)]
        return [(read, own) for read, own in found if len(own)]

    def _step(self, points: torch.Tensor, one_hot: torch.Tensor) -> None:
        """Take a step of Adam on a minibatch for each probe: points [B, m, d], labels [B, m, K]."""
        import torch

        parts, gradient, m = _views(self.flat, self.shapes), torch.empty_like(self.flat), points.shape[1]
        of = _views(gradient, self.shapes)
        inputs = [points]
        for weights, bias in parts[:-1]:
            inputs.append(torch.baddbmm(bias, inputs[-1], weights).relu_())
        error = torch.baddbmm(parts[-1][1], inputs[-1], parts[-1][0]).softmax(2).sub_(one_hot).div_(m)
        for i in range(len(parts) - 1, -1, -1):
            of[i][0].copy_(torch.bmm(inputs[i].transpose(1, 2), error)).add_(parts[i][0], alpha=ALPHA / m)
            of[i][1].copy_(error.sum(1, keepdim=True))
            if i:
                back = torch.bmm(error, parts[i][0].transpose(1, 2))
                error = torch.ops.aten.threshold_backward(back, inputs[i], 0)
        self.steps += 1
        self.mean.lerp_(gradient, 1 - MOMENTUM)
        self.square.mul_(SQUARES).addcmul_(gradient, gradient, value=1 - SQUARES)
        size = self.square.sqrt().div_((1 - SQUARES**self.steps) ** 0.5).add_(EPSILON)
        self.flat.addcdiv_(self.mean, size, value=-RATE / (1 - MOMENTUM**self.steps))

    def _dev_loss(self) -> torch.Tensor:
        """Return the mean loss of each probe on dev in nats, [B]."""
        import torch

        total = torch.zeros(len(self.flat), dtype=torch.float64, device=self.device)
        for read, own in self._of_layers():
            for start in range(0, len(self.dev), ROWS):
                rows, codes = self.dev[start : start + ROWS], self.dev_codes[start : start + ROWS]
                points = read(rows, torch.empty(len(rows), self.shapes[0][0], device=self.device))
                for probe in own.tolist():
                    found = points
                    for i, (weights, bias) in enumerate(_views(self.flat[probe], self.shapes)):
                        found = torch.addmm(bias, found.relu() if i else found, weights)
                    total[probe] += torch.nn.functional.cross_entropy(found, codes, reduction="sum")
        return (total / len(self.dev)).float()

    def _keep(self, going: torch.Tensor) -> None:
        """Go on with some probes only."""
        self.flat, self.mean, self.square = self.flat[going], self.mean[going], self.square[going]
        self.layer, self.seed, self.number = self.layer[going], self.seed[going], self.number[going]


def _views(flat: torch.Tensor, shapes: list[tuple[int, int]]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the weights [..., inputs, outputs] and biases [..., 1, outputs] in flat parameters [..., P]."""
    found, at = [], 0
    for a, b in shapes:
        found.append(
            (flat[..., at : at + a * b].unflatten(-1, (a, b)), flat[..., at + a * b : at + a * b + b].unsqueeze(-2))
        )
        at += a * b + b
    return found


def _initial(shapes: list[tuple[int, int]], generator: torch.Generator) -> torch.Tensor:
    """Return initial parameters [P], uniform within Glorot's bounds (2010), biases too, as scikit-learn's are."""
    import torch

    parts = [(2 * torch.rand(a * b + b, generator=generator) - 1) * (6 / (a + b)) ** 0.5 for a, b in shapes]
    return torch.cat(parts)


def _reader(layer: Rows, device: str) -> Read:
    """Return the function that reads rows of a layer, to float32 on the device."""
    import torch

    if not isinstance(layer, np.ndarray):
        return lambda rows, out: out.copy_(torch.from_numpy(layer[rows.cpu().numpy()]))
    held = _tensor(layer.astype(np.float32, copy=False), device)
    return lambda rows, out: torch.index_select(held, 0, rows, out=out)


def _tensor(array: np.ndarray, device: str) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array)).to(device)
