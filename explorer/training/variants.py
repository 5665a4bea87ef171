"""The variants of a fine-tuning run: what is frozen, removed or re-initialised before it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.training.base import Base, copy_weights, placed
from explorer.training.settings import Settings
from store.models.names import POOLER


@dataclass(frozen=True)
class Kind:
    """A kind of variant."""

    name: str
    meaning: str
    """What happens to k layers."""
    prepare: Callable[[Base, int, Settings], Any]
    """Return the model to train; new weights are drawn by torch's global generator."""
    lowest: int
    """Smallest number of layers that makes sense."""
    counted: bool = True
    """Whether it is made for a number of layers; otherwise there is one variant."""
    freezes: bool = False
    """Whether layers keep their weights, so that one can choose whether dropout stays on inside them."""


@dataclass(frozen=True)
class Variant:
    """One variant."""

    kind: Kind
    k: int
    """Number of layers; 0 for a kind without a number."""

    @property
    def name(self) -> str:
        """Its name in checkpoints' keys: ``freeze-6``, ``scratch``."""
        return f"{self.kind.name}-{self.k}" if self.kind.counted else self.kind.name

    def model(self, base: Base, settings: Settings) -> Any:
        """Return the model to train.

        Raises:
            BertdynError: the base cannot be loaded.
        """
        model = self.kind.prepare(base, self.k, settings)
        if settings.pooler == "fresh":
            _renew(model, base.fresh(model.config.num_hidden_layers), lambda module, layer: module == POOLER)
        return model


def _freeze(base: Base, k: int, settings: Settings) -> Any:
    """Freeze the embeddings and the bottom k layers: no gradients, no updates, no backward pass; k = 0 freezes none."""
    model = base.load()
    if k:
        where = placed(model)
        for name, weight in model.named_parameters():
            layer = where[name].layer if name in where else None
            weight.requires_grad = layer is None or layer > k
        if not settings.frozen_dropout:
            _without_dropout(model)
    return model


def _truncate(base: Base, k: int, settings: Settings) -> Any:
    """Keep the bottom k layers and put the classifier on layer k."""
    return base.load(layers=k)


def _reinit(base: Base, k: int, settings: Settings) -> Any:
    """Draw the weights of the top k layers with the model's own initialiser; the rest stays pre-trained."""
    model, lowest = base.load(), base.layers - k + 1
    _renew(model, base.fresh(), lambda module, layer: layer is not None and layer >= lowest)
    return model


def _scratch(base: Base, k: int, settings: Settings) -> Any:
    """Draw all weights with the model's own initialiser."""
    return base.fresh()


def _renew(model: Any, fresh: Any, chosen: Callable[[str, int | None], bool]) -> None:
    """Take the weights of chosen modules and layers from a fresh model."""
    copy_weights(model, fresh, [name for name, at in placed(model).items() if chosen(at.module, at.layer)])


def _without_dropout(model: Any) -> None:
    """Leave modules whose weights are all frozen, and what they contain, in evaluation mode for good."""
    for module in model.children():
        weights = list(module.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            module.eval()
            module.train = lambda mode=True, module=module: module
        else:
            _without_dropout(module)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("freeze", "the embeddings and the bottom k layers keep their weights", _freeze, 0, freezes=True),
        Kind("truncate", "the classifier sits on layer k; the layers above are removed", _truncate, 1),
        Kind("reinit", "the top k layers start from new weights", _reinit, 0),
        Kind("scratch", "all weights are new", _scratch, 0, counted=False),
    )
}
