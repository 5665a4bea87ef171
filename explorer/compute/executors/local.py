"""Child processes on this machine."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from explorer.compute.executors.base import Note, Notes, P, T, Verdict
from explorer.compute.pool import cpus, local_pool


@dataclass(frozen=True)
class FolderNotes:
    """Sends notes as files in a folder, one per task."""

    folder: str

    def write(self, note: Note) -> None:
        """See ``Notes``."""
        path = Path(self.folder, str(note.task))
        draft = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):  # the run that reads the notes may be over
            draft.write_text(json.dumps(note))
            draft.replace(path)

    def read(self) -> list[Note]:
        """Return all notes and remove them."""
        found = []
        for path in Path(self.folder).glob("*"):
            if not path.suffix:
                with suppress(OSError):
                    found.append(Note(*json.loads(path.read_text())))
                    path.unlink()
        return found


class LocalWorkers:
    """Child processes, which are killed at the end."""

    def __init__(self, executor: Executor, count: int, threads: int, folder: str) -> None:
        self._executor, self._notes = executor, FolderNotes(folder)
        self.count, self.threads = count, threads

    @property
    def notes(self) -> Notes:
        """See ``Workers``."""
        return self._notes

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``Workers``."""
        return self._executor.submit(function, *args, **kwargs)

    def read_notes(self) -> list[Note]:
        """See ``Workers``."""
        return self._notes.read()

    def gone(self) -> str:
        """See ``Workers``; a child that dies ends its task with an error."""
        return ""

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        """See ``Workers``; if a child dies, the others end too."""
        if not isinstance(error, BrokenExecutor):
            return None
        code = re.search(r"\{(.*?)\}", str(error))
        died = f"A worker process died{f' ({code[1]})' if code else ''} while computing {doing}. "
        return Verdict(died + "It may have run out of memory: try --workers 1.", over=True)


@contextmanager
def local_workers(count: int) -> Iterator[LocalWorkers]:
    """Start child processes that share the cores."""
    with (
        tempfile.TemporaryDirectory(prefix="bertdyn-", ignore_cleanup_errors=True) as folder,
        local_pool(count) as executor,
    ):
        yield LocalWorkers(executor, count, max(1, cpus() // count), folder)
