"""Programs on a pseudo-terminal that nobody looks at: the explorer, and a bare Textual app as the unit of its costs."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import sys
import tempfile
import termios
from pathlib import Path
from typing import Self

from tests.benchmarks.timing import COMPILED, REPOSITORY, cpu_of

EXPLORER = "import sys; from explorer.cli import tui; tui(sys.argv[1:])"
BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("painted")

Bare().run()
"""
FOOTER, PICTURE = b"Table", b"seeds 1"
"""The last words to be painted of the explorer's first frame, and words in the heading of its first picture."""
LEFT, RIGHT, UP, DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
UNIT = "a bare Textual app's first frame"
"""Name of the unit of all that the explorer's screen costs (CPU)."""
FRAME_BUDGET, PICTURE_BUDGET = 2.5, 4.0
KEY_BUDGET, BUSY_KEY_BUDGET = 0.28, 0.56
"""50 ms, and 100 ms while a job runs, on a machine where the bare app's first frame takes 180 ms."""


class Screen:
    """A program on a terminal of 120 x 40, with no settings and no session of earlier runs."""

    def __init__(self, *arguments: str, code: str = EXPLORER, mode: str = "curves") -> None:
        """Start it; the explorer opens with a mode."""
        self._home = tempfile.mkdtemp()
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            own = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), self._home)
            environment = {**os.environ, **own, **COMPILED, "TERM": "xterm-256color", "PYTHONPATH": str(REPOSITORY)}
            environment["BERTDYN_MODE"] = mode
            os.execve(sys.executable, [sys.executable, "-c", code, *arguments], environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def quiet(self, seconds: float = 0.5, first: float = 5.0) -> bytes:
        """Return what is sent until nothing comes for a while."""
        seen = b""
        while select.select([self._fd], [], [], seconds if seen else first)[0]:
            seen += os.read(self._fd, 65536)
        return seen

    def until(self, words: bytes) -> None:
        """Read on until words were sent."""
        seen = b""
        while words not in seen:
            assert select.select([self._fd], [], [], 60)[0], seen[-500:]
            seen += os.read(self._fd, 65536)

    @property
    def output(self) -> int:
        """File descriptor to read from."""
        return self._fd

    def send(self, key: str) -> None:
        """Press a key and wait for nothing."""
        os.write(self._fd, key.encode())

    def press(self, key: str) -> tuple[float, int]:
        """Press a key and return the CPU seconds and the bytes that it takes."""
        before = self.cpu()
        self.send(key)
        sent = len(self.quiet(0.4, 1.0))
        return self.cpu() - before, sent

    def cpu(self) -> float:
        """CPU seconds of the process so far."""
        return cpu_of(self._pid)

    def cpu_of_children(self) -> float:
        """CPU seconds so far of the processes that it has started and that live: readers of tables, jobs."""
        return sum(cpu_of(pid) for pid in self._children())

    def jobs(self) -> list[int]:
        """Computing processes that it has started and that live."""
        found = self._children()
        return [pid for pid in found if b"explorer.compute.job" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def has_loaded(self, library: bytes) -> bool:
        """Whether the process itself holds such a library."""
        return library in Path(f"/proc/{self._pid}/maps").read_bytes()

    def memory(self) -> tuple[float, float]:
        """Megabytes now, and at most so far."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        found = {
            line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))
        }
        return found["VmRSS"], found["VmHWM"]

    def close(self) -> None:
        """End the program."""
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        os.close(self._fd)
        shutil.rmtree(self._home, ignore_errors=True)

    def _children(self) -> list[int]:
        tasks = Path(f"/proc/{self._pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def bare_first_frame() -> float:
    """Return the CPU seconds of a bare Textual app from exec to its first frame."""
    with Screen(code=BARE) as screen:
        screen.until(b"painted")
        return screen.cpu()
