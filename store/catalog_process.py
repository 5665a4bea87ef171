"""A catalog whose questions are answered in a process of its own.

DuckDB's memory is then no part of a program that is open all day and paints, and a kill ends a question at once. The
process is `python -m store.catalog_process STORE NICE`: it reads pickled (method, arguments) from stdin and writes
pickled answers to stdout. It ends when stdin does.
"""

from __future__ import annotations

import os
import pickle
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from store import child
from store.duck import AT_ONCE, GivenTable, Table, spill
from store.errors import BertdynError
from store.keys import Checkpoint, CorpusInfo
from store.listing import CheckpointListing, corpora_of
from store.places import Group
from store.rows import RowQuery
from store.tables import MeasureShape

REST_SECONDS = 10.0
"""Without a question, after which DuckDB gives back the memory that it keeps for further ones."""
SECONDS_TO_END = 1.0
_ENDED = "The question was ended."
_SOME, _LAST, _REFUSED = "some", "last", "refused"
"""What a part of an answer is: rows before others, the end of it, or a reason why there is none."""


class CatalogProcess:
    """Answers as ``Catalog`` does (see ``Reads``), one question at a time.

    A process that died is replaced at the next question.
    """

    def __init__(self, root: Path, nice: int = 0) -> None:
        """``nice``: how far the process stands back behind others on the same cores."""
        self._root, self._nice = root, nice
        self._lock = threading.RLock()
        self._door = threading.Lock()
        self._closed = False
        self._child: subprocess.Popen[bytes] | None = None
        self._seen: int | None = None
        """Number of the places that were last told."""
        self._there: list[Group] = []
        self._listing = CheckpointListing(self._places, lambda groups: self._ask("checkpoint_rows", groups))
        self._started()

    def checkpoints(self, corpus_folder: str | None = None) -> tuple[Checkpoint, ...]:
        """See ``Reads``; only what is new travels."""
        with self._lock:
            return self._listing.checkpoints(corpus_folder)

    def corpora(self) -> list[CorpusInfo]:
        """See ``Reads``; they are few, and read here."""
        return corpora_of(self._root)

    def rows(self, query: RowQuery) -> list[tuple[Any, ...]]:
        """See ``Reads``."""
        found: list[tuple[Any, ...]] = self._ask("rows", query)
        return found

    def query(
        self,
        sql: str,
        limit: int | None,
        shapes: Mapping[str, MeasureShape],
        outside: bool = False,
        given: Sequence[GivenTable] = (),
    ) -> Table:
        """See ``Reads``."""
        table: Table = self._ask("query", sql, limit, shapes, outside, given)
        return table

    def close(self) -> None:
        """End the process, whatever it is at; what waits for an answer is told so. Safe to call from any thread."""
        with self._door:
            self._closed = True
            if self._child is not None:
                self._child.kill()
        with self._lock:  # whoever waited for an answer has heard of it
            if self._child is not None:
                _how_ended(self._child)
                self._child = None

    def _places(self) -> list[Group]:
        """Where checkpoints are in place."""
        self._seen, told = self._ask("places", self._seen)
        if told is not None:
            self._there = told
        return self._there

    def _started(self) -> subprocess.Popen[bytes]:
        with self._door:
            if self._closed:
                raise BertdynError(_ENDED)
            if self._child is None:
                self._child = child.start("store.catalog_process", str(self._root), str(self._nice))
            return self._child

    def _ask(self, method: str, *arguments: object) -> Any:
        """Raises BertdynError: the question was refused, or ended; or the process came to an end."""
        with self._lock:
            asked = self._started()
            try:
                return _told(asked, (method, arguments))
            except (EOFError, OSError, pickle.UnpicklingError):
                with self._door:
                    self._child = None
                reason = _how_ended(asked)
                raise BertdynError(_ENDED if self._closed else reason) from None


def _how_ended(process: subprocess.Popen[bytes]) -> str:
    """Bury a process that does not answer any more; what it was, in words."""
    with suppress(BrokenPipeError), process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
        process.kill()
    shutil.rmtree(spill(process.pid), ignore_errors=True)
    return child.how_ended("The process that reads the tables", process.returncode)


def _told(process: subprocess.Popen[bytes], question: tuple[str, tuple[object, ...]]) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    pickle.dump(question, process.stdin)
    process.stdin.flush()
    rows: list[Any] = []
    while True:
        what, part = pickle.load(process.stdout)
        if what == _REFUSED:
            raise BertdynError(part)
        if what == _LAST:
            return rows + part if rows else part
        rows += part


def main(arguments: list[str]) -> None:
    """Answer questions about the store named by the first argument, until stdin ends."""
    os.nice(int(arguments[1]))
    questions: queue.SimpleQueue[tuple[str, tuple[Any, ...]]] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(questions,), daemon=True).start()
    from store.catalog import Catalog  # and DuckDB with it: only the process needs them

    catalog = Catalog(Path(arguments[0]))
    with suppress(Exception):  # an index is a convenience: a question says itself what is wrong
        catalog.settle()
    while True:
        try:
            method, given = questions.get(timeout=REST_SECONDS)
        except queue.Empty:
            catalog.rest()
            method, given = questions.get()
        try:
            _say(getattr(catalog, method)(*given))
        except BertdynError as error:
            _write(_REFUSED, str(error))
        except Exception as error:
            _write(_REFUSED, f"Unexpected {type(error).__name__}: {error}")


def _hear(questions: queue.SimpleQueue[tuple[str, tuple[Any, ...]]]) -> None:
    """Pass questions on; who asked and went away needs no answer, and the one that is sought ends here."""
    with suppress(EOFError):
        while True:
            questions.put(pickle.load(sys.stdin.buffer))
    shutil.rmtree(spill(os.getpid()), ignore_errors=True)
    os._exit(0)


def _say(answer: Any) -> None:
    """Many rows go in parts: whoever reads them can do something else in between."""
    if isinstance(answer, list):
        last = max(0, len(answer) - 1) // AT_ONCE * AT_ONCE
        for start in range(0, last, AT_ONCE):
            _write(_SOME, answer[start : start + AT_ONCE])
        answer = answer[last:]
    _write(_LAST, answer)


def _write(what: str, part: Any) -> None:
    pickle.dump((what, part), sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
