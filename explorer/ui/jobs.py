"""Do requests of any kind one at a time, each in a child process with its own session.

Cancelling a job ends its process, which frees its memory and its GPU.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.ui.messages import Ended, Progress
from store import child
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.compute.requests import Request
    from explorer.ui.lists.jobs import HowItIs, Job

PROGRESS_SECONDS = 0.25
GRACE_SECONDS = 3.0
"""Time that a cancelled job may take to store its finished values."""
MOST_REASONS = 20
"""Largest number of failures of a job whose messages are kept; all failures are counted."""


@dataclass
class _Entry:
    """A job as the thread changes it; ``lists.jobs.Job`` is what others see."""

    number: int
    request: Request
    asked: bool
    state: HowItIs = "waiting"
    stop: str = ""
    """Why it must end: ``cancelled`` by the user, ``replaced`` by a job that goes first, or ``left`` by the user."""
    said: dict[str, object] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None


class JobRunner:
    """A queue that does one request after the other; the latest request goes first.

    Requests that run beside the queue (``Request.beside``) are begun at once, each in a thread of its own.

    A job that is stopped for it waits for its next turn if the user asked for that job; otherwise it ends, and keeps
    its finished values for the next time it is started. A thread starts each child process and reads its messages.
    ``post`` must be safe to call from any thread.
    """

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path, self._post = path, post
        self._lock = threading.RLock()
        self._running: _Entry | None = None
        self._beside: list[_Entry] = []
        self._waiting: list[_Entry] = []
        self._over: list[_Entry] = []
        self._count = 0

    @property
    def request(self) -> Request | None:
        """Request that is being done: that of the queue, else one beside it; None if there is none."""
        running = next(iter(self._at_work()), None)
        return None if running is None else running.request

    @property
    def waiting(self) -> int:
        """Number of jobs that wait."""
        return len(self._waiting)

    def start(self, request: Request, asked: bool = False) -> None:
        """Begin a request now. A job that is stopped for it keeps its finished values.

        Args:
            asked: whether the user asked for it.
        """
        with self._lock:
            running = self._running
            there = next((e for e in self._at_work() if e.request == request and not e.stop), None)
            if there is not None:
                there.asked = there.asked or asked
                return
            if request.beside:
                self._count += 1
                self._beside.append(entry := _Entry(self._count, request, asked))
                threading.Thread(target=self._work_beside, args=[entry], name="bertdyn-beside", daemon=True).start()
                return
            asked = asked or any(e.asked for e in self._waiting if e.request == request)
            # Waiting jobs that the user did not ask for are dropped: their values are no longer on the screen.
            self._waiting = [e for e in self._waiting if e.asked and e.request != request]
            self._count += 1
            self._waiting.insert(0, _Entry(self._count, request, asked))
            if running is None:
                self._running = self._waiting.pop(0)
                threading.Thread(target=self._work, name="bertdyn-jobs", daemon=True).start()
            elif not running.stop:
                self._stop(running, "replaced")

    def leave(self, shown: Collection[Request]) -> None:
        """Stop the running job and drop waiting ones, except those that the user asked for or that are ``shown``."""
        with self._lock:
            self._waiting = [e for e in self._waiting if e.asked or e.request in shown]
            running = self._running
            if running is not None and not running.asked and not running.stop and running.request not in shown:
                self._stop(running, "left")

    def cancel(self, number: int | None = None) -> bool:
        """Stop the running job, or the job with a number; return False if there is none. The queue continues.

        Without a number a job beside the queue is stopped only if the queue is empty.
        """
        with self._lock:
            running = next((e for e in self._at_work() if number in (None, e.number)), None)
            if running is not None:
                self._stop(running, "cancelled")
                return True
            for entry in self._waiting:
                if entry.number == number:
                    self._waiting.remove(entry)
                    entry.state = "cancelled"
                    self._over.append(entry)
                    self._post(Ended(entry.request, "cancelled"))
                    return True
            return False

    def listed(self) -> tuple[Job, ...]:
        """What runs, what waits in its order, and what is over, the latest first."""
        from explorer.ui.lists.jobs import Job

        with self._lock:
            shown = [*self._at_work(), *self._waiting, *reversed(self._over)]
            return tuple(Job(e.number, *_words(e.request), e.state, e.request.beside, e.asked, **e.said) for e in shown)  # type: ignore[arg-type]

    @property
    def child(self) -> int | None:
        """Process id (and group) of the running child."""
        process = next((e.process for e in self._at_work() if e.process is not None), None)
        return process.pid if process is not None and process.returncode is None else None

    def cancel_all(self) -> None:
        """Stop the running jobs and drop all waiting ones."""
        with self._lock:
            self._waiting.clear()
            for entry in self._at_work():
                self._stop(entry, "cancelled")

    def finish(self) -> None:
        """Cancel all jobs and wait for at most GRACE_SECONDS, so that no process outlives the explorer."""
        self.cancel_all()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._at_work() and time.monotonic() < deadline:
            time.sleep(0.02)
        for entry in self._at_work():
            if entry.process is not None:
                child.kill(entry.process)

    def _at_work(self) -> list[_Entry]:
        """Return the running job of the queue, then those beside it."""
        running = self._running
        return [*([] if running is None else [running]), *self._beside]

    def _stop(self, entry: _Entry, why: str) -> None:
        already, entry.stop = entry.stop, "cancelled" if "cancelled" in (why, entry.stop) else why
        entry.state = "stopping"
        if not already and entry.process is not None:
            child.end(entry.process, GRACE_SECONDS)

    def _work(self) -> None:
        while (entry := self._running) is not None:
            reason = self._done(entry)
            with self._lock:
                again = self._sorted_away(entry, reason)
                if again is not None:
                    self._waiting.insert(min(1, len(self._waiting)), again)
                self._running = self._waiting.pop(0) if self._waiting else None
            self._tell_end(entry, reason)

    def _work_beside(self, entry: _Entry) -> None:
        reason = self._done(entry)
        with self._lock:
            self._sorted_away(entry, reason)
            self._beside.remove(entry)
        self._tell_end(entry, reason)

    def _done(self, entry: _Entry) -> str:
        """Do a job; return why some of its work was not done."""
        entry.state, entry.said = "running", {}
        try:
            return self._talk(entry)
        except (OSError, BertdynError) as error:
            return f"The job could not be run: {error}"
        finally:
            entry.process = None

    def _tell_end(self, entry: _Entry, reason: str) -> None:
        how = entry.stop or "done"
        said: Any = () if entry.stop else entry.said.get("results", ())
        self._post(Ended(entry.request, how, "" if entry.stop else reason, said))  # type: ignore[arg-type]

    def _sorted_away(self, entry: _Entry, reason: str) -> _Entry | None:
        """Set the state of an ended job and list it as over; return it instead if it must wait for its next turn."""
        if entry.stop == "replaced" and entry.asked:
            return replace(entry, state="waiting", stop="")
        if entry.stop:
            entry.state = "cancelled" if entry.stop == "cancelled" else "stopped: you moved on"
        elif not reason:
            entry.state = "done"
        else:
            entry.state = "in part" if entry.said.get("lost") else "failed"
            if not entry.said.get("lost"):
                entry.said["reason"] = reason
        self._over.append(entry)
        return None

    def _talk(self, entry: _Entry) -> str:
        from explorer.compute.requests import request_line

        with tempfile.TemporaryFile() as complaints:
            with self._lock:
                if entry.stop:
                    return ""
                entry.process = process = child.start(entry.request.module, str(self._path), stderr=complaints)
            with process:
                assert process.stdin is not None
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(request_line(entry.request).encode() + b"\n")
                    process.stdin.flush()
                reason = self._listen(process, entry)
            if reason is not None:
                return reason
            complaints.seek(0)
            return child.how_ended("The job", process.returncode, child.last_line(complaints.read()))

    def _listen(self, process: subprocess.Popen[bytes], entry: _Entry) -> str | None:
        """Post progress until the child ends; return why some work was not done (empty if all was done).

        Return None if the child ended without a final message.
        """
        from explorer.compute.protocol import Outcome, Refused, Update, read_message

        assert process.stdout is not None
        reason, posted = None, 0.0
        for line in process.stdout:
            message = read_message(line.decode("utf-8", "replace"))
            match message:
                case Update():
                    now = time.monotonic()
                    began = entry.said.get("began", now)
                    entry.said = {
                        "done": message.done,
                        "total": message.total,
                        "known": message.known,
                        "current": message.current,
                        "began": began,
                        "seen": now,
                    }
                    if now - posted >= PROGRESS_SECONDS:
                        self._post(Progress(message.done, message.total, message.current, entry.request))
                        posted = now
                case Outcome():
                    lost = message.failures
                    said = tuple(f"{one.where}: {one.message}" for one in lost[:MOST_REASONS])
                    entry.said = {
                        **entry.said,
                        "failures": said,
                        "lost": len(lost),
                        "current": "",
                        "results": message.said,
                    }
                    reason = said[0] + _more(len(lost) - 1) if lost else ""
                case Refused():
                    reason = message.message
        return reason


def _words(request: Request) -> tuple[str, str, tuple[tuple[str, str], ...], str]:
    """Return the fields of ``Job`` that describe a request: those after its number."""
    return request.title, request.subject, tuple(request.facts.items()), request.units


def _more(number: int) -> str:
    return f" (and {number:,} more)" if number > 0 else ""
