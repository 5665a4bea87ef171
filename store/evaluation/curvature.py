"""Compute the loss of a model on labelled rows of a corpus, its gradient, and products with its Hessian."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from store.evaluation.changes import changed
from store.evaluation.lower import LowerLayers
from store.evaluation.passes import batches, forward
from store.keys import Corpus
from store.memory import is_out_of_memory
from store.models.classifier import Classifying
from store.models.load import Encoder, check_fits
from store.models.precision import full_precision

EXACT, DIFFERENCES = "exact", "finite differences"
STEP = 5e-3
"""Norm of the change of the weights in finite differences of gradients."""
BATCH_TOKENS = {"cpu": 1024, "cuda": 4096}
"""Padded tokens per batch: the graph of a second derivative takes about three times as much memory as that of a
gradient."""


@dataclass(frozen=True, eq=False)
class _Batch:
    examples: np.ndarray
    place: tuple[Any, ...]
    """Indices of the labelled rows in the batch's logits."""
    classes: Any
    """True class of each of these rows."""


class Curvature:
    """The mean cross-entropy of rows as a function of some weights (implements ``measures.protocols.Curvature``).

    It is a sum over all rows, divided by their number, so that it does not depend on the batches. The model computes in
    float32 and evaluation mode; sums over batches are in float64. Every call leaves weights, buffers and gradients as
    they were.
    """

    def __init__(
        self,
        encoder: Encoder,
        classifying: Classifying,
        parameters: Mapping[str, Any],
        corpus: Corpus,
        rows: np.ndarray,
        classes: np.ndarray,
        lowest: int,
    ) -> None:
        """
        Args:
            encoder: the encoder.
            classifying: the encoder with its classifier.
            parameters: parameters of the model to differentiate by, by name.
            corpus: E examples, T tokens.
            rows: rows of the logits, ascending, int64 [n].
            classes: true class of each row, int64 [n].
            lowest: lowest layer of the parameters; layers below it run once.

        Raises:
            BertdynError: the model has no embeddings for the corpus.
        """
        check_fits(encoder, corpus)
        self._encoder, self._classifying, self._corpus = encoder, classifying, corpus
        self._parameters = dict(sorted(parameters.items()))
        self._first = lowest
        self._lower = LowerLayers(encoder, corpus.info.tokens)
        self._rows = len(rows)
        self._batches = self._split(rows, classes)
        sizes = [parameter.numel() for parameter in self._parameters.values()]
        self._ends = np.cumsum([0, *sizes])
        self.products = EXACT

    @property
    def weights(self) -> np.ndarray:
        """Return the weights as one vector, float32 [size]."""
        return np.concatenate([p.detach().cpu().numpy().reshape(-1) for p in self._parameters.values()])

    def slope(self, change: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """Return loss and gradient at the weights plus a change; None: no change.

        Args:
            change: float32 [size].

        Returns:
            loss in nats and gradient, float64 [size].

        Raises:
            BertdynError: the model fails.
        """
        import torch

        values = {} if change is None else self._values(change)
        found, total = np.zeros(self._ends[-1]), 0.0
        with changed(self._parameters, values), self._tracked() as parameters:
            for number, batch in enumerate(self._batches):
                loss = self._loss(number, batch)
                self._add(found, torch.autograd.grad(loss, parameters, allow_unused=True))
                total += loss.item()
        return total / self._rows, found / self._rows

    def product(self, vector: np.ndarray) -> np.ndarray:
        """Return the product of the Hessian with a vector [size], float64 [size].

        It is exact (the derivative of the gradient) where torch can differentiate the model twice, and a central
        difference of gradients where it cannot; ``products`` says which.

        Raises:
            BertdynError: the model fails.
        """
        if self.products == EXACT:
            try:
                return self._exact(vector)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                self.products = DIFFERENCES
        return self._difference(vector)

    def _exact(self, vector: np.ndarray) -> np.ndarray:
        import torch

        found = np.zeros(self._ends[-1])
        with self._tracked() as parameters:
            along = [torch.from_numpy(v).to(p) for v, p in zip(self._pieces(vector), parameters, strict=True)]
            for number, batch in enumerate(self._batches):
                slopes = torch.autograd.grad(
                    self._loss(number, batch), parameters, create_graph=True, allow_unused=True
                )
                pairs = [(s, v) for s, v in zip(slopes, along, strict=True) if s is not None and s.requires_grad]
                if pairs:
                    outputs, directions = zip(*pairs, strict=True)
                    # Not autograd.grad: it passes silently over functions that can be differentiated only once.
                    torch.autograd.backward(outputs, directions)
                    self._add(found, [parameter.grad for parameter in parameters])
                    _free(parameters)
        return found / self._rows

    def _difference(self, vector: np.ndarray) -> np.ndarray:
        length = float(np.linalg.norm(vector.astype(np.float64)))
        if not length:
            return np.zeros(self._ends[-1])
        change = (vector * (STEP / length)).astype(np.float32)
        return (self.slope(change)[1] - self.slope(-change)[1]) * (length / (2.0 * STEP))

    def _split(self, rows: np.ndarray, classes: np.ndarray) -> list[_Batch]:
        """Return the batches of the examples that have rows."""
        import torch

        by_example = self._classifying.classifier.classes.examples
        starts = self._corpus.offsets[:-1]
        example = rows if by_example else np.searchsorted(starts, rows, side="right") - 1
        found = []
        budget = BATCH_TOKENS.get(self._encoder.device.type, BATCH_TOKENS["cpu"])
        for examples in batches(self._encoder, self._corpus, np.unique(example), budget):
            inside = np.isin(example, examples)
            order = np.argsort(examples, kind="stable")
            row = order[np.searchsorted(examples, example[inside], sorter=order)]
            token = () if by_example else (rows[inside] - starts[example[inside]],)
            place = tuple(torch.from_numpy(one).to(self._encoder.device) for one in (row, *token))
            found.append(_Batch(examples, place, torch.from_numpy(classes[inside]).to(self._encoder.device)))
        return found

    def _loss(self, number: int, batch: _Batch) -> Any:
        """Return the sum of the cross-entropies of a batch's rows."""
        from torch.nn.functional import cross_entropy

        with self._lower.below(self._first, number):
            logits = forward(self._encoder, self._classifying, self._corpus, batch.examples)
        return cross_entropy(logits[batch.place].double(), batch.classes, reduction="sum")

    @contextmanager
    def _tracked(self) -> Iterator[Sequence[Any]]:
        """Record operations on the chosen parameters only, inside the block."""
        import torch

        chosen = tuple(self._parameters.values())
        every = tuple(self._classifying.model.parameters())
        before = [parameter.requires_grad for parameter in every]
        try:
            for parameter in every:
                parameter.requires_grad_(False)
            for parameter in chosen:
                parameter.requires_grad_(True)
            with torch.enable_grad(), full_precision():
                yield chosen
        finally:
            _free(chosen)
            for parameter, asked in zip(every, before, strict=True):
                parameter.requires_grad_(asked)

    def _add(self, found: np.ndarray, parts: Sequence[Any]) -> None:
        """Add tensors of the parameters' shapes to a vector, in place; None is zero."""
        for start, stop, part in zip(self._ends, self._ends[1:], parts, strict=False):
            if part is not None:
                found[start:stop] += part.detach().cpu().numpy().reshape(-1)

    def _pieces(self, vector: np.ndarray) -> list[np.ndarray]:
        """Return a vector as arrays of the parameters' shapes."""
        shapes = [tuple(parameter.shape) for parameter in self._parameters.values()]
        return [
            np.ascontiguousarray(vector[start:stop].reshape(shape))
            for start, stop, shape in zip(self._ends, self._ends[1:], shapes, strict=False)
        ]

    def _values(self, change: np.ndarray) -> dict[str, np.ndarray]:
        """Return the weights plus a change, by name."""
        pieces = zip(self._parameters.items(), self._pieces(change), strict=True)
        return {name: parameter.detach().cpu().numpy() + piece for (name, parameter), piece in pieces}


def _free(parameters: Sequence[Any]) -> None:
    for parameter in parameters:
        parameter.grad = None
