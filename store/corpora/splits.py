"""Join the files of a corpus that has one file per split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from store.corpora.labels import SPLIT, Labels, kind_of
from store.corpora.text import Text
from store.errors import BertdynError
from store.keys import ITEM_WORDS


def splits_of(corpora: Mapping[str, Path]) -> dict[str, dict[str, Path]]:
    """Return the files of each corpus by split. The split of a corpus in one file is the empty text.

    Args:
        corpora: files by ``NAME`` or ``NAME:SPLIT``.

    Raises:
        BertdynError: a name or a split is empty, or a corpus has both files with a split and a file without.
    """
    found: dict[str, dict[str, Path]] = {}
    for typed, path in corpora.items():
        name, colon, split = typed.partition(":")
        if not name or (colon and not split):
            raise BertdynError(f"--corpus {typed}={path}: write NAME=FILE or NAME:SPLIT=FILE.")
        found.setdefault(name, {})[split] = path
    for name, paths in found.items():
        if "" in paths and len(paths) > 1:
            others = ", ".join(f"{name}:{split}" for split in paths if split)
            raise BertdynError(f"--corpus: '{name}' has both files with a split ({others}) and a file without.")
    return found


def joined(parts: Mapping[str, Text]) -> Text:
    """Return the splits of a corpus as one text, one after the other, with an annotation that names the split.

    Labels of words may be missing from a whole split, such as a rare feature of a treebank.

    Raises:
        BertdynError: the splits differ in having words, in texts per example or in labels of sentences, or one has a
            column ``split`` of its own.
    """
    (first_name, first), *rest = parts.items()
    for name, part in rest:
        for what, of in (("words", _words), ("texts per example", _columns), ("labels", _labels)):
            if of(part) != of(first):
                raise BertdynError(
                    f"The splits of a corpus must be alike: {what} of '{first_name}' ({first.source}): {of(first)}; of "
                    f"'{name}' ({part.source}): {of(part)}."
                )
    for name, part in parts.items():
        if any(labels.name == SPLIT for labels in part.labels):
            raise BertdynError(f"{part.source} has its own column '{SPLIT}': give the file without ':{name}'.")
    known = {labels.name: labels for part in reversed(tuple(parts.values())) for labels in part.labels}
    names = dict.fromkeys(labels.name for part in parts.values() for labels in part.labels)
    splits = Labels(SPLIT, "sentence", "split", tuple(name for name, part in parts.items() for _ in part.texts))
    return Text(
        kind=first.kind,
        texts=tuple(text for part in parts.values() for text in part.texts),
        words=None if first.words is None else tuple(words for part in parts.values() for words in part.words or ()),
        labels=(*(_joined(known[name], tuple(parts.values())) for name in names), splits),
        source=", ".join(part.source for part in parts.values()),
        sha256=hashlib.sha256("\n".join(part.sha256 for part in parts.values()).encode()).hexdigest(),
        columns=first.columns,
        notes=tuple(f"{name}: {note}" for name, part in parts.items() for note in part.notes),
    )


def _joined(like: Labels, parts: tuple[Text, ...]) -> Labels:
    found = [next((labels for labels in part.labels if labels.name == like.name), None) for part in parts]
    values: tuple[Any, ...] = tuple(
        value
        for part, labels in zip(parts, found, strict=True)
        for value in (_none(like, part) if labels is None else labels.values)
    )
    kinds = {labels.kind for labels in found if labels is not None}
    whole = replace(like, values=values)
    # Kinds differ where the numbers of one split all happen to be whole.
    return whole if len(kinds) == 1 else replace(whole, kind=kind_of(whole.each()))


def _none(like: Labels, part: Text) -> tuple[Any, ...]:
    """Return missing labels of words or items for each sentence of a split."""
    return tuple(() if like.level in ITEM_WORDS else (None,) * len(words) for words in part.words or ())


def _words(text: Text) -> str:
    return "of the file" if text.words is not None else "of the tokenizer"


def _columns(text: Text) -> str:
    return str(len(text.texts[0]))


def _labels(text: Text) -> str:
    """Return the names of the labels that all splits must have: those of sentences."""
    return ", ".join(labels.name for labels in text.labels if labels.level == "sentence") or "none"
