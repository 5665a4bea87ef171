"""Workers for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from explorer.compute.executors.base import Note, Notes, Verdict

P = ParamSpec("P")
T = TypeVar("T")


class Here:
    """A thread of this process: the interface is all that ``compute`` knows of workers."""

    count, threads = 1, 0

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._noted: list[Note] = []

    @property
    def notes(self) -> Notes:
        return self

    def write(self, note: Note) -> None:
        self._noted.append(note)

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._executor.submit(function, *args, **kwargs)

    def read_notes(self) -> list[Note]:
        found, self._noted = self._noted, []
        return found

    @property
    def heard(self) -> bool:
        """Whether every note was read."""
        return not self._noted

    def gone(self) -> str:
        return ""

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        return None


@contextmanager
def here(workers: int) -> Iterator[Here]:
    """Workers without child processes."""
    with ThreadPoolExecutor(1) as executor:
        yield Here(executor)
