"""Ctrl+Z, fg, bg and kill in a shell with job control: is the terminal the shell's own, and is nothing lost?"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.computed import make_computed
from tests.synthetic import Copied
from tests.terminal import hop as ssh
from tests.terminal.conftest import Terminal, explorer

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash")
PROMPT = "PS1='ready% ' exec bash --norc --noprofile -i"
PARTS = ("alternate_on", "mouse_any_flag", "cursor_flag")


def drawn(text: str) -> bool:
    return "SVCCA distance from" in text and "L12" in text


def modes(terminal: Terminal) -> dict[str, str]:
    """Alternate screen, mouse reporting, visible cursor."""
    return {name: terminal.flag(name) for name in PARTS}


SHELL = {"alternate_on": "0", "mouse_any_flag": "0", "cursor_flag": "1"}
FULL = {"alternate_on": "1", "mouse_any_flag": "1", "cursor_flag": "0"}


def sane(terminal: Terminal) -> None:
    """The terminal is the shell's: it echoes, it is cooked, it pastes nothing in brackets."""
    assert modes(terminal) == SHELL
    terminal.press("stty -a", "Enter")
    text = terminal.until(lambda text: re.search(r"-?\bechoke\b", text) is not None and settled(text))
    for name in ("icanon", "echo", "isig", "icrnl", "opost"):
        assert re.search(rf"(?<![-\w]){name}\b", text), name
    for mode in (b"2004", b"1004", b"1003", b"2048"):
        last = re.findall(rb"\x1b\[\?" + mode + rb"([hl])", terminal.sent)
        # The shell's own line editor switches bracketed paste on for itself, and off when a line is entered.
        assert not last or last[-1] == b"l" or mode == b"2004"
    terminal.press("clear", "Enter")
    terminal.until(lambda text: text.strip() == "ready%")


def settled(text: str) -> bool:
    """The prompt is the last thing."""
    return text.rstrip().endswith("ready%")


def started(terminal: Terminal, arguments: list[str]) -> int:
    """Start the explorer from a shell's prompt; its process id."""
    terminal.until(settled)
    (terminal.folder / "start").write_text(
        "exec " + explorer(terminal.folder, arguments, {"TERM": "xterm-256color"}, "TMUX")
    )
    terminal.press(f"sh {terminal.folder}/start", "Enter")
    terminal.until(drawn)
    (program,) = (n for n in children(int(terminal.flag("pane_pid"))) if str(arguments[0]) in told(n))
    return program


def children(process: int) -> list[int]:
    """All descendants."""
    try:
        own = [int(n) for n in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return [*own, *(m for n in own for m in children(n))]


def told(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def state(process: int) -> str:
    """T where it is stopped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def stops(process: int) -> None:
    deadline = time.monotonic() + 60
    while state(process) != "T":
        assert time.monotonic() < deadline, state(process)
        time.sleep(0.02)


@pytest.fixture
def shell(terminal: Terminal) -> Terminal:
    """A shell with job control."""
    terminal.open(PROMPT, "120x40")
    return terminal


@pytest.mark.parametrize("how", ["key", "SIGTSTP"])
def test_the_shell_has_its_terminal_and_the_explorer_comes_back_whole(shell: Terminal, store: Path, how: str) -> None:
    program = started(shell, [str(store), "--no-compute"])
    shell.press("3")
    shell.until(lambda text: "12▸" in text)
    before = shell.screen()
    assert modes(shell) == FULL
    if how == "key":
        shell.press("C-z")
    else:
        os.kill(program, signal.SIGTSTP)
    shell.until(lambda text: "Stopped" in text and settled(text))
    stops(program)
    sane(shell)
    shell.press("fg", "Enter")
    shell.until(lambda text: text == before)
    assert modes(shell) == FULL
    shell.press("Down")
    shell.until(lambda text: "layer 11, " in text)
    shell.press("C-z")
    shell.until(lambda text: "Stopped" in text and settled(text))
    shell.resize(90, 30)
    shell.press("fg", "Enter")
    text = shell.until(lambda text: "layer 11, " in text and "? help" in text.splitlines()[-1])
    assert len(text.splitlines()) == 30
    assert "│" not in text.splitlines()[0]
    shell.press("q")
    shell.until(settled)
    sane(shell)


def test_stopped_by_force_and_resized_it_comes_back_too(shell: Terminal, store: Path) -> None:
    program = started(shell, [str(store), "--no-compute"])
    os.kill(program, signal.SIGSTOP)
    shell.until(lambda text: "Stopped" in text)
    shell.resize(100, 35)
    shell.press("fg", "Enter")
    shell.until(lambda text: drawn(text) and "? help" in text.splitlines()[-1])
    before = shell.quiet()
    os.kill(program, signal.SIGCONT)  # while it runs: the terminal is taken anew, and what is typed just then is lost
    shell.until(lambda _: shell.count > before)
    shell.quiet()
    shell.until(drawn)
    shell.press("3")
    shell.until(lambda text: "12▸" in text and "? help" in text.splitlines()[-1])
    shell.press("Down")
    shell.until(lambda text: "layer 11, " in text)
    shell.press("q")
    shell.until(settled)
    sane(shell)


def test_in_the_background_it_waits_and_a_kill_ends_it_there(shell: Terminal, store: Path) -> None:
    program = started(shell, [str(store), "--no-compute"])
    shell.press("3")
    shell.until(lambda text: "12▸" in text)
    shell.press("C-z")
    shell.until(lambda text: "Stopped" in text and settled(text))
    shell.press("bg", "Enter")
    time.sleep(0.5)  # it was stopped before, and is again: no condition tells one from the other
    stops(program)
    shell.press("clear", "Enter")
    sane(shell)
    shell.press("kill %1", "Enter")
    deadline = time.monotonic() + 60
    while state(program):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    sane(shell)
    assert '"mode": "heat"' in next((shell.folder / "state").rglob("*.json")).read_text()


def test_a_terminal_that_goes_while_it_is_stopped_keeps_no_process(shell: Terminal, store: Path) -> None:
    program = started(shell, [str(store), "--no-compute"])
    shell.press("C-z")
    shell.until(lambda text: "Stopped" in text)
    shell.close()
    deadline = time.monotonic() + 60
    while state(program):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_where_no_shell_could_bring_it_back_it_stays(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store), "--no-compute"])
    terminal.until(drawn)
    terminal.press("C-z")
    terminal.until(lambda text: "The explorer was not suspended" in text and "L12" in text)
    assert modes(terminal) == FULL
    terminal.press("3")
    terminal.until(lambda text: "12▸" in text)
    terminal.press("q")
    terminal.until(lambda text: "left with 0" in text)


@pytest.fixture(scope="module")
def hop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssh.Hop]:
    made = ssh.Hop(tmp_path_factory.mktemp("ssh"))
    yield made
    made.close()


@pytest.mark.skipif(bool(ssh.missing()), reason=ssh.missing() or "there is ssh")
def test_over_ssh_neither_the_job_nor_a_question_is_lost(
    terminal: Terminal, hop: ssh.Hop, tmp_path: Path, copied: Copied
) -> None:
    path = copied(make_computed, tmp_path / "runs.bertdyn").path
    terminal.open(f"env TERM=xterm-256color {hop.command(PROMPT)}; echo gone; exec sleep 100", "120x40")
    terminal.until(settled)
    (terminal.folder / "start").write_text("exec " + explorer(terminal.folder, [str(path)], {}, "TMUX"))
    terminal.press(f"sh {terminal.folder}/start", "Enter")
    terminal.until(drawn)
    terminal.press("m", "anisotropy", "Enter")  # nothing of it is computed
    terminal.until(lambda text: "computing" in text)
    terminal.press("8")
    terminal.until(lambda text: "SQL" in text)
    terminal.press("i")
    terminal.press("select count(*) + 41 as answered from range(2000000000)", "F5")
    terminal.until(lambda text: "the statement runs" in text)
    terminal.press("Escape")
    time.sleep(0.5)  # escape and a letter in one go are a key of their own
    terminal.press("C-z")
    terminal.until(lambda text: "Stopped" in text and settled(text))
    sane(terminal)
    terminal.resize(130, 35)
    terminal.press("fg", "Enter")
    terminal.until(lambda text: "2000000041" in text.replace(",", ""), 60)
    terminal.press("1")
    text = terminal.until(lambda text: "comput" not in text and "L12" in text and "? help" in text, 60)
    assert len(text.splitlines()) == 35
    terminal.press("q")
    terminal.until(settled)
