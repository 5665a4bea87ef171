"""Read the inputs of measures, and name them by their digests.

A new kind of input is one class here. It defines what a measure receives and how many bytes that takes; no other code
depends on the kind of a measure's inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from store.errors import BertdynError
from store.results import InputDigest, annotation_resource, checkpoint_resource

if TYPE_CHECKING:
    import numpy as np

    from explorer.measures.declaration import At, Input
    from store.keys import AnnotationInfo, Checkpoint, CorpusInfo
    from store.store import Store

_ITEM_BYTES = 2


@dataclass(eq=False)
class StoredLayer:
    """One layer of a stored checkpoint, read on request (implements ``explorer.measures.Layer``)."""

    store: Store
    checkpoint: Checkpoint
    layer: int
    identity: str
    width: int
    heads: int
    hidden_chunk: int
    attention_chunk: int

    @classmethod
    def of(cls, store: Store, checkpoint: Checkpoint, layer: int) -> StoredLayer:
        """Return a layer of a checkpoint; 0 is the embedding output.

        The identity includes the corpus's name: equal arrays with different special tokens or words are different
        sides.
        """
        hidden_chunk, attention_chunk = store.chunks(checkpoint.corpus, checkpoint.key)
        digests = "/".join(checkpoint.digests.get(name, "") for name in ("hidden", "attention"))
        return cls(
            store,
            checkpoint,
            layer,
            f"{layer}/{digests}/{checkpoint.corpus}",
            checkpoint.width,
            checkpoint.heads,
            hidden_chunk,
            attention_chunk,
        )

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Return hidden states [stop - start, width] of tokens start..stop, as stored."""
        return self.store.hidden(self.checkpoint.corpus, self.checkpoint.key, self.layer, start, stop)

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        """Return packed attention entries start..stop [stop - start] of one head (from 1)."""
        return self.store.attention(self.checkpoint.corpus, self.checkpoint.key, self.layer, head, start, stop)


class CheckpointInput(Protocol):
    """A kind of input that belongs to a checkpoint on a corpus."""

    def read(self, store: Store, checkpoint: Checkpoint, layer: int | None, opened: ExitStack) -> object:
        """Return the measure's input.

        Args:
            layer: the cell's layer; None if a cell has values of all layers.
            opened: closes the input's files when the cell is computed.
        """
        ...

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Estimate the bytes that one cell reads, given the numbers of tokens and of pairs of tokens."""
        ...


class LayerInput:
    """Arrays of one layer, or of all layers if the cell has no layer."""

    def read(self, store: Store, checkpoint: Checkpoint, layer: int | None, opened: ExitStack) -> object:
        """Return the layer or, if the cell has none, a tuple of all layers, the embedding output first."""
        if layer is not None:
            return StoredLayer.of(store, checkpoint, layer)
        return tuple(StoredLayer.of(store, checkpoint, n) for n in range(checkpoint.layers + 1))


class HiddenInput(LayerInput):
    """Hidden states [tokens, width] of a layer."""

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Return about how much one layer takes."""
        return _ITEM_BYTES * tokens * checkpoint.width


class AttentionInput(LayerInput):
    """Attentions [heads, pairs] of a layer."""

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Return about how much one layer takes."""
        return _ITEM_BYTES * pairs * checkpoint.heads


class WeightsInput:
    """Weights of the model, from the folder that the checkpoint was extracted from."""

    def read(self, store: Store, checkpoint: Checkpoint, layer: int | None, opened: ExitStack) -> object:
        """Return the weights of all layers; each is read on request.

        Raises:
            BertdynError: the folder is gone or now holds other weights.
        """
        from store.models.weights import StoredWeights

        return opened.enter_context(StoredWeights.of(store, checkpoint.corpus, checkpoint.key))

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Estimate the bytes of one layer: twelve matrices of width x width in float32."""
        return 12 * 4 * checkpoint.width**2


class LogitsInput:
    """Logits of the checkpoint's own classifier, with the names of its classes."""

    def read(self, store: Store, checkpoint: Checkpoint, layer: int | None, opened: ExitStack) -> object:
        """Return the logits, whatever the layer."""
        from store.outputs import Outputs

        return Outputs(*store.logits(checkpoint.corpus, checkpoint.key))

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Estimate the bytes: at most a few classes per token."""
        return 8 * 4 * tokens


class ClassifierInput:
    """The checkpoint's own classifier with its pooler, from the store, for vectors of any layer."""

    def read(self, store: Store, checkpoint: Checkpoint, layer: int | None, opened: ExitStack) -> object:
        """Return the classifier, whatever the layer.

        Raises:
            BertdynError: it cannot be built from its stored weights.
        """
        from store.evaluation.on_vectors import StoredClassifier

        return StoredClassifier.of(store, checkpoint)

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Estimate the bytes: one matrix of width x width in float32."""
        return 4 * checkpoint.width**2


class ModelInput:
    """The model with its own classifier, from the folder that the checkpoint was extracted from."""

    def read(self, store: Store, checkpoint: Checkpoint, layer: int | None, opened: ExitStack) -> object:
        """Return the model, whatever the layer; it is loaded when it first runs."""
        from store.evaluation.model import StoredModel

        return StoredModel(store, checkpoint)

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Estimate the bytes of all layers' weights: twelve matrices of width x width in float32 per layer."""
        return 12 * 4 * checkpoint.width**2 * checkpoint.layers


class MetricsInput:
    """Evaluation metrics that the Trainer logged at the checkpoint's step."""

    def read(self, store: Store, checkpoint: Checkpoint, layer: int | None, opened: ExitStack) -> object:
        """Return the metrics by name, whatever the layer."""
        return checkpoint.metrics

    def bytes(self, checkpoint: Checkpoint, tokens: int, pairs: int) -> int:
        """Return nothing: the listing has them."""
        return 0


INPUTS: Mapping[str, CheckpointInput] = {
    "hidden": HiddenInput(),
    "attention": AttentionInput(),
    "logits": LogitsInput(),
    "weights": WeightsInput(),
    "classifier": ClassifierInput(),
    "model": ModelInput(),
    "metrics": MetricsInput(),
}
"""Inputs by ``measures.declaration.Input.kind``."""


def checkpoint_digests(one: Input, checkpoint: Checkpoint) -> tuple[InputDigest, ...]:
    """Return the digests of an input of a checkpoint.

    Raises:
        BertdynError: the checkpoint was stored without it.
    """
    if not set(one.digests) <= set(checkpoint.digests):
        raise BertdynError(f"{checkpoint.key} was stored without {one.title}.")
    resource = checkpoint_resource(checkpoint.corpus, checkpoint.key)
    return tuple(InputDigest(kind, resource, checkpoint.digests[kind]) for kind in one.digests)


class CorpusInput(Protocol):
    """A kind of input that belongs to a corpus."""

    def find(self, corpus: CorpusInfo, named: str) -> tuple[InputDigest | None, AnnotationInfo | None]:
        """Return the digest of the input, and the annotation that holds it; None where there is none.

        Args:
            named: name of the annotation; empty if none is named.

        Raises:
            BertdynError: there is no annotation of that name any more.
        """
        ...


class LabelsInput:
    """Labels of an annotation that is named."""

    def find(self, corpus: CorpusInfo, named: str) -> tuple[InputDigest | None, AnnotationInfo | None]:
        """See ``CorpusInput``; without a name, no labels are read."""
        if not named:
            return None, None
        found = next((one for one in corpus.annotations if one.name == named), None)
        if found is None:
            raise BertdynError(
                f"Corpus '{corpus.name}' has no annotation '{named}' any more: add it with 'bertdyn annotate'."
            )
        return InputDigest("annotation", annotation_resource(corpus.name, named), found.digest), found


class SplitInput:
    """The split of each example. A corpus without one has a digest too: a split may be added later."""

    def find(self, corpus: CorpusInfo, named: str) -> tuple[InputDigest | None, AnnotationInfo | None]:
        """See ``CorpusInput``."""
        found = corpus.split
        return InputDigest("split", corpus.name, "" if found is None else found.digest), found


CORPUS_INPUTS: Mapping[str, CorpusInput] = {"annotation": LabelsInput(), "split": SplitInput()}
"""Inputs by ``measures.declaration.Input.kind``."""


def layer_of(role_layers: At, role: str) -> int | None:
    """Return the layer of an operand; the reference may have its own."""
    return role_layers.ref_layer if role == "reference" else role_layers.layer
