"""Lock between processes on any machines, by a folder that only one of them can put in place.

Renaming a folder is coherent on shared file systems where ``flock`` is not: it fails if the new name is a folder that
is not empty. The folder holds a file that is named after its process and touched every minute, so that others can see
that a holder has died. It is in the folder before the lock has its name, so a process that is killed while it takes or
returns a lock keeps nobody waiting.

The lock only saves work; correctness must not depend on it, since two processes may hold it at once. Compaction is safe
without it: a merged fragment is a new file, the fragments that it replaces are noted only when it is complete and
removed only after a grace period, and a fragment is replaced only by a later one. So no two fragments replace each
other, and each row stays in at least one. Rows in two fragments show once.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.ownership import ServerClock, draft, is_gone, keep_touching, stop_touching, tag

WAIT_SECONDS = 60.0
"""Longest wait for a lock, in seconds; after that, the work is done without it."""
SILENT_SECONDS = 600.0
"""Seconds without a touch after which another machine's lock is removed: far fewer than for unfinished work."""
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
"""Errors of renaming a folder to the name of one that is not empty, or of a file."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a lock. Yields False if another process has it: at once without ``wait``, else after a minute.

    Raises:
        OSError: the folder of the lock is not writable.
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
        with suppress(OSError):  # another machine removed our lock after a silence
            mark.unlink()
            path.rmdir()


def _take(path: Path, clock: ServerClock) -> Path | None:
    """Put a folder in place, with a file in it that names our process; None if another process has the lock."""
    _free_if_abandoned(path, clock)
    if _holder(path):
        return None
    ours, mark = draft(path), tag()
    try:
        ours.mkdir()
        (ours / mark).touch()
        os.rename(ours, path)
    except OSError as error:
        shutil.rmtree(ours, ignore_errors=True)
        if error.errno not in _TAKEN:
            raise
        return None
    return path / mark


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
    """Return the name of the holder's file; empty if there is none, None if there is no lock."""
    try:
        return next(iter(os.listdir(path)), "")
    except NotADirectoryError:
        return ""
    except FileNotFoundError:
        return None
