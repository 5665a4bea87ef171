"""Run SQL statements on the store's tables, one at a time, each in its own process that can be ended at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.ui.messages import Answered, Described
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.message import Message

    from store.duck import Table
    from store.reads import ReadStore
    from store.store import Store
    from store.tables import DeclaredMeasure

NICE = 5
"""Lower priority of the statement's process: a statement may take long, and the explorer paints on the same cores."""
MOST_ROWS = 1_000
"""Largest number of rows of an answer that are shown."""
_TABLES = 0


class Asker:
    """Runs one statement at a time. ``post`` must be safe to call from any thread."""

    def __init__(self, path: Path, post: Callable[[Message], object], reads: ReadStore | None = None) -> None:
        self._path, self._post = path, post
        self.reads = reads
        """How the tables are read; None: in a new process for each statement."""
        self._lock = threading.Lock()
        self._asked: dict[int, Store] = {}
        """Open stores by the number of their statement; ``_TABLES`` is the number of the listing of tables."""
        self._cancelled: set[int] = set()
        self._thread: threading.Thread | None = None
        self.number = 0
        """Number of the latest statement."""

    @property
    def busy(self) -> bool:
        """Whether a statement is running."""
        return self._thread is not None and self._thread.is_alive()

    def ask(self, sql: str) -> bool:
        """Start a statement; return False if another one is running."""
        with self._lock:
            if self.busy:
                return False
            self.number += 1
            self._thread = threading.Thread(target=self._run, args=(self.number, sql), name="bertdyn-sql", daemon=True)
            self._thread.start()
            return True

    def describe(self) -> None:
        """List tables and columns, for completion."""
        threading.Thread(target=self._describe, name="bertdyn-sql-tables", daemon=True).start()

    def cancel(self) -> bool:
        """End the statement; return False if none is running."""
        with self._lock:
            if not self.busy:
                return False
            self._kill(self.number)
            return True

    def finish(self) -> None:
        """End everything that is running, so that no process outlives the explorer."""
        with self._lock:
            self._kill(_TABLES)
            self._kill(self.number)

    def _kill(self, number: int) -> None:
        self._cancelled.add(number)
        if number in self._asked:
            self._asked[number].close()

    def _run(self, number: int, sql: str) -> None:
        from explorer.claims.sql import given_tables

        began = time.monotonic()
        table, reason = None, ""
        try:
            table = self._answer(
                number,
                lambda store, measures: store.query(sql, MOST_ROWS, measures, given=given_tables(store, sql)),
            )
        except (BertdynError, OSError) as error:
            reason = "Cancelled." if number in self._cancelled else str(error)
        self._post(Answered(number, table, time.monotonic() - began, reason))

    def _answer(self, number: int, question: Callable[[Store, Mapping[str, DeclaredMeasure]], Table]) -> Table:
        """Return the answer of a function that queries a store in its own process.

        Raises:
            BertdynError: the statement was refused or cancelled, or its process ended.
        """
        from explorer.selection.stored import tables_of_measures
        from store.catalog_process import CatalogProcess
        from store.store import Store

        reads = self.reads or partial(CatalogProcess, nice=NICE)
        with self._lock:
            if number in self._cancelled:
                raise BertdynError("Cancelled.")
            self._asked[number] = store = Store.open(self._path, reads)
        try:
            return question(store, tables_of_measures())
        finally:
            with self._lock:
                del self._asked[number]
            store.close()

    def _describe(self) -> None:
        from explorer.claims.sql import EMPTY
        from explorer.measures.registry import all_measures
        from store.overviews import view_columns
        from store.tables import VIEWS

        known = {*VIEWS, EMPTY.name, *(m.name.replace("-", "_") for m in all_measures())}
        try:
            found = self._answer(_TABLES, partial(view_columns, given=(EMPTY,))).rows
        except (BertdynError, OSError):
            return  # only completion is lost; the statement itself will show the error
        columns: dict[str, tuple[str, ...]] = {}
        for table, column in found:
            if table in known:
                columns[table] = (*columns.get(table, ()), column)
        self._post(Described(columns))
