"""Tables as immutable Parquet fragments: write one, list them, compact them. Any number of processes at once.

A fragment has a temporary name until it is whole and synced. Compaction writes one fragment with the rows of many and
leaves the many for a grace period, since a reader may have just listed them; every view keeps one row of a key, so rows
that are there twice show once.

A fragment is named ``<time>-<random>-<columns>-<checksum>.parquet``: ``columns`` is a hash of the names and types of
its columns, so that fragments with the same columns can be read as one table without opening each; ``checksum`` is the
CRC-32C of its content (see ``store.sound_fragments``). The note ``<same name>.replaces.json`` names the fragments whose
rows it repeats. Readers leave those out, but only while the fragment of the note is listed too: a listing made in the
middle of a compaction may show rows twice but never misses any.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store.duck import written
from store.duck_paths import scan, target
from store.errors import BertdynError
from store.layout import TABLES
from store.locks import locked
from store.ownership import ServerClock
from store.ownership import draft as new_draft
from store.staging import refused, sync, write_file, writing

COMPACT_ABOVE = 256
"""Number of small fragments; an aggregate over 500 takes 64 ms, over one 1 ms."""
SMALL_BYTES = 4 * 2**20
"""Size below which a fragment is merged with others. What grew beyond is not written again each time."""
GRACE_SECONDS = 600
UNREADABLE = "cannot be read"
_SUFFIX, _REPLACES = ".parquet", ".replaces.json"
_NAME = re.compile(r"[0-9]{20,}-[0-9a-f]{12}-(?P<columns>[0-9a-f]{8})-(?P<checksum>[0-9a-f]{8})[.]parquet")
_READ_AT_ONCE = 2**20


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
        """Return a SELECT of the table's columns of some fragments."""
        return self.completed(_scans(_by_columns(paths).values())) if paths else self.empty()

    def whole(self, paths: Sequence[Path]) -> str:
        """Return a SELECT of all columns of some fragments, also of those that the table does not name."""
        return " union all by name ".join((f"({self.empty()})", *_scans(_by_columns(paths).values())))

    def outline(self, paths: Sequence[Path]) -> str:
        """Return a SELECT with the columns of ``whole(paths)``, from few of the files."""
        return self.whole([same[0] for same in _by_columns(paths).values()])

    def completed(self, sources: Sequence[str]) -> str:
        """Return a SELECT of the table's columns, with its types, of SELECTs that may lack some or have others."""
        names = ", ".join(f"{named(name)}::{kind} as {named(name)}" for name, kind in self.columns.items())
        return f"select {names} from ({' union all by name '.join((f'({self.empty()})', *sources))})"


def named(column: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def _scans(groups: Iterable[Sequence[Path]]) -> list[str]:
    # The columns of all are known beforehand, so DuckDB need not open each file to find them.
    return [f"select * from {scan('read_parquet', same)}" for same in groups]


def _by_columns(paths: Sequence[Path]) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        named = _NAME.fullmatch(path.name)
        groups.setdefault(named["columns"] if named else path.name, []).append(path)
    return groups


@dataclass(frozen=True)
class Listing:
    """The files in the folder of a table, by name."""

    folder: Path
    files: Mapping[str, os.DirEntry[str]]
    """Fragments, oldest first."""
    replaces: Mapping[str, tuple[str, ...]]
    """Names of the fragments whose rows are also in this one."""

    def current(self, without: Collection[str] = ()) -> list[str]:
        """Return the fragments that hold all rows, leaving out what others replace.

        A fragment of ``without`` is left out too, and does not replace others: while those are still there, its rows
        are in them.
        """
        replaced = {name for new, names in self.replaces.items() if new not in without for name in names}
        return [name for name in self.files if name not in replaced and name not in without]

    def small(self, without: Collection[str] = ()) -> list[str]:
        """Return those of ``current`` that are worth merging.

        Raises:
            FileNotFoundError: one went away meanwhile.
        """
        return [name for name in self.current(without) if self.files[name].stat().st_size < SMALL_BYTES]

    def spare(self, name: str) -> bool:
        """Return whether the rows of a fragment are in others that are all there."""
        if any(name in names for names in self.replaces.values()):
            return True
        names = self.replaces.get(name, ())
        return bool(names) and all(other in self.files for other in names)


def listing(root: Path, table: TableSpec) -> Listing:
    """List the files of a table.

    Raises:
        BertdynError: their folder cannot be read.
    """
    folder = table.folder(root)
    entries = _entries(folder)
    replaces = {}
    for name in entries:
        new = name.removesuffix(_REPLACES) + _SUFFIX
        if name.endswith(_REPLACES) and new in entries:
            replaces[new] = _noted(folder / name)
    files = {name: entries[name] for name in sorted(entries) if name.endswith(_SUFFIX)}
    return Listing(folder, files, replaces)


def listed(root: Path, table: TableSpec) -> list[Path]:
    """Return all fragments of a table, oldest first, replaced and damaged ones too.

    Raises:
        BertdynError: their folder cannot be read.
    """
    folder = table.folder(root)
    return [folder / name for name in sorted(_entries(folder)) if name.endswith(_SUFFIX)]


def _entries(folder: Path) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries if entry.name[0] != "."}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BertdynError(f"'{folder}' cannot be read: {error.strerror}.") from None


def fault(path: Path) -> str | None:
    """Return what is wrong with a fragment's file, as a predicate, or None when its content is what was written.

    Raises:
        FileNotFoundError: it went away.
    """
    named = _NAME.fullmatch(path.name)
    if named is None:
        return "was not written by bertdyn: its name has no checksum"
    try:
        checksum = _checksum(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        return f"{UNREADABLE}: {error.strerror}"
    return None if checksum == named["checksum"] else "is damaged: it does not match the checksum in its name"


def write(connection: Any, root: Path, table: TableSpec, rows: Sequence[Sequence[object]]) -> Path:
    """Write rows as one fragment; it is there whole or not at all.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else []
    return _copy(connection, root, table, table.values() if rows else table.empty(), columns)


def compact(
    connection: Any,
    root: Path,
    table: TableSpec,
    above: int | None = None,
    fault_of: Callable[[Path], str | None] = fault,
) -> bool:
    """Merge a table's small fragments when there are more than ``above``, unless another process is at it.

    ``above`` is COMPACT_ABOVE unless given. Damaged fragments, as ``fault_of`` tells, stay as they are: merged, they
    would get a new checksum.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    folder = table.folder(root)
    above = COMPACT_ABOVE if above is None else above
    if sum(name.endswith(_SUFFIX) for name in _entries(folder)) <= above:
        return False
    with writing(root), locked(folder / ".lock", wait=False) as free:
        if not free:
            return False
        _remove_replaced(root, table)
        there = listing(root, table)
        bad: set[str] = set()
        if len(there.small()) > above:
            bad.update(name for name in there.small() if fault_of(folder / name) is not None)
        paths = [folder / name for name in there.small(bad)]
        if len(paths) <= above:
            return False
        key = ", ".join(table.key)
        rows = (
            f"select * from ({table.whole(paths)}) "
            f"qualify row_number() over (partition by {key} order by {table.newest} desc) = 1"
        )
        connection.execute("set threads = 1")  # of many small files two threads take twice the time together
        try:
            _replace(_copy(connection, root, table, rows, []), paths)
        finally:
            connection.execute("reset threads")
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
            _replace(write(connection, root, table, rows), paths)


def _unnest(number: int, kind: str) -> str:
    nested = kind.startswith(("MAP", "STRUCT")) or kind.endswith("[]")
    return f"unnest(${number}::JSON[])::{kind}" if nested else f"unnest(${number}::{kind}[])"


def _copy(connection: Any, root: Path, table: TableSpec, rows: str, parameters: list[list[object]]) -> Path:
    import duckdb

    folder = table.folder(root)
    draft = new_draft(folder / uuid.uuid4().hex)
    with writing(root):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            options = "(format parquet, compression zstd)"
            written(draft, lambda file: connection.execute(f"copy ({rows}) to {target(file)} {options}", parameters))
            return adopt(connection, root, table, draft)
        except duckdb.IOException as error:
            if "such file" in str(error):
                raise  # a listed fragment went away: the caller lists again
            raise refused(folder, str(error)) from None
        finally:
            draft.unlink(missing_ok=True)


def adopt(connection: Any, root: Path, table: TableSpec, file: Path) -> Path:
    """Make a Parquet file on the same disk a fragment of a table: rename it to what it holds.

    Raises:
        OSError: the disk is full or not writable.
    """
    described = connection.execute(f"describe select * from {scan('read_parquet', [file])}").fetchall()
    columns = zlib.crc32(json.dumps([column[:2] for column in described]).encode())
    sync(file)
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:12]}-{columns:08x}-{_checksum(file)}{_SUFFIX}"
    path = table.folder(root) / name
    os.rename(file, path)
    sync(path.parent)
    return path


def _checksum(path: Path) -> str:
    import google_crc32c

    checksum = 0
    handle = os.open(path, os.O_RDONLY)
    try:
        while part := os.read(handle, _READ_AT_ONCE):
            checksum = google_crc32c.extend(checksum, part)
    finally:
        os.close(handle)
    return f"{checksum:08x}"


def note_of(fragment: Path) -> Path:
    """Return the file that says what a fragment replaces, whether it is there or not."""
    return fragment.with_name(fragment.name.removesuffix(_SUFFIX) + _REPLACES)


def _replace(new: Path, old: Sequence[Path]) -> None:
    write_file(note_of(new), json.dumps([path.name for path in old]).encode())


def _noted(note: Path) -> tuple[str, ...]:
    """Return the names in a note. One that cannot be read replaces nothing: rows that are there twice show once."""
    with suppress(OSError, ValueError):
        names = json.loads(note.read_bytes())
        if isinstance(names, list) and all(isinstance(name, str) and "/" not in name for name in names):
            return tuple(names)
    return ()


def _remove_replaced(root: Path, table: TableSpec) -> None:
    folder = table.folder(root)
    clock = ServerClock(folder)
    for note in sorted(folder.glob(f"*{_REPLACES}")):  # oldest first: a fragment's note goes before the fragment
        if clock.now() - note.stat().st_mtime < GRACE_SECONDS:
            continue
        new = note.with_name(note.name.removesuffix(_REPLACES) + _SUFFIX)
        with suppress(FileNotFoundError):  # set aside: the replaced ones count again
            if fault(new) is not None:
                continue  # what it replaces may be all that is left of its rows
            for name in _noted(note):
                (folder / name).unlink(missing_ok=True)
        note.unlink(missing_ok=True)
