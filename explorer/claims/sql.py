"""Add the verdicts on claims to the tables that SQL can query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from explorer.claims.table import COLUMNS, claims_table
from store.duck import GivenTable

if TYPE_CHECKING:
    from store.store import Store

TABLE = "claims"
"""Name of the table."""
EMPTY = GivenTable(TABLE, tuple(COLUMNS.items()))
"""The table without rows."""
_NAMED = re.compile(rf"\b{TABLE}\b", re.IGNORECASE)


def given_tables(store: Store, sql: str) -> tuple[GivenTable, ...]:
    """Return the table of claims; its rows are made only if the statement contains its name.

    Raises:
        BertdynError: the store cannot be read.
    """
    rows = tuple(claims_table(store)) if _NAMED.search(sql) else ()
    return (GivenTable(TABLE, EMPTY.columns, rows),)
