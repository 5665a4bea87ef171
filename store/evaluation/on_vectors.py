"""Apply a stored classifier, with its pooler, to hidden states: no encoder and no file but the store is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from store.errors import BertdynError
from store.models.quiet import first_line, quiet
from store.outputs import Classes

if TYPE_CHECKING:
    from store.keys import Checkpoint
    from store.store import Store

_ROWS = 1 << 14
"""Number of vectors per pass."""


class StoredClassifier:
    """A checkpoint's classifier (implements ``explorer.measures.protocols.VectorClassifier``)."""

    def __init__(self, model: Any, classes: Classes) -> None:
        self._model = model
        self.head = classes.head
        self.labels = classes.labels
        self.problem = classes.problem

    @classmethod
    def of(cls, store: Store, checkpoint: Checkpoint) -> StoredClassifier:
        """Build the classifier of a stored checkpoint.

        Its class comes from transformers by its name, in its default configuration with the sizes of the weights. So a
        classifier with an unusual activation is built wrongly: compare its logits of the last layer with the stored.

        Raises:
            BertdynError: transformers does not know the class, or the stored weights do not fit it.
        """
        _, classes = store.logits(checkpoint.corpus, checkpoint.key)
        weights = store.classifier(checkpoint.corpus, checkpoint.key)
        return cls(_built(checkpoint, classes, weights), classes)

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """Return the logits of vectors [n, width], float32 [n, classes]; each is an example's first token or a token.

        Raises:
            BertdynError: the classifier does not work on single vectors.
        """
        import torch

        found = np.empty((len(vectors), len(self.labels)), np.float32)
        for start in range(0, len(vectors), _ROWS):
            part = torch.from_numpy(np.ascontiguousarray(vectors[start : start + _ROWS], np.float32))[:, None]
            try:
                with torch.inference_mode():
                    logits = self._model(part, return_dict=True).logits
            except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
                name = type(self._model).__name__
                raise BertdynError(f"{name} cannot classify single vectors: {first_line(error)}") from None
            found[start : start + _ROWS] = logits.reshape(len(part), -1).numpy()
        return found


def _built(checkpoint: Checkpoint, classes: Classes, weights: Mapping[str, np.ndarray]) -> Any:
    import torch
    import transformers

    name = checkpoint.model_class
    made = getattr(transformers, name, None)
    if made is None:
        raise BertdynError(f"transformers has no class {name}, so the classifier of {checkpoint.key} cannot be built.")
    sizes = {"hidden_size": checkpoint.width, "num_attention_heads": checkpoint.heads, "num_hidden_layers": 1}
    try:
        with quiet(), torch.device("meta"):  # takes no memory
            model = made(made.config_class(**sizes, num_labels=len(classes.labels), problem_type=classes.problem))
        prefix = model.base_model_prefix
        setattr(model, prefix, _given(getattr(model.base_model, "pooler", None)))
        state = {
            name: torch.from_numpy(np.ascontiguousarray(weights[name.removeprefix(f"{prefix}.")]))
            for name in model.state_dict()
        }
        model.load_state_dict(state, assign=True)
    except Exception as error:  # any error of the model's class: the weights do not fit it
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise BertdynError(f"The classifier of {checkpoint.key} ({name}) cannot be built: {said}") from None
    return model.eval()


def _given(pooler: Any) -> Any:
    """Return a module in the place of an encoder, which returns its input as the hidden states of the last layer."""
    from torch import nn
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    class Given(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pooler = pooler

        def forward(self, input_ids: Any = None, *_: Any, **__: Any) -> Any:
            pooled = None if pooler is None else pooler(input_ids)
            return BaseModelOutputWithPooling(last_hidden_state=input_ids, pooler_output=pooled)

    return Given()
