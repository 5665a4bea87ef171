"""Processes that hold something in a store and are killed, and other machines as the code sees them."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store import ownership
from store.ownership import Machine

REPOSITORY = Path(__file__).resolve().parents[2]
OTHER = Machine("bbbbbbbb", "cccccccc")
HOURS = 3600.0

_HOLD = """
import sys
from pathlib import Path
from store.locks import locked
from store.staging import Stage
if sys.argv[1] == "stage":
    stage = Stage(Path(sys.argv[2]))
    (stage.path / "zarr.json").write_text("{}")
    print(stage.path.name, flush=True)
    sys.stdin.read()
else:
    with locked(Path(sys.argv[2]), wait=False) as ours:
        print(ours, flush=True)
        sys.stdin.read()
"""


@contextmanager
def holding(what: str, path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a process that holds a stage of a store, or a lock; gives it and what it said. It is killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, what, str(path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def left_by_a_dead_process(root: Path) -> str:
    """Kill a process that writes a group; gives the name of what it leaves in ``staging/``."""
    with holding("stage", root) as (_, name):
        assert name
    return name


def move_to_another_machine(monkeypatch: pytest.MonkeyPatch, machine: Machine = OTHER) -> None:
    """Go on as a process of another machine, where every lock of the file system is granted."""
    monkeypatch.setattr(ownership, "this_machine", lambda: machine)
    monkeypatch.setattr(fcntl, "flock", lambda handle, how: None)


def refuse_locks(monkeypatch: pytest.MonkeyPatch, code: int = errno.ENOLCK) -> None:
    """Let ``flock`` fail as on file systems without it."""

    def refused(handle: int, how: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refused)


def touched(path: Path, ago: float) -> None:
    """Let a file be last touched so many seconds ago, by the clock of its file system."""
    os.utime(path)
    now = path.stat().st_mtime
    os.utime(path, (now - ago, now - ago))
