"""Keep the outputs of layers below the changed ones, so that they run once and not in every pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from store.models.load import Encoder

LIMIT = 256 * 2**20
"""Bytes of outputs kept at once. If all layers take more, only every second layer's are kept, or every third's, ..."""


class LowerLayers:
    """Outputs of unchanged layers in each batch of one corpus.

    Passes that start above them give the same bits: the layers above get the very same tensors.
    """

    def __init__(self, encoder: Encoder, tokens: int, limit: int = LIMIT) -> None:
        """
        Args:
            tokens: number of tokens of the corpus.
            limit: bytes that may be kept.
        """
        from torch import nn

        shape = encoder.geometry
        lists = [m for m in encoder.model.modules() if isinstance(m, nn.ModuleList) and len(m) == shape.layers]
        self._layers = list(lists[0]) if len(lists) == 1 else []
        every = -(-4 * tokens * shape.width * shape.layers // limit) or 1
        self._chosen = range(every, len(self._layers) + 1, every)
        self._kept: dict[tuple[int, int], Any] = {}

    @contextmanager
    def below(self, changed: int, batch: int) -> Iterator[None]:
        """Start the pass of a batch above the last kept layer below the changed ones; keep outputs that are not kept.

        Args:
            changed: lowest layer with changed weights; 0: embeddings.
            batch: number of the batch.
        """
        there = [n for n in self._chosen if n < changed and (n, batch) in self._kept]
        new = [n for n in self._chosen if n < changed and (n, batch) not in self._kept]
        skipped = self._layers[: max(there, default=0)]
        hooks = [self._layers[n - 1].register_forward_hook(self._keeper(n, batch)) for n in new]
        try:
            for layer in skipped:
                layer.forward = self._constant(self._kept[len(skipped), batch])
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for layer in skipped:
                vars(layer).pop("forward", None)

    def _keeper(self, layer: int, batch: int) -> Any:
        def keep(module: Any, given: Any, output: Any) -> None:
            # Attention maps, the second part of some outputs, are large, and nothing above needs them.
            self._kept[layer, batch] = (output[0], *(None for _ in output[1:])) if isinstance(output, tuple) else output

        return keep

    @staticmethod
    def _constant(output: Any) -> Any:
        return lambda *given, **named: output
