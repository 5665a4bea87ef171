"""Fragments whose content is what was written: each is compared with its checksum when a process first reads it.

Why a value that is shown cannot be another than the one that was written:

* Every value shown comes from a fragment that ``SoundFragments`` gave, or from a group's attributes. It gives a
  fragment only if the CRC-32C of the whole file is the one in its name. A single flipped bit, or any damage within 32
  bits, always changes the checksum; other damage, a shortened file or another file in its place has the same checksum
  once in four thousand million times.
* It remembers what it compared by the file's size, times and inode, so a file that changed is compared again. It does
  not see bits that rot on the disk, with no write, between its own reading and DuckDB's a moment later.
* A file whose name holds no checksum is refused like a damaged one: nothing says what its content should be.
* Compaction compares what it merges, and what it merged before it removes the originals.
* A damaged fragment of ``checkpoints`` or ``corpora`` is left out, since those rows only repeat what the groups'
  attributes say, and are made again from them. A damaged fragment of ``results`` is not left out in silence, which
  could show an older value in place of a newer one: every question about results fails until ``bertdyn check --repair``
  sets it aside. Only while its rows are still in the fragments that it was merged from are those read in its place.

Other programs that read ``index.duckdb`` compare nothing: run ``bertdyn check`` before trusting them with a store that
was copied or comes from a doubtful disk.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store import fragments
from store.errors import BertdynError
from store.fragments import UNREADABLE, TableSpec, fault, listing

_TRIES = 5
_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Found:
    """The fragments of a table that hold its rows."""

    paths: Sequence[Path]
    """Those whose content is what was written."""
    faults: Mapping[Path, str]
    """What is wrong with the others."""
    crowded: bool
    """Whether so many are small that it is time to merge them."""

    def complaint(self, root: Path) -> BertdynError | None:
        """Return an error that names a damaged fragment and what to do; None when there is none."""
        for path, what in self.faults.items():
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            if what.startswith(UNREADABLE):
                return BertdynError(f"'{path}'{more} {what}.")
            return BertdynError(
                f"'{path}'{more} {what}. Run `bertdyn check {shlex.quote(str(root))} --repair` to set it aside; "
                "values that are lost with it can be computed again."
            )
        return None


class SoundFragments:
    """Finds the fragments of a store's tables and compares each with its checksum, once while it does not change."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, dict[str, tuple[_Stamp, Path, str | None]]] = {}

    def find(self, table: TableSpec) -> Found:
        """Return the fragments that hold a table's rows, without those that others replace.

        Raises:
            BertdynError: their folder cannot be read.
        """
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):  # merged and removed since it was listed
                return self._find(table)
        raise BertdynError(f"'{table.folder(self._root)}' changes faster than it can be read. Try again.")

    def fault(self, path: Path) -> str | None:
        """Return what is wrong with a fragment, as ``store.fragments.fault`` does.

        Raises:
            FileNotFoundError: it went away.
        """
        return self._look(path.parent, path.name, path.stat())[2]

    def _find(self, table: TableSpec) -> Found:
        there = listing(self._root, table)
        before = self._known.get(table.name, {})
        self._known[table.name] = {name: before[name] for name in there.files if name in before}
        bad: dict[str, Path] = {}
        lost: dict[Path, str] = {}
        while True:
            looked = [self._look(there.folder, name, there.files[name].stat()) for name in there.current(bad)]
            wrong = {path: what for _, path, what in looked if what is not None}
            if not wrong:
                crowded = len(there.small(bad)) > fragments.COMPACT_ABOVE
                return Found([path for _, path, _ in looked], lost, crowded)
            bad.update({path.name: path for path in wrong})
            lost.update({path: what for path, what in wrong.items() if not there.spare(path.name)})

    def _look(self, folder: Path, name: str, about: os.stat_result) -> tuple[_Stamp, Path, str | None]:
        known = self._known.setdefault(folder.name, {})
        stamp = about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino
        found = known.get(name)
        if found is None or found[0] != stamp:
            path = folder / name
            known[name] = found = stamp, path, fault(path)
        return found
