"""Child processes of ours: started alike, ended with all that they started, and how they ended in words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Any


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules. ``-P``: nothing of the folder one is in is imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


def start(module: str, *arguments: str, stderr: int | IO[Any] = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a module in a session of its own: keys of the terminal do not reach it. Its stdin and stdout are pipes."""
    return subprocess.Popen(
        command(module, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ask a process to end; kill it and all that it started if it is still there after ``grace`` seconds.

    It ends its own children: a signal to them too would look to it like children that died. If no thread can be started
    to wait for it, it is killed at once.
    """
    if process.poll() is None:
        process.terminate()
        timer = threading.Timer(grace, kill, [process])
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, whatever it is at, and all that it started: it leads its own process group."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def how_ended(what: str, code: int, said: str = "") -> str:
    """Say in a sentence why a process without a last word is over.

    Args:
        what: what it was, at the beginning of a sentence: 'The job'.
        code: its exit code; negative for a signal.
        said: the last line of its complaints.
    """
    if code >= 0:
        return f"{what} ended with exit code {code}" + (f": {said}" if said else ".")
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    # What a killed process said last is of something else: it had no time to say why.
    memory = ", as the system does where memory runs out" if -code == signal.SIGKILL else ""
    return f"{what} was killed from outside ({name}){memory}."


def last_line(complaints: bytes) -> str:
    """Return the last line that is not empty."""
    lines = complaints.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
