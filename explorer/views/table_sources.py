"""Read the rows of the table from a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.selection import Question
from explorer.views.base import Look
from explorer.views.rows import Rows
from explorer.views.table import Table
from explorer.views.table_rows import Counts, fetch_counts, fetch_table

if TYPE_CHECKING:
    from store.store import Store


def counts(store: Store, question: Question, look: Look) -> Counts:
    """How many rows there are."""
    return fetch_counts(store, question, look.statistic)


def rows_and_parts(store: Store, question: Question, look: Look, counted: Counts) -> Rows:
    """Every row, those of single examples and query tokens too."""
    return fetch_table(store, question, counted, look.most, (look.sort, look.descending))


def table(*read: Counts | Rows) -> Table:
    """Every row; how many there are was only needed to read them."""
    data = read[-1]
    assert isinstance(data, Rows)
    return Table(data)
