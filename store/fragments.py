"""Tables as immutable Parquet fragments: write one, list them, compact them. Any number of processes at once.

A fragment has a temporary name until it is whole and synced. Compaction writes one fragment with the rows of many and
leaves the many for a grace period, since a reader may have just listed them; every view keeps one row of a key, so rows
that are there twice show once.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store.duck import written
from store.errors import BertdynError
from store.layout import TABLES
from store.locks import locked
from store.ownership import ServerClock
from store.ownership import draft as new_draft
from store.staging import refused, sync, write_file, writing

COMPACT_ABOVE = 256
"""Fragments; an aggregate over 500 takes 64 ms, over one 1 ms."""
GRACE_SECONDS = 600
_SUFFIX, _REPLACES = ".parquet", ".replaces.json"


@dataclass(frozen=True, eq=False)
class TableSpec:
    """A table on disk: its columns and what makes a row of a later fragment replace one of an earlier."""

    name: str
    columns: Mapping[str, str]
    """SQL type by name. Nested types are given as JSON text."""
    key: tuple[str, ...]
    newest: str

    def folder(self, root: Path) -> Path:
        """Where the fragments lie."""
        return root / TABLES / self.name

    def wider(self, more: Mapping[str, str]) -> TableSpec:
        """Return the table with further columns, which only some fragments have."""
        return replace(self, columns={**self.columns, **more}) if more else self

    def values(self) -> str:
        """SELECT that gives rows from one list per column, as parameters."""
        return "select " + ", ".join(
            f"{_unnest(number, kind)} as {named(name)}" for number, (name, kind) in enumerate(self.columns.items(), 1)
        )

    def empty(self) -> str:
        """SELECT of no rows with the table's columns."""
        return "select " + ", ".join(f"null::{kind} as {named(n)}" for n, kind in self.columns.items()) + " limit 0"

    def read(self, paths: Sequence[Path]) -> str:
        """SELECT of the table's columns of some fragments."""
        if not paths:
            return self.empty()
        names = ", ".join(quoted(escaped(path)) for path in paths)
        return self.completed(f"read_parquet([{names}], union_by_name = true)")

    def completed(self, source: str) -> str:
        """SELECT of the table's columns of a source that may lack some, or have others."""
        names = ", ".join(map(named, self.columns))
        return f"select {names} from (({self.empty()}) union all by name select * from {source})"


def named(column: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def quoted(text: object) -> str:
    """Text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def escaped(path: object) -> str:
    """A path for a function that takes glob patterns."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path))


def listed(root: Path, table: TableSpec) -> list[Path]:
    """Fragments of a table, oldest first.

    Raises:
        BertdynError: their folder cannot be read.
    """
    try:
        names = sorted(e.name for e in os.scandir(table.folder(root)) if e.name.endswith(_SUFFIX) and e.name[0] != ".")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BertdynError(f"'{table.folder(root)}' cannot be read: {error.strerror}.") from None
    return [table.folder(root) / name for name in names]


def write(connection: Any, root: Path, table: TableSpec, rows: Sequence[Sequence[object]]) -> Path:
    """Write rows as one fragment; it is there whole or not at all.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else []
    return _copy(connection, root, table, table.values() if rows else table.empty(), columns)


def compact(connection: Any, root: Path, table: TableSpec, above: int = COMPACT_ABOVE) -> bool:
    """Merge a table's fragments when there are more than ``above``, unless another process is at it.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    if len(listed(root, table)) <= above:
        return False
    with writing(root), locked(table.folder(root) / ".lock", wait=False) as free:
        if not free:
            return False
        _remove_replaced(root, table)
        replaced = _replaced(root, table)
        paths = [path for path in listed(root, table) if path.name not in replaced]
        if len(paths) <= above:
            return False
        key = ", ".join(table.key)
        rows = (
            f"select * from ({table.read(paths)}) "
            f"qualify row_number() over (partition by {key} order by {table.newest} desc) = 1"
        )
        _replace(root, table, _copy(connection, root, table, rows, []), paths)
    return True


def rewrite(connection: Any, root: Path, table: TableSpec, rows: Sequence[Sequence[object]]) -> None:
    """Replace all rows of a derived table; readers go on with the old fragments for the grace period.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    with writing(root):
        table.folder(root).mkdir(parents=True, exist_ok=True)
        with locked(table.folder(root) / ".lock"):
            _remove_replaced(root, table)
            paths = listed(root, table)
            _replace(root, table, write(connection, root, table, rows), paths)


def _unnest(number: int, kind: str) -> str:
    nested = kind.startswith(("MAP", "STRUCT")) or kind.endswith("[]")
    return f"unnest(${number}::JSON[])::{kind}" if nested else f"unnest(${number}::{kind}[])"


def _copy(connection: Any, root: Path, table: TableSpec, rows: str, parameters: list[list[object]]) -> Path:
    import duckdb

    folder = table.folder(root)
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:12]}"
    path = folder / f"{name}{_SUFFIX}"
    draft = new_draft(folder / name)
    with writing(root):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            options = "(format parquet, compression zstd)"
            written(draft, lambda file: connection.execute(f"copy ({rows}) to {quoted(file)} {options}", parameters))
            sync(draft)
            os.rename(draft, path)
            sync(folder)
        except duckdb.IOException as error:
            if "such file" in str(error):
                raise  # a listed fragment went away: the caller lists again
            raise refused(folder, str(error)) from None
        finally:
            draft.unlink(missing_ok=True)
    return path


def _replace(root: Path, table: TableSpec, new: Path, old: Sequence[Path]) -> None:
    write_file(new.with_suffix(_REPLACES), json.dumps([path.name for path in old]).encode())


def _replaced(root: Path, table: TableSpec) -> set[str]:
    names: set[str] = set()
    for note in table.folder(root).glob(f"*{_REPLACES}"):
        names.update(json.loads(note.read_bytes()))
    return names


def _remove_replaced(root: Path, table: TableSpec) -> None:
    folder = table.folder(root)
    clock = ServerClock(folder)
    for note in sorted(folder.glob(f"*{_REPLACES}")):
        if clock.now() - note.stat().st_mtime < GRACE_SECONDS:
            continue
        # Without the fragment that took their place (damaged, set aside) the replaced ones count again.
        if note.with_name(note.name.removesuffix(_REPLACES) + _SUFFIX).exists():
            for name in json.loads(note.read_bytes()):
                (folder / name).unlink(missing_ok=True)
        note.unlink(missing_ok=True)
