"""What stands behind plain arrays: which rows belong to one example, which are special tokens, which labels they have.

Arrays are of numpy, of torch (which is not imported for it), or whatever ``numpy.asarray`` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from store.errors import BertdynError
from store.keys import NO_LABEL, Annotation

if TYPE_CHECKING:
    from explorer.measures.declaration import Input
    from explorer.measures.protocols import Corpus, Labels


class Examples:
    """E examples of T tokens and W words, packed without padding, that the rows of arrays are of.

    >>> import bertdyn
    >>> examples = bertdyn.Examples([3, 4], special=[True, False, True, True, False, False, True])
    >>> examples.offsets.tolist()
    [0, 3, 7]
    >>> examples.word_first.tolist()
    [1, 4, 5]
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        special: Sequence[bool] | None = None,
        words: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """
        Args:
            lengths: tokens of each example [E].
            special: whether each token [T] is [CLS], [SEP] or of their kin; None: none is.
            words: each word's first token of all T and the number of its tokens, in order; None: every token that is
                not special is a word.

        Raises:
            BertdynError: lengths that are not whole numbers from 0 on, a mask of another length, words beyond the end.
        """
        counts = as_array(lengths, "lengths")
        if counts.ndim != 1 or (counts.size and (counts.min() < 0 or (counts != counts.round()).any())):
            raise BertdynError("The lengths of examples are whole numbers from 0 on, one per example.")
        self.offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        tokens = int(self.offsets[-1])
        self.special = np.zeros(tokens, bool) if special is None else as_array(special, "special").astype(bool)
        if self.special.shape != (tokens,):
            raise BertdynError(f"special: {self.special.size:,} given, and the examples have {tokens:,} tokens.")
        if words is None:
            self.word_first = np.flatnonzero(~self.special).astype(np.int64)
            self.word_length = np.ones(len(self.word_first), np.int32)
        else:
            pairs = np.array([tuple(word) for word in words], np.int64).reshape(-1, 2)
            self.word_first, self.word_length = pairs[:, 0], pairs[:, 1].astype(np.int32)
            ends = self.word_first + self.word_length
            apart = (self.word_first[1:] >= ends[:-1]).all() and (self.word_length > 0).all()
            if len(pairs) and not (apart and self.word_first[0] >= 0 and ends[-1] <= tokens):
                raise BertdynError(f"words: each is a first token and a length, in order, of {tokens:,} tokens.")

    @cached_property
    def word_offsets(self) -> np.ndarray:
        """int64 [E + 1], words before each example."""
        return np.searchsorted(self.word_first, self.offsets).astype(np.int64)

    def __repr__(self) -> str:
        return f"{len(self.offsets) - 1:,} examples of {int(self.offsets[-1]):,} tokens"


def corpus_of(examples: object, lengths: Sequence[int]) -> Corpus:
    """Return what the rows of arrays are of.

    Args:
        examples: a corpus, ``Examples``, or the tokens of each example; None: what the arrays themselves say.
        lengths: that.
    """
    if examples is None:
        return Examples(lengths)
    if all(hasattr(examples, name) for name in ("offsets", "special", "word_first", "word_length", "word_offsets")):
        found: Any = examples
        corpus: Corpus = found
        return corpus
    given: Any = examples
    return Examples(given)


@dataclass(frozen=True, eq=False)
class PlainLabels:
    """Classes of sentences or words (``explorer.measures.base.Labels``)."""

    level: str
    names: tuple[str, ...]
    values: np.ndarray


def labels_of(given: object, corpus: Corpus, needs: Input, measure: str) -> Labels:
    """Return labels of sentences or words.

    Args:
        given: an annotation of a store, or a label per example or per word: numbers (negative: none) or texts (None or
            NaN: none); where the measure reads numbers, these (NaN: none).
        needs: what the measure reads.

    Raises:
        BertdynError: another number of labels than examples or words, or labels of another kind than the measure reads.
    """
    if isinstance(given, Annotation):
        if given.info.kind != needs.of or given.level not in needs.levels:
            levels = " or ".join(f"{level}s" for level in needs.levels)
            raise BertdynError(f"{measure} needs a {needs.of} for each of the {levels}; '{given.info.name}' has none.")
        if given.level in _counts(corpus):
            _level_of(len(given.values), corpus, (given.level,))
        return given
    if needs.of == "number":
        numbers = as_numbers(given, "labels")
        if numbers.ndim != 1:
            raise BertdynError(f"labels: one number per sentence is needed, not an array of shape {numbers.shape}.")
        return PlainLabels(_level_of(len(numbers), corpus, needs.levels), (), numbers.astype(np.float64))
    if needs.of != "class":
        raise BertdynError(f"labels: {measure} needs an annotation of a store (runs.annotation()), not plain values.")
    values = as_array(given, "labels")
    if values.ndim != 1:
        raise BertdynError(f"labels: one label per example or word is needed, not an array of shape {values.shape}.")
    level = _level_of(len(values), corpus, needs.levels)
    missing = np.array([_missing(value) for value in values.tolist()], bool)
    if values.dtype.kind == "f":
        values = np.where(missing, NO_LABEL, values)
        if (values != values.round()).any():
            raise BertdynError("labels: classes are needed, and these are fractions.")
        values = values.astype(np.int64)
    names = sorted(set(values[~missing].tolist()), key=lambda value: (str(type(value)), value))
    ids = {name: number for number, name in enumerate(names)}
    found = [NO_LABEL if gone else ids[value] for value, gone in zip(values.tolist(), missing, strict=True)]
    return PlainLabels(level, tuple(map(str, names)), np.array(found, np.int32))


def _counts(corpus: Corpus) -> dict[str, int]:
    """How many items have a label each, by level."""
    return {"sentence": len(corpus.offsets) - 1, "word": len(corpus.word_first)}


def _level_of(count: int, corpus: Corpus, levels: Sequence[str]) -> str:
    """The first of some levels that has so many items."""
    there = {level: many for level, many in _counts(corpus).items() if level in levels}
    for level, many in there.items():
        if many == count:
            return level
    wanted = " or ".join(f"{many:,} {level}s" for level, many in there.items())
    raise BertdynError(f"labels: {count:,} given, and there are {wanted}.")


def _missing(value: object) -> bool:
    """Whether a label says that there is none.

    Raises:
        BertdynError: it is neither a number nor a text.
    """
    if value is not None and not isinstance(value, (int, float, str)):
        raise BertdynError(f"labels: numbers or texts are needed, not {type(value).__name__}.")
    return value is None or (isinstance(value, (int, float)) and not value >= 0)


def as_array(given: object, name: str) -> np.ndarray:
    """Return an array, or a tensor of torch on any device, as an array of numpy.

    bfloat16, which numpy does not know, becomes float32. What is no text keeps its type.

    Raises:
        BertdynError: it is not an array of numbers or texts, or its parts differ in length.
    """
    if hasattr(given, "detach"):  # torch
        tensor: Any = given
        tensor = tensor.detach().cpu()
        if not str(tensor.dtype).startswith(_KNOWN_TENSORS):
            tensor = tensor.float()
        array = np.asarray(tensor.numpy())
    else:
        try:
            array = np.asarray(given)
        except ValueError:
            raise BertdynError(f"{name}: the parts of an array must be of the same length.") from None
    if array.dtype.kind not in "fiubOUST":
        raise BertdynError(f"{name}: numbers are needed, not {array.dtype}.")
    return array


_KNOWN_TENSORS = ("torch.float16", "torch.float32", "torch.float64", "torch.int", "torch.uint", "torch.bool")
"""Types of tensors that numpy knows."""


def as_numbers(given: object, name: str) -> np.ndarray:
    """Return an array of float16, float32 or float64; other numbers become float64.

    Raises:
        BertdynError: it is not an array of numbers, or its parts differ in length.
    """
    array = as_array(given, name)
    if array.dtype.kind not in "fiub":
        raise BertdynError(f"{name}: numbers are needed, not {array.dtype}.")
    return array if array.dtype in (np.float16, np.float32, np.float64) else array.astype(np.float64)
