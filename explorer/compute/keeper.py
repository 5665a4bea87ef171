"""Write the rows of a computation to the store as they come."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from explorer.compute.plan import Plan
from explorer.compute.trust import carried
from store.results import Result, row_key

if TYPE_CHECKING:
    from store.store import Store

FLUSH_SECONDS = 0.5
"""Maximum seconds before rows are written; one fragment per task would be thousands of files in a large run."""


class Keeper:
    """Writes rows a few times per second, those of a task always together."""

    def __init__(self, store: Store, plans: Sequence[Plan], before: Mapping[str, Result]) -> None:
        self._store, self._before = store, before
        self._details = {p.question.measure.name: p.question.measure.details for p in plans}
        self._noise = {p.question.measure.name: p.question.measure.floor for p in plans}
        self._rows: list[Result] = []
        self._written = -FLUSH_SECONDS
        self.warned: list[Result] = []
        """Rows with a reason for a missing value or with a warning."""

    def add(self, rows: Sequence[Result]) -> None:
        """Take the rows of a finished task."""
        for row in rows:
            before = self._before.get(row_key(row)) if self._before else None
            self._rows.append(carried(row, before, self._details[row.measure]))
        self.warned += [row for row in rows if row.reason]
        if time.monotonic() - self._written >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the collected rows.

        Raises:
            BertdynError: the disk is full or not writable.
        """
        if self._rows:
            self._store.add_results(self._rows, self._noise)
            # Only now: after an interrupt before this line they are written twice, which is harmless, since only the
            # newest row of a key counts.
            self._rows = []
            self._written = time.monotonic()
