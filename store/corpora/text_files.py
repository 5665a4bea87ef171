"""Read a text file, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from store.corpora import (
    conll,
    conllu,
    directprobe,
    edges,
    holmes,
    hub_datasets,
    saved_datasets,
    sentence_tables,
    senteval,
    text_lines,
)
from store.corpora.text import Text, Wanted, parts
from store.errors import BertdynError

ENDINGS = (*sentence_tables.ENDINGS, conllu.ENDING, conll.ENDING, text_lines.ENDING)


@dataclass(frozen=True)
class Format:
    """A format of text files."""

    fits: Callable[[Path, Wanted], bool]
    """Return whether a file has the certain sign of this format."""
    read: Callable[[Path, Wanted], Text]


def _formats(*modules: Any) -> tuple[Format, ...]:
    return tuple(Format(module.fits, module.read) for module in modules)


FILES = _formats(edges, holmes, senteval, directprobe, conll, conllu, text_lines, sentence_tables)
"""Formats of files. The first one that fits is taken: those with a sign in the content come before those with an ending
only."""
DATASETS = _formats(hub_datasets, saved_datasets)
"""Formats of data sets that are not one file: a folder, or a name on the Hub."""


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
    treebanks = [n for n, p in corpora.items() if p.suffix.lower() == conllu.ENDING]
    tables = [n for n, p in corpora.items() if n not in treebanks and not _are_lines(p)]
    if flag == "--label" and treebanks and (not tables or all(v.upper() in conllu.NAMES for v in parts(value))):
        return treebanks
    if not tables:
        raise BertdynError(f"{flag} {value}: no corpus is a table with columns; in a .conllu the words are the text.")
    return tables


def _are_lines(path: Path) -> bool:
    """Return whether a file has one sentence per line, and nothing else that its ending may mean."""
    others = (one.fits(path, Wanted()) for one in (senteval, directprobe, conll))
    return text_lines.fits(path, Wanted()) and not any(others)


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
        path: a file in one of ``FILES``, a folder of a saved data set, or the name of a data set of the Hub. A .tsv of
            two columns without a header holds sentences and labels. In .jsonl, .json and .parquet, columns may hold
            lists of words and lists of labels.
        text: column of the sentences, or two columns joined by a comma for pairs; numbers without a header.
        label: columns of the labels, joined by commas; for a .conllu UPOS, XPOS, DEPREL, HEAD, ARCS or keys of FEATS,
            in any case (default: all). Other formats say in their modules which labels they have.
        limit: number of examples to keep, from the first.
        skip: leave out (and count) rows that are malformed or lack a text or label, and sentences whose heads are not
            a tree.
        unlabelled: accept a row without a label as a sentence without one.

    Raises:
        BertdynError: the file does not exist, has an unknown ending, is binary or empty, lacks the column, has several
            columns that fit, or has a bad row.
    """
    wanted = Wanted(text, label, limit, skip, unlabelled)
    formats = FILES if path.is_file() else DATASETS
    found = next((one for one in formats if one.fits(path, wanted)), None)
    if found is not None:
        return found.read(path, wanted)
    if path.is_dir():
        raise BertdynError(f"{path} is a folder, and not one that save_to_disk of the library datasets wrote.")
    if not path.is_file():
        raise BertdynError(f"There is no corpus file {path}.")
    raise BertdynError(f"{path}: corpus files end in {', '.join(ENDINGS)}.")


def renamed(text: Text, name: str) -> Text:
    """Return a text with a new name for its only column of labels.

    Raises:
        BertdynError: the text has no labels or several columns of them.
    """
    if len(text.labels) != 1:
        there = ", ".join(labels.name for labels in text.labels) or "none"
        raise BertdynError(f"--name {name} needs exactly one column of labels, but {text.source} has {there}.")
    return replace(text, labels=(replace(text.labels[0], name=name),))
