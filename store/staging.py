"""Whole or not at all: folders are made under ``staging/`` with a lock held, synced, and renamed into place.

Anything in ``staging/`` whose lock nobody holds belongs to a process that died, and is collected. Two processes that
make the same folder do not disturb each other: the first rename wins, the second is discarded.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from store.errors import BertdynError
from store.layout import STAGING, TRASH

MARK = "zarr.json"
"""The file that makes a folder a group; its time of change tells two groups of one name apart."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_SYNCS_AT_ONCE = 8
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn the file system's refusals into one sentence.

    Raises:
        BertdynError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise refused(place, os.strerror(errno.ENOSPC)) from None
        if error.errno in _DENIED:
            raise BertdynError(f"'{place}' cannot be written: {error.strerror or 'permission denied'}.") from None
        raise


def refused(place: Path, said: str) -> BertdynError:
    """What the system, or DuckDB for it, said of a write that failed, as one sentence."""
    if os.strerror(errno.ENOSPC) in said:
        return BertdynError(
            f"The disk that holds '{place}' is full. Free some space and run the command again: "
            "what was finished is kept."
        )
    return BertdynError(f"'{place}' cannot be written: {said.splitlines()[0]}.")


def sync(path: Path) -> None:
    """Force a file's content, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Force a folder and all in it to the disk, files before the folders that name them."""
    walk = list(os.walk(folder, topdown=False))
    # A disk takes several at once: 157 files took a fifth of the time.
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(sync, (Path(where, name) for where, _, files in walk for name in files)))
    for where, _, _ in walk:
        sync(Path(where))


def make_folders(folder: Path, root: Path) -> None:
    """Make ``folder`` and its parents below ``root``, each durable before its child."""
    missing = []
    while not folder.is_dir() and folder != root:
        missing.append(folder)
        folder = folder.parent
    for child in reversed(missing):
        child.mkdir(exist_ok=True)
        sync(child.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a small file whole or not at all, replacing what is there."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(draft, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


def modified(folder: Path) -> int | None:
    """When the group in ``folder`` was written, in seconds; None when there is no group."""
    try:
        return int(os.stat(folder / MARK).st_mtime)
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock on a file that is made for it; False when ``wait`` is off and somebody else holds it."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(handle)


class Stage:
    """A folder of ours under ``staging/``, with its lock held until it is published or discarded."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with writing(root):
            (root / STAGING).mkdir(exist_ok=True)
            self._handle, self._lock = _claim(root / STAGING)
            self.path = self._lock.with_suffix("")
            self.path.mkdir()

    def publish(self, target: Path, replace: bool = False) -> bool:
        """Sync everything and rename it to ``target``. False: another group was there first, and ours is discarded.

        With ``replace`` the other group goes to ``trash/``; so does one whose description cannot be read, which no
        listing shows.

        Raises:
            BertdynError: the disk is full or not writable (ours is discarded).
        """
        try:
            with writing(self._root):
                sync_tree(self.path)
                make_folders(target.parent, self._root)
                while not self._renamed(target):
                    if not replace and modified(target) is not None:
                        return False
                    self._outdate(target)
                    throw_away(self._root, target)
                sync(target.parent)
                return True
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the folder if it is still ours, and give the lock back. Harmless when repeated."""
        if self._handle < 0:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self._lock.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = -1

    def _renamed(self, target: Path) -> bool:
        try:
            os.rename(self.path, target)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise
        return True

    def _outdate(self, target: Path) -> None:
        # SQL tells a group from its predecessor by this time in whole seconds, so the two must differ.
        old, new = modified(target), modified(self.path)
        if old is not None and new is not None and new <= old:
            os.utime(self.path / MARK, (old + 1, old + 1))


def throw_away(root: Path, folder: Path, keep: bool = False) -> None:
    """Take a group out of sight in one step, then remove it; with ``keep`` it stays in ``trash/``."""
    trash = root / TRASH
    trash.mkdir(exist_ok=True)
    grave = trash / uuid.uuid4().hex
    try:
        os.rename(folder, grave)
    except FileNotFoundError:
        return
    sync(folder.parent)
    if not keep:
        shutil.rmtree(grave, ignore_errors=True)


def collect(root: Path) -> int:
    """Remove what dead processes left in ``staging/``; how many folders there were. Live work is not touched."""
    staging = root / STAGING
    try:
        names = {entry.name.removesuffix(".lock") for entry in os.scandir(staging)}
    except FileNotFoundError:
        return 0
    found = 0
    for name in names:
        lock = staging / f"{name}.lock"
        with locked(lock, wait=False) as free:
            if not free:
                continue
            if (staging / name).exists():
                found += 1
                shutil.rmtree(staging / name, ignore_errors=True)
            lock.unlink(missing_ok=True)
    return found


def _claim(staging: Path) -> tuple[int, Path]:
    while True:
        lock = staging / f"{uuid.uuid4().hex}.lock"
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A collector may have taken the lock and removed the file between our two calls.
            if os.fstat(handle).st_ino == os.stat(lock).st_ino:
                return handle, lock
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(handle)
