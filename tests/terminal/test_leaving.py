"""However the explorer ends, is the session saved; and does the terminal get what the settings say?"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from explorer.ui.app import FAREWELL_SECONDS
from tests.terminal.conftest import Terminal


def drawn(text: str) -> bool:
    return "SVCCA distance from" in text and "L12" in text


def saved(terminal: Terminal) -> dict[str, object]:
    """The session of the one store that was looked at, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        files = [p for p in (terminal.folder / "state").rglob("*.json") if "presets" not in p.name]
        if files:
            found: dict[str, object] = json.loads(files[0].read_text())["state"]
            return found
        time.sleep(0.05)
    raise AssertionError("no session was saved")


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "q", "the server"])
def test_the_session_is_saved_however_it_ends(terminal: Terminal, store: Path, how: str) -> None:
    terminal.start([str(store), "--no-compute"])
    terminal.until(drawn)
    terminal.press("3")
    terminal.until(lambda text: "L12" not in text and "layer" in text)
    program = terminal.program()
    if how == "the server":
        terminal.close()
    elif how == "q":
        terminal.press("q")
    else:
        os.kill(program, getattr(signal, how))
    deadline = time.monotonic() + 60
    while Path(f"/proc/{program}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{program}").exists()
    assert saved(terminal)["mode"] == "heat"


def test_one_comes_back_to_what_was_left(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store), "--no-compute"])
    terminal.until(drawn)
    terminal.press("2")
    terminal.until(lambda text: "step 380" in text)
    terminal.press("q")
    terminal.until(lambda text: "left with 0" in text)
    terminal.close()
    terminal.start([str(store), "--no-compute"])
    terminal.until(lambda text: "step 380" in text and "SVCCA distance from" in text)


def test_plain_characters_are_all_that_is_sent(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store), "--ascii", "--no-compute"])
    terminal.until(lambda text: "SVCCA distance from" in text)
    for key in ("3", "2", "?", "Escape", "e", "Escape"):
        terminal.cost(key)
    assert [byte for byte in terminal.sent if byte > 127] == []


@pytest.mark.parametrize(("color", "truecolor", "cube"), [("16", False, False), ("truecolor", True, None)])
def test_a_depth_by_name_is_what_is_sent(
    terminal: Terminal, store: Path, color: str, truecolor: bool, cube: bool | None
) -> None:
    terminal.start([str(store), "--color", color, "--no-compute"], environment={"NO_COLOR": "1"})
    terminal.until(drawn)
    terminal.cost("3")
    assert (b"38;2;" in terminal.sent) is truecolor
    assert cube is None or (b"38;5;" in terminal.sent) is cube


def test_the_environment_is_believed_and_the_command_line_more(terminal: Terminal, store: Path) -> None:
    said = {"BERTDYN_MODE": "heat", "BERTDYN_COMPUTE": "off", "BERTDYN_MOUSE": "0"}
    terminal.start([str(store), "--mode", "profile"], environment=said)
    terminal.until(lambda text: "step 380" in text)
    assert b"\x1b[?1003h" not in terminal.sent


DEAF = (
    "import sys, threading\n"
    "from textual.drivers._writer_thread import WriterThread\n"
    "WriterThread.stop = lambda self: threading.Event().wait()  # a terminal that never takes the last words\n"
    "from explorer.cli import tui\n"
    "tui(sys.argv[1:])"
)


def test_a_terminal_that_takes_no_farewell_keeps_no_process(store: Path, tmp_path: Path) -> None:
    program, terminal = pty.fork()
    if program == 0:
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path)}
        os.execve(sys.executable, [sys.executable, "-c", DEAF, str(store), "--no-compute"], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    while b"Table" not in seen:
        seen += os.read(terminal, 65536)
    os.kill(program, signal.SIGTERM)
    deadline = time.monotonic() + FAREWELL_SECONDS + 60
    ended, status = 0, 0
    while not ended and time.monotonic() < deadline:
        ended, status = os.waitpid(program, os.WNOHANG)
        time.sleep(0.05)
    if not ended:
        os.kill(program, signal.SIGKILL)
        os.waitpid(program, 0)
    os.close(terminal)
    assert (ended, os.waitstatus_to_exitcode(status)) == (program, 128 + signal.SIGTERM)
    assert list(tmp_path.rglob("*.json")), "the session was not saved"
