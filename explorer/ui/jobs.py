"""One computing job at a time, in a child process of its own session: cancelling frees its memory and its GPU."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.ui.messages import Ended, Progress
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.selection import Selection

PROGRESS_SECONDS = 0.25
GRACE_SECONDS = 3.0
"""How long a cancelled job may take to keep what it has finished."""
LONGEST_LINE = 2**24
"""Bytes of a message: an outcome can name thousands of failures."""


class Jobs:
    """Runs one selection after the other; a new one takes the place of the one that runs. Lives on the event loop."""

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path, self._post = path, post
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: Selection | None = None
        self._cancelled = False
        self.selection: Selection | None = None
        """What is being computed; None when nothing is."""

    def start(self, selection: Selection) -> None:
        """Compute a selection. What runs is cancelled first, and what it has finished is kept."""
        if self._task is None or self._task.done():
            self._begin(selection)
        elif selection != self.selection or self._cancelled:
            self._waiting = selection
            self._stop()

    def cancel(self) -> bool:
        """Stop, and start nothing after; False when nothing was running."""
        self._waiting = None
        if self.selection is None:
            return False
        self._stop()
        return True

    def kill(self) -> None:
        """End the child now: the explorer is leaving. Its own clean-up has the usual time, without anybody waiting."""
        self._waiting = None
        if self._process is not None and self._process.returncode is None:
            terminate(self._process)

    @property
    def child(self) -> int | None:
        """Process group of the running child."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    def _begin(self, selection: Selection) -> None:
        self.selection, self._cancelled, self._process = selection, False, None
        self._task = asyncio.get_running_loop().create_task(self._run(selection))

    def _stop(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            if self._process is not None:
                self._end(self._process)

    def _end(self, process: asyncio.subprocess.Process) -> None:
        terminate(process)
        asyncio.get_running_loop().call_later(GRACE_SECONDS, kill_group, process)

    async def _run(self, selection: Selection) -> None:
        try:
            reason = await self._talk(selection)
        except (OSError, BertdynError) as error:
            reason = f"The job could not be run: {error}"
        waiting, self._waiting = self._waiting, None
        self.selection = None
        if self._cancelled:
            self._post(Ended(selection, "replaced" if waiting else "cancelled"))
        else:
            self._post(Ended(selection, "done", reason))
        if waiting is not None:
            self._begin(waiting)

    async def _talk(self, selection: Selection) -> str:
        from explorer.compute.protocol import Outcome, Refused, Request, Update, read_message, request_line

        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "explorer.compute.job",
            str(self._path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=LONGEST_LINE,
        )
        self._process = process
        if self._cancelled:
            self._end(process)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        complaints = asyncio.get_running_loop().create_task(process.stderr.read())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(request_line(Request(selection)).encode() + b"\n")
            await process.stdin.drain()
            process.stdin.close()
        reason, posted = None, 0.0
        async for line in process.stdout:
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
        code = await process.wait()
        said = (await complaints).decode("utf-8", "replace").strip().splitlines()
        if reason is None:
            reason = f"The job ended with exit code {code}" + (f": {said[-1]}" if said else ".")
        return reason


def _more(number: int) -> str:
    return f" (and {number:,} more)" if number > 0 else ""


def terminate(process: asyncio.subprocess.Process) -> None:
    """Ask a job to stop. It ends its own workers; a signal to them too would look to it like workers that died."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()


def kill_group(process: asyncio.subprocess.Process) -> None:
    """End a job that did not stop, and all its workers: it leads its own process group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
