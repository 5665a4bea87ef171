"""Tell who made a temporary file or folder, and whether that process is still at work, on this machine or another.

The name of each temporary thing holds a tag: machine, session, process and a random part. Locks of the file system
decide nothing here, since ``flock`` may be local to a machine, or always succeed, on shared file systems. A process of
our own session is asked for by its number and the time it started. Any other is believed dead only after its file has
not been touched for hours, by the clock of the file server: a living writer touches its files every minute.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BEAT_SECONDS = 60.0
"""Time between two touches of what this process holds."""
SILENT_SECONDS = 6 * 3600.0
"""Silence after which a process that cannot be asked for counts as dead: a machine may hang or sleep for long."""
_MISSED_BEATS = 10
_TAG = re.compile(r"(?<![0-9a-f])([0-9a-f]{8})-([0-9a-f]{8})-(\d{1,10})-(\d{1,20})-[0-9a-f]{12}(?![0-9a-f])")


@dataclass(frozen=True)
class Machine:
    """Where this process runs."""

    host: str
    """Hash of what stays the same when the machine starts again."""
    session: str
    """Hash of the start of the machine and of the container: process numbers mean the same within one."""


@dataclass(frozen=True)
class Owner:
    """The process that a tag names."""

    host: str
    session: str
    pid: int
    started: int
    """Start of the process in ticks since the start of the machine; 0 where the system does not say."""


def tag() -> str:
    """Return a new name that says which process made it."""
    here = this_machine()
    return f"{here.host}-{here.session}-{os.getpid()}-{_own_start(os.getpid())}-{uuid.uuid4().hex[-12:]}"


def draft(path: Path) -> Path:
    """Return a new name beside ``path`` for a file that is renamed to it when it is whole."""
    return path.with_name(f".{path.name}.{tag()}.tmp")


def owner(name: str) -> Owner | None:
    """Return the process that a name tells of; None when it holds no tag."""
    match = _TAG.search(name)
    return Owner(match[1], match[2], int(match[3]), int(match[4])) if match else None


@functools.cache
def this_machine() -> Machine:
    """Return the identity of the machine, and of its present session."""
    fixed = os.uname().nodename + _content("/etc/machine-id")
    # Containers of one machine may share its name and session, but no process numbers.
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    boot = _content("/proc/sys/kernel/random/boot_id") or _sysctl("kern.bootsessionuuid")
    return Machine(_hash(fixed), _hash(boot + space))


class ServerClock:
    """The present time as the file system of a folder has it, asked for once, when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now: float | None = None

    def now(self) -> float:
        """Return the time that the file server gives to a file written now.

        Raises:
            OSError: the folder cannot be written.
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
    """Return whether the process that made ``name`` is dead. False where that cannot be told.

    Args:
        name: file or folder name with a tag; one without counts as another machine's.
        touched: the file that its process touches while it works.
        clock: of the same file system.
        silent: seconds without a touch after which a process that cannot be asked for counts as dead.
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
        # An earlier session of this machine ended before the present one began. A touch after that is of another
        # machine or container with the same name, or of a container beside us.
        up = _uptime()
        if up is not None and last < now - up and now - last > _MISSED_BEATS * BEAT_SECONDS:
            return True
    return now - last > silent


class _Heart:
    """Touches files every minute, in a thread that ends when there are none and keeps no process alive."""

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
                # Where no more threads are allowed, other machines still wait for hours before they judge us.
                with suppress(RuntimeError):
                    thread.start()
                    self._thread = thread

    def remove(self, path: Path) -> None:
        """Leave a file alone from now on."""
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
    """Tell other machines, until ``stop_touching``, that this process is at work on a file."""
    _heart.add(path)


def stop_touching(path: Path) -> None:
    """End ``keep_touching``."""
    _heart.remove(path)


def _forget() -> None:
    global _heart
    _heart = _Heart()


os.register_at_fork(after_in_child=_forget)


def _alive(who: Owner) -> bool | None:
    """Return whether a process of our own session runs; None: one of its number does, which may be another."""
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
    """Return when a process started, in ticks; -1: it has ended and nobody took note; None: the system does not say."""
    try:
        if os.readlink("/proc/self") != str(os.getpid()):
            return None  # /proc is of another container
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return -1 if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def _uptime() -> float | None:
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # counts while the machine sleeps, too
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
