"""Read the labels of a text file as annotations of a stored corpus with the same texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from store.corpora.labels import Words, annotation_of
from store.corpora.text import Text
from store.corpora.text_files import read, renamed
from store.errors import BertdynError
from store.keys import Annotation, Corpus

if TYPE_CHECKING:
    from store.store import Store

_SHOWN = 60
"""Number of characters of a text that a message shows."""


def annotations_in(
    file: Path,
    store: Store,
    corpus: str,
    *,
    text: str | None = None,
    label: str | None = None,
    name: str | None = None,
    limit: int | None = None,
    replace: bool = False,
) -> list[Annotation]:
    """Return the labels in a text file as annotations for a stored corpus; they are not added yet.

    Args:
        text: column of the sentences; None: the usual one.
        label: columns of the labels; None: the usual ones.
        name: what the labels of one column are called; None: as the column.
        limit: sentences to read; None: all.
        replace: they may have the name of others.

    Raises:
        BertdynError: the file cannot be read, there is no such corpus, or as ``annotations_of``; other labels
            of these names are there, and ``replace`` is False.
    """
    found = read(file, text=text, label=label, limit=limit, unlabelled=True)
    if name is not None:
        found = renamed(found, name)
    stored = store.corpus(corpus)
    made = annotations_of(stored, found)
    known = {info.name: info.digest for info in stored.info.annotations}
    others = [one.info.name for one in made if known.get(one.info.name, one.info.digest) != one.info.digest]
    if others and not replace:
        raise BertdynError(
            f"Corpus '{corpus}' already has different labels called {', '.join(others)}. Give the new ones another "
            "name with --name, or replace the old ones with --replace."
        )
    return made


def annotations_of(corpus: Corpus, text: Text) -> list[Annotation]:
    """Return the labels of a text file as annotations of a corpus.

    Raises:
        BertdynError: the file has no labels, or different texts or words (the message names the first sentence that
            differs), or labels of words for a corpus whose words come from the tokenizer.
    """
    if not text.labels:
        raise BertdynError(f"{text.source} has no labels: name columns with --label.")
    _same_texts(corpus, text)
    if any(labels.level != "sentence" for labels in text.labels):
        _same_words(corpus, text)
    words = Words.of(corpus)
    return [annotation_of(labels, words, text.source) for labels in text.labels]


def _same_texts(corpus: Corpus, text: Text) -> None:
    name = corpus.info.name
    for number, (theirs, ours) in enumerate(zip(text.texts, corpus.texts, strict=False), 1):
        if theirs != ours:
            raise BertdynError(
                f"{text.source} has other texts than corpus '{name}': sentence {number} is {_quoted(theirs)}, but "
                f"{_quoted(ours)} in the corpus."
            )
    if len(text.texts) != len(corpus.texts):
        hint = f" Take only the first with --limit {len(corpus.texts)}." if len(text.texts) > len(corpus.texts) else ""
        raise BertdynError(
            f"{text.source} has {len(text.texts):,} sentences, and corpus '{name}' has {len(corpus.texts):,}.{hint}"
        )


def _same_words(corpus: Corpus, text: Text) -> None:
    if corpus.words is None or text.words is None:
        raise BertdynError(
            f"{text.source} labels words, but the words of corpus '{corpus.info.name}' come from the tokenizer. Only a "
            "corpus that was made from a file with words, such as a .conllu, can have labels of words."
        )
    for number, (theirs, ours) in enumerate(zip(text.words, corpus.words, strict=True), 1):
        if theirs != ours:
            raise BertdynError(
                f"{text.source} splits sentence {number} into {len(theirs)} words, but corpus '{corpus.info.name}' "
                f"into {len(ours)}: {_quoted(theirs)} and {_quoted(ours)}."
            )


def _quoted(texts: Sequence[str]) -> str:
    whole = " | ".join(texts)
    return f"'{whole[:_SHOWN]}{'...' * (len(whole) > _SHOWN)}'"
