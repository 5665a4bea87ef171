"""What computing knows of the processes that do its tasks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Note(NamedTuple):
    """How far a task is."""

    task: int
    """Its number in the run."""
    done: int
    """Cells that it has finished."""
    text: str
    """What it is at, in words."""


class Notes(Protocol):
    """Takes a worker's notes to the process that handed out the task; travels with the task."""

    def write(self, note: Note) -> None:
        """Put a note where it will be found; a later one of the same task replaces it."""
        ...


@dataclass(frozen=True)
class NoNotes:
    """Nobody looks."""

    def write(self, note: Note) -> None:
        """See ``Notes``."""


@dataclass(frozen=True)
class Verdict:
    """What it means that a task gave an error instead of a report."""

    message: str
    over: bool
    """No further task can be done."""


class Workers(Protocol):
    """Processes that do tasks, at most one each at a time."""

    @property
    def count(self) -> int:
        """How many there are now; at least one."""
        ...

    @property
    def threads(self) -> int:
        """Threads of arithmetic in each: sums depend on them in their last bits. 0: as they are."""
        ...

    @property
    def notes(self) -> Notes:
        """What tasks are given to write notes."""
        ...

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand out a task."""
        ...

    def read_notes(self) -> list[Note]:
        """Return the notes that came since the last time, the latest of each task."""
        ...

    def gone(self) -> str:
        """Say why no task will ever be done any more, in a sentence; empty while they work. Asked now and then: tasks
        that were handed out may never answer."""
        ...

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        """Say what an error of a task means; None where it is the task's own, or a bug.

        Args:
            doing: what was being computed, in words.
        """
        ...


MakeWorkers = Callable[[int], AbstractContextManager[Workers]]
"""Makes workers, given how many there is work for; leaving the context ends them, or lets go of them."""
