"""Read text files: sentences and labels in a table, in columns of words, or one sentence per line."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from store.corpora import conll
from store.corpora.conllu import ARCS, FORM, NAMES, TREE, Word, fault, labels_of, sentences
from store.corpora.labels import SPLIT, Labels, kind_of
from store.corpora.table_files import JSON, label_columns, looks_binary, table_of, text_columns
from store.errors import BertdynError

TABLES = (".tsv", ".csv", *JSON, ".parquet")
CONLLU, CONLL, LINES = ".conllu", ".conll", ".txt"
ENDINGS = (*TABLES, CONLLU, CONLL, LINES)
_SHOWN = 3
"""Number of bad rows that a message names; it only counts the rest."""


@dataclass(frozen=True)
class Text:
    """The content of a text file, before tokenisation."""

    kind: Literal["sentence", "word"]
    texts: tuple[tuple[str, ...], ...]
    """One text per example, or two for pairs; for a file of words, the forms joined by blanks."""
    words: tuple[tuple[str, ...], ...] | None
    """The forms of each sentence in a file of words; None for other files."""
    labels: tuple[Labels, ...]
    """Labels, one entry per column that was read."""
    source: str
    sha256: str
    columns: Mapping[str, str]
    """Columns that were read, as provenance; ``header`` is ``none`` if the first line does not name them."""
    notes: tuple[str, ...] = ()
    """Notes to the user about the reading, such as rows that were left out."""


def columns_of(corpora: Mapping[str, Path], given: Sequence[str], flag: Literal["--text", "--label"]) -> dict[str, str]:
    """Return the column that the flag names for each corpus.

    ``NAME:COLUMN`` is for one corpus. A bare column is for every corpus that can have it: a CoNLL-U label for the
    .conllu files if there are any, every other column for the tables. Several label columns of a corpus are joined by
    commas.

    Raises:
        BertdynError: two text columns for one corpus, or a column that no corpus can have.
    """
    own: dict[str, list[str]] = {}
    bare: dict[str, list[str]] = {}
    for value in given:
        name, colon, column = value.partition(":")
        if colon and name in corpora:
            own.setdefault(name, []).append(column)
        else:
            for name in _meant(corpora, value, flag):
                bare.setdefault(name, []).append(value)
    chosen = {name: list(dict.fromkeys(columns)) for name, columns in {**bare, **own}.items()}
    for name, columns in chosen.items():
        if flag == "--text" and len(columns) > 1:
            both = " and ".join(f"'{column}'" for column in columns)
            raise BertdynError(f"{flag}: both {both} are given for corpus '{name}'; write {name}:COLUMN.")
    return {name: ",".join(columns) for name, columns in chosen.items()}


def _meant(corpora: Mapping[str, Path], value: str, flag: str) -> list[str]:
    """Return the corpora that a column without a corpus's name is for."""
    conllu = [n for n, p in corpora.items() if p.suffix.lower() == CONLLU]
    tables = [n for n, p in corpora.items() if n not in conllu and p.suffix.lower() != LINES]
    if flag == "--label" and conllu and (not tables or all(v.upper() in NAMES for v in _parts(value))):
        return conllu
    if not tables:
        raise BertdynError(f"{flag} {value}: no corpus is a table with columns; in a .conllu the words are the text.")
    return tables


def read(
    path: Path,
    *,
    text: str | None = None,
    label: str | None = None,
    limit: int | None = None,
    skip: bool = False,
    unlabelled: bool = False,
) -> Text:
    """Read a text file.

    Args:
        path: .tsv, .csv, .jsonl, .json, .parquet, .conllu, .conll, or .txt with one sentence per line. A .tsv of two
            columns without a header holds sentences and labels. In .jsonl, .json and .parquet, columns may hold lists
            of words and lists of labels.
        text: column of the sentences, or two columns joined by a comma for pairs; numbers without a header.
        label: columns of the labels, joined by commas; for a .conllu UPOS, XPOS, DEPREL, HEAD, ARCS or keys of FEATS,
            in any case (default: all).
        limit: number of examples to keep, from the first.
        skip: leave out (and count) rows that are malformed or lack a text or label, and sentences whose heads are not
            a tree.
        unlabelled: accept a row without a label as a sentence without one.

    Raises:
        BertdynError: the file does not exist, has an unknown ending, is binary or empty, lacks the column, has several
            columns that fit, or has a bad row.
    """
    if not path.is_file():
        raise BertdynError(f"There is no corpus file {path}.")
    ending = path.suffix.lower()
    if ending in (CONLLU, CONLL):
        if text is not None:
            raise BertdynError(f"--text {text}: {path} is a {ending}, whose words are the text.")
        return (_read_conllu if ending == CONLLU else _read_conll)(path, _parts(label), limit, skip)
    if ending == LINES:
        if named := text or label:
            raise BertdynError(f"{path} has one sentence per line and no columns: '{named}' has no meaning for it.")
        return _read_lines(path, limit)
    if ending not in TABLES:
        raise BertdynError(f"{path}: corpus files end in {', '.join(ENDINGS)}.")
    return _read_table(path, ending, text, label, limit, skip, unlabelled)


def renamed(text: Text, name: str) -> Text:
    """Return a text with a new name for its only column of labels.

    Raises:
        BertdynError: the text has no labels or several columns of them.
    """
    if len(text.labels) != 1:
        there = ", ".join(labels.name for labels in text.labels) or "none"
        raise BertdynError(f"--name {name} needs exactly one column of labels, but {text.source} has {there}.")
    return replace(text, labels=(replace(text.labels[0], name=name),))


def _read_table(
    path: Path, ending: str, text: str | None, label: str | None, limit: int | None, skip: bool, unlabelled: bool
) -> Text:
    table = table_of(path, ending, [*_parts(text), *_parts(label)])
    texts = text_columns(table, text)
    words = texts[0] in table.lists
    labels = label_columns(table, label, words)
    splits = [SPLIT] if SPLIT in table.names and SPLIT not in (*texts, *labels) else []
    wanted = [*texts, *labels, *splits]
    may_lack = set(labels) if unlabelled else set[str]()
    rows, bad = list[tuple[Any, ...]](), list[str]()
    for row in table.rows(wanted, None if skip else limit):
        if limit is not None and len(rows) == limit:
            break
        fault = row.fault or _blank(wanted, row.cells, texts, may_lack)
        if not fault:
            rows.append(row.cells)
        elif skip:
            bad.append(f"{table.unit} {row.number}: {fault}")
        else:
            raise BertdynError(
                f"{path}, {table.unit} {row.number}: {fault}. --skip-bad-rows leaves out such rows and counts them."
            )
    if not rows:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    columns = {name: tuple(row[at] for row in rows) for at, name in enumerate(wanted)}
    return Text(
        kind="word" if words else "sentence",
        texts=tuple((" ".join(row[0]),) if words else row[: len(texts)] for row in rows),
        words=tuple(tuple(row[0]) for row in rows) if words else None,
        labels=tuple(
            _of_words(name, columns[name]) if name in table.lists else _of_column(name, columns[name], name in splits)
            for name in (*labels, *splits)
        ),
        source=str(path.absolute()),
        sha256=_sha256(path),
        columns={
            "text": ",".join(texts),
            **({"label": ",".join(labels)} if labels else {}),
            **({"split": SPLIT} if splits else {}),
            **({} if table.header else {"header": "none"}),
        },
        notes=(_left_out(bad, f"bad {table.unit}"),) if bad else (),
    )


def _of_words(name: str, cells: Sequence[Sequence[str | None]]) -> Labels:
    values = tuple(tuple((cell or "").strip() or None for cell in sentence) for sentence in cells)
    return Labels(name, "word", kind_of(cell for sentence in values for cell in sentence), values)


def _of_column(name: str, cells: Sequence[str | None], split: bool) -> Labels:
    values = tuple((cell or "").strip() or None for cell in cells)
    return Labels(name, "sentence", "split" if split else kind_of(values), values)


def _blank(wanted: Sequence[str], cells: Sequence[Any], texts: Sequence[str], may_lack: Set[str]) -> str:
    for name, cell in zip(wanted, cells, strict=True):
        if (not cell or not (isinstance(cell, list) or cell.strip())) and name not in may_lack:
            return f"no {'text' if name in texts else 'split' if name == SPLIT else 'label'} in column '{name}'"
        if isinstance(cell, list) and name in texts and not all((word or "").strip() for word in cell):
            return f"a word of column '{name}' is empty"
        if isinstance(cell, list) and len(cell) != len(cells[0]):
            return f"{len(cells[0])} words in column '{texts[0]}' and {len(cell)} labels in column '{name}'"
    return ""


def _parts(names: str | None) -> list[str]:
    return [part.strip() for part in (names or "").split(",") if part.strip()]


def _left_out(bad: Sequence[str], unit: str) -> str:
    many = f"1 {unit} is" if len(bad) == 1 else f"{len(bad):,} {unit}s are"
    return f"{many} left out ({'; '.join(bad[:_SHOWN])}{', ...' * (len(bad) > _SHOWN)})"


def _read_conllu(path: Path, wanted: Sequence[str], limit: int | None, skip: bool) -> Text:
    trees = not wanted or any(name.upper() in (TREE, ARCS) for name in wanted)
    found, bad = list[list[Word]](), list[str]()
    for words in sentences(path):
        if limit is not None and len(found) == limit:
            break
        wrong = fault(words, trees)
        if not wrong:
            found.append(words)
        elif skip:
            bad.append(wrong)
        else:
            others = ", or take only labels of words (--label upos)" if trees and not fault(words, trees=False) else ""
            raise BertdynError(f"{path}, {wrong}. Leave out such sentences with --skip-bad-rows{others}.")
    if not found:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    forms = tuple(tuple(word.cells[FORM] for word in words) for words in found)
    labels = labels_of(found, wanted, path)
    return Text(
        kind="word",
        texts=tuple((" ".join(words),) for words in forms),
        words=forms,
        labels=labels,
        source=str(path.absolute()),
        sha256=_sha256(path),
        columns={"text": "FORM", **({"label": ",".join(one.name for one in labels)} if labels else {})},
        notes=(_left_out(bad, "sentence"),) if bad else (),
    )


def _read_conll(path: Path, wanted: Sequence[str], limit: int | None, skip: bool) -> Text:
    found = list(itertools.islice(conll.sentences(path), limit))
    if not found:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    labels = conll.labels_of(found, wanted, path)
    words = tuple(tuple(word.cells[0] for word in sentence) for sentence in found)
    return Text(
        kind="word",
        texts=tuple((" ".join(forms),) for forms in words),
        words=words,
        labels=labels,
        source=str(path.absolute()),
        sha256=_sha256(path),
        columns={"text": "1", **({"label": ",".join(one.name for one in labels)} if labels else {})},
    )


def _read_lines(path: Path, limit: int | None) -> Text:
    if looks_binary(path):
        raise BertdynError(f"{path} is not text: one sentence per line was expected.")
    try:
        with path.open(encoding="utf-8-sig") as lines:
            texts = list(itertools.islice((line.strip() for line in lines if line.strip()), limit))
    except UnicodeDecodeError:
        raise BertdynError(f"{path} is not UTF-8 text.") from None
    if not texts:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    lines_as_texts = tuple((text,) for text in texts)
    return Text("sentence", lines_as_texts, None, (), str(path.absolute()), _sha256(path), {"text": "lines"})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
