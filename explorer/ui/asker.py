"""Asks the store's tables in a child process (see ``answer``), one statement at a time, and can end it at once."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.ui.answer import REFUSED, request
from explorer.ui.messages import Answered, Described
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.message import Message

    from store.catalog import Table

MOST_ROWS = 1_000
"""Rows of an answer that are read; one more tells that there are more."""
_TABLES = 0
_COLUMNS = "select table_name, column_name from information_schema.columns"


class Asker:
    """One statement at a time. ``post`` must be safe to call from any thread."""

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path, self._post = path, post
        self._lock = threading.Lock()
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        """By the number of the statement; that which lists tables has none."""
        self._cancelled: set[int] = set()
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
            self._thread = threading.Thread(target=self._run, args=(self.number, sql), name="bertdyn-sql", daemon=True)
            self._thread.start()
            return True

    def describe(self) -> None:
        """List tables and columns, for completion."""
        threading.Thread(target=self._describe, name="bertdyn-sql-tables", daemon=True).start()

    def cancel(self) -> bool:
        """End the statement; False when none is being answered."""
        with self._lock:
            if not self.busy:
                return False
            self._kill(self.number)
            return True

    def finish(self) -> None:
        """End whatever is being answered: nothing is left running behind the user."""
        with self._lock:
            self._kill(_TABLES)
            self._kill(self.number)

    def _kill(self, number: int) -> None:
        self._cancelled.add(number)
        if number in self._children:
            self._children[number].kill()

    def _run(self, number: int, sql: str) -> None:
        began = time.monotonic()
        table, reason = None, ""
        try:
            table = self._answer(number, sql, MOST_ROWS)
        except (BertdynError, OSError) as error:
            reason = "Cancelled." if number in self._cancelled else str(error)
        self._post(Answered(number, table, time.monotonic() - began, reason))

    def _answer(self, number: int, sql: str, most: int | None) -> Table:
        """Raises BertdynError: the statement was refused, or its process came to an end."""
        with tempfile.TemporaryFile() as complaints:
            with self._lock:
                if number in self._cancelled:
                    raise BertdynError("Cancelled.")
                # -P: no module of the folder one is in
                self._children[number] = child = subprocess.Popen(
                    [sys.executable, "-P", "-m", "explorer.ui.answer", str(self._path)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True,
                )  # fmt: skip
            try:
                answer = _told(child, request(sql, most))
            finally:
                with self._lock:
                    del self._children[number]
            if not child.returncode:
                table: Table = pickle.loads(answer)
                return table
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace").strip().splitlines()
        if child.returncode == REFUSED and said:
            raise BertdynError(json.loads(said[-1]))
        how = "was killed: is the machine out of memory?" if child.returncode < 0 else f"ended ({child.returncode})."
        raise BertdynError(f"The process that answered {how} {said[-1] if said else ''}".rstrip())

    def _describe(self) -> None:
        from explorer.measures.registry import all_measures
        from store.tables import VIEWS

        known = {*VIEWS, *(m.name.replace("-", "_") for m in all_measures())}
        try:
            found = self._answer(_TABLES, _COLUMNS, None).rows
        except (BertdynError, OSError):
            return  # completion is a comfort; the statement itself will say what is wrong
        columns: dict[str, tuple[str, ...]] = {}
        for table, column in found:
            if table in known:
                columns[table] = (*columns.get(table, ()), column)
        self._post(Described(columns))


def _told(child: subprocess.Popen[bytes], asked: bytes) -> bytes:
    """Ask a child and read all it says; its stdin stays open until then, since it takes the end of it for ours."""
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(asked)
        child.stdin.flush()
        return child.stdout.read()
