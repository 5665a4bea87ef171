"""A real terminal: tmux on a socket of its own, every byte the explorer sends counted."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from tests.pools import here
from tests.synthetic import make_store, sample_corpus

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = "import sys; from explorer.cli import tui; tui(sys.argv[1:])"
_STYLE = re.compile(rb"\x1b\[[0-9;:]*m")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.terminal)
            if shutil.which("tmux") is None:
                item.add_marker(pytest.mark.skip(reason="tmux is not installed"))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve layers and twenty steps, with every SVCCA value of the first task."""
    path = tmp_path_factory.mktemp("terminal") / "runs.bertdyn"
    steps = tuple(range(0, 400, 20))
    made = make_store(path, tasks=("sst2",), seeds=("1",), steps=steps, layers=12, corpora=[sample_corpus("dev")])
    asked = ask_store(made, Selection("svcca", "dev"))
    assert compute(made, [asked], workers=1, device="cpu", executor=here).ok
    return path


class Terminal:
    """One tmux window with a program in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers = 0
        self._log = folder / "bytes"
        self._log.touch()

    def start(self, arguments: list[str], size: str = "120x40", environment: dict[str, str] | None = None) -> None:
        """Run the explorer; the shell around it says how it ended and what the terminal's settings are then."""
        program = explorer(self.folder, arguments, {"TERM": "xterm-256color", **(environment or {})}, "TMUX")
        self.open(f"{program}; echo left with $?; stty -a; exec sleep 100", size)

    def open(self, command: str, size: str) -> None:
        """Run a shell's command in a new server; tmux reads nothing from it before the log is there.

        Each has a socket of its own: a server that ends still takes a command for a moment, and loses it.
        """
        self._servers += 1
        columns, rows = size.split("x")
        self._run("new-session", "-d", "-x", columns, "-y", rows, command, ";", *self.logged())

    def logged(self) -> list[str]:
        """Command of tmux that logs every byte which a window sends from now on."""
        return ["pipe-pane", "-o", f"cat >> {shlex.quote(str(self._log))}"]

    def press(self, *keys: str) -> None:
        """Send keys by tmux's names."""
        self._run("send-keys", *keys)

    def send(self, *codes: int) -> None:
        """Send raw bytes."""
        self._run("send-keys", "-H", *(f"{code:02x}" for code in codes))

    def resize(self, columns: int, rows: int) -> None:
        """Another size of the window."""
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        """What stands on the screen."""
        return self._run("capture-pane", "-p")

    def flag(self, name: str) -> str:
        """One of tmux's facts about the window."""
        return self._run("display-message", "-p", f"#{{{name}}}").strip()

    def style(self, style: str) -> None:
        """Colours of the window: tmux tells them to programs that ask."""
        self._run("set-option", "-g", "window-style", style)

    def take_clipboard(self) -> None:
        """Believe programs that set the clipboard, as a terminal does."""
        self._run("set-option", "-s", "set-clipboard", "on")

    def clipboard(self) -> str:
        """What was copied last."""
        shown = subprocess.run([*self._tmux, "show-buffer"], capture_output=True, text=True, check=False)
        return shown.stdout

    @property
    def socket(self) -> Path:
        """Where the newest server listens."""
        return self.folder / f"socket{self._servers}"

    @property
    def _tmux(self) -> list[str]:
        return ["tmux", "-S", str(self.socket), "-f", os.devnull]

    @property
    def sent(self) -> bytes:
        """Every byte so far."""
        return self._log.read_bytes()

    @property
    def count(self) -> int:
        """Number of bytes so far."""
        return self._log.stat().st_size

    @property
    def runs(self) -> bool:
        """There is a window."""
        return subprocess.run([*self._tmux, "has-session"], capture_output=True, check=False).returncode == 0

    def until(self, holds: Callable[[str], bool], seconds: float = 60) -> str:
        """Wait until something holds of the screen."""
        deadline = time.monotonic() + seconds
        while not holds(text := self.screen()):
            assert time.monotonic() < deadline, f"it never came\n{text}"
            time.sleep(0.05)
        return text

    def quiet(self, seconds: float = 0.4) -> int:
        """Wait until nothing is sent for a while; the number of bytes so far."""
        before, since = self.count, time.monotonic()
        while time.monotonic() - since < seconds:
            time.sleep(0.02)
            if (now := self.count) != before:
                before, since = now, time.monotonic()
        return before

    def cost(self, *keys: str) -> int:
        """Bytes that keys bring."""
        before = self.quiet()
        self.press(*keys)
        deadline = time.monotonic() + 5  # a slow machine takes a while to answer, and some keys bring nothing
        while self.count == before and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.quiet() - before

    def program(self) -> int:
        """Process id of the explorer."""
        children = Path(f"/proc/{self.flag('pane_pid')}/task/{self.flag('pane_pid')}/children").read_text()
        return int(children.split()[0])

    def close(self) -> None:
        """End the server and all in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def _run(self, *arguments: str) -> str:
        run = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True)
        return run.stdout


def explorer(folder: Path, arguments: list[str], environment: dict[str, str], *without: str) -> str:
    """A shell's command that runs the explorer with a state of its own in a folder, and begins with Curves.

    What one test leaves must not be what the next one opens with, nor this process's colours be the tests'.
    """
    own = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("STATE", "CONFIG", "CACHE")}
    own |= {"PYTHONPATH": str(REPOSITORY), "BERTDYN_MODE": "curves"}
    unset = " ".join(f"-u {name}" for name in ("COLORTERM", "NO_COLOR", *without))
    assign = " ".join(f"{name}={shlex.quote(value)}" for name, value in {**own, **environment}.items())
    return f"env {unset} {assign} {shlex.join([sys.executable, '-c', CODE, *arguments])}"


def coloured(sent: bytes) -> list[bytes]:
    """The codes that set a colour (39 and 49 ask for none)."""
    found = []
    for code in _STYLE.findall(sent):
        numbers = [int(n) for n in re.split(rb"[;:]", code[2:-1]) if n]
        if any(30 <= n <= 38 or 40 <= n <= 48 or 90 <= n <= 107 for n in numbers):
            found.append(code)
    return found


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal that is closed afterwards."""
    made = Terminal(tmp_path)
    yield made
    made.close()
