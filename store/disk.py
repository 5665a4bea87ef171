"""Find out what a folder's file system is, how much room it has, and whether its file locks work."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

NETWORK = ("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "afs", "9p", "fuse.sshfs")
"""Beginnings of the names of file systems that several machines share."""
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Disk:
    """The file system of a folder."""

    folder: Path
    kind: str
    """Name of the kind, such as ext4 or nfs4; empty if the system does not tell."""
    free: int
    """Bytes that this user can still write."""
    writable: bool
    locks: bool | None
    """Whether a second lock on a locked file is refused, as it must be; None if the folder is not writable."""

    @property
    def shared(self) -> bool:
        """Whether several machines may see the file system."""
        return self.kind.startswith(NETWORK)


def examine(folder: Path) -> Disk:
    """Examine the file system of an existing folder. A temporary file is made and removed if that is possible.

    Raises:
        OSError: the folder cannot be reached.
    """
    mounts = ""
    with suppress(OSError):
        mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    free = shutil.disk_usage(folder).free
    try:
        with tempfile.NamedTemporaryFile(prefix=".bertdyn-", dir=folder) as file:
            locks: bool | None = _locks(file.name)
    except OSError:
        return Disk(folder, kind_of(os.path.realpath(folder), mounts), free, False, None)
    return Disk(folder, kind_of(os.path.realpath(folder), mounts), free, True, locks)


def kind_of(folder: str, mounts: str) -> str:
    """Return the kind of the file system of a folder; empty if no mount holds it.

    Args:
        folder: an absolute path without links.
        mounts: text of Linux's ``/proc/self/mountinfo`` (proc_pid_mountinfo(5)).
    """
    found, longest = "", -1
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5 or not after:
            continue
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:  # of two mounts on one point, the later one is seen
            found, longest = after.split(" ")[0], len(point)
    return found


def _locks(path: str) -> bool:
    """Return whether the second of two locks on a file is refused."""
    with open(path) as one, open(path) as other:
        try:
            fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


def readable(amount: float) -> str:
    """Return a number of bytes for reading, in powers of ten as on disks: '412 MB', '1.53 GB'."""
    value, unit = float(amount), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.3g} {unit}"
