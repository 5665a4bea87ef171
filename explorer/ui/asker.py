"""Asks the store's tables in a thread of its own, so that a long statement keeps no picture waiting and can be
interrupted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.ui.messages import Answered, Described
from explorer.ui.reader import reason_of

if TYPE_CHECKING:
    from textual.message import Message

    from store.store import Store

MOST_ROWS = 1_000
"""Rows of an answer that are read; one more tells that there are more."""
_COLUMNS = "select table_name, column_name from information_schema.columns"


class Asker:
    """One statement at a time. ``post`` must be safe to call from any thread."""

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path, self._post = path, post
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._interrupt: Callable[[], None] | None = None
        self._cancelled = False
        self._thread: threading.Thread | None = None
        self.number = 0
        """Of the statement that was asked last."""

    @property
    def busy(self) -> bool:
        """A statement is being answered."""
        return self._thread is not None and self._thread.is_alive()

    def ask(self, sql: str) -> bool:
        """Ask a statement; False while another one is being answered."""
        with self._lock:
            if self.busy:
                return False
            self.number += 1
            self._cancelled, self._interrupt = False, None
            self._thread = threading.Thread(target=self._run, args=(self.number, sql), name="bertdyn-sql", daemon=True)
            self._thread.start()
            return True

    def describe(self) -> None:
        """List tables and columns, for completion."""
        threading.Thread(target=self._describe, name="bertdyn-sql-tables", daemon=True).start()

    def cancel(self) -> bool:
        """Interrupt the statement; False when none is being answered."""
        with self._lock:
            if not self.busy:
                return False
            if not self._cancelled:
                self._cancelled = True
                threading.Thread(target=self._stop, name="bertdyn-sql-stop", daemon=True).start()
            return True

    def finish(self) -> None:
        """Interrupt and wait: the interpreter must not end while a thread is inside DuckDB."""
        self.cancel()
        if self._thread is not None:
            self._thread.join()

    def _begun(self, interrupt: Callable[[], None]) -> None:
        with self._lock:
            self._interrupt = interrupt

    def _stop(self) -> None:
        """Interrupt until it is over: DuckDB forgets an interruption that comes just before the statement begins."""
        while self.busy:
            with self._lock, contextlib.suppress(Exception):  # the connection may be closed by now
                if self._interrupt is not None:
                    self._interrupt()
            time.sleep(0.05)

    def _open(self) -> Store:
        from store.store import Store

        if self._store is None:
            self._store = Store.open(self._path, frugal=True)
        return self._store

    def _run(self, number: int, sql: str) -> None:
        from explorer.measures.registry import all_measures

        began = time.monotonic()
        try:
            table = self._open().query(sql, MOST_ROWS, [m.name for m in all_measures()], self._begun)
            answer = Answered(number, table, time.monotonic() - began)
        except Exception as error:
            reason = "Cancelled." if self._cancelled else reason_of(error)
            answer = Answered(number, None, time.monotonic() - began, reason)
        with self._lock:
            self._interrupt = None
            if self._store is not None:
                self._store.rest()
        self._post(answer)

    def _describe(self) -> None:
        from explorer.measures.registry import all_measures
        from store.tables import VIEWS

        names = [m.name for m in all_measures()]
        try:
            found = self._open().query(_COLUMNS, None, names).rows
        except Exception:
            return  # completion is a comfort; the statement itself will say what is wrong
        known = {*VIEWS, *(name.replace("-", "_") for name in names)}
        columns: dict[str, tuple[str, ...]] = {}
        for table, column in found:
            if table in known:
                columns[table] = (*columns.get(table, ()), column)
        self._post(Described(columns))
