"""Write a report into a folder of its own: no other file there is replaced or removed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from store.errors import BertdynError
from store.whole_files import write_whole

MANIFEST = "report.json"
"""File with the names of all files that reports wrote into the folder."""


class ReportFolder:
    """The folder of a report. Names of files are listed in MANIFEST before they are written."""

    def __init__(self, path: Path) -> None:
        """Make the folder, or take one that has only the files of an earlier report.

        Raises:
            BertdynError: it is a file, it has other files, or it cannot be made.
        """
        self.path = path
        self._written: list[str] = []
        try:
            path.mkdir(parents=True, exist_ok=True)
            there = {entry.name for entry in path.iterdir()}
        except (FileExistsError, NotADirectoryError):
            raise BertdynError(f"-o: '{path}' is a file; name a folder for the report.") from None
        except OSError as error:
            raise BertdynError(f"-o: cannot write into '{path}': {error.strerror or error}.") from None
        self._old = set(_named(path / MANIFEST)) if MANIFEST in there else set()
        foreign = sorted(there - self._old - {MANIFEST})
        if foreign or (MANIFEST in there and not self._old):
            name = foreign[0] if foreign else MANIFEST
            raise BertdynError(
                f"-o: '{path}' has a file that is not of an earlier report: {name}. Name a new or empty folder."
            )

    def file(self, name: str) -> Path:
        """Return the path of a file that is going to be written.

        Raises:
            BertdynError: the folder cannot be written.
        """
        self._written.append(name)
        self._list({*self._old, *self._written})
        return self.path / name

    def finish(self) -> None:
        """Remove the files of the earlier report that this one does not have.

        Raises:
            BertdynError: the folder cannot be written.
        """
        for name in self._old - set(self._written):
            with suppress(OSError):
                (self.path / name).unlink()
        self._list(self._written)

    def _list(self, names: Iterable[str]) -> None:
        write_whole(self.path / MANIFEST, json.dumps({"files": sorted(names)}, indent=1) + "\n")


def _named(manifest: Path) -> list[str]:
    """Return the plain names of files in a manifest; none if it cannot be read."""
    try:
        names = json.loads(manifest.read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    found = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return [name for name in found if name == Path(name).name and name not in (".", "..")]
