"""Questions about the rows of a store, without any way to change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from store.keys import Checkpoint, CorpusInfo
from store.rows import RowQuery

if TYPE_CHECKING:
    from store.duck import GivenTable, Table
    from store.tables import MeasureShape


class Reads(Protocol):
    """Answers questions about one store; safe to use from several threads.

    Each question raises BertdynError where the tables cannot be read.
    """

    def checkpoints(self, corpus_folder: str | None = None) -> tuple[Checkpoint, ...]:
        """Return the checkpoints in place, by corpus, task, seed and step; with a folder, those of its corpus only."""
        ...

    def corpora(self) -> list[CorpusInfo]:
        """Return the corpora in place, by name."""
        ...

    def rows(self, query: RowQuery) -> list[tuple[Any, ...]]:
        """Return the newest result of each key, of those whose inputs are all as they were."""
        ...

    def query(
        self,
        sql: str,
        limit: int | None,
        shapes: Mapping[str, MeasureShape],
        outside: bool = False,
        given: Sequence[GivenTable] = (),
    ) -> Table:
        """Answer one SELECT of the user's.

        Args:
            limit: most rows to return; None: all.
            shapes: what the view of each measure must show at least.
            outside: whether it may also read files and URLs that are not the store's.
            given: further tables that the query may use.
        """
        ...

    def close(self) -> None:
        """Free what is kept for further questions, and end the question that is being answered where that is possible.

        Safe to call from any thread.
        """
        ...


ReadStore = Callable[[Path], Reads]
"""Makes what answers questions about the store in a folder."""
