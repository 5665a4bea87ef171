"""Find the published groups by looking at the folders. Folders that this user may not read are left out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.errors import BertdynError, ForbiddenError
from store.layout import ACTIVATIONS, ANNOTATIONS, CORPORA
from store.staging import modified

Group = tuple[str, int]
"""A published group: its folder relative to the store, and the time it was written (seconds)."""
_TICK = 2_000_000_000
"""Resolution, in nanoseconds, of the coarsest file system clock in use."""
_WRONG_BY = 30 * 60 * 10**9
"""Nanoseconds by which the clock of a file server may differ from ours."""


def scan(root: Path, top: str, depth: int) -> list[Group]:
    """Return the published groups that are ``depth`` folders below ``top``."""
    return _groups(root, folders(root, top, depth))


def corpora_there(root: Path) -> list[Group]:
    """Return the published corpora; each has the time of its newest annotation."""
    return [(folder, max([when, *_annotated(root, folder)])) for folder, when in scan(root, CORPORA, 1)]


def _annotated(root: Path, folder: str) -> list[int]:
    """Return the times at which the annotations of a corpus were written."""
    return [when for _, when in scan(root, f"{folder}/{ANNOTATIONS}", 1)]


def folders(root: Path, top: str, depth: int) -> list[str]:
    """Return the folders ``depth`` levels below ``top``, whether or not they hold a group."""
    level = [top]
    for _ in range(depth):
        level = [f"{folder}/{name}" for folder in level for name in _open_names(root / folder)]
    return level


def stored_checkpoints(activations: Iterable[str]) -> int:
    """Return the number of checkpoints of which folders ACTIVATIONS/CORPUS/TASK/SEED/STEP are: each has one per
    corpus."""
    return len({folder.split("/", 2)[2] for folder in activations})


def closed(root: Path, top: str, depth: int) -> list[str]:
    """Return the folders of groups, and those above them, that this user may not read.

    Args:
        depth: how deep below ``top`` groups lie.
    """
    found = []
    for n in range(depth + 1):
        for folder in folders(root, top, n):
            try:
                modified(root / folder) if n == depth else _names(root / folder)
            except ForbiddenError:
                found.append(folder)
    return found


@dataclass(frozen=True)
class _Seen:
    """The folder of a run as it was read last."""

    changed: int
    """Time of its last change by the file server's clock, nanoseconds."""
    first: int
    """Time at which that change was first seen, by our monotonic clock, nanoseconds."""
    settled: bool
    """Whether it was read late enough for no further change to have the same time."""
    groups: list[Group]


class Watch:
    """Lists the published checkpoints repeatedly, and rereads only the folders of runs that have changed.

    So the cost of a listing grows with the number of runs, not of checkpoints.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, _Seen] = {}

    def look(self) -> list[Group]:
        """Return the published checkpoints, as ``scan`` does."""
        found: list[Group] = []
        known = {}
        for run in folders(self._root, ACTIVATIONS, 3):
            try:
                changed = os.stat(self._root / run).st_mtime_ns
            except (FileNotFoundError, PermissionError):
                continue
            entry = self._known.get(run)
            now = time.monotonic_ns()
            if entry is None or entry.changed != changed or not entry.settled:
                first = entry.first if entry is not None and entry.changed == changed else now
                # A folder that has just changed may change again within one tick of the file system's clock. Its time
                # is that of the file server, so how long ago that was is counted from when we first saw it.
                settled = now - first >= _TICK or changed < time.time_ns() - _WRONG_BY
                entry = _Seen(changed, first, settled, _groups(self._root, folders(self._root, run, 1)))
            known[run] = entry
            found += entry.groups
        self._known = known
        return found


def _groups(root: Path, places: Iterable[str]) -> list[Group]:
    found = []
    for folder in places:
        with suppress(ForbiddenError):
            if (when := modified(f"{root}/{folder}")) is not None:
                found.append((folder, when))
    return found


def _open_names(path: Path) -> list[str]:
    with suppress(ForbiddenError):
        return _names(path)
    return []


def _names(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError as error:
        raise ForbiddenError(f"'{path}' cannot be read: {error.strerror}.") from None
    except OSError as error:
        raise BertdynError(f"'{path}' cannot be read: {error.strerror}.") from None
