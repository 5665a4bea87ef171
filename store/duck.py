"""Use DuckDB: open connections, and move rows in and out."""

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

from store.confinement import require_reading
from store.duck_paths import target
from store.errors import BertdynError
from store.whole_files import whole

THREADS = 4
"""Maximum number of threads of a connection: one per core would be as many as all programs of a shared node have."""
AT_ONCE = 2000
"""Batch size, in rows, for fetch and insert."""
_T = TypeVar("_T")
_TRIES = 5
_NO_LOCK = "Could not set lock on file"
_INTERRUPTED = "Query interrupted"
_ZONE = "WITH TIME ZONE"


@dataclass(frozen=True)
class Table:
    """Answer to an SQL query."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """SQL type of each column."""
    rows: list[tuple[Any, ...]]
    truncated: bool
    """True if there were more rows than the limit."""


@dataclass(frozen=True)
class GivenTable:
    """A table that whoever queries the store adds to its own."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """Names of the columns with their SQL types."""
    rows: tuple[tuple[object, ...], ...] = ()


_connected: WeakSet[Any] = WeakSet()
"""Open connections of this process."""


def connect() -> Any:
    """Open a connection to a database in memory."""
    import duckdb

    config: dict[str, Any] = {
        # Data that does not fit into memory goes to the temporary folder, not to the user's working folder.
        "temp_directory": str(spill(os.getpid())),
        "threads": min(THREADS, os.cpu_count() or 1),
    }
    if int(duckdb.__version__.partition(".")[0]) >= 2:
        config["async_threads"] = 1  # eight by default, to read from distant disks
    connection = duckdb.connect(config=config)
    _connected.add(connection)
    return connection


@contextmanager
def interruptible() -> Iterator[None]:
    """Make Ctrl-C raise KeyboardInterrupt inside the block even while DuckDB works.

    DuckDB 2.0 replaces KeyboardInterrupt by its own error. It first waits for its other threads to finish their tasks,
    which may take forever unless the connection itself is interrupted.
    """
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for connection in list(_connected):
            connection.interrupt()
        if callable(before):
            before(number, frame)

    # Only the main thread receives signals; if Ctrl-C is ignored, it stays ignored.
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
    """Return a process's folder for data that does not fit into memory. DuckDB removes it, unless it is killed."""
    return Path(tempfile.gettempdir()) / f"bertdyn-{pid}"


def written(path: Path, write: Callable[[Path], object]) -> None:
    """Let DuckDB write a new file.

    DuckDB locks the files that it writes. On a file system without locks, it writes to the temporary folder and the
    file is then copied.

    Raises:
        duckdb.IOException: the file cannot be written.
        OSError: the file cannot be copied.
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
    """Insert rows; ``values`` is a SELECT whose parameters are one list per column."""
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        connection.execute(f"insert into {table} {values}", [list(column) for column in zip(*part, strict=True)])


def unnested(*kinds: str) -> str:
    """Return a SELECT of rows whose parameters are one list per column, of these SQL types."""
    return "select " + ", ".join(f"unnest(${number}::{kind}[])" for number, kind in enumerate(kinds, 1))


def all_rows(answer: Any) -> list[tuple[Any, ...]]:
    """Return all rows of an answer. Equal texts share memory, since names and digests are most of a row."""
    found: list[tuple[Any, ...]] = []
    while some := answer.fetchmany(AT_ONCE):
        found += [tuple([intern(value) if type(value) is str else value for value in row]) for row in some]
    return found


def write_table(names: Sequence[str], columns: Sequence[Sequence[Any]], output: Path) -> None:
    """Write a Parquet file for the user, completely or not at all; each column has the type of its values.

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
        with whole(output) as draft:
            connection.execute(f"COPY (SELECT {', '.join(selects)}) TO {target(draft)} (FORMAT parquet)", given)
    except duckdb.IOException as error:
        raise BertdynError(f"Cannot write {output}: {str(error).splitlines()[0]}") from None
    finally:
        connection.close()


def _texts(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]


def sql_type(values: Sequence[Any]) -> str:
    """Return an SQL type that can hold all the values."""
    kinds = {type(v) for v in values if v is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"


def retried(ask: Callable[[], _T]) -> _T:
    """Ask, and retry if a listed fragment was compacted and removed before DuckDB opened it."""
    import duckdb

    with interruptible():
        for _ in range(_TRIES - 1):
            with suppress(duckdb.IOException):
                return ask()
        return ask()


def relation_of(connection: Any, sql: str) -> Any:
    """Return a read-only statement as DuckDB's relation, which is executed only when it is converted.

    Raises:
        BertdynError: it is not a single SELECT.
        duckdb.Error: DuckDB refuses it.
    """
    require_reading(connection, sql)
    return connection.sql(sql)


def relation_of_rows(
    connection: Any, columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[object]]
) -> Any:
    """Return some rows as DuckDB's relation.

    Args:
        types: SQL type of each column.
    """
    add_table(connection, GivenTable("given", tuple(zip(columns, types, strict=True)), tuple(map(tuple, rows))))
    return connection.sql("from given")


def add_table(connection: Any, table: GivenTable) -> None:
    """Add a table of given rows to a connection."""
    described = ", ".join(f"{_quoted(name)} {kind}" for name, kind in table.columns)
    connection.execute(f"create temp table {_quoted(table.name)} ({described})")
    insert(connection, _quoted(table.name), unnested(*(kind for _, kind in table.columns)), table.rows)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def answered(connection: Any, sql: str, limit: int | None) -> Table:
    """Answer one read-only statement with at most ``limit`` rows.

    Raises:
        BertdynError: it is not a single SELECT.
        duckdb.Error: DuckDB refuses it.
    """
    require_reading(connection, sql)
    connection.execute(sql)
    described = connection.description or []
    if any(_ZONE in str(column[1]) for column in described):
        connection.execute(_zones_as_text(sql, [_ZONE in str(column[1]) for column in described]))
    rows = connection.fetchall() if limit is None else connection.fetchmany(limit + 1)
    return Table(
        columns=tuple(column[0] for column in described),
        types=tuple(str(column[1]) for column in described),
        rows=rows[:limit] if limit is not None else rows,
        truncated=limit is not None and len(rows) > limit,
    )


def _zones_as_text(sql: str, zoned: Sequence[bool]) -> str:
    """Return a query whose columns with a time zone are text; as times, DuckDB needs the package pytz for them."""
    names = [f"c{number}" for number in range(len(zoned))]
    cells = (f"CAST({name} AS VARCHAR)" if text else name for name, text in zip(names, zoned, strict=True))
    return f"SELECT {', '.join(cells)} FROM ({sql.rstrip().rstrip(';')}\n) AS answer({', '.join(names)})"
