"""Kinds of input that measures can be given as plain arrays. Others, such as weights, are files and no arrays."""

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
    """One layer of plain arrays (``explorer.measures.Layer``): hidden states [t, width], or attention [heads, p]."""

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
        """Features of a hidden state; 0 without any."""
        return 0 if self.states is None else int(self.states.shape[1])

    @property
    def heads(self) -> int:
        """Attention heads; 0 without attention."""
        return 0 if self.maps is None else len(self.maps)

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Hidden states of tokens start..stop [stop - start, width]."""
        assert self.states is not None
        return self.states[start:stop]

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        """Packed attention entries start..stop of one head, counted from 1."""
        assert self.maps is not None
        return self.maps[head - 1, start:stop]


class PlainInput(ABC):
    """A kind of input that can be given as plain arrays."""

    names: ClassVar[tuple[str, ...]]
    """Names of the arguments: of the first operand, of the second, and so on."""
    words: ClassVar[str]
    """What an argument is."""
    layered: ClassVar[bool] = True
    """A measure may read it of one layer, or of all."""

    @abstractmethod
    def arrays(self, given: object, name: str) -> Any:
        """Return the arrays of one layer of one operand.

        Raises:
            BertdynError: arrays of another shape.
        """

    @abstractmethod
    def lengths(self, arrays: Any) -> Sequence[int]:
        """Return the tokens of each example, where nothing else says them."""

    @abstractmethod
    def read(self, arrays: Any, name: str, corpus: Corpus, classes: object) -> object:
        """Return what the measure reads.

        Raises:
            BertdynError: the arrays do not fit the examples.
        """


class PlainRows(PlainInput):
    """An array [n, d] with a row per token or example."""

    shape: ClassVar[str]
    """What the array is, and its axes."""

    def arrays(self, given: object, name: str) -> np.ndarray:
        """See ``PlainInput``."""
        found = as_numbers(given, name)
        if found.ndim != 2:
            raise BertdynError(f"{name}: {self.shape}, not one of shape {found.shape}.")
        return found

    def lengths(self, arrays: np.ndarray) -> Sequence[int]:
        """Take each row for an example of one token."""
        return [1] * len(arrays)


class PlainHidden(PlainRows):
    """Hidden states."""

    names = ("X", "Y", "Z")
    words = "hidden states [n, d], a row per token (or per example)"
    shape = "hidden states are an array [n, d]"

    def read(self, arrays: np.ndarray, name: str, corpus: Corpus, classes: object) -> PlainLayer:
        """Return the layer."""
        tokens = int(corpus.offsets[-1])
        if len(arrays) != tokens:
            raise BertdynError(f"{name}: {len(arrays):,} rows do not fit {tokens:,} tokens: a row per token is needed.")
        chunk = chunk_length(len(arrays), max(1, arrays.shape[1] * arrays.itemsize))  # as a store is read
        return PlainLayer(arrays, None, chunk, 0)


class PlainLogits(PlainRows):
    """Logits of a classifier."""

    names = ("logits", "ref_logits", "other_logits")
    words = "logits [n, classes], a row per example (or per token, where 'examples' says which belong together)"
    shape = "logits are an array [n, classes]"
    layered = False

    def read(self, arrays: np.ndarray, name: str, corpus: Corpus, classes: object) -> Outputs:
        """Return what the classifier says."""
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
        """Return an array [heads, l, l] of each example."""
        parts = [as_numbers(part, name) for part in given] if isinstance(given, (list, tuple)) else None
        if parts is None or (parts and parts[0].ndim < 3):
            whole = as_numbers(given, name)
            parts = list(whole) if whole.ndim == 4 else [whole]
        for one in parts:
            if one.ndim != 3 or one.shape[1] != one.shape[2]:
                raise BertdynError(
                    f"{name}: attentions are an array [heads, q, k], as many queries as keys, or a sequence of such "
                    f"arrays, not one of shape {one.shape}."
                )
        if len({len(one) for one in parts}) > 1:
            raise BertdynError(f"{name}: each example must have the same attention heads.")
        return parts

    def lengths(self, arrays: Sequence[np.ndarray]) -> Sequence[int]:
        """Read off the maps how many tokens each example has."""
        return [one.shape[1] for one in arrays]

    def read(self, arrays: Sequence[np.ndarray], name: str, corpus: Corpus, classes: object) -> PlainLayer:
        """Return the layer, its maps packed."""
        here, there = list(self.lengths(arrays)), np.diff(corpus.offsets).tolist()
        if len(here) != len(there):
            raise BertdynError(f"{name}: attentions of {len(here):,} examples do not fit {len(there):,} examples.")
        for number, (own, wanted) in enumerate(zip(here, there, strict=True)):
            if own != wanted:
                raise BertdynError(f"{name}: example {number} has {own} tokens, and {wanted} are expected.")
        flat = [one.reshape(len(one), -1) for one in arrays]
        maps = np.concatenate(flat, axis=1) if flat else np.empty((0, 0), np.float32)
        return PlainLayer(None, maps, 0, chunk_length(maps.shape[1], maps.itemsize))


PLAIN_INPUTS: Mapping[str, PlainInput] = {
    "hidden": PlainHidden(),
    "attention": PlainAttention(),
    "logits": PlainLogits(),
}
"""By the kind that ``measures.declaration.Input`` names; others, such as weights, are files and no arrays."""


def classes_of(given: object, logits: np.ndarray, corpus: Corpus) -> Classes:
    """Return what the columns of logits are.

    Args:
        given: that, or the names of the classes; None: LABEL_0, LABEL_1 and so on, of which a row has one. One column
            is a regression.
    """
    if isinstance(given, Classes):
        return given
    names: Any = given
    labels = tuple(f"LABEL_{n}" for n in range(logits.shape[1])) if names is None else tuple(map(str, names))
    examples = len(logits) == len(corpus.offsets) - 1
    problem: Problem = "regression" if logits.shape[1] == 1 else "single_label_classification"
    return Classes("sequence" if examples else "token", labels, problem)
