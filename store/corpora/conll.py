"""Read CoNLL-2003-style files: one word per line with its labels, in columns separated by blanks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from store.corpora.conllu import Word
from store.corpora.labels import Labels
from store.corpora.text import Text, Wanted, joined_words, looks_binary, not_empty, sha256_of
from store.errors import BertdynError

CONLL_2003 = ("POS", "CHUNK", "NER")
"""Names of the labels in a file of four columns (Tjong Kim Sang & De Meulder 2003)."""
ONE_LABEL = ("label",)
"""Name of the label in a file of two columns. In other files, the labels are named by column number, from 2."""
_DOCUMENT = "-DOCSTART-"
ENDING = ".conll"


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a file has columns of words, by its ending."""
    return path.suffix.lower() == ENDING


def read(path: Path, wanted: Wanted) -> Text:
    """Return the words of a file and their labels.

    Raises:
        BertdynError: the file is not text or is empty, a line has another number of columns, or there is no such label.
    """
    if wanted.text is not None:
        raise BertdynError(f"--text {wanted.text}: {path} is a {ENDING}, whose words are the text.")
    found = list(itertools.islice(sentences(path), wanted.limit))
    not_empty(found, path)
    labels = labels_of(found, wanted.labels, path)
    words = tuple(tuple(word.cells[0] for word in sentence) for sentence in found)
    return Text(
        kind="word",
        texts=joined_words(words),
        words=words,
        labels=labels,
        source=str(path.absolute()),
        sha256=sha256_of(path),
        columns={
            "format": "CoNLL columns",
            "text": "1",
            **({"label": ",".join(one.name for one in labels)} if labels else {}),
        },
    )


def sentences(path: Path) -> Iterator[list[Word]]:
    """Yield the sentences of a file, without the lines that begin a document.

    Raises:
        BertdynError: the file is not text, or a line and the first line differ in their number of columns.
    """
    if looks_binary(path):
        raise BertdynError(f"{path} is not text: a .conll file was expected.")
    words: list[Word] = []
    columns = 0
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, raw in enumerate(lines, 1):
                cells = raw.split()
                if not cells or cells[0] == _DOCUMENT:
                    if words:
                        yield words
                    words = []
                    continue
                columns = columns or len(cells)
                if len(cells) != columns:
                    raise BertdynError(
                        f"{path}, line {number}: {len(cells)} columns, but the first line has {columns}."
                    )
                words.append(Word(number, cells))
    except UnicodeDecodeError:
        raise BertdynError(f"{path} is not UTF-8 text.") from None
    if words:
        yield words


def labels_of(found: Sequence[Sequence[Word]], wanted: Sequence[str], path: Path) -> tuple[Labels, ...]:
    """Return the labels of the words: the columns after the first.

    Args:
        wanted: names (in any case) or numbers (from 1) of columns; empty: all columns.
        path: the file, for messages.

    Raises:
        BertdynError: the file has no such column.
    """
    many = len(found[0][0].cells)
    known = {4: CONLL_2003, 2: ONE_LABEL}.get(many, tuple(str(n) for n in range(2, many + 1)))
    places = {name.lower(): place for place, name in enumerate(known, 1)} | {str(n): n - 1 for n in range(2, many + 1)}
    for name in wanted:
        if name.lower() not in places:
            raise BertdynError(f"--label {name}: {path} has {many} columns; labels are {', '.join(known) or 'none'}.")
    chosen = [places[name.lower()] for name in wanted] or range(1, many)
    return tuple(
        Labels(known[place - 1], "word", "class", tuple(tuple(word.cells[place] for word in words) for words in found))
        for place in dict.fromkeys(chosen)
    )
