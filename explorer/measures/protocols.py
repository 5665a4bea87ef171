"""Protocols of the inputs of measures, implemented both by stored data and by arrays in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


class Corpus(Protocol):
    """Corpus of E examples, T tokens and W words, packed without padding (``store.keys.Corpus`` implements it)."""

    @property
    def offsets(self) -> np.ndarray:
        """Offsets of the examples in tokens, int64 [E + 1]."""
        ...

    @property
    def special(self) -> np.ndarray:
        """Whether each token is special ([CLS], [SEP], ...), bool [T]."""
        ...

    @property
    def word_first(self) -> np.ndarray:
        """First token of each word on the packed axis, int64 [W]."""
        ...

    @property
    def word_length(self) -> np.ndarray:
        """Number of sub-words of each word, int32 [W]."""
        ...

    @property
    def word_offsets(self) -> np.ndarray:
        """Offsets of the examples in words, int64 [E + 1]."""
        ...

    @property
    def same_text(self) -> np.ndarray:
        """Number of each example's text, the same for texts that are the same input of the model, int64 [E]."""
        ...

    @property
    def word_types(self) -> np.ndarray | None:
        """Type of each word, the same number for words of the same token ids, int64 [W]; None if these are unknown."""
        ...


class Labels(Protocol):
    """Classes of sentences, words, spans, arcs or pairs of a corpus (``store.keys.Annotation`` implements it)."""

    @property
    def level(self) -> str:
        """Unit that has a label: ``sentence``, ``word``, ``span``, ``arc`` or ``pair``."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels, in the order of the ids."""
        ...

    @property
    def values(self) -> np.ndarray:
        """Label ids, int32 [E], [W] or, for S spans, arcs or pairs, [S]; negative if there is no label."""
        ...

    @property
    def items(self) -> np.ndarray | None:
        """Positions of words, int64 [S, 2] or [S, 4]; None for sentences and words.

        Of an arc, the word and its head; of a span, the first and the last word; of a pair, those of both spans.
        """
        ...


class Layer(Protocol):
    """One layer of one checkpoint on one corpus."""

    identity: str
    """Identity of the arrays, equal for equal arrays: the key for caching intermediate results."""
    width: int
    heads: int
    hidden_chunk: int
    """Number of tokens per stored chunk; reads aligned with it read no byte twice."""
    attention_chunk: int
    """Number of entries of one head's packed maps per stored chunk."""

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Return the hidden states of tokens start..stop of the packed axis, [stop - start, width], as stored."""
        ...

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        """Return attention entries start..stop of one head (from 1), packed by example, then by row."""
        ...


class Weights(Protocol):
    """The weights of one checkpoint, read on request."""

    identity: str
    """Identity of the weights, equal for equal ones."""
    classes: tuple[str, ...]
    """Names of the classes of its classifier; empty if it has none."""

    def modules(self, layer: int | None) -> Mapping[str, str]:
        """Return the module of each weight of a layer, by the weight's name; None: weights without a layer."""
        ...

    def tensor(self, name: str) -> np.ndarray:
        """Return one weight as float32."""
        ...

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of one weight, without reading it."""
        ...

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Return entries ``start`` to ``stop`` of one weight that is laid out in one row, float32."""
        ...


class Outputs(Protocol):
    """The outputs of a checkpoint's own classifier on a corpus."""

    @property
    def logits(self) -> np.ndarray:
        """Logits, float32 [examples or tokens, classes]."""
        ...

    @property
    def head(self) -> str:
        """Kind of classifier: rows are examples (``sequence``), tokens (``token``), or tokens that may start or end a
        span (``span``)."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        ...

    @property
    def problem(self) -> str:
        """Kind of problem: ``single_label_classification``, ``multi_label_classification`` or ``regression``."""
        ...


class VectorClassifier(Protocol):
    """The classifier of a checkpoint, with its pooler, for hidden states of any layer."""

    @property
    def head(self) -> str:
        """Kind of classifier, as in ``Outputs``."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        ...

    @property
    def problem(self) -> str:
        """Kind of problem, as in ``Outputs``."""
        ...

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """Return the logits of vectors [n, width], float32 [n, classes].

        A vector is the first token of an example for a classifier of sequences, else any token.
        """
        ...


class Model(Protocol):
    """A checkpoint's model with its own classifier, which is run on a corpus with some weights changed.

    The weights are changed in place and restored exactly after each call.
    """

    layers: int
    heads: int
    identity: str
    """Identity of model and corpus, equal for equal ones: part of the key for caching logits."""

    @property
    def head(self) -> str:
        """Kind of classifier, as in ``Outputs``."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        ...

    @property
    def problem(self) -> str:
        """Kind of problem, as in ``Outputs``."""
        ...

    @property
    def pooler(self) -> bool:
        """Whether the classifier uses a pooler."""
        ...

    def logits(self, values: Mapping[str, np.ndarray], device: str, examples: np.ndarray | None = None) -> np.ndarray:
        """Return the logits with other values of some weights, float32 [examples or tokens, classes].

        Args:
            values: new values by the names that ``Weights`` uses, float32.
            device: device of torch.
            examples: examples to run, ascending, int64; the rows of the others are zero. None: all.
        """
        ...

    def curvature(self, names: Collection[str] | None, rows: np.ndarray, classes: np.ndarray, device: str) -> Curvature:
        """Return the mean cross-entropy of rows as a function of some weights.

        Args:
            names: names of weights in ``Weights``; None: all weights that the classifier uses.
            rows: rows of the logits (examples or tokens), ascending, int64 [n].
            classes: true class of each row, int64 [n].
            device: device of torch.
        """
        ...


class Curvature(Protocol):
    """A loss as a function of some weights, as one vector, at and near the weights of a checkpoint."""

    products: str
    """How products with the Hessian are computed: ``exact`` or by ``finite differences`` of gradients."""

    @property
    def weights(self) -> np.ndarray:
        """Return the weights, float32 [size]."""
        ...

    def slope(self, change: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """Return loss in nats and gradient, float64 [size], at the weights plus a change; None: no change.

        Args:
            change: float32 [size].
        """
        ...

    def product(self, vector: np.ndarray) -> np.ndarray:
        """Return the product of the Hessian with a vector [size], float64 [size]."""
        ...


class Shelf(Protocol):
    """A cache on disk for arrays of one side, shared by all processes; its entries may disappear at any time.

    A key is a sequence of texts with everything that the arrays depend on, including the code version; the first text
    is the name of the family.
    """

    def get(self, key: Sequence[str]) -> Mapping[str, np.ndarray] | None:
        """Return the arrays of a key, after a check; None if there are none or they are damaged."""
        ...

    def put(self, key: Sequence[str], arrays: Mapping[str, np.ndarray]) -> None:
        """Cache arrays, completely or not at all; a cache that is not writable silently ignores them."""
        ...


class NoShelf:
    """A cache that stores nothing."""

    def get(self, key: Sequence[str]) -> Mapping[str, np.ndarray] | None:
        """See Shelf."""
        return None

    def put(self, key: Sequence[str], arrays: Mapping[str, np.ndarray]) -> None:
        """See Shelf."""
