"""Answer a user's SQL over the tables of a store: each question has a connection of its own, with the users' views."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from store import tables
from store.confinement import confine
from store.duck import GivenTable, add_table, connect, insert, retried, unnested
from store.errors import BertdynError
from store.fragments import TableSpec
from store.places import Group
from store.sound_fragments import Found

_T = TypeVar("_T")
KEPT = (tables.RESULTS.name, tables.INPUTS.name)
"""Tables that nothing else in the store repeats: a query of a damaged one fails."""
_LISTING = re.compile(r"\b(show|describe|pragma|query|query_table)\b|^\s*desc\b|information_schema|duckdb_|sqlite_|pg_")
"""What a query contains that lists tables, or makes their names while it runs."""


@dataclass(frozen=True)
class Contents:
    """What the views of a store are made over."""

    fragments: Callable[[], Mapping[str, Found]]
    """Returns the fragments of each table as they are now."""
    unsaved: Mapping[TableSpec, Sequence[tuple[Any, ...]]]
    """Rows that no fragment holds yet."""
    live: Mapping[str, Sequence[Group]]
    """Published groups, by the name of the table that lists them."""


def answer(
    contents: Contents,
    root: Path,
    shapes: Mapping[str, tables.MeasureShape],
    sql: str,
    ask: Callable[[Any], _T],
    outside: bool = False,
    given: Sequence[GivenTable] = (),
) -> _T:
    """Answer one SELECT of the user's by a function of a connection that has the views.

    Only views of measures that the query names are made: each takes longer than most questions.

    Args:
        outside: whether it may also read files and URLs that are not the store's.
        given: further tables that the query may use.

    Raises:
        BertdynError: it is no single SELECT, it leaves the store, or DuckDB refuses it.
    """
    import duckdb

    def attempt(named: Collection[str]) -> _T:
        # A connection of its own for each question: a slow one keeps nobody waiting, and nothing stays behind.
        found = contents.fragments()
        damage = [error for name in KEPT if (error := found[name].complaint(root)) is not None]
        with closing(connect()) as connection:
            _prepare(connection, contents, found, shapes, named)
            for table in given:
                add_table(connection, table)
            if not outside:
                confine(connection, (path for here in found.values() for path in here.paths))
            try:
                return ask(connection)
            except duckdb.CatalogException as error:
                if damage and any(f"stored_{name}" in str(error) for name in KEPT):
                    raise damage[0] from None
                raise

    named = frozenset(_named(sql, shapes))
    try:
        try:
            return retried(lambda: attempt(named))
        except duckdb.CatalogException:
            if len(named) == len(shapes):
                raise
            return retried(lambda: attempt(shapes))  # a name that DuckDB reads in another way, or its own suggestions
    except duckdb.PermissionException as error:
        raise BertdynError(
            f"SQL reads only the store's own tables. {str(error).splitlines()[0]} (with `bertdyn sql --outside` a "
            "query may read other files too)."
        ) from None
    except duckdb.Error as error:
        raise BertdynError(f"The query failed. {str(error).strip()}") from None


def _named(sql: str, shapes: Collection[str]) -> Iterator[str]:
    """Yield the measures whose views a query may use."""
    text = sql.lower()
    every = _LISTING.search(text) is not None
    return (name for name in shapes if every or tables.view_of(name).lower() in text)


def _prepare(
    connection: Any,
    contents: Contents,
    found: Mapping[str, Found],
    shapes: Mapping[str, tables.MeasureShape],
    named: Collection[str],
) -> None:
    axes = tables.axes_of(shapes)
    for statement in (*tables.outlines(axes), *tables.views(shapes, named)):
        connection.execute(statement)
    paths = {name: here.paths for name, here in found.items()}
    without = [name for name in KEPT if found[name].faults]
    for statement in tables.sources(paths, axes, without):
        connection.execute(statement)
    for table, rows in contents.unsaved.items():
        insert(connection, f"unsaved_{table.name}", table.values(), rows)
    for name, groups in contents.live.items():
        insert(connection, name, unnested("VARCHAR", "BIGINT"), groups)
