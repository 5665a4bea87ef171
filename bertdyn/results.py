"""Result sets: rows that can be converted to a table of pandas, polars or pyarrow if that library is installed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from explorer.commands.output import as_table, short
from explorer.export.rows import plain
from store.duck import sql_type
from store.errors import BertdynError

if TYPE_CHECKING:
    from store.duck import GivenTable
    from store.store import Store
    from store.tables import DeclaredMeasure

SHOWN_ROWS = 20
"""Largest number of rows that a notebook shows."""
_T = TypeVar("_T")
Row = tuple[Any, ...]


class ResultSet(ABC):
    """Rows with named columns. ``len`` counts the rows; iterating yields each row as a tuple.

    >>> t = runs.sql("SELECT layer, max(value) AS largest FROM svcca GROUP BY layer ORDER BY layer")
    >>> t.columns
    ('layer', 'largest')
    >>> len(t)
    7
    >>> layers = [layer for layer, largest in t]
    """

    notes: tuple[str, ...] = ()
    """Remarks on the rows, such as warnings and values that are not computed."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""

    @property
    @abstractmethod
    def rows(self) -> list[Row]:
        """All rows, each a tuple in the order of ``columns``."""

    @abstractmethod
    def _converted(self, convert: Callable[[Any], _T]) -> _T:
        """Return the result of a function that is given the rows as a DuckDB relation."""

    @abstractmethod
    def _first(self, most: int) -> tuple[Sequence[str], list[Row], int | None]:
        """Return what to display: columns, the first rows, and the number of all rows (None: unknown, but more)."""

    def df(self) -> Any:
        """Return the rows as a pandas DataFrame.

        Raises:
            BertdynError: pandas is not installed.
        """
        _require("pandas", "df")
        return self._converted(lambda relation: relation.df())

    def pl(self) -> Any:
        """Return the rows as a polars DataFrame.

        Raises:
            BertdynError: polars is not installed.
        """
        _require("polars", "pl")
        import polars

        # DuckDB's own pl() needs pyarrow, too.
        return self._converted(lambda relation: polars.DataFrame(_ArrowStream(relation)))

    def arrow(self) -> Any:
        """Return the rows as a pyarrow Table.

        Raises:
            BertdynError: pyarrow is not installed.
        """
        _require("pyarrow", "arrow")
        return self._converted(lambda relation: relation.to_arrow_table())

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __repr__(self) -> str:
        columns, rows, total = self._first(SHOWN_ROWS)
        table = [as_table(columns, rows).rstrip("\n")] if rows else []
        return "\n".join([*table, *_left(len(rows), total), *self.notes])

    def _repr_html_(self) -> str:
        columns, rows, total = self._first(SHOWN_ROWS)
        words = "".join(f"<p>{escape(line)}</p>" for line in (*_left(len(rows), total), *self.notes))
        return (html_table(columns, rows) if rows else "") + words


class _ArrowStream:
    """A DuckDB relation that only offers Arrow's stream protocol.

    polars keeps a reference to the class of the object that it was given. If that is DuckDB's own class, DuckDB reports
    leaks when Python ends.
    """

    def __init__(self, relation: Any) -> None:
        self._relation = relation

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._relation.__arrow_c_stream__(requested_schema)


class Query(ResultSet):
    """The answer to an SQL query. The query runs when the answer is first used, and again for each conversion."""

    def __init__(
        self,
        store: Store,
        sql: str,
        measures: Mapping[str, DeclaredMeasure],
        outside: bool = False,
        given: Callable[[], Sequence[GivenTable]] = tuple,
    ) -> None:
        """
        Args:
            outside: whether the query may also read files and URLs that are not the store's.
            given: function that makes further tables for the query.
        """
        self._store, self._sql, self._measures, self._outside, self._given = store, sql, measures, outside, given
        self._rows: list[Row] | None = None
        self._columns: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns.

        Raises:
            BertdynError: as for ``rows``.
        """
        if self._columns is None:
            self._columns = self._converted(lambda relation: tuple(relation.columns))
        return self._columns

    @property
    def rows(self) -> list[Row]:
        """All rows, each a tuple in the order of ``columns``.

        Raises:
            BertdynError: the query is not a single SELECT, or DuckDB rejects it (with DuckDB's message).
        """
        if self._rows is None:
            self._rows = self._converted(lambda relation: list(relation.fetchall()))
        return self._rows

    def _converted(self, convert: Callable[[Any], _T]) -> _T:
        return self._store.fetch(self._sql, convert, self._measures, self._outside, self._given())

    def _first(self, most: int) -> tuple[Sequence[str], list[Row], int | None]:
        if self._rows is not None:
            return self.columns, self._rows[:most], len(self._rows)
        table = self._store.query(self._sql, most, self._measures, self._outside, self._given())
        return table.columns, table.rows, None if table.truncated else len(table.rows)


class RowTable(ResultSet):
    """Rows in memory."""

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        types: Sequence[str],
        notes: Iterable[str] = (),
        shown: Sequence[str] | None = None,
    ) -> None:
        """
        Args:
            types: SQL type of each column.
            shown: the columns to display; None: all.
        """
        self._columns, self._types = tuple(columns), tuple(types)
        self._rows = [tuple(row) for row in rows]
        self._shown = self._columns if shown is None else tuple(shown)
        self.notes = tuple(notes)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._columns

    @property
    def rows(self) -> list[Row]:
        """All rows, each a tuple in the order of ``columns``."""
        return self._rows

    def _converted(self, convert: Callable[[Any], _T]) -> _T:
        from contextlib import closing

        from store.duck import connect, relation_of_rows

        with closing(connect()) as connection:
            return convert(relation_of_rows(connection, self._columns, self._types, self._rows))

    def _first(self, most: int) -> tuple[Sequence[str], list[Row], int | None]:
        places = [self._columns.index(name) for name in self._shown]
        return self._shown, [tuple(row[at] for at in places) for row in self._rows[:most]], len(self._rows)


class Drawing(RowTable):
    """A view drawn as text. Its rows are the numbers that the view shows."""

    def __init__(
        self, text: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Iterable[str] = ()
    ) -> None:
        values = [tuple(plain(value) for value in row) for row in rows]
        types = [sql_type([row[at] for row in values]) for at in range(len(columns))]
        super().__init__(columns, values, types, notes)
        self.text = text

    def __repr__(self) -> str:
        return "\n".join([self.text.rstrip("\n"), *self.notes])

    def _repr_html_(self) -> str:
        return f'<pre style="line-height: 1.2">{escape(repr(self))}</pre>'


def html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as an HTML table."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(short(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _left(shown: int, total: int | None) -> tuple[str, ...]:
    """Return a line that says how many rows are not shown; nothing if all are."""
    if total == 0:
        return ("no rows",)
    if total is None:
        return ("and more rows",)
    return (f"and {total - shown:,} more rows",) if total > shown else ()


def _require(library: str, method: str) -> None:
    if find_spec(library) is None:
        raise BertdynError(
            f"{method}() needs {library}, which is not installed here: pip install {library}. "
            "Without it, use .rows and .columns, which hold the same data."
        )
