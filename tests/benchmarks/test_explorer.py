"""The explorer on 10,000 checkpoints and a million values: first frame, keys and memory, on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.large_store import make_large_store
from tests.benchmarks.test_first_frame import CODE, FOOTER, REPOSITORY

LEFT, UP, DOWN = "\x1b[D", "\x1b[A", "\x1b[B"
MODES = {"profile": "2", "heat": "3", "seeds": "4", "curves": "1"}
PICTURE = b"seeds 1"
"""In the heading of the first picture."""


class Screen:
    """The explorer on a terminal of 120 x 40 that nobody looks at."""

    def __init__(self, store: Path, *options: str) -> None:
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(REPOSITORY)}
            os.execve(sys.executable, [sys.executable, "-c", CODE, str(store), *options], environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def quiet(self, seconds: float = 0.5, first: float = 5.0) -> bytes:
        """What is sent until nothing comes for a while."""
        seen = b""
        while select.select([self._fd], [], [], seconds if seen else first)[0]:
            seen += os.read(self._fd, 65536)
        return seen

    def until(self, words: bytes) -> None:
        """Read on until words were sent."""
        seen = b""
        while words not in seen:
            assert select.select([self._fd], [], [], 30)[0], seen[-500:]
            seen += os.read(self._fd, 65536)

    @property
    def output(self) -> int:
        """File descriptor to read from."""
        return self._fd

    def send(self, key: str) -> None:
        """Press a key and wait for nothing."""
        os.write(self._fd, key.encode())

    def jobs(self) -> list[int]:
        """Computing processes that it has started and that live."""
        tasks = Path(f"/proc/{self._pid}/task").iterdir()
        started = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [pid for pid in started if b"explorer.compute.job" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def has_loaded(self, library: bytes) -> bool:
        """Whether the process itself holds such a library."""
        return library in Path(f"/proc/{self._pid}/maps").read_bytes()

    def press(self, key: str) -> tuple[float, int]:
        """CPU milliseconds of the process and bytes that a key brings."""
        before = self.cpu()
        os.write(self._fd, key.encode())
        sent = len(self.quiet(0.4, 1.0))
        return 1000 * (self.cpu() - before), sent

    def cpu(self) -> float:
        """CPU seconds of all threads so far."""
        tasks = Path(f"/proc/{self._pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def memory(self) -> tuple[float, float]:
        """Megabytes now, and at most so far."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        found = {
            line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))
        }
        return found["VmRSS"], found["VmHWM"]

    def close(self) -> None:
        """End it."""
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        os.close(self._fd)


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    path = tmp_path_factory.mktemp("large") / "runs.bertdyn"
    make_large_store(path)
    made = Screen(path)
    yield made
    made.close()


@pytest.mark.benchmark
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="CPU time of another process is read from /proc")
def test_ten_thousand_checkpoints_and_a_million_values(screen: Screen) -> None:
    screen.until(FOOTER)
    first = screen.cpu()
    screen.until(PICTURE)
    picture = screen.cpu()
    screen.quiet(2.0)
    print(
        f"\nfirst frame {1000 * first:.0f} ms CPU, first picture {1000 * picture:.0f} ms; {screen.memory()[0]:.0f} MB"
    )
    assert first < 0.5
    cursor = []
    for name, key in [*(("left", LEFT), ("up", UP), ("down", DOWN)) * 2, *MODES.items()]:
        taken, sent = screen.press(key)
        print(f"{name:8} {taken:4.0f} ms CPU {sent:6,} bytes")
        if name not in MODES:
            cursor.append(taken)
    for key in "5t1m":
        screen.press(key)
        time.sleep(1)
    now, most = screen.memory()
    print(f"memory {now:.0f} MB, at most {most:.0f} MB")
    assert statistics.median(cursor) < 50  # a look at the folders every 1.5 s falls into one or two of them
    assert most < 150
    assert not screen.has_loaded(b"duckdb")
    assert screen.has_loaded(b"numpy")  # the names are looked up rightly
