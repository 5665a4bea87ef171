"""Which groups are in place: the folders say so, and nothing else does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from store.errors import BertdynError
from store.layout import ACTIVATIONS, ANNOTATIONS, CORPORA
from store.staging import modified

Group = tuple[str, int]
"""A group in place: its folder relative to the store, and when it was written (seconds)."""
_TICK = 2_000_000_000
"""Nanoseconds: coarsest clock of a file system in use."""


def scan(root: Path, top: str, depth: int) -> list[Group]:
    """Groups that are in place, ``depth`` folders below ``top``."""
    return _groups(root, folders(root, top, depth))


def corpora_there(root: Path) -> list[Group]:
    """Corpora that are in place; each is as new as the newest of its annotations."""
    return [(folder, max([when, *_annotated(root, folder)])) for folder, when in scan(root, CORPORA, 1)]


def _annotated(root: Path, folder: str) -> list[int]:
    """When the annotations of a corpus were written."""
    return [when for _, when in scan(root, f"{folder}/{ANNOTATIONS}", 1)]


def folders(root: Path, top: str, depth: int) -> list[str]:
    """Folders where groups belong, whether or not there is one in them."""
    level = [top]
    for _ in range(depth):
        level = [f"{folder}/{name}" for folder in level for name in _names(root / folder)]
    return level


class Watch:
    """Lists the checkpoints in place again and again; looks anew only into the folders of runs that changed, so that
    a listing costs with the number of runs, not of their checkpoints."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[int, list[Group]]] = {}

    def look(self) -> list[Group]:
        """Checkpoints in place, as ``scan`` finds them."""
        found: list[Group] = []
        known = {}
        for run in folders(self._root, ACTIVATIONS, 3):
            try:
                changed = os.stat(self._root / run).st_mtime_ns
            except FileNotFoundError:
                continue
            entry = self._known.get(run)
            if entry is None or entry[0] != changed:
                # What changed a moment ago may change again within one tick of the file system's clock.
                settled = changed < time.time_ns() - _TICK
                entry = changed if settled else 0, _groups(self._root, folders(self._root, run, 1))
            known[run] = entry
            found += entry[1]
        self._known = known
        return found


def _groups(root: Path, places: Iterable[str]) -> list[Group]:
    found = ((folder, modified(f"{root}/{folder}")) for folder in places)
    return [(folder, when) for folder, when in found if when is not None]


def _names(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise BertdynError(f"'{path}' cannot be read: {error.strerror}.") from None
