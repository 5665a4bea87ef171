"""Run a stored checkpoint's model on its corpus with changed weights, one model in memory at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from store.errors import BertdynError
from store.evaluation.lower import LowerLayers
from store.models.names import CLASSIFIER, POOLER, places
from store.models.weights import Source, source_of
from store.outputs import Classes

if TYPE_CHECKING:
    import numpy as np

    from store.evaluation.curvature import Curvature
    from store.keys import Checkpoint, Corpus
    from store.models.classifier import Classifying
    from store.models.load import Encoder
    from store.store import Store


class StoredModel:
    """A stored checkpoint's model and classifier (implements ``explorer.measures.protocols.Model``).

    Nothing is loaded before ``logits`` or ``curvature`` is called.
    """

    def __init__(self, store: Store, checkpoint: Checkpoint) -> None:
        self._store, self._checkpoint = store, checkpoint
        self.heads = checkpoint.heads
        self.layers = checkpoint.layers
        digests = (checkpoint.digests[kind] for kind in ("weights", "classifier", "logits"))
        self.identity = "/".join((*digests, checkpoint.corpus))

    @property
    def head(self) -> str:
        """Kind of classifier: ``sequence``, ``token`` or ``span``."""
        return self._classes.head

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self._classes.labels

    @property
    def problem(self) -> str:
        """Kind of problem: single label, multi label or regression."""
        return self._classes.problem

    @cached_property
    def pooler(self) -> bool:
        """Whether the classifier uses a pooler."""
        return any(name.startswith(f"{POOLER}.") for name in self._store.classifier(*self._where))

    def logits(self, values: Mapping[str, np.ndarray], device: str, examples: np.ndarray | None = None) -> np.ndarray:
        """Return the logits with some weights changed, float32 [examples or tokens, classes].

        Args:
            values: new values of weights, by their names in ``StoredWeights``, float32.
            device: device of torch.
            examples: examples to run, ascending, int64; the rows of the others are zero. None: all.

        Raises:
            BertdynError: the folder is gone or holds other weights or another classifier; layers share weights; a
                weight is unknown or has another shape; the model fails.
        """
        from store.evaluation.changes import changed
        from store.evaluation.passes import logits_of

        corpus, key = self._where
        loaded = _loaded(source_of(self._store.attributes(corpus, key), key), self._classes, device)
        if loaded.shared:
            raise _shares(loaded)
        chosen = None if examples is None else tuple(examples.tolist())
        texts, lower = _on_corpus(loaded, self._store, corpus, self.identity, chosen)
        first = min((loaded.layers.get(name, 0) for name in values), default=self.layers + 1)
        with changed(loaded.parameters, values):
            return logits_of(loaded.encoder, loaded.classifying, texts, lower, first, examples)

    def curvature(self, names: Collection[str] | None, rows: np.ndarray, classes: np.ndarray, device: str) -> Curvature:
        """Return the mean cross-entropy of rows as a function of some weights.

        Args:
            names: names of weights in ``StoredWeights``; None: all weights that the classifier uses.
            rows: rows of the logits (examples or tokens), ascending, int64 [n].
            classes: true class of each row, int64 [n].
            device: device of torch.

        Raises:
            BertdynError: the folder is gone or holds other weights or another classifier; some weights are asked for
                and layers share theirs; a weight is unknown.
        """
        from store.evaluation.curvature import Curvature

        corpus, key = self._where
        loaded = _loaded(source_of(self._store.attributes(corpus, key), key), self._classes, device)
        if loaded.shared and names is not None:
            raise _shares(loaded)
        # An encoder may have a pooler that its classifier does not use.
        used = [name for name in loaded.parameters if self.pooler or not name.startswith(f"{POOLER}.")]
        chosen = used if names is None else names
        for name in chosen:
            if name not in loaded.parameters:
                raise BertdynError(f"The model has no weight '{name}'.")
        return Curvature(
            loaded.encoder,
            loaded.classifying,
            {name: loaded.parameters[name] for name in chosen},
            self._store.corpus(corpus),
            rows,
            classes,
            min(loaded.layers[name] for name in chosen),
        )

    @property
    def _where(self) -> tuple[str, Any]:
        return self._checkpoint.corpus, self._checkpoint.key

    @cached_property
    def _classes(self) -> Classes:
        return self._store.logits(*self._where)[1]


@dataclass(frozen=True, eq=False)
class _Loaded:
    encoder: Encoder
    classifying: Classifying
    parameters: Mapping[str, Any]
    """Parameters of the encoder, its pooler and its classifier, by name."""
    layers: Mapping[str, int]
    """Layer of each parameter; one more than the layers for pooler and classifier."""
    shared: bool
    """Whether layers share weights."""


def _shares(loaded: _Loaded) -> BertdynError:
    return BertdynError(
        f"The layers of {loaded.encoder.folder} share their weights: none of them can be changed alone."
    )


@lru_cache(maxsize=1)
def _on_corpus(
    loaded: _Loaded, store: Store, name: str, identity: str, examples: tuple[int, ...] | None
) -> tuple[Corpus, LowerLayers]:
    """Return a corpus and what is kept of a model's layers on some of its examples."""
    corpus = store.corpus(name)
    return corpus, LowerLayers(loaded.encoder, corpus.info.tokens)


@lru_cache(maxsize=1)
def _loaded(source: Source, classes: Classes, device: str) -> _Loaded:
    """Load a model with its classifier; the last one stays in memory.

    Raises:
        BertdynError: it cannot be loaded; its classifier is not the stored one.
    """
    import torch

    from store.models.classifier import classifying
    from store.models.load import load, look

    _loaded.cache_clear()  # never two models in memory
    _on_corpus.cache_clear()
    model = look(source.folder, source.base)
    encoder = load(model, torch.device(device))
    found = classifying(encoder, model.config)
    if isinstance(found, str):
        raise BertdynError(f"{source.folder} has no classifier to run: {found}.")
    if found.classifier.classes != classes:
        raise BertdynError(
            f"{source.folder} now names other classes ({', '.join(found.classifier.classes.labels)}) than when it was "
            f"extracted ({', '.join(classes.labels)}): extract it again with --replace."
        )
    own = dict(found.model.named_parameters())
    where = places(own, f"{found.model.base_model_prefix}.")
    top = encoder.geometry.layers + 1
    return _Loaded(
        encoder,
        found,
        {place.name: own[name] for name, place in where.items()},
        {place.name: top if place.module in (POOLER, CLASSIFIER) else place.layer or 0 for place in where.values()},
        any(place.group for place in where.values()),
    )
