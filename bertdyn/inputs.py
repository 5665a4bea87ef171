"""The kinds of input that can be given as plain arrays. Other kinds, such as weights, can only be read from files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from blake3 import blake3

from bertdyn.corpora import as_numbers
from store.errors import BertdynError
from store.layout import chunk_length
from store.outputs import Classes, Outputs, Problem

if TYPE_CHECKING:
    from explorer.measures.protocols import Corpus


@dataclass(frozen=True, eq=False)
class PlainLayer:
    """One layer of plain arrays (implements ``explorer.measures.Layer``).

    It has either hidden states [t, width] or packed attention maps [heads, p].
    """

    states: np.ndarray | None
    maps: np.ndarray | None
    hidden_chunk: int
    attention_chunk: int

    @cached_property
    def identity(self) -> str:
        """Digest of the array."""
        array = np.ascontiguousarray(self.states if self.maps is None else self.maps)
        return f"{array.dtype}{array.shape}{blake3(array.reshape(-1).view(np.uint8).data).hexdigest(length=16)}"

    @property
    def width(self) -> int:
        """Number of features of a hidden state; 0 without hidden states."""
        return 0 if self.states is None else int(self.states.shape[1])

    @property
    def heads(self) -> int:
        """Number of attention heads; 0 without attention."""
        return 0 if self.maps is None else len(self.maps)

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Return the hidden states of tokens ``start`` to ``stop`` [stop - start, width]."""
        assert self.states is not None
        return self.states[start:stop]

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        """Return packed attention entries ``start`` to ``stop`` of one head; heads are counted from 1."""
        assert self.maps is not None
        return self.maps[head - 1, start:stop]


class PlainInput(ABC):
    """A kind of input that can be given as plain arrays."""

    names: ClassVar[tuple[str, ...]]
    """Names of the arguments for the first operand, the second, and so on."""
    words: ClassVar[str]
    """Description of an argument."""
    layered: ClassVar[bool] = True
    """Whether each layer has arrays of its own, so that a measure reads one layer or all of them."""

    def one_layer(self, given: object) -> bool:
        """Return whether the arrays of a single layer were given where those of several are possible."""
        return False

    @abstractmethod
    def arrays(self, given: object, name: str) -> Any:
        """Return the arrays of one layer of one operand, checked and converted to numpy.

        Raises:
            BertdynError: the arrays have another shape.
        """

    @abstractmethod
    def lengths(self, arrays: Any) -> Sequence[int]:
        """Return the number of tokens of each example; used where the caller did not name the examples."""

    @abstractmethod
    def read(self, arrays: Any, name: str, corpus: Corpus, classes: object) -> object:
        """Return the object that the measure reads.

        Raises:
            BertdynError: the arrays do not fit the examples or the classes.
        """


class PlainRows(PlainInput):
    """An array [n, d] with one row per token or example."""

    shape: ClassVar[str]
    """Content of the array and its axes, for error messages."""

    def one_layer(self, given: object) -> bool:
        """See ``PlainInput``: an array with two axes."""
        return getattr(given, "ndim", 0) == 2

    def arrays(self, given: object, name: str) -> np.ndarray:
        """See ``PlainInput``."""
        found = as_numbers(given, name)
        if found.ndim != 2:
            raise BertdynError(f"{name}: {self.shape}, not one of shape {found.shape}.")
        return found

    def lengths(self, arrays: np.ndarray) -> Sequence[int]:
        """Count one token per row: each row is taken as one example."""
        return [1] * len(arrays)


class PlainHidden(PlainRows):
    """Hidden states."""

    names = ("X", "Y", "Z")
    words = "hidden states [n, d], one row per token (or per example)"
    shape = "hidden states must be an array [n, d]"

    def read(self, arrays: np.ndarray, name: str, corpus: Corpus, classes: object) -> PlainLayer:
        """Return the arrays as a layer."""
        tokens = int(corpus.offsets[-1])
        if len(arrays) != tokens:
            raise BertdynError(f"{name}: {len(arrays):,} rows do not fit {tokens:,} tokens: a row per token is needed.")
        chunk = chunk_length(len(arrays), max(1, arrays.shape[1] * arrays.itemsize))  # the same as in a store
        return PlainLayer(arrays, None, chunk, 0)


class PlainLogits(PlainRows):
    """Logits of a classifier."""

    names = ("logits", "ref_logits", "other_logits")
    words = "logits [n, classes], one row per example (or per token, if 'examples' says which tokens belong together)"
    shape = "logits must be an array [n, classes]"
    layered = False

    def read(self, arrays: np.ndarray, name: str, corpus: Corpus, classes: object) -> Outputs:
        """Return the logits with their classes."""
        said = classes_of(classes, arrays, corpus)
        if len(said.labels) != arrays.shape[1]:
            raise BertdynError(f"{name}: {arrays.shape[1]} columns do not fit {len(said.labels)} classes.")
        rows = len(corpus.offsets) - 1 if said.examples else int(corpus.offsets[-1])
        if len(arrays) != rows:
            what = "examples" if said.examples else "tokens"
            raise BertdynError(f"{name}: {len(arrays):,} rows do not fit {rows:,} {what}.")
        return Outputs(arrays, said)


class PlainAttention(PlainInput):
    """Attentions."""

    names = ("A", "B", "C")
    words = "attentions [heads, q, k] of one example, or a sequence of such arrays, one per example"

    def arrays(self, given: object, name: str) -> list[np.ndarray]:
        """Return one array [heads, l, l] per example."""
        parts = [as_numbers(part, name) for part in given] if isinstance(given, (list, tuple)) else None
        if parts is None or (parts and parts[0].ndim < 3):
            whole = as_numbers(given, name)
            parts = list(whole) if whole.ndim == 4 else [whole]
        for one in parts:
            if one.ndim != 3 or one.shape[1] != one.shape[2]:
                raise BertdynError(
                    f"{name}: attentions must be an array [heads, q, k], with as many queries as keys, or a sequence "
                    f"of such arrays; this one has the shape {one.shape}."
                )
        if len({len(one) for one in parts}) > 1:
            raise BertdynError(f"{name}: all examples must have the same number of attention heads.")
        return parts

    def lengths(self, arrays: Sequence[np.ndarray]) -> Sequence[int]:
        """Return the number of tokens of each example: the length of its maps."""
        return [one.shape[1] for one in arrays]

    def read(self, arrays: Sequence[np.ndarray], name: str, corpus: Corpus, classes: object) -> PlainLayer:
        """Return the maps as a layer, packed."""
        here, there = list(self.lengths(arrays)), np.diff(corpus.offsets).tolist()
        if len(here) != len(there):
            raise BertdynError(f"{name}: attentions of {len(here):,} examples do not fit {len(there):,} examples.")
        for number, (own, wanted) in enumerate(zip(here, there, strict=True)):
            if own != wanted:
                raise BertdynError(f"{name}: example {number} has {own} tokens, but {wanted} are expected.")
        flat = [one.reshape(len(one), -1) for one in arrays]
        maps = np.concatenate(flat, axis=1) if flat else np.empty((0, 0), np.float32)
        return PlainLayer(None, maps, 0, chunk_length(maps.shape[1], maps.itemsize))


PLAIN_INPUTS: Mapping[str, PlainInput] = {
    "hidden": PlainHidden(),
    "attention": PlainAttention(),
    "logits": PlainLogits(),
}
"""Kinds of input that can be given as plain arrays, by their name in ``measures.declaration.Input``."""


def classes_of(given: object, logits: np.ndarray, corpus: Corpus) -> Classes:
    """Return the classes that the columns of logits belong to.

    Args:
        given: ``Classes``, or the names of the classes, of which each row has one; None: LABEL_0, LABEL_1 and so on. A
            single column is a regression.
    """
    if isinstance(given, Classes):
        return given
    names: Any = given
    labels = tuple(f"LABEL_{n}" for n in range(logits.shape[1])) if names is None else tuple(map(str, names))
    examples = len(logits) == len(corpus.offsets) - 1
    problem: Problem = "regression" if logits.shape[1] == 1 else "single_label_classification"
    return Classes("sequence" if examples else "token", labels, problem)
