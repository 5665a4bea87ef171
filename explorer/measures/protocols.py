"""What measures are given, as they see it: whoever reads a store, or arrays in memory, fits these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import numpy as np


class Corpus(Protocol):
    """The corpus as measures see it; packed, without padding (``store.keys.Corpus`` fits)."""

    @property
    def offsets(self) -> np.ndarray:
        """int64 [E + 1], tokens."""
        ...

    @property
    def special(self) -> np.ndarray:
        """bool [T]."""
        ...

    @property
    def word_first(self) -> np.ndarray:
        """int64 [W], token of the packed axis."""
        ...

    @property
    def word_length(self) -> np.ndarray:
        """int32 [W], sub-words."""
        ...

    @property
    def word_offsets(self) -> np.ndarray:
        """int64 [E + 1], words."""
        ...


class Labels(Protocol):
    """Classes of sentences or words of a corpus (``store.keys.Annotation`` fits)."""

    @property
    def level(self) -> str:
        """``sentence`` or ``word``: what a label belongs to."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels, in the order of the ids."""
        ...

    @property
    def values(self) -> np.ndarray:
        """int32 ids [E] or [W]; negative without a label."""
        ...


class Layer(Protocol):
    """One layer of one checkpoint on one corpus."""

    identity: str
    """Equal for equal arrays: what belongs to this side alone may be kept under it."""
    width: int
    heads: int
    hidden_chunk: int
    """Tokens of a stored chunk: reads along its multiples cost no byte twice."""
    attention_chunk: int
    """Likewise entries of one head's packed maps."""

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Hidden states of tokens start..stop of the packed axis, [stop - start, width], in the stored dtype."""
        ...

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        """Attention entries start..stop of one head (from 1), packed example after example, row after row."""
        ...


class Weights(Protocol):
    """The weights of one checkpoint, read when they are asked for; a context that closes its files."""

    def modules(self, layer: int | None) -> Mapping[str, str]:
        """The module of each weight of one layer, by the weight's name; None: of what has no layer."""
        ...

    def tensor(self, name: str) -> np.ndarray:
        """One weight, float32."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Outputs(Protocol):
    """What a checkpoint's own classifier says of a corpus."""

    @property
    def logits(self) -> np.ndarray:
        """float32 [examples or tokens, classes]."""
        ...

    @property
    def head(self) -> str:
        """``sequence``: a row is an example; ``token``: a token; ``span``: a token, as a span's start and end."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        ...

    @property
    def problem(self) -> str:
        """``single_label_classification``, ``multi_label_classification`` or ``regression``."""
        ...


class Shelf(Protocol):
    """A lasting place for arrays that belong to one side alone, shared by all processes; anything may be gone from it.

    Keys are texts that say everything the arrays depend on, code version included; the first is the family's name.
    """

    def get(self, key: Sequence[str]) -> Mapping[str, np.ndarray] | None:
        """The arrays, checked; None where there are none (or they were damaged)."""
        ...

    def put(self, key: Sequence[str], arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays, whole or not at all; a shelf that cannot be written keeps nothing and says nothing."""
        ...


class NoShelf:
    """Keeps nothing."""

    def get(self, key: Sequence[str]) -> Mapping[str, np.ndarray] | None:
        """See Shelf."""
        return None

    def put(self, key: Sequence[str], arrays: Mapping[str, np.ndarray]) -> None:
        """See Shelf."""
