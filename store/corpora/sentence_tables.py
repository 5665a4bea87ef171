"""Read tables of sentences, or of lists of words, with columns of labels."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from store.corpora.labels import SPLIT, Labels, kind_of
from store.corpora.table_files import JSON, TableFile, label_columns, table_of, text_columns
from store.corpora.text import Text, Wanted, joined_words, parts, sha256_of, usable

ENDINGS = (".tsv", ".csv", *JSON, ".parquet")
_IGNORED = "-100"
"""Label of words without a label, as PyTorch's losses and transformers write it in lists of labels."""


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a file is a table, by its ending."""
    return path.suffix.lower() in ENDINGS


def read(path: Path, wanted: Wanted) -> Text:
    """Return the sentences and labels of a table.

    Raises:
        BertdynError: the file cannot be read, no columns or several columns fit, or a row is malformed.
    """
    table = table_of(path, path.suffix.lower(), [*parts(wanted.text), *wanted.labels])
    return text_of(table, wanted, str(path.absolute()), sha256_of(path))


def text_of(table: TableFile, wanted: Wanted, source: str, sha256: str) -> Text:
    """Return the sentences and labels of a table that was opened.

    Raises:
        BertdynError: no columns or several columns fit, or a row is malformed.
    """
    texts = text_columns(table, wanted.text)
    words = texts[0] in table.lists
    labels = label_columns(table, wanted.label, words)
    splits = [SPLIT] if SPLIT in table.names and SPLIT not in (*texts, *labels) else []
    columns = [*texts, *labels, *splits]
    may_lack = set(labels) if wanted.unlabelled else set[str]()
    checked = (
        replace(row, fault=row.fault or _blank(columns, row.cells, texts, may_lack))
        for row in table.rows(columns, None if wanted.skip else wanted.limit)
    )
    found, notes = usable(checked, table.path, wanted, table.unit)
    rows = [row.cells for row in found]
    values = {name: tuple(row[at] for row in rows) for at, name in enumerate(columns)}
    forms = tuple(tuple(row[0]) for row in rows) if words else None
    return Text(
        kind="sentence" if forms is None else "word",
        texts=tuple(row[: len(texts)] for row in rows) if forms is None else joined_words(forms),
        words=forms,
        labels=tuple(
            _of_words(name, values[name]) if name in table.lists else of_sentences(name, values[name], name in splits)
            for name in (*labels, *splits)
        ),
        source=source,
        sha256=sha256,
        columns={
            "text": ",".join(texts),
            **({"label": ",".join(labels)} if labels else {}),
            **({"split": SPLIT} if splits else {}),
            **({} if table.header else {"header": "none"}),
        },
        notes=notes,
    )


def _of_words(name: str, cells: Sequence[Sequence[str | None]]) -> Labels:
    values = tuple(tuple(_word_label(cell) for cell in sentence) for sentence in cells)
    return Labels(name, "word", kind_of(cell for sentence in values for cell in sentence), values)


def _word_label(cell: str | None) -> str | None:
    """Return the label of a word; None if it has none."""
    label = (cell or "").strip()
    return None if label in ("", _IGNORED) else label


def of_sentences(name: str, cells: Sequence[str | None], split: bool = False) -> Labels:
    """Return a column of labels, or of splits, of sentences. A blank cell is a sentence without a label."""
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
