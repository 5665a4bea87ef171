"""Describe the rows of plain arrays: which rows belong to one example, which are special tokens, and their labels.

An array may be a numpy array, a torch tensor (torch is not imported here), or anything that ``numpy.asarray`` accepts.
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
    """E examples with T tokens and W words in total, packed without padding. The rows of arrays belong to them.

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
            lengths: number of tokens of each example [E].
            special: for each token [T], whether it is a special token such as [CLS] or [SEP]; None: no token is.
            words: for each word, in order, the index of its first token (0 to T - 1) and its number of tokens; None:
                every token that is not special is a word.

        Raises:
            BertdynError: a length is not a whole number from 0 on, ``special`` has another length than T, or words
                overlap, are not in order, or end after the last token.
        """
        counts = as_array(lengths, "lengths")
        if counts.ndim != 1 or (counts.size and (counts.min() < 0 or (counts != counts.round()).any())):
            raise BertdynError("The lengths of examples must be whole numbers from 0 on, one per example.")
        self.offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        tokens = int(self.offsets[-1])
        self.special = np.zeros(tokens, bool) if special is None else as_array(special, "special").astype(bool)
        if self.special.shape != (tokens,):
            raise BertdynError(f"special: {self.special.size:,} values do not fit {tokens:,} tokens.")
        if words is None:
            self.word_first = np.flatnonzero(~self.special).astype(np.int64)
            self.word_length = np.ones(len(self.word_first), np.int32)
        else:
            pairs = np.array([tuple(word) for word in words], np.int64).reshape(-1, 2)
            self.word_first, self.word_length = pairs[:, 0], pairs[:, 1].astype(np.int32)
            ends = self.word_first + self.word_length
            apart = (self.word_first[1:] >= ends[:-1]).all() and (self.word_length > 0).all()
            if len(pairs) and not (apart and self.word_first[0] >= 0 and ends[-1] <= tokens):
                raise BertdynError(
                    f"words: pairs of first token and length are needed, in order and within the {tokens:,} tokens."
                )

    @cached_property
    def word_offsets(self) -> np.ndarray:
        """Number of words before each example, and of all words, int64 [E + 1]."""
        return np.searchsorted(self.word_first, self.offsets).astype(np.int64)

    @property
    def same_text(self) -> np.ndarray:
        """int64 [E], the number of each example: texts are not known, and count as different."""
        return np.arange(len(self.offsets) - 1)

    @property
    def word_types(self) -> None:
        """The token ids of the words are not known."""
        return None

    def __repr__(self) -> str:
        return f"{len(self.offsets) - 1:,} examples of {int(self.offsets[-1]):,} tokens"


def corpus_of(examples: object, lengths: Sequence[int]) -> Corpus:
    """Return the examples that the rows of arrays belong to.

    Args:
        examples: a corpus, ``Examples``, or the number of tokens of each example; None: use ``lengths``.
        lengths: number of tokens of each example, as the arrays themselves show it.
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
    """Labels of sentences or words, given as plain values (implements ``explorer.measures.protocols.Labels``)."""

    level: str
    names: tuple[str, ...]
    values: np.ndarray
    items: None = None


def labels_of(given: object, corpus: Corpus, needs: Input, measure: str) -> Labels:
    """Return labels of sentences or words.

    Args:
        given: an annotation of a store, or one label per example or per word. A class is a number (negative: no label)
            or a text (None or NaN: no label). A measure that reads numbers takes them as they are (NaN: no label).
        needs: the labels that the measure reads.

    Raises:
        BertdynError: the number of labels differs from the number of examples or words, or the measure reads labels
            of another kind.
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
    if needs.of == "tree":
        heads = as_array(given, "labels")
        if heads.ndim != 1 or heads.dtype.kind not in "iu":
            raise BertdynError("labels: the head of each word is a whole number: its position among all words.")
        return PlainLabels(_level_of(len(heads), corpus, needs.levels), (), heads.astype(np.int64))
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
            raise BertdynError("labels: classes must be whole numbers or texts, not fractions.")
        values = values.astype(np.int64)
    names = sorted(set(values[~missing].tolist()), key=lambda value: (str(type(value)), value))
    ids = {name: number for number, name in enumerate(names)}
    found = [NO_LABEL if gone else ids[value] for value, gone in zip(values.tolist(), missing, strict=True)]
    return PlainLabels(level, tuple(map(str, names)), np.array(found, np.int32))


def _counts(corpus: Corpus) -> dict[str, int]:
    """Return the number of sentences and of words, by level."""
    return {"sentence": len(corpus.offsets) - 1, "word": len(corpus.word_first)}


def _level_of(count: int, corpus: Corpus, levels: Sequence[str]) -> str:
    """Return the first of the given levels that has this number of items."""
    there = {level: many for level, many in _counts(corpus).items() if level in levels}
    for level, many in there.items():
        if many == count:
            return level
    wanted = " or ".join(f"{many:,} {level}s" for level, many in there.items())
    raise BertdynError(f"labels: {count:,} were given, but there are {wanted}.")


def _missing(value: object) -> bool:
    """Return whether a value means "no label".

    Raises:
        BertdynError: the value is neither a number nor a text.
    """
    if value is not None and not isinstance(value, (int, float, str)):
        raise BertdynError(f"labels: numbers or texts are needed, not {type(value).__name__}.")
    return value is None or (isinstance(value, (int, float)) and not value >= 0)


def as_array(given: object, name: str) -> np.ndarray:
    """Return an array, or a torch tensor on any device, as a numpy array.

    Types that numpy does not have, such as bfloat16, become float32. All other types are kept.

    Raises:
        BertdynError: ``given`` is not an array of numbers or texts, or its parts differ in length.
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
            raise BertdynError(f"{name}: the parts of an array must have the same length.") from None
    if array.dtype.kind not in "fiubOUST":
        raise BertdynError(f"{name}: numbers are needed, not {array.dtype}.")
    return array


_KNOWN_TENSORS = ("torch.float16", "torch.float32", "torch.float64", "torch.int", "torch.uint", "torch.bool")
"""Types of torch tensors that numpy has too."""


def as_numbers(given: object, name: str) -> np.ndarray:
    """Return an array of float16, float32 or float64; other numbers become float64.

    Raises:
        BertdynError: ``given`` is not an array of numbers, or its parts differ in length.
    """
    array = as_array(given, name)
    if array.dtype.kind not in "fiub":
        raise BertdynError(f"{name}: numbers are needed, not {array.dtype}.")
    return array if array.dtype in (np.float16, np.float32, np.float64) else array.astype(np.float64)
