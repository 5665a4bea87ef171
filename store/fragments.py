"""Keep tables as immutable Parquet fragments: write, list and compact them, from any number of processes at once.

A fragment has a temporary name until it is complete and synced. Compaction writes the rows of many fragments into one
new fragment and keeps the old ones for a grace period, since a reader may have just listed them. Every view keeps one
row per key, so duplicate rows show once.

A fragment is named ``<time>-<random>-<columns>-<checksum>.parquet``. ``columns`` is a hash of the names and types of
its columns: fragments with the same hash can be read as one table without opening each. ``checksum`` is the CRC-32C of
its content (see ``store.sound_fragments``). The note ``<same name>.replaces.json`` names the fragments whose rows it
repeats. Readers skip those, but only if the fragment of the note is listed too: a listing made during a compaction may
show rows twice but never misses any.
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
"""Number of small fragments above which they are merged; an aggregate over 500 takes 64 ms, over one 1 ms."""
SMALL_BYTES = 4 * 2**20
"""Size below which a fragment is merged with others, so that large fragments are not rewritten each time."""
GRACE_SECONDS = 600
UNREADABLE = "cannot be read"
_SUFFIX, _REPLACES = ".parquet", ".replaces.json"
_NAME = re.compile(r"[0-9]{20,}-[0-9a-f]{12}-(?P<columns>[0-9a-f]{8})-(?P<checksum>[0-9a-f]{8})[.]parquet")
_READ_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class TableSpec:
    """A table on disk: its columns, and the key by which a newer row replaces an older one."""

    name: str
    columns: Mapping[str, str]
    """SQL types by column name. Values of nested types are given as JSON text."""
    key: tuple[str, ...]
    newest: str

    def folder(self, root: Path) -> Path:
        """Return the folder of the fragments."""
        return root / TABLES / self.name

    def wider(self, more: Mapping[str, str]) -> TableSpec:
        """Return the table with further columns that only some fragments have."""
        return replace(self, columns={**self.columns, **more}) if more else self

    def values(self) -> str:
        """Return a SELECT of rows whose parameters are one list per column."""
        return "select " + ", ".join(
            f"{_unnest(number, kind)} as {named(name)}" for number, (name, kind) in enumerate(self.columns.items(), 1)
        )

    def empty(self) -> str:
        """Return a SELECT with the table's columns and no rows."""
        return "select " + ", ".join(f"null::{kind} as {named(n)}" for n, kind in self.columns.items()) + " limit 0"

    def read(self, paths: Sequence[Path]) -> str:
        """Return a SELECT of the table's columns of some fragments."""
        return self.completed(_scans(_by_columns(paths).values())) if paths else self.empty()

    def whole(self, paths: Sequence[Path]) -> str:
        """Return a SELECT of all columns of some fragments, including columns that the table does not name."""
        return " union all by name ".join((f"({self.empty()})", *_scans(_by_columns(paths).values())))

    def outline(self, paths: Sequence[Path]) -> str:
        """Return a SELECT with the columns of ``whole(paths)`` that reads as few files as possible."""
        return self.whole([same[0] for same in _by_columns(paths).values()])

    def completed(self, sources: Sequence[str]) -> str:
        """Return a SELECT of the table's columns and types from SELECTs that may lack some columns or have others."""
        names = ", ".join(f"{named(name)}::{kind} as {named(name)}" for name, kind in self.columns.items())
        return f"select {names} from ({' union all by name '.join((f'({self.empty()})', *sources))})"


def named(column: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def _scans(groups: Iterable[Sequence[Path]]) -> list[str]:
    # All files of a group have the same columns, so DuckDB need not open each file to find them.
    return [f"select * from {scan('read_parquet', same)}" for same in groups]


def _by_columns(paths: Sequence[Path]) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        named = _NAME.fullmatch(path.name)
        groups.setdefault(named["columns"] if named else path.name, []).append(path)
    return groups


@dataclass(frozen=True)
class FragmentListing:
    """The files in the folder of a table."""

    folder: Path
    files: Mapping[str, os.DirEntry[str]]
    """Fragments by name, oldest first."""
    replaces: Mapping[str, tuple[str, ...]]
    """Per fragment, the names of the older fragments whose rows it repeats."""

    def current(self, without: Collection[str] = ()) -> list[str]:
        """Return fragments that together hold all rows, without those that others replace.

        Fragments in ``without`` are left out too, and replace nothing: while the older fragments exist, they hold the
        same rows.
        """
        replaced = {name for new, names in self.replaces.items() if new not in without for name in names}
        return [name for name in self.files if name not in replaced and name not in without]

    def small(self, without: Collection[str] = ()) -> list[str]:
        """Return the fragments of ``current`` that are worth merging.

        Raises:
            FileNotFoundError: a fragment was removed meanwhile.
        """
        return [name for name in self.current(without) if self.files[name].stat().st_size < SMALL_BYTES]

    def spare(self, name: str) -> bool:
        """Return whether all rows of a fragment are also in other existing fragments."""
        if any(name in names for names in self.replaces.values()):
            return True
        names = self.replaces.get(name, ())
        return bool(names) and all(other in self.files for other in names)


def listing(root: Path, table: TableSpec) -> FragmentListing:
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
    return FragmentListing(folder, files, replaces)


def listed(root: Path, table: TableSpec) -> list[Path]:
    """Return all fragments of a table, oldest first, including replaced and damaged ones.

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
    """Return the fault of a fragment's file as a predicate, or None if its content is intact.

    Raises:
        FileNotFoundError: the fragment was removed.
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
    """Write rows as one fragment, completely or not at all.

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
    """Merge a table's small fragments if there are more than ``above``, unless another process is merging them.

    ``above`` defaults to COMPACT_ABOVE. Fragments for which ``fault_of`` finds damage stay as they are: merging would
    give them a new checksum.

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
        connection.execute("set threads = 1")  # with many small files, two threads need twice the CPU time
        try:
            _replace(_copy(connection, root, table, rows, []), paths)
        finally:
            connection.execute("reset threads")
    return True


def rewrite(connection: Any, root: Path, table: TableSpec, rows: Sequence[Sequence[object]]) -> None:
    """Replace all rows of a derived table; readers can use the old fragments for the grace period.

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
                raise  # a listed fragment was removed: the caller lists again
            raise refused(folder, str(error)) from None
        finally:
            draft.unlink(missing_ok=True)


def adopt(connection: Any, root: Path, table: TableSpec, file: Path) -> Path:
    """Rename a Parquet file on the same disk so that it becomes a fragment of a table.

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
    """Return the path of the note that names the fragments that this one replaces; it need not exist."""
    return fragment.with_name(fragment.name.removesuffix(_SUFFIX) + _REPLACES)


def _replace(new: Path, old: Sequence[Path]) -> None:
    write_file(note_of(new), json.dumps([path.name for path in old]).encode())


def _noted(note: Path) -> tuple[str, ...]:
    """Return the names in a note; none if it cannot be read, since duplicate rows show only once."""
    with suppress(OSError, ValueError):
        names = json.loads(note.read_bytes())
        if isinstance(names, list) and all(isinstance(name, str) and "/" not in name for name in names):
            return tuple(names)
    return ()


def _remove_replaced(root: Path, table: TableSpec) -> None:
    folder = table.folder(root)
    clock = ServerClock(folder)
    for note in sorted(folder.glob(f"*{_REPLACES}")):  # oldest first: a note is removed before its fragment
        if clock.now() - note.stat().st_mtime < GRACE_SECONDS:
            continue
        new = note.with_name(note.name.removesuffix(_REPLACES) + _SUFFIX)
        with suppress(FileNotFoundError):  # it was set aside: the fragments that it replaced count again
            if fault(new) is not None:
                continue  # the fragments that it replaces may hold the only intact copy of its rows
            for name in _noted(note):
                (folder / name).unlink(missing_ok=True)
        note.unlink(missing_ok=True)
