"""Find the process that made a temporary file or folder, and whether it is alive, on this machine or another.

Each temporary name holds a tag: machine, session, process and a random part. File locks are not used, since ``flock``
on a shared file system may be local to a machine, or always succeed. A process of our own session is found by its
number and start time. Any other process counts as dead only if its file has not been touched for hours, by the clock of
the file server: a living writer touches its files every minute.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BEAT_SECONDS = 60.0
"""Seconds between two touches of a file that this process holds."""
SILENT_SECONDS = 6 * 3600.0
"""Seconds without a touch after which a process on another machine counts as dead; a machine may sleep for long."""
DRAFT = ".tmp"
"""Ending of the names of unfinished files."""
_MISSED_BEATS = 10
_TAG = re.compile(r"(?<![0-9a-f])([0-9a-f]{8})-([0-9a-f]{8})-(\d{1,10})-(\d{1,20})-[0-9a-f]{12}(?![0-9a-f])")


@dataclass(frozen=True)
class Machine:
    """The machine that this process runs on."""

    host: str
    """Hash of the machine's identity, which survives a restart."""
    session: str
    """Hash of the machine's start and of the container, within which process numbers are unique."""


@dataclass(frozen=True)
class Owner:
    """The process that a tag names."""

    host: str
    session: str
    pid: int
    started: int
    """Start of the process in ticks since the start of the machine; 0 if the system does not tell."""


def tag() -> str:
    """Return a new name that identifies this process."""
    here = this_machine()
    return f"{here.host}-{here.session}-{os.getpid()}-{_own_start(os.getpid())}-{uuid.uuid4().hex[-12:]}"


def draft(path: Path) -> Path:
    """Return a temporary name beside ``path``, for a file that is renamed to it when it is complete."""
    return path.with_name(f".{path.name}.{tag()}{DRAFT}")


def owner(name: str) -> Owner | None:
    """Return the process that a name identifies; None if the name has no tag."""
    match = _TAG.search(name)
    return Owner(match[1], match[2], int(match[3]), int(match[4])) if match else None


@functools.cache
def this_machine() -> Machine:
    """Return the identity of the machine, and of its present session."""
    fixed = os.uname().nodename + _content("/etc/machine-id")
    # Containers on one machine may share its name and session, but not its process numbers.
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    boot = _content("/proc/sys/kernel/random/boot_id") or _sysctl("kern.bootsessionuuid")
    return Machine(_hash(fixed), _hash(boot + space))


class ServerClock:
    """The current time of a folder's file system, read once, at its first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now: float | None = None

    def now(self) -> float:
        """Return the time that the file server gives to a file written now.

        Raises:
            OSError: the folder is not writable.
        """
        if self._now is None:
            path = draft(self._folder / "now")
            try:
                with open(path, "wb") as file:
                    file.write(b"0")
                    file.flush()
                    os.fsync(file.fileno())
                os.utime(path)  # without a time, the server sets its own
                self._now = os.stat(path).st_mtime
            finally:
                path.unlink(missing_ok=True)
        return self._now


def is_gone(name: str, touched: Path, clock: ServerClock, silent: float = SILENT_SECONDS) -> bool:
    """Return whether the process that made ``name`` is dead; False if that is unknown.

    Args:
        name: name of a file or folder with a tag; a name without one counts as another machine's.
        touched: file that the process touches while it works.
        clock: clock of the same file system.
        silent: seconds without a touch after which a process outside our session counts as dead.
    """
    who, here = owner(name), this_machine()
    if who is not None and (who.host, who.session) == (here.host, here.session):
        alive = _alive(who)
        if alive is not None:
            return not alive
    try:
        last, now = os.stat(touched).st_mtime, clock.now()
    except OSError:
        return False
    if who is not None and who.host == here.host and who.session != here.session:
        # An earlier session of this machine ended before the present one began. A later touch comes from another
        # machine or container with the same name, or from a container on this machine.
        up = _uptime()
        if up is not None and last < now - up and now - last > _MISSED_BEATS * BEAT_SECONDS:
            return True
    return now - last > silent


def remove_drafts(folder: Path) -> None:
    """Remove files and folders with names from ``draft`` that dead processes left in a folder."""
    clock = ServerClock(folder)
    names: list[str] = []
    with suppress(OSError):  # it is no folder, or not readable
        names = os.listdir(folder)
    for name in names:
        ours = name.startswith(".") and name.endswith(DRAFT) and owner(name) is not None
        if ours and is_gone(name, folder / name, clock):
            with suppress(OSError):  # owned by another user, or removed meanwhile
                if (folder / name).is_dir():
                    shutil.rmtree(folder / name)
                else:
                    (folder / name).unlink()


class _Heart:
    """Touches files every minute, in a daemon thread that ends when there are no files left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paths: set[Path] = set()
        self._thread: threading.Thread | None = None

    def add(self, path: Path) -> None:
        """Touch a file from now on."""
        with self._lock:
            self._paths.add(path)
            if self._thread is None:
                thread = threading.Thread(target=self._beat, name="bertdyn-heart", daemon=True)
                # If no more threads are allowed, other machines still wait for hours before they take us for dead.
                with suppress(RuntimeError):
                    thread.start()
                    self._thread = thread

    def remove(self, path: Path) -> None:
        """Stop touching a file."""
        with self._lock:
            self._paths.discard(path)

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            with self._lock:
                if not self._paths:
                    self._thread = None
                    return
                paths = list(self._paths)
            for path in paths:
                with suppress(OSError):
                    os.utime(path)


_heart = _Heart()


def keep_touching(path: Path) -> None:
    """Touch a file until ``stop_touching``, to show other machines that this process is working on it."""
    _heart.add(path)


def stop_touching(path: Path) -> None:
    """End ``keep_touching``."""
    _heart.remove(path)


def _forget() -> None:
    global _heart
    _heart = _Heart()


os.register_at_fork(after_in_child=_forget)


def _alive(who: Owner) -> bool | None:
    """Return whether a process of our session runs; None if a process has its number but may be another one."""
    if who.pid == os.getpid():
        return who.started == _own_start(who.pid)
    try:
        os.kill(who.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    started = _started(who.pid)
    return None if started is None or who.started == 0 else started == who.started


@functools.cache
def _own_start(pid: int) -> int:
    return _started(pid) or 0


def _started(pid: int) -> int | None:
    """Return the start of a process in ticks; -1 if it is a zombie; None if the system does not tell."""
    try:
        if os.readlink("/proc/self") != str(os.getpid()):
            return None  # /proc belongs to another container
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return -1 if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def _uptime() -> float | None:
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # also counts while the machine sleeps
    return None if clock is None else time.clock_gettime(clock)


def _content(path: str) -> str:
    with suppress(OSError, ValueError):
        return Path(path).read_text().strip()
    return ""


def _sysctl(name: str) -> str:
    import subprocess

    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, timeout=5).stdout.strip()
    return ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
