"""One computing job at a time, in a child process of its own session: cancelling frees its memory and its GPU."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from explorer.ui.messages import Ended, Progress
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.selection import Selection

PROGRESS_SECONDS = 0.25
GRACE_SECONDS = 3.0
"""How long a cancelled job may take to keep what it has finished."""


class Jobs:
    """Runs one selection after the other; a new one takes the place of the one that runs.

    A thread of its own starts the child and listens to it. ``post`` must be safe to call from any thread.
    """

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path, self._post = path, post
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: Selection | None = None
        self._cancelled = False
        self.selection: Selection | None = None
        """What is being computed; None when nothing is."""

    def start(self, selection: Selection) -> None:
        """Compute a selection. What runs is cancelled first, and what it has finished is kept."""
        with self._lock:
            if self.selection is None:
                self.selection, self._cancelled = selection, False
                threading.Thread(target=self._work, name="bertdyn-jobs", daemon=True).start()
            elif selection != self.selection or self._cancelled:
                self._waiting = selection
                self._stop()

    def cancel(self) -> bool:
        """Stop, and start nothing after; False when nothing was running."""
        with self._lock:
            self._waiting = None
            if self.selection is None:
                return False
            self._stop()
            return True

    @property
    def child(self) -> int | None:
        """Process id (and group) of the running child."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def finish(self) -> None:
        """Cancel and wait, at most for the time of grace: nothing is left running behind the user."""
        self.cancel()
        deadline = time.monotonic() + GRACE_SECONDS
        while self.selection is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._process is not None:
            _kill(self._process)

    def _stop(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            if self._process is not None:
                _end(self._process)

    def _work(self) -> None:
        while (selection := self.selection) is not None:
            try:
                reason = self._talk(selection)
            except (OSError, BertdynError) as error:
                reason = f"The job could not be run: {error}"
            with self._lock:
                waiting, self._waiting = self._waiting, None
                cancelled, self._cancelled = self._cancelled, False
                self.selection, self._process = waiting, None
            if cancelled:
                self._post(Ended(selection, "replaced" if waiting else "cancelled"))
            else:
                self._post(Ended(selection, "done", reason))

    def _talk(self, selection: Selection) -> str:
        from explorer.compute.protocol import Request, request_line

        with tempfile.TemporaryFile() as complaints:
            with self._lock:
                if self._cancelled:
                    return ""
                self._process = process = subprocess.Popen(
                    [sys.executable, "-m", "explorer.compute.job", str(self._path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    start_new_session=True,
                )
            with process:
                assert process.stdin is not None
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(request_line(Request(selection)).encode() + b"\n")
                    process.stdin.flush()
                reason = self._listen(process)
            if reason is not None:
                return reason
            said = _last_line(complaints)
            return f"The job ended with exit code {process.returncode}" + (f": {said}" if said else ".")

    def _listen(self, process: subprocess.Popen[bytes]) -> str | None:
        """Pass progress on; returns why not everything was computed (empty when it was), None without a last word."""
        from explorer.compute.protocol import Outcome, Refused, Update, read_message

        assert process.stdout is not None
        reason, posted = None, 0.0
        for line in process.stdout:
            message = read_message(line.decode("utf-8", "replace"))
            match message:
                case Update():
                    now = time.monotonic()
                    if now - posted >= PROGRESS_SECONDS:
                        self._post(Progress(message.done, message.total, message.current))
                        posted = now
                case Outcome():
                    lost = message.failures
                    reason = f"{lost[0].where}: {lost[0].message}" + _more(len(lost) - 1) if lost else ""
                case Refused():
                    reason = message.message
        return reason


def _more(number: int) -> str:
    return f" (and {number:,} more)" if number > 0 else ""


def _last_line(file: BinaryIO) -> str:
    file.seek(0)
    lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a job to stop. It ends its own workers; a signal to them too would look to it like workers that died."""
    if process.poll() is None:
        process.terminate()
        timer = threading.Timer(GRACE_SECONDS, _kill, [process])
        timer.daemon = True
        timer.start()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a job that did not stop, and all its workers: it leads its own process group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
