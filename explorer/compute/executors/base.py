"""The interface of the processes that do tasks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Note(NamedTuple):
    """A progress report of a task."""

    task: int
    """Number of the task in the run."""
    done: int
    """Number of finished cells."""
    text: str
    """Description of the current work."""


class Notes(Protocol):
    """Sends a worker's notes to the process that sent the task; it is sent along with the task."""

    def write(self, note: Note) -> None:
        """Send a note; it replaces earlier notes of the same task."""
        ...


@dataclass(frozen=True)
class NoNotes:
    """Discards all notes."""

    def write(self, note: Note) -> None:
        """See ``Notes``."""


@dataclass(frozen=True)
class Verdict:
    """The meaning of an error of a task."""

    message: str
    over: bool
    """True if no further task can be done."""


class Workers(Protocol):
    """Processes that do tasks, each at most one at a time."""

    @property
    def count(self) -> int:
        """Current number of processes, at least one."""
        ...

    @property
    def threads(self) -> int:
        """Number of arithmetic threads per process, on which the last bits of sums depend; 0: unchanged."""
        ...

    @property
    def notes(self) -> Notes:
        """Object with which tasks send notes."""
        ...

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Send a task to one of the processes."""
        ...

    def read_notes(self) -> list[Note]:
        """Return the notes since the last call, the latest of each task."""
        ...

    def gone(self) -> str:
        """Return a sentence with the reason why no task can be done any more; empty while the processes work.

        It must be called regularly, since running tasks may never answer.
        """
        ...

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        """Return the meaning of an error of a task; None if it comes from the task itself or is a bug.

        Args:
            doing: description of the computation.
        """
        ...


MakeWorkers = Callable[[int], AbstractContextManager[Workers]]
"""Function that starts workers or connects to them, given the number of tasks; its context ends or releases them."""
