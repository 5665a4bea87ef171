"""Complete SQL: tables after FROM and JOIN, elsewhere the columns of the tables that the statement names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

WORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP BY ALL", "ORDER BY ALL", "JOIN", "LEFT JOIN", "USING", "ON", "AND", "OR"),
    *("LIMIT", "DESC", "AS", "HAVING", "FILTER", "IS NULL", "IS NOT NULL", "BETWEEN", "DISTINCT", "WITH", "UNION ALL"),
    *("DESCRIBE", "SUMMARIZE", "SHOW TABLES", "PIVOT", "avg(", "max(", "min(", "count(*)", "stddev(", "median("),
    *("arg_max(", "arg_min(", "round(", "corr("),
)
_LAST = re.compile(r"[\w.]*$")
_TABLE_BEFORE = re.compile(r"\b(?:from|join|describe|summarize|pivot)\s+\w*$", re.IGNORECASE)
_NAMED = re.compile(r"\b(?:from|join)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?", re.IGNORECASE)


def prefix(before: str) -> str:
    """Return the word that is being typed."""
    found = _LAST.search(before)
    return found.group() if found else ""


def completions(before: str, whole: str, columns: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return completions of the word at the end of ``before``, the likeliest first; none before a letter is typed.

    Args:
        before: the statement up to the cursor.
        whole: the whole statement, which names the tables.
        columns: columns of each table.
    """
    typed = prefix(before)
    if _TABLE_BEFORE.search(before):
        return _starting(typed, columns)
    named = {alias.lower(): table for table, alias in _NAMED.findall(whole) if alias}
    table, dot, part = typed.rpartition(".")
    if dot:
        of = columns.get(named.get(table.lower(), table), ())
        return tuple(f"{table}.{name}" for name in _starting(part, of))
    if not typed:
        return ()
    tables = [t for t, _ in _NAMED.findall(whole) if t in columns]
    own = dict.fromkeys(name for t in tables for name in columns[t])
    any_column = dict.fromkeys(name for names in columns.values() for name in names)
    ordered = [*own, *WORDS, *columns, *(() if tables else any_column)]
    return tuple(dict.fromkeys(name for name in _starting(typed, ordered) if name.lower() != typed.lower()))


def _starting(typed: str, names: object) -> tuple[str, ...]:
    return tuple(name for name in names if name.lower().startswith(typed.lower()))  # type: ignore[attr-defined]
