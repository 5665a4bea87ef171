"""A lock between processes of any machines: a folder, which only one of them can make.

``mkdir`` is coherent on shared file systems where ``flock`` is not. Whoever holds the lock has a file in the folder,
named after its process and touched every minute, so that a lock whose holder died can be told.

The lock saves work and is never what makes something right: two processes that hold it at once must do no harm.
Compaction does none: a merged fragment is a new file, the fragments that it replaces are noted after it is in place and
removed after a grace period, and a fragment is only ever replaced by a later one, so that no two replace each other and
each row stays in at least one. Rows that are in two fragments show once.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.ownership import ServerClock, draft, is_gone, keep_touching, stop_touching, tag

WAIT_SECONDS = 60.0
"""Longest wait for a lock; after that the work is done without it."""
SILENT_SECONDS = 600.0
"""Silence after which another machine's lock is taken away: far less than for work that would be lost."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a lock; gives False when somebody else has it: at once without ``wait``, else after a minute.

    Raises:
        OSError: the folder of the lock cannot be written.
    """
    clock = ServerClock(path.parent)
    mark = _take(path, clock)
    deadline, pause = time.monotonic() + WAIT_SECONDS, _FIRST_PAUSE
    while mark is None and wait and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        mark = _take(path, clock)
    if mark is None:
        yield False
        return
    keep_touching(mark)
    try:
        yield True
    finally:
        stop_touching(mark)
        with suppress(OSError):  # taken away from us, after a silence
            mark.unlink()
            path.rmdir()


def _take(path: Path, clock: ServerClock) -> Path | None:
    """Make the folder, and a file in it that says who made it; None when somebody else has it."""
    try:
        path.mkdir()
    except FileExistsError:
        _free_if_abandoned(path, clock)
        try:
            path.mkdir()
        except FileExistsError:
            return None
    mark = path / tag()
    try:
        mark.touch(exist_ok=False)
    except FileNotFoundError:
        return None
    except BaseException:
        with suppress(OSError):
            path.rmdir()
        raise
    return mark


def _free_if_abandoned(path: Path, clock: ServerClock) -> None:
    held = _holder(path)
    if held is None or not is_gone(held, path / held, clock, SILENT_SECONDS):
        return
    grave = draft(path)
    with suppress(OSError):
        os.rename(path, grave)
        if _holder(grave) == held:
            shutil.rmtree(grave) if grave.is_dir() else grave.unlink()
        else:  # another process was faster, and this is its lock
            os.rename(grave, path)


def _holder(path: Path) -> str | None:
    """Return the name of the holder's file; empty when there is none (yet), None when there is no lock."""
    try:
        return next(iter(os.listdir(path)), "")
    except NotADirectoryError:
        return ""
    except FileNotFoundError:
        return None
