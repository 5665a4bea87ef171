"""Turn the labels of a text file into annotations of a tokenised corpus."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from store.corpora.annotations import make_annotation
from store.keys import ITEM_WORDS, NO_HEAD, NO_LABEL, ROOT, Annotation, Corpus, LabelKind, Level

SPLIT = "split"
"""Name of the annotation (and of the table's column) that holds the split of each sentence."""


@dataclass(frozen=True)
class Labels:
    """The labels of one column of a text file, by example; None where a label is missing."""

    name: str
    level: Level
    kind: LabelKind
    values: tuple[Any, ...]
    """One value per sentence. Labels of sentences: a text. Labels of words: a tuple with a text per word, or for trees
    an integer per word (position of its head, from 1; 0 for the root). Labels of arcs, spans and pairs: a tuple of
    items, each the positions of its words in the sentence, from 0, and a label (None: the item has no label): (word,
    head, label), (first, last, label) or (first, last, first, last, label). An item with several labels occurs once
    for each, one after the other."""

    def each(self) -> Iterator[str | None]:
        """Yield the label of every sentence, word or item of classes or numbers."""
        if self.level == "sentence":
            yield from self.values
        for there in self.values if self.level != "sentence" else ():
            yield from there if self.level == "word" else (label for *_, label in there)


@dataclass(frozen=True, eq=False)
class Words:
    """The W words of E examples that a corpus has tokens of."""

    example: np.ndarray
    """Example of each word, int64 [W]."""
    index: np.ndarray
    """Position of each word in its sentence, int32 [W]."""
    limits: np.ndarray
    """Position of the first word that was cut off, of each example, int64 [E]: see ``Corpus.word_limits``."""

    @classmethod
    def of(cls, corpus: Corpus) -> Words:
        """Return the words of a corpus."""
        counts = np.diff(corpus.word_offsets)
        return cls(np.repeat(np.arange(len(counts)), counts), corpus.word_index, corpus.word_limits)


def kind_of(labels: Iterable[str | None]) -> LabelKind:
    """Return ``number`` if all labels are numbers and at least one has a fraction, else ``class``."""
    fraction = False
    for label in labels:
        try:
            value = float(label) if label is not None else 0.0
        except ValueError:
            return "class"
        if not math.isfinite(value):
            return "class"
        fraction = fraction or value != int(value)
    return "number" if fraction else "class"


def different(labels: Iterable[str | None]) -> tuple[str, ...]:
    """Return the different labels: numbers first, by size, then words, by letter."""
    return tuple(sorted({label for label in labels if label is not None}, key=_order))


def annotation_of(labels: Labels, words: Words, source: str, place: int = 0) -> Annotation:
    """Return labels as an annotation of a corpus. Labels of words that it lacks, and items that need one, are dropped.

    Args:
        words: the words of the corpus.
        source: the file that the labels were read from.
        place: position among the annotations of the corpus.
    """
    if labels.level == "sentence":
        return _finished(labels, labels.values, None, source, place)
    if labels.level in ITEM_WORDS:
        return _of_items(labels, words, source, place)
    there = list(zip(words.example.tolist(), words.index.tolist(), strict=True))
    at = {word: position for position, word in enumerate(there)}
    if labels.kind == "tree":
        heads = [
            NO_HEAD if head is None else ROOT if head == 0 else at.get((sentence, head - 1), NO_HEAD)
            for sentence, word in there
            for head in (labels.values[sentence][word],)
        ]
        return make_annotation(
            labels.name, labels.level, labels.kind, (), np.array(heads, np.int64), source=source, place=place
        )
    return _finished(labels, [labels.values[sentence][word] for sentence, word in there], None, source, place)


def _of_items(labels: Labels, words: Words, source: str, place: int) -> Annotation:
    """Return labels of items without the items that need a word that is not there."""
    rows = [(sentence, *item[:-1]) for sentence, there in enumerate(labels.values) for item in there]
    wanted = np.array(rows, np.int64).reshape(-1, 1 + ITEM_WORDS[labels.level])
    longest = 1 + max(wanted[:, 1:].max(initial=0), words.index.max(initial=0))
    there = words.example * longest + words.index  # ascending
    keys = wanted[:, :1] * longest + wanted[:, 1:]
    at = np.searchsorted(there, keys)
    is_there = (np.append(there, -1)[at] == keys).all(axis=1)
    flat = [label for label, kept in zip(labels.each(), is_there, strict=True) if kept]
    lost = np.unique(wanted[~is_there], axis=0)
    cut = (lost[:, 1:] >= words.limits[lost[:, 0], None]).any(axis=1)
    return _finished(labels, flat, at[is_there].astype(np.int64), source, place, (len(lost), int((~cut).sum())))


def _finished(
    labels: Labels,
    flat: Sequence[str | None],
    items: np.ndarray | None,
    source: str,
    place: int,
    lost: tuple[int, int] = (0, 0),
) -> Annotation:
    """Return an annotation.

    Args:
        lost: number of items that are left out, and of those without a token.
    """
    if labels.kind == "number":
        values = np.array([math.nan if label is None else float(label) for label in flat])
        return make_annotation(labels.name, labels.level, labels.kind, (), values, items, source, place, *lost)
    names = different(flat)
    number = {name: i for i, name in enumerate(names)}
    ids = np.array([NO_LABEL if label is None else number[label] for label in flat], np.int32)
    return make_annotation(labels.name, labels.level, labels.kind, names, ids, items, source, place, *lost)


def _order(label: str) -> tuple[int, float, str]:
    """Return a sort key that puts numbers first, by size, then words, by letter; ``Inf`` and ``nan`` are words."""
    try:
        value = float(label)
    except ValueError:
        value = math.nan
    return (0, value, label) if math.isfinite(value) else (1, 0.0, label)
