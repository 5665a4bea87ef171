"""Find intact fragments: each is compared with its checksum when a process first reads it.

Why a shown value is always the value that was written:

* Every value shown comes from a fragment that ``SoundFragments`` returned, or from a group's attributes. It returns a
  fragment only if the CRC-32C of the whole file is the one in its name. A single flipped bit, or any damage within 32
  bits, always changes the checksum; any other damage, or another file, has the same checksum once in four thousand
  million cases.
* It remembers compared files by size, times and inode, so a changed file is compared again. It does not notice bits
  that rot on the disk, without a write, between its own reading and DuckDB's a moment later.
* A file without a checksum in its name is refused like a damaged one, since its correct content is unknown.
* Compaction compares the fragments that it merges, and the merged fragment before it removes the originals.
* A damaged fragment of ``checkpoints`` or ``corpora`` is skipped, since its rows only repeat the groups' attributes and
  are rebuilt from them. A damaged fragment of ``results`` is not skipped silently, since an older value might then show
  in place of a newer one: every query of results fails until ``bertdyn check --repair`` sets the fragment aside. The
  only exception: while the fragments that it was merged from still exist, they are read instead.

Other programs that read ``index.duckdb`` do not compare checksums: run ``bertdyn check`` before you trust them with a
store that was copied or is on a doubtful disk.
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
    """The fragments that hold the rows of a table."""

    paths: Sequence[Path]
    """Intact fragments."""
    faults: Mapping[Path, str]
    """Fault of each damaged fragment."""
    crowded: bool
    """Whether there are enough small fragments to merge them."""

    def complaint(self, root: Path) -> BertdynError | None:
        """Return an error that names a damaged fragment and the remedy; None if all are intact."""
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
    """Finds the fragments of a store's tables and compares each with its checksum, once unless the file changes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, dict[str, tuple[_Stamp, Path, str | None]]] = {}

    def find(self, table: TableSpec) -> Found:
        """Return the fragments that hold a table's rows, without those that others replace.

        Raises:
            BertdynError: their folder cannot be read.
        """
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):  # merged and removed since the listing
                return self._find(table)
        raise BertdynError(f"'{table.folder(self._root)}' changes faster than it can be read. Try again.")

    def fault(self, path: Path) -> str | None:
        """Return the fault of a fragment, as ``store.fragments.fault`` does.

        Raises:
            FileNotFoundError: the fragment was removed.
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
