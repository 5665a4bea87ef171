"""Write folders completely or not at all: make them under ``staging/``, sync them and rename them into place.

Names in ``staging/`` identify the process that writes there (``store.ownership``); leftovers of dead processes are
removed when the next process begins to write. If two processes write the same folder, the first rename wins and the
second folder is discarded.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from store.errors import BertdynError, ForbiddenError
from store.layout import STAGING, TABLES, TRASH
from store.ownership import ServerClock, draft, is_gone, keep_touching, owner, remove_drafts, stop_touching, tag

MARK = "zarr.json"
"""The file that makes a folder a group; its modification time distinguishes two groups of the same name."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
_LOCK = ".lock"
_SYNCS_AT_ONCE = 8
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn errors of the file system into one sentence that names ``place``.

    Raises:
        BertdynError: the disk is full or broken, or the folder is not writable.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise refused(place, os.strerror(errno.ENOSPC)) from None
        raise refused(place, error.strerror or str(error) or "permission denied") from None


def refused(place: Path, said: str) -> BertdynError:
    """Return the system's (or DuckDB's) error of a failed write as one sentence."""
    if any(os.strerror(code) in said for code in _FULL):
        return BertdynError(
            f"The disk that holds '{place}' is full. Free some space and run the command again: finished work is kept."
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
    """Force a folder and all its content to the disk, files before their folders."""
    walk = list(os.walk(folder, topdown=False))
    # A disk can sync several files at once: 157 files took a fifth of the time.
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(sync, (Path(where, name) for where, _, files in walk for name in files)))
    for where, _, _ in walk:
        sync(Path(where))


def make_folders(folder: Path, root: Path) -> None:
    """Create ``folder`` and its parents below ``root``, each durable before its child."""
    missing = []
    while not folder.is_dir() and folder != root:
        missing.append(folder)
        folder = folder.parent
    for child in reversed(missing):
        child.mkdir(exist_ok=True)
        sync(child.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write or replace a small file, completely or not at all."""
    unfinished = draft(path)
    try:
        with open(unfinished, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)


def modified(folder: Path | str) -> int | None:
    """Return the time when the group in ``folder`` was written, in seconds; None if there is no group.

    Raises:
        ForbiddenError: this user may not look into the folder.
    """
    try:
        return int(os.stat(f"{folder}/{MARK}").st_mtime)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise ForbiddenError(f"'{folder}' cannot be read: {error.strerror}.") from None


class Stage:
    """A folder of this process under ``staging/``, with a file beside it that is locked and touched until the end."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with writing(root):
            (root / STAGING).mkdir(exist_ok=True)
            self.path = root / STAGING / tag()
            self._lock = self.path.with_name(self.path.name + _LOCK)
            self._handle = os.open(self._lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            try:
                _flock(self._handle)
                self.path.mkdir()
            except BaseException:
                os.close(self._handle)
                self._lock.unlink(missing_ok=True)
                raise
        keep_touching(self._lock)

    def publish(self, target: Path, replace: bool = False) -> bool:
        """Sync the folder and rename it to ``target``. Return False, and discard it, if another group is there.

        With ``replace``, the other group goes to ``trash/``. So does a group whose description cannot be read, since no
        listing shows it.

        Raises:
            BertdynError: the disk is full or not writable; the folder is discarded.
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
        """Remove the folder if it is not published, and release the lock. Calling it twice is harmless."""
        if self._handle < 0:
            return
        stop_touching(self._lock)
        shutil.rmtree(self.path, ignore_errors=True)
        # Closed first: a shared file system keeps an open file under another name.
        os.close(self._handle)
        self._handle = -1
        with suppress(OSError):
            self._lock.unlink(missing_ok=True)

    def _renamed(self, target: Path) -> bool:
        try:
            os.rename(self.path, target)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            if not self.path.exists():
                raise BertdynError(
                    f"'{self.path}' was removed while it was written: this process was suspended for hours, and "
                    "another machine took it for dead. Run the command again."
                ) from None
            raise
        return True

    def _outdate(self, target: Path) -> None:
        # SQL distinguishes a group from its predecessor by this time in whole seconds, so the two must differ.
        old, new = modified(target), modified(self.path)
        if old is not None and new is not None and new <= old:
            os.utime(self.path / MARK, (old + 1, old + 1))


def throw_away(root: Path, folder: Path) -> None:
    """Hide a group in one step, then remove it."""
    (root / STAGING).mkdir(exist_ok=True)
    grave = root / STAGING / tag()  # removed by another process if we die meanwhile
    try:
        os.rename(folder, grave)
    except FileNotFoundError:
        return
    sync(folder.parent)
    shutil.rmtree(grave, ignore_errors=True)


def set_aside(root: Path, place: str) -> str:
    """Move a folder or file to ``trash/`` and return its new path.

    Args:
        root: the store.
        place: path relative to the store; it is kept within the new folder in ``trash/``.
    """
    aside = root / TRASH / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"
    make_folders((aside / place).parent, root)
    with suppress(FileNotFoundError):
        os.rename(root / place, aside / place)
        sync((root / place).parent)
    return aside.relative_to(root).as_posix()


def leftovers(root: Path) -> list[str]:
    """Return the names of leftovers of dead processes in ``staging/``, without those of living ones.

    Raises:
        OSError: the folder cannot be read.
    """
    staging = root / STAGING
    clock = ServerClock(staging)
    found = []
    for name in sorted({name.removesuffix(_LOCK) for name in _names(staging)}):
        if name.startswith(".") and owner(name) is None:
            continue  # a file of the file system, such as a removed file that is still open
        lock = staging / f"{name}{_LOCK}"
        if is_gone(name, lock if lock.exists() else staging / name, clock) and _free(lock):
            found.append(name)
    return found


def collect(root: Path) -> int:
    """Remove leftovers of dead processes in ``staging/`` and ``tables/``. Return the number of folders.

    Raises:
        OSError: the folder cannot be read.
    """
    staging, found = root / STAGING, 0
    for name in leftovers(root):
        place = staging / name
        with suppress(OSError):  # owned by another user, or removed meanwhile
            if place.is_dir():
                # Renamed first, so that a suspended writer cannot publish half of it.
                grave = staging / tag()
                os.rename(place, grave)
                found += 1
                shutil.rmtree(grave, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)
            place.with_name(f"{name}{_LOCK}").unlink(missing_ok=True)
    for folder in (root / TABLES, *(root / TABLES / name for name in _names(root / TABLES))):
        remove_drafts(folder)
    return found


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _flock(handle: int) -> bool:
    """Lock a file if the file system supports it; return False if another process has the lock.

    Having the lock proves nothing: another machine may have it too.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _free(lock: Path) -> bool:
    """Return whether no process is known to hold a lock."""
    try:
        handle = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        return _flock(handle)
    except OSError:
        return False
    finally:
        os.close(handle)
