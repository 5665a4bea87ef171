"""Read tables of texts and labels: .tsv and .csv line by line, .jsonl, .json and .parquet through DuckDB.

A malformed row is returned with its fault; the caller decides whether to refuse or to skip it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.corpora.text import Row, looks_binary
from store.duck import connect, interruptible
from store.duck_paths import scan
from store.errors import BertdynError

TEXT_COLUMNS = (
    ("text",), ("sentence",), ("text", "text_pair"), ("sentence1", "sentence2"), ("premise", "hypothesis"),
    ("question", "sentence"), ("question1", "question2"), ("question", "answer"),
)  # fmt: skip
"""Names of text columns, used without --text if only one entry fits (or the largest that contains the others)."""
LABEL_COLUMNS = ("label", "labels", "gold_label", "is_duplicate")
"""Names of label columns, used without --label if the table has only one of them."""
NUMBER_COLUMNS = ("score", "similarity")
"""Names of columns of numbers in well-known data sets, used without --label if there are no LABEL_COLUMNS."""
WORD_COLUMNS = ("tokens", "words")
"""Names of columns with lists of words, used without --text if there are no TEXT_COLUMNS."""
TAG_COLUMNS = (*LABEL_COLUMNS, "tags", "ner_tags", "pos_tags", "chunk_tags")
"""Names of columns with a list of one label per word, used without --label if the table has only one of them."""
JSON = (".jsonl", ".json", ".ndjson")
_LIST = re.compile(r"[A-Z]+\[\]")
_DELIMITERS = {".tsv": "\t", ".csv": ","}
_LONGEST_LINE = 64 * 2**20
_HEADLESS = ("sentence", "label")
"""Names of the columns of a .tsv of two columns without a header."""


@dataclass(frozen=True)
class TableFile:
    """A table in a file and the names of its columns."""

    path: Path
    ending: str
    names: tuple[str, ...]
    """Names of the columns: from the first line, else numbers from 1, or sentence and label for two columns."""
    header: bool
    """True if the first line names the columns."""
    nested: frozenset[str] = frozenset()
    """Names of the columns that hold lists or mappings."""
    lists: frozenset[str] = frozenset()
    """Names of the columns that hold lists of texts or numbers: words, or one label per word."""

    @property
    def unit(self) -> str:
        """Word for one row in messages: 'line' or 'row'."""
        return "line" if self.ending in _DELIMITERS else "row"

    def column(self, named: str, flag: str) -> str:
        """Return the column that a flag names, by name or, in a table without a header, by number.

        Raises:
            BertdynError: there is no such column (the message lists the columns), or it holds other than texts or
                lists of words.
        """
        if named in self.nested - self.lists:
            raise BertdynError(
                f"{self.path}: column '{named}' holds lists or mappings, but {flag} needs a text or a list of words."
            )
        if named in self.names:
            return named
        if not self.header and named.isdecimal() and 1 <= int(named) <= len(self.names):
            return self.names[int(named) - 1]
        there = ", ".join(self.names) if self.header else f"{len(self.names)} columns without a header"
        raise BertdynError(f"{self.path} has no column '{named}' for {flag}, only {there}.")

    def rows(self, columns: Sequence[str], limit: int | None = None) -> Iterator[Row]:
        """Yield the rows with the cells of some columns.

        Args:
            limit: number of rows that the caller needs; files that are not read line by line are read no further.

        Raises:
            BertdynError: the file cannot be read.
        """
        if self.ending in _DELIMITERS:
            yield from self._lines([self.names.index(name) for name in columns])
            return
        selected = ", ".join(f"CAST({_quoted(name)} AS VARCHAR{'[]' * (name in self.lists)})" for name in columns)
        most = "" if limit is None else f" LIMIT {int(limit)}"
        table = _table_function(self.path, self.ending, self.names, self.lists)
        found = _query(self.path, f"SELECT {selected} FROM {table}{most}")
        yield from (Row(number, row) for number, row in enumerate(found, 1))

    def _lines(self, places: Sequence[int]) -> Iterator[Row]:
        many = len(self.names)
        rows = split_rows(self.path, self.ending)
        if self.header:
            next(rows, None)
        for row in rows:
            if row.fault:
                yield row
            elif len(row.cells) == many:
                yield Row(row.number, tuple(row.cells[place] for place in places))
            else:
                there = f"{len(row.cells)} column{'s' * (len(row.cells) > 1)}"
                yield Row(row.number, (), f"{there}, but the first line has {many}")


def table_of(path: Path, ending: str, named: Sequence[str]) -> TableFile:
    """Return the table in a file, with the names of its columns.

    Args:
        ending: the file's ending, in lower case.
        named: columns that the user named, by name or number.

    Raises:
        BertdynError: the file is not text or is empty, its first line names a column twice, or the user gave numbers
            although the first line names the columns.
    """
    if ending == ".parquet":
        return _typed(path, ending, scan("read_parquet", [path]))
    if looks_binary(path):
        raise BertdynError(f"{path} is not text: a {ending} file was expected.")
    if ending in JSON:
        return _typed(path, ending, scan("read_json", [path], *_json(ending), "sample_size=-1"))
    first = next(split_rows(path, ending), None)
    if first is None:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    if first.fault:
        raise BertdynError(f"{path}, line {first.number}: {first.fault}.")
    head = [cell or "" for cell in first.cells]
    if _is_header(path, head, ending, named):
        return TableFile(path, ending, tuple(head), True)
    numbers = tuple(str(n) for n in range(1, len(head) + 1))
    return TableFile(path, ending, _HEADLESS[: len(head)] if len(head) <= len(_HEADLESS) else numbers, False)


def text_columns(table: TableFile, given: str | None) -> list[str]:
    """Return the one or two columns of the texts: those in ``given``, else the only ones that fit.

    Raises:
        BertdynError: no columns fit, or several do; the message lists them.
    """
    if given is not None:
        parts = [given] if given in table.names else [part.strip() for part in given.split(",")]
        names = [table.column(part, "--text") for part in parts]
        if not 1 <= len(names) <= 2:
            raise BertdynError(f"--text {given}: an example is one text or a pair of texts, not {len(names)}.")
        if len(names) > 1 and set(names) & table.lists:
            raise BertdynError(f"--text {given}: a list of words cannot be part of a pair.")
        return names
    if not table.header and len(table.names) <= len(_HEADLESS):
        return [table.names[0]]
    fits = [group for group in TEXT_COLUMNS if set(group) <= set(table.names)]
    fits = fits or [(name,) for name in WORD_COLUMNS if name in table.lists]
    whole = [group for group in fits if not any(set(group) < set(other) for other in fits)]
    if len(whole) == 1:
        return [table.column(name, "--text") for name in whole[0]]
    if whole:
        several = " and ".join("'" + ",".join(group) + "'" for group in whole)
        raise BertdynError(f"{table.path}: which columns are the text? {several} fit; name one with --text.")
    hint = "" if table.ending not in _DELIMITERS else "; without a header use numbers, as in --text 4 --label 2"
    raise BertdynError(
        f"{table.path}: which column is the text? It has {', '.join(n or '(no name)' for n in table.names)}; name one "
        f"with --text{hint}."
    )


def label_columns(table: TableFile, given: str | None, words: bool = False) -> list[str]:
    """Return the columns of the labels: those in ``given``, else the only one that fits, if any.

    Args:
        words: whether the text is a list of words, so that a column may hold one label per word.

    Raises:
        BertdynError: several columns fit, or a named column does not exist.
    """
    if given is not None:
        parts = [given] if given in table.names else [part.strip() for part in given.split(",")]
        return list(dict.fromkeys(_labels(table, part, words) for part in parts))
    fits = [name for name in (TAG_COLUMNS if words else LABEL_COLUMNS) if name in table.names]
    fits = fits or [name for name in NUMBER_COLUMNS if name in table.names]
    if len(fits) > 1:
        raise BertdynError(
            f"{table.path}: which column is the label? {' and '.join(repr(n) for n in fits)} fit; name one with "
            "--label."
        )
    return [_labels(table, name, words) for name in fits]


def _labels(table: TableFile, named: str, words: bool) -> str:
    name = table.column(named, "--label")
    if name in table.lists and not words:
        raise BertdynError(
            f"{table.path}: column '{name}' holds a label for each word, so the text must be a column with lists of "
            "words: name it with --text."
        )
    return name


def _is_header(path: Path, head: Sequence[str], ending: str, named: Sequence[str]) -> bool:
    """Return whether the first line names the columns.

    A .tsv of one or two columns may lack a header, and so may any table whose columns the user gave by number.
    """
    columns = set(named)
    known = {*LABEL_COLUMNS, *(part for group in TEXT_COLUMNS for part in group)}
    lowered = {cell.strip().lower() for cell in head}
    if columns <= set(head) and (columns or lowered & known):
        if len(set(head)) != len(head):
            raise BertdynError(f"{path} names a column twice in its first line: {', '.join(head)}.")
        return True
    if columns and all(name.isdecimal() for name in columns - set(head)):
        if lowered & known:
            raise BertdynError(f"{path} names its columns in the first line: use {', '.join(head)}, not numbers.")
        return False
    if ending == ".csv" or len(head) > len(_HEADLESS) or lowered & known:
        return True
    if columns <= set(_HEADLESS):
        return False
    raise BertdynError(
        f"{path} has no column {' or '.join(repr(c) for c in sorted(columns - set(head)))}: its first line is "
        f"{', '.join(repr(c[:40]) for c in head)}."
    )


def split_rows(path: Path, ending: str) -> Iterator[Row]:
    """Yield the non-blank lines of a .tsv or rows of a .csv, split into cells.

    Raises:
        BertdynError: the file is not text, or the rows of a .csv cannot be told apart.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n" if ending == ".tsv" else "") as lines:
            if ending == ".tsv":
                for number, line in enumerate(lines, 1):
                    text = line.removesuffix("\n").removesuffix("\r")
                    if "\r" in text:
                        yield Row(number, (), "a carriage return in the middle")
                    elif text.strip():
                        yield Row(number, tuple(text.split("\t")))
                return
            csv.field_size_limit(_LONGEST_LINE)
            reader = csv.reader(lines, strict=True)
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        yield Row(reader.line_num, tuple(cells))
            except csv.Error as error:
                raise BertdynError(f"{path}, line {reader.line_num} cannot be read: {error}.") from None
    except UnicodeDecodeError:
        raise BertdynError(f"{path} is not UTF-8 text.") from None


def _json(ending: str) -> tuple[str, ...]:
    """Return options of DuckDB's JSON reader: a .json holds one value per line or one list."""
    form = "auto" if ending == ".json" else "newline_delimited"
    return f"format='{form}'", f"maximum_object_size={_LONGEST_LINE}"


def _table_function(path: Path, ending: str, names: Sequence[str], lists: frozenset[str]) -> str:
    if ending == ".parquet":
        return scan("read_parquet", [path])
    # With explicit types, so that DuckDB does not rewrite texts that look like dates or numbers.
    types = ", ".join(f"{_string(name)}: 'VARCHAR{'[]' * (name in lists)}'" for name in names)
    return scan("read_json", [path], *_json(ending), f"columns={{{types}}}")


def _typed(path: Path, ending: str, table: str) -> TableFile:
    found = _query(path, f"DESCRIBE SELECT * FROM {table}")
    nested = frozenset(name for name, kind, *_ in found if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")))
    lists = frozenset(name for name, kind, *_ in found if _LIST.fullmatch(kind))
    return TableFile(path, ending, tuple(name for name, *_ in found), True, nested, lists)


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    import duckdb

    connection = connect()
    try:
        with interruptible():
            return [tuple(row) for row in connection.execute(sql).fetchall()]
    except (duckdb.Error, UnicodeDecodeError) as error:
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), "unreadable")
        raise BertdynError(f"{path} cannot be read: {said}") from None
    finally:
        connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _string(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
