"""Read CoNLL-2003-style files: one word per line with its labels, in columns separated by blanks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from store.corpora.conllu import Word
from store.corpora.labels import Labels
from store.corpora.tags import are_tags, scheme_of, spans_of
from store.corpora.text import Text, Wanted, first_line, joined_words, looks_binary, not_empty, sha256_of
from store.errors import BertdynError

CONLL_2003 = ("POS", "CHUNK", "NER")
"""Names of the labels in a file of four columns (Tjong Kim Sang & De Meulder 2003)."""
ONE_LABEL = ("label",)
"""Name of the label in a file of two columns. In other files, the labels are named by column number, from 2."""
SPANS = "-spans"
"""What the name of a column of tags gets for the spans that the tags describe."""
_UNCLEAR = "the tags of column {} follow none of IOB1, IOB2, IOBES and BILOU throughout"
_DOCUMENT = "-DOCSTART-"
_SENTENCE = ("#", "id")
"""First two columns of a line that names a sentence, before its words (MultiCoNER)."""
ENDING = ".conll"


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a file has columns of words: by its ending, or because it begins with the line of a document."""
    return path.suffix.lower() == ENDING or first_line(path).split()[:1] == [_DOCUMENT]


def read(path: Path, wanted: Wanted) -> Text:
    """Return the words of a file, their labels, and the spans that tags such as B-PER describe.

    Raises:
        BertdynError: the file is not text or is empty, a line has another number of columns, or there is no such label.
    """
    if wanted.text is not None:
        raise BertdynError(f"--text {wanted.text}: {path} has columns of words, which are the text.")
    found = list(itertools.islice(sentences(path), wanted.limit))
    not_empty(found, path)
    labels, schemes = labels_of(found, wanted.labels, path)
    words = tuple(tuple(word.cells[0] for word in sentence) for sentence in found)
    return Text(
        kind="word",
        texts=joined_words(words),
        words=words,
        labels=labels,
        source=str(path.absolute()),
        sha256=sha256_of(path),
        columns={
            "format": _format(schemes),
            "text": "1",
            **({"label": ",".join(one.name for one in labels)} if labels else {}),
        },
        notes=_notes(schemes),
    )


def sentences(path: Path) -> Iterator[list[Word]]:
    """Yield the sentences of a file, without the lines that begin a document or name a sentence.

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
                if not words and tuple(cells[:2]) == _SENTENCE:
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


def labels_of(
    found: Sequence[Sequence[Word]], wanted: Sequence[str], path: Path
) -> tuple[tuple[Labels, ...], Mapping[str, str]]:
    """Return the labels of the words, the columns after the first, and the spans that their tags describe.

    Args:
        wanted: names (in any case) or numbers (from 1) of columns, of spans with ``-spans`` behind it; empty: all.
        path: the file, for messages.

    Returns:
        The labels, and the scheme of the tags in each column of tags; empty where they follow none.

    Raises:
        BertdynError: the file has no such column, or no such spans.
    """
    many = len(found[0][0].cells)
    names = {4: CONLL_2003, 2: ONE_LABEL}.get(many, tuple(str(n) for n in range(2, many + 1)))
    made: dict[str, Labels] = {}
    schemes: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        tags = tuple(tuple(word.cells[place] for word in words) for words in found)
        made[name] = Labels(name, "word", "class", tags)
        if are_tags(tags):
            schemes[name] = scheme_of(tags)
        if schemes.get(name):
            made[name + SPANS] = Labels(name + SPANS, "span", "class", tuple(map(spans_of, tags)))
    numbers = {name: str(place) for place, name in enumerate(names, 2)}
    by_name = {name.lower(): labels for name, labels in made.items()}
    by_name |= {numbers[name.removesuffix(SPANS)] + name[len(name.removesuffix(SPANS)) :]: made[name] for name in made}
    for name in wanted:
        if name.lower() not in by_name:
            there = ", ".join(made) or "none"
            unclear = "".join(f" Also, {_UNCLEAR.format(one)}." for one, scheme in schemes.items() if not scheme)
            raise BertdynError(f"--label {name}: {path} has {many} columns; labels are {there}.{unclear}")
    chosen = [by_name[name.lower()] for name in wanted] or list(made.values())
    return tuple({labels.name: labels for labels in chosen}.values()), schemes


def _format(schemes: Mapping[str, str]) -> str:
    """Return the format with the schemes of the tags: 'CoNLL columns, CHUNK in IOB2, NER in IOB1'."""
    return ", ".join(("CoNLL columns", *(f"{name} in {scheme}" for name, scheme in schemes.items() if scheme)))


def _notes(schemes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{_UNCLEAR.format(name)}: they are labels of words only" for name, scheme in schemes.items() if not scheme
    )
