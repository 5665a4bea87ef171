"""Exec to the first painted frame on a pseudo-terminal, in CPU time: budget 0.5 s, whatever the size of the store."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from store.store import Store
from tests.synthetic import make_store

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = "import sys; from explorer.cli import tui; tui(sys.argv[1:])"
FOOTER = b"Table"
"""Last to be painted of the first frame."""


def first_frame(store: Path) -> tuple[float, float]:
    """CPU seconds and wall seconds from exec until the footer stands on the screen."""
    pid, fd = pty.fork()
    started = time.monotonic()
    if pid == 0:
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(REPOSITORY)}
        os.execve(sys.executable, [sys.executable, "-c", CODE, str(store)], environment)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    while FOOTER not in seen:
        assert select.select([fd], [], [], 30)[0], seen
        seen += os.read(fd, 65536)
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    wall = time.monotonic() - started
    cpu = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(fd)
    return cpu, wall


@pytest.mark.benchmark
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="CPU time of another process is read from /proc")
@pytest.mark.parametrize("checkpoints", [0, 60])
def test_first_painted_frame(tmp_path: Path, checkpoints: int) -> None:
    path = tmp_path / "runs.bertdyn"
    if checkpoints:
        steps = tuple(range(checkpoints))
        make_store(path, tasks=("sst2",), seeds=("1",), steps=steps)
    else:
        Store.create(path)
    taken = sorted(first_frame(path) for _ in range(5))
    cpu, wall = taken[0]
    print(f"\nfirst painted frame, {checkpoints} checkpoints: {1000 * cpu:.0f} ms CPU, {1000 * wall:.0f} ms wall")
    assert cpu < 0.5
