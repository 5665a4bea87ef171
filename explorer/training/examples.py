"""Labelled sentences or words to train and evaluate on, from any format of corpus files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from store.corpora import text_files
from store.corpora.labels import Labels, different
from store.corpora.text import Text
from store.errors import BertdynError

IGNORED = -100
"""Label of a token that the loss leaves out."""
Level = Literal["sentence", "word"]
Row = dict[str, Any]
"""One example as the Trainer takes it: ``input_ids``, ``attention_mask``, perhaps ``token_type_ids``, ``labels``."""
_SHOWN = 3


@dataclass(frozen=True)
class Labelled:
    """The texts of a file with one class per sentence or word."""

    text: Text
    labels: Labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, numbers first."""
        return different(self.labels.each())

    @property
    def majority(self) -> tuple[str, float]:
        """The most frequent label, and its share."""
        counts = Counter(name for name in self.labels.each() if name is not None)
        ((name, count),) = counts.most_common(1)
        return str(name), count / counts.total()

    def __len__(self) -> int:
        return len(self.text.texts)


@dataclass(frozen=True)
class TaskData:
    """What a task's runs are trained and evaluated on."""

    train: Labelled
    evaluation: Labelled

    @property
    def level(self) -> Level:
        """Whether sentences or words are classified."""
        return "sentence" if self.train.labels.level == "sentence" else "word"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the classifier."""
        return self.train.classes

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes to the user about the reading."""
        unseen = [name for name in self.classes if name not in self.evaluation.classes]
        less = (f"{self.evaluation.text.source} has no label {_listed(unseen)}: no score counts it",) if unseen else ()
        return (*self.train.text.notes, *self.evaluation.text.notes, *less)


def read_data(
    train: Path,
    evaluation: Path,
    *,
    text: str | None = None,
    label: str | None = None,
    limit: int | None = None,
    skip: bool = False,
) -> TaskData:
    """Read the files of a task. Other arguments are those of ``store.corpora.text_files.read``.

    Raises:
        BertdynError: a file cannot be read, has no labels of sentences or words or several columns of them, has numbers
            instead of classes, or lacks the label of a sentence; the files label different things; the file to evaluate
            on has labels that the training file lacks; or one of the files has fewer than two.
    """
    both = [_read(path, text, label, limit, skip) for path in (train, evaluation)]
    data = TaskData(*both)
    if len({one.labels.level for one in both}) > 1:
        raise BertdynError(
            f"{train} has labels of {both[0].labels.level}s and {evaluation} of {both[1].labels.level}s: they must be "
            "of one kind."
        )
    if len(data.classes) < 2:
        raise BertdynError(f"{train} has only the label {_listed(data.classes)}: a classifier needs two.")
    if len(data.evaluation.classes) < 2:
        raise BertdynError(
            f"{evaluation} has only the label {_listed(data.evaluation.classes)} of {_listed(data.classes)}: a "
            "classifier that always says it would have no error. Use another file to evaluate on, or a larger --limit."
        )
    unknown = [name for name in data.evaluation.classes if name not in data.classes]
    if unknown:
        raise BertdynError(
            f"{evaluation} has labels that {train} lacks: {_listed(unknown)}; {train} has {_listed(data.classes)}."
        )
    return data


def _read(path: Path, text: str | None, label: str | None, limit: int | None, skip: bool) -> Labelled:
    found = text_files.read(path, text=text, label=label, limit=limit, skip=skip)
    fitting = [one for one in found.labels if one.level in ("sentence", "word") and one.kind in ("class", "number")]
    if not fitting:
        raise BertdynError(f"{path} has no labels of sentences or words to train on.")
    if len(fitting) > 1:
        raise BertdynError(f"{path} has several labels ({_listed([one.name for one in fitting])}): choose by --label.")
    (labels,) = fitting
    if labels.kind == "number":
        raise BertdynError(f"{path}: the labels '{labels.name}' are numbers with fractions, not classes.")
    if labels.level == "sentence" and None in labels.values:
        raise BertdynError(f"{path}: sentence {labels.values.index(None) + 1} has no label.")
    return Labelled(found, labels)


def encoded(tokenizer: Any, given: Labelled, classes: Sequence[str], max_length: int | None) -> list[Row]:
    """Return the examples of a file as ``encode`` does."""
    pairs = [texts if len(texts) > 1 else texts[0] for texts in given.text.texts]
    words = given.labels.level == "word"
    return encode(tokenizer, (given.text.words or ()) if words else pairs, given.labels.values, classes, max_length)


def encode(
    tokenizer: Any, texts: Sequence[Any], labels: Sequence[Any], classes: Sequence[str], max_length: int | None = None
) -> list[Row]:
    """Return token ids and labels of each example; a word's label is at its first sub-word.

    Args:
        tokenizer: a fast tokenizer of transformers.
        texts: for each example a sentence or a pair, or its words if words have labels.
        labels: for each example a class, or a sequence with a class (or None) per word.
        classes: names of the classes; a label is its position there.
        max_length: maximum tokens of an example; None: the tokenizer's own.
    """
    number = {name: position for position, name in enumerate(classes)}
    words = not isinstance(labels[0], str)
    forms = [list(text) for text in texts] if words else list(texts)
    found = tokenizer(forms, is_split_into_words=words, truncation=True, max_length=max_length)
    rows = [{name: values[i] for name, values in found.items()} for i in range(len(forms))]
    for i, (row, told) in enumerate(zip(rows, labels, strict=True)):
        row["labels"] = _first_pieces(found.word_ids(i), told, number) if words else number[told]
    return rows


def _first_pieces(words: Sequence[int | None], labels: Sequence[str | None], number: dict[str, int]) -> list[int]:
    """Return the label of each token: that of its word at the word's first token, else IGNORED."""
    before = (None, *words)
    first = [word is not None and word != previous for word, previous in zip(words, before, strict=False)]
    told = [labels[word] if new and word is not None else None for word, new in zip(words, first, strict=True)]
    return [IGNORED if name is None else number[name] for name in told]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
