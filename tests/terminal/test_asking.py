"""Is the terminal asked for its background, and does the explorer bear every way of answering?"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.parameters import later
from tests.terminal.conftest import CODE, REPOSITORY, Terminal

ASK = b"\x1b]11;?\x1b\\"
DARK_TEXT, LIGHT_TEXT = b"38;5;252", b"38;5;235"


class Pseudo:
    """A terminal that answers as it is told."""

    def __init__(self, folder: Path, store: Path, *arguments: str, **environ: str) -> None:
        self.sent = b""
        names = {name: str(folder / name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        own = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(REPOSITORY), "LANG": "C.UTF-8"}
        whole = {**own, **names, "TERM": "xterm-256color", "BERTDYN_MODE": "curves", **environ}
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.execve(sys.executable, [sys.executable, "-c", CODE, str(store), "--no-compute", *arguments], whole)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def until(self, holds: Callable[[bytes], bool], seconds: float = 60) -> None:
        """Read until something holds of all that was sent."""
        deadline = time.monotonic() + seconds
        while not holds(self.sent):
            assert time.monotonic() < deadline, self.sent[-2000:]
            self.read(0.05)

    def read(self, seconds: float) -> None:
        """Read for a while."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._file], [], [], left)[0]:
                try:
                    self.sent += os.read(self._file, 65536)
                except OSError:
                    return

    def answer(self, text: bytes) -> None:
        """Send bytes."""
        os.write(self._file, text)

    def leave(self) -> int:
        """Press q; the exit code."""
        self.answer(b"q")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.read(0.1)
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not leave")

    def close(self) -> None:
        """End it."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._file)


@pytest.fixture
def started(tmp_path: Path, store: Path) -> Iterator[Callable[..., Pseudo]]:
    """Starts the explorer in such terminals, which are closed afterwards."""
    made: list[Pseudo] = []

    def start(*arguments: str, **environ: str) -> Pseudo:
        made.append(Pseudo(tmp_path, store, *arguments, **environ))
        return made[-1]

    yield start
    for one in made:
        one.close()


def drawn(sent: bytes) -> bool:
    return b"L12" in sent


def unpressed(sent: bytes) -> bool:
    """None of the letters of an answer did what its key does: r another reference, b no panel, f jump."""
    return not any(word in sent for word in (b"distance from the first", b"Type the letters", b"Filter"))


@pytest.mark.parametrize("end", [b"\x07", later(b"\x1b\\")])
def test_a_light_terminal_that_answers_gets_its_colours(started: Callable[..., Pseudo], end: bytes) -> None:
    terminal = started()
    terminal.until(lambda sent: ASK in sent)
    terminal.answer(b"\x1b]11;rgb:ffff/ffff/ffff" + end)
    terminal.until(lambda sent: drawn(sent) and LIGHT_TEXT in sent)
    assert unpressed(terminal.sent)
    assert terminal.leave() == 0


def test_one_that_does_not_answer_is_not_waited_for(started: Callable[..., Pseudo]) -> None:
    terminal = started()
    terminal.until(drawn)
    assert ASK in terminal.sent
    assert DARK_TEXT in terminal.sent
    assert LIGHT_TEXT not in terminal.sent
    assert terminal.leave() == 0


def test_a_late_answer_in_two_pieces_between_keys_presses_none(started: Callable[..., Pseudo]) -> None:
    terminal = started()
    terminal.until(drawn)
    terminal.read(1.0)
    assert LIGHT_TEXT not in terminal.sent
    terminal.answer(b"\x1b]11;rgb:ff")
    terminal.read(0.3)
    terminal.answer(b"ff/ffff/ffff\x1b\\3")
    terminal.until(lambda sent: LIGHT_TEXT in sent)
    terminal.read(0.5)
    assert unpressed(terminal.sent)
    assert terminal.leave() == 0


LATE = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


def test_an_answer_byte_by_byte_presses_no_letter(started: Callable[..., Pseudo]) -> None:
    terminal = started()
    terminal.until(drawn)
    for byte in LATE:
        terminal.answer(bytes([byte]))
        terminal.read(0.15)  # Textual takes an escape that stands alone for so long for a key
    terminal.until(lambda sent: LIGHT_TEXT in sent)
    terminal.read(0.5)
    assert unpressed(terminal.sent)
    assert terminal.leave() == 0


def test_a_dark_answer_sends_nothing(started: Callable[..., Pseudo]) -> None:
    terminal = started()
    terminal.until(drawn)
    terminal.read(1.0)
    before = len(terminal.sent)
    terminal.answer(b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\")
    terminal.read(1.0)
    assert len(terminal.sent) == before


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ((), {"COLORFGBG": "0;15"}),
        (("--background", "light"), {}),
        ((), {"TERM": "linux"}),
        ((), {"NO_COLOR": "1"}),
    ],
)
def test_nobody_is_asked_in_vain(
    started: Callable[..., Pseudo], arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    terminal = started(*arguments, **environ)
    terminal.until(drawn)
    assert ASK not in terminal.sent


@pytest.mark.parametrize("seconds", [0.5, later(2.0)])
@pytest.mark.parametrize(("opens", "stands"), [("/", "filter: task:sst2"), ("8i", "│task:sst2")])
def test_a_late_answer_into_what_is_being_typed_is_no_text(
    terminal: Terminal, store: Path, opens: str, stands: str, seconds: float
) -> None:
    terminal.start([str(store), "--no-compute"])
    terminal.until(lambda _: ASK in terminal.sent)
    began = time.monotonic()
    terminal.press(*opens)
    terminal.press("task")
    terminal.until(lambda text: stands[:-5] in text)
    time.sleep(max(0.0, began + seconds - time.monotonic()))  # how late it is is what is tried
    terminal.send(*LATE)
    terminal.press(":sst2")
    text = terminal.until(lambda text: stands in text)
    assert "rgb" not in text
    terminal.until(lambda _: LIGHT_TEXT in terminal.sent)


@pytest.mark.parametrize(
    ("style", "shown"),
    [("", DARK_TEXT), ("bg=#ffffff", LIGHT_TEXT), later("bg=#101020", DARK_TEXT)],
)
def test_in_tmux_the_pane_says_what_it_is_or_nothing(terminal: Terminal, store: Path, style: str, shown: bytes) -> None:
    terminal.start([str(store), "--no-compute"], environment={"TERM": "tmux-256color"})
    if style:
        terminal.style(style)
    terminal.until(lambda text: "L12" in text)
    terminal.until(lambda _: shown in terminal.sent)
    before = terminal.quiet(1.0)
    assert ASK in terminal.sent
    assert (LIGHT_TEXT in terminal.sent) is (shown == LIGHT_TEXT)
    assert "SVCCA distance from the pre-trained model" in terminal.screen()
    time.sleep(2)  # only time can show that nothing comes
    assert terminal.count == before
