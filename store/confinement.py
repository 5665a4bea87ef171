"""Confine SQL that a user typed to the tables of a store.

A statement only reads, and it reads nothing but the store: no other file, no URL, no extension, no variable of Python.
DuckDB itself enforces most of this. It takes a list of files that may be opened, refuses all others, and then locks its
own configuration, so that no statement can change it back.

DuckDB does not tell reading from writing an allowed file, and since 2.0 a SELECT may begin with
``WITH x AS (COPY ... TO 'file')``. So we refuse the word COPY, which is the only statement that writes to a file whose
name is given: as part of a SELECT or EXPLAIN it could overwrite the store's own fragments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from store.duck_paths import permitted
from store.errors import BertdynError

_COPY = re.compile(r"\bcopy\b", re.IGNORECASE)
_LOCKED = (
    "SET python_enable_replacements = false",  # else a table's name may be a variable of our own code
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def confine(connection: Any, files: Iterable[Path]) -> None:
    """Let a connection open no files but these, from now on and without a way back."""
    connection.execute(f"SET allowed_paths = {permitted(files)}")
    for setting in _LOCKED:
        connection.execute(setting)


def require_reading(connection: Any, sql: str) -> None:
    """Check that a text is one statement that only reads.

    Raises:
        BertdynError: it is not a single SELECT, it contains COPY, or it is not valid text.
        duckdb.Error: DuckDB cannot parse it.
    """
    import duckdb

    try:
        sql.encode()
    except UnicodeEncodeError:
        raise BertdynError("The query is not valid text: it must be UTF-8.") from None
    statements = connection.extract_statements(sql)
    reading = [duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN]
    if sql.lstrip()[:5].lower() == "pivot":
        reading.append(duckdb.StatementType.MULTI)  # DuckDB first looks up the names of the new columns
    if len(statements) != 1 or statements[0].type not in reading:
        raise BertdynError(
            "A query is one SELECT (or PIVOT, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN): SQL can only read the store."
        )
    if any(map(_COPY.search, _words(sql))):
        raise BertdynError(
            'SQL can only read the store, so a query cannot contain COPY (a column of that name is written "copy"). '
            "To save an answer, use `bertdyn sql ... -o FILE`."
        )


def _words(sql: str) -> Iterator[str]:
    """Yield the parts of a statement that are neither literals, nor quoted names, nor comments."""
    import duckdb

    text = sql.encode()
    tokens = duckdb.tokenize(sql)
    ends = [*(start for start, _ in tokens[1:]), len(text)]
    for (start, kind), end in zip(tokens, ends, strict=True):
        part = text[start:end].decode(errors="replace")
        if kind not in (duckdb.token_type.string_const, duckdb.token_type.comment) and not part.startswith('"'):
            yield part
