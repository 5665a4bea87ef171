"""Child processes: asked to end, killed with all that they started if they do not, and how they ended in words."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from store import child

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
other = subprocess.Popen([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"])
time.sleep(600)
"""


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ignores SIGTERM and has started another one; both hold the pipe of its standard output."""
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield process
        child.kill(process)


def gone(process: subprocess.Popen[bytes]) -> bool:
    """Wait for the end of the process and of all that it started: until then, the pipe stays open."""
    assert process.stdout is not None
    assert process.stdout.read() == b""
    return process.wait(60) == -signal.SIGKILL


def test_a_process_that_does_not_end_is_killed_with_all_that_it_started(stubborn: subprocess.Popen[bytes]) -> None:
    child.end(stubborn, grace=0.05)
    assert gone(stubborn)


def test_without_a_thread_to_wait_it_is_killed_at_once(
    stubborn: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        child.end(stubborn, grace=600)
    assert gone(stubborn)


def test_a_process_that_is_over_is_left_alone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    child.end(process, grace=0.05)
    child.kill(process)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (0, "", "The job ended with exit code 0."),
        (3, "disk full", "The job ended with exit code 3: disk full"),
        (-signal.SIGTERM, "ignored", "The job was killed from outside (SIGTERM)."),
        (-signal.SIGKILL, "", "The job was killed from outside (SIGKILL), as the system does where memory runs out."),
        (-250, "", "The job was killed from outside (signal 250)."),
    ],
)
def test_how_a_process_ended(code: int, said: str, words: str) -> None:
    assert child.how_ended("The job", code, said) == words


@pytest.mark.parametrize(
    ("complaints", "last"),
    [(b"", ""), (b"\n \n", ""), (b"one\ntwo\n\n", "two"), (b"\xff", "\ufffd")],
)
def test_the_last_line_of_complaints(complaints: bytes, last: str) -> None:
    assert child.last_line(complaints) == last
