"""How DuckDB is asked: connections, rows in and out, and which statements only read."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from types import FrameType
from typing import Any, TypeVar
from weakref import WeakSet

from store.duck_paths import target
from store.errors import BertdynError

AT_ONCE = 2000
"""Rows that are handed over together."""
_T = TypeVar("_T")
_TRIES = 5
_NO_LOCK = "Could not set lock on file"
_INTERRUPTED = "Query interrupted"


@dataclass(frozen=True)
class Table:
    """Answer to an SQL query."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """SQL type of each column."""
    rows: list[tuple[Any, ...]]
    truncated: bool
    """There were more rows than the limit."""


_connected: WeakSet[Any] = WeakSet()
"""Connections of this process that are still open."""


def connect() -> Any:
    """A connection to a database in memory."""
    import duckdb

    # What does not fit into memory goes to the temporary folder, not to the folder that the user is in.
    connection = duckdb.connect(config={"temp_directory": str(spill(os.getpid()))})
    _connected.add(connection)
    return connection


@contextmanager
def interruptible() -> Iterator[None]:
    """Within it Ctrl-C is KeyboardInterrupt while DuckDB works, too.

    DuckDB 2.0 drops KeyboardInterrupt and raises an error of its own. Before that it waits for tasks that its other
    threads have taken, which go on to their end, be it in years, unless the connection itself is interrupted.
    """
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for connection in list(_connected):
            connection.interrupt()
        if callable(before):
            before(number, frame)

    # Only the main thread hears signals; where Ctrl-C is ignored it stays so.
    ours = callable(before) and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except RuntimeError as error:
        if str(error) != _INTERRUPTED:
            raise
        raise KeyboardInterrupt from None
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


def spill(pid: int) -> Path:
    """Where a process puts what does not fit into memory; DuckDB removes it, if it lives to do so."""
    return Path(tempfile.gettempdir()) / f"bertdyn-{pid}"


def written(path: Path, write: Callable[[Path], object]) -> None:
    """Let DuckDB write a new file. It locks what it writes; where the file system has no locks it writes a file in the
    temporary folder, which is then copied.

    Raises:
        duckdb.IOException: it cannot be written.
        OSError: it cannot be copied.
    """
    import duckdb

    try:
        with interruptible():
            write(path)
    except duckdb.IOException as error:
        if _NO_LOCK not in str(error):
            raise
        path.unlink(missing_ok=True)
        with interruptible(), tempfile.TemporaryDirectory(prefix="bertdyn-") as folder:
            write(Path(folder) / path.name)
            shutil.copyfile(Path(folder) / path.name, path)


def insert(connection: Any, table: str, values: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows; ``values`` is a SELECT from one list a column, as parameters."""
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        connection.execute(f"insert into {table} {values}", [list(column) for column in zip(*part, strict=True)])


def unnested(*kinds: str) -> str:
    """SELECT that gives rows from one list a column of these SQL types, as parameters."""
    return "select " + ", ".join(f"unnest(${number}::{kind}[])" for number, kind in enumerate(kinds, 1))


def all_rows(answer: Any) -> list[tuple[Any, ...]]:
    """All rows of an answer, equal texts only once in memory: names and digests are most of a row."""
    found: list[tuple[Any, ...]] = []
    while some := answer.fetchmany(AT_ONCE):
        found += [tuple([intern(value) if type(value) is str else value for value in row]) for row in some]
    return found


def write_table(names: Sequence[str], columns: Sequence[Sequence[Any]], output: Path) -> None:
    """Write a Parquet file for the user; a column's type is that of its values.

    Raises:
        BertdynError: the file cannot be written.
    """
    import duckdb

    kinds = [sql_type(column) for column in columns]
    given = [_texts(column) if kind == "VARCHAR" else column for column, kind in zip(columns, kinds, strict=True)]
    quoted = (name.replace('"', '""') for name in names)
    selects = (f'unnest(?::{kind}[]) AS "{name}"' for kind, name in zip(kinds, quoted, strict=True))
    connection = duckdb.connect()
    try:
        connection.execute(f"COPY (SELECT {', '.join(selects)}) TO {target(output)} (FORMAT parquet)", given)
    except (duckdb.IOException, OSError) as error:
        raise BertdynError(f"Cannot write {output}: {str(error).splitlines()[0]}") from None
    finally:
        connection.close()


def _texts(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]


def sql_type(values: Sequence[Any]) -> str:
    """Return the SQL type that holds some values."""
    kinds = {type(v) for v in values if v is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"


def retried(ask: Callable[[], _T]) -> _T:
    """Ask, and ask again: a fragment that was listed may have been compacted and removed before it was opened."""
    import duckdb

    with interruptible():
        for _ in range(_TRIES - 1):
            with suppress(duckdb.IOException):
                return ask()
        return ask()


def relation_of(connection: Any, sql: str) -> Any:
    """Return a statement that only reads as DuckDB's relation, which is not executed before it is converted.

    Raises:
        BertdynError: it is no single SELECT.
        duckdb.Error: DuckDB refuses it.
    """
    _only_reading(connection, sql)
    return connection.sql(sql)


def relation_of_rows(
    connection: Any, columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[object]]
) -> Any:
    """Return some rows as DuckDB's relation.

    Args:
        types: SQL type of each column.
    """
    names = ('"' + name.replace('"', '""') + '"' for name in columns)
    described = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
    connection.execute(f"create temp table given ({described})")
    insert(connection, "given", unnested(*types), rows)
    return connection.sql("from given")


def answered(connection: Any, sql: str, limit: int | None) -> Table:
    """Answer one statement that only reads; at most ``limit`` rows.

    Raises:
        BertdynError: it is no single SELECT.
        duckdb.Error: DuckDB refuses it.
    """
    _only_reading(connection, sql)
    connection.execute(sql)
    described = connection.description or []
    rows = connection.fetchall() if limit is None else connection.fetchmany(limit + 1)
    return Table(
        columns=tuple(column[0] for column in described),
        types=tuple(str(column[1]) for column in described),
        rows=rows[:limit] if limit is not None else rows,
        truncated=limit is not None and len(rows) > limit,
    )


def _only_reading(connection: Any, sql: str) -> None:
    import duckdb

    statements = connection.extract_statements(sql)
    reading = [duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN]
    if sql.lstrip()[:5].lower() == "pivot":
        reading.append(duckdb.StatementType.MULTI)  # DuckDB looks up the new columns' names first
    if len(statements) != 1 or statements[0].type not in reading:
        raise BertdynError(
            "A query is one SELECT (or PIVOT, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN): the store is only read through SQL."
        )
