"""Query the table of results by columns, conditions, order and limit. Values are bound, never written into SQL.

RowQuery((Is("measure", "svcca"), In("layer", (1, 2))), columns=("task", "value"), limit=10)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.keys import PRETRAINED, task_and_variant
from store.results import AXIS, COLUMNS, KEY_COLUMNS


@dataclass(frozen=True)
class Is:
    """The column has this value; None: it is empty."""

    column: str
    value: object


@dataclass(frozen=True)
class In:
    """The column has one of these values."""

    column: str
    values: tuple[object, ...]


@dataclass(frozen=True)
class Within:
    """The column's number is in one of these ranges, both ends included; None is an open end."""

    column: str
    spans: tuple[tuple[int, int | None], ...]


@dataclass(frozen=True)
class Same:
    """Two columns have the same value."""

    column: str
    other: str


@dataclass(frozen=True)
class Not:
    """A condition does not hold."""

    condition: Condition


@dataclass(frozen=True)
class AnyOf:
    """At least one of the conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AllOf:
    """All of the conditions hold."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AgainstFirst:
    """The reference is the first checkpoint of the measured checkpoint's run."""


Condition = Is | In | Within | Same | Not | AnyOf | AllOf | AgainstFirst
PAIRED_WITH_ITSELF = AnyOf((Is("ref_layer", None), Same("ref_layer", "layer")))
"""The layer is compared with the same layer of the reference, or with none."""
WHOLE = AllOf(tuple(Is(column, None) for column in ("head", "label_a", "label_b", "example", "query")))
"""The value is of the whole layer."""
AGAINST_PRETRAINED = Is("ref_task", PRETRAINED)


@dataclass(frozen=True)
class Best:
    """Keep the best-ranked rows of each group of rows that agree in some columns."""

    of: tuple[str, ...]
    """Columns that define the groups."""
    ranks: tuple[Condition, ...]
    """Conditions by rank: a row's rank is the first condition that it fulfils; rows that fulfil none come last."""
    alone_from: int
    """First rank of which only one row per group is kept."""


@dataclass(frozen=True)
class RowQuery:
    """A query of the table of results."""

    where: tuple[Condition, ...] = ()
    columns: tuple[str, ...] = ()
    """Columns to return; empty for whole rows."""
    axes: tuple[tuple[str, str], ...] = ()
    """Further coordinates of whole rows, with their SQL types."""
    distinct: bool = False
    count: bool = False
    """If True, the last column of the answer is the number of rows that agree in ``columns``."""
    count_distinct: tuple[str, ...] = ()
    """Columns whose distinct values are counted among rows that agree in ``columns``. Older rows of a value that was
    computed twice are included: they have the same values."""
    best: Best | None = None
    order: tuple[tuple[str, bool], ...] = ()
    """Columns to sort by, and whether the order is descending; rows without a value come last."""
    limit: int | None = None
    offset: int = 0


def rows_of(
    measure: str | None = None,
    corpus: str | None = None,
    parameters: str | None = None,
    version: int | None = None,
    recipes: Iterable[str] = (),
) -> tuple[Condition, ...]:
    """Return conditions on the measure, corpus, canonical parameters and version, and on the tasks with variants."""
    named = {"measure": measure, "corpus": corpus, "parameters": parameters, "version": version}
    return (*(Is(name, value) for name, value in named.items() if value is not None), *of_recipes(recipes))


def of_recipes(recipes: Iterable[str]) -> tuple[Condition, ...]:
    """Return conditions that select the rows of some tasks with variants; without tasks, all rows."""
    named = [task_and_variant(recipe) for recipe in recipes]
    if not named:
        return ()
    tasks = In("task", tuple(dict.fromkeys(task for task, _ in named)))
    if not any(variant for _, variant in named):
        return tasks, Is("variant", "")
    # The first condition lets DuckDB skip fragments of other tasks.
    return tasks, AnyOf(tuple(AllOf((Is("task", task), Is("variant", variant))) for task, variant in named))


def condition_sql(conditions: Sequence[Condition]) -> tuple[str, list[object]]:
    """Return the conjunction of conditions as SQL, and the values to bind to its parameters."""
    given: list[object] = []
    return " and ".join(_condition(one, given) for one in conditions) or "true", given


def of_the_key(condition: Condition) -> bool:
    """Return whether a condition uses only columns of the key, so that it holds for all rows of a key or for none."""
    match condition:
        case Is(column, _) | In(column, _) | Within(column, _):
            return column in KEY_COLUMNS or column.startswith(AXIS)
        case Same(column, other):
            return {column, other} <= KEY_COLUMNS
        case Not(inner):
            return of_the_key(inner)
        case AnyOf(inner) | AllOf(inner):
            return all(map(of_the_key, inner))
        case AgainstFirst():
            return True


def query_sql(query: RowQuery, source: str, of_source: Sequence[object]) -> tuple[str, list[object]]:
    """Return the query as SQL over a source of current rows, and the values to bind, in the order of the SQL.

    Args:
        source: a SELECT of the current rows that fulfil the conditions on the key.
        of_source: values to bind to its parameters.
    """
    given: list[object] = []
    if query.columns or query.count or query.count_distinct:
        names = [_column(name) for name in query.columns]
    else:
        names = [_column(name) for name in (*COLUMNS, *(AXIS + name for name, _ in query.axes))]
    where, bound = condition_sql([c for c in query.where if not of_the_key(c)])
    source = f"select * from ({source}) where {where}"
    shown = list(names)
    if query.count:
        shown.append("count(*)")
    if query.count_distinct:
        # 64-bit hashes take half the time of the columns; a million rows have a collision once in 30 million stores.
        shown.append(f"count(distinct hash({', '.join(map(_column, query.count_distinct))}))")
    sql = f"select {'distinct ' if query.distinct else ''}{', '.join(shown)} from ({source})"
    if (query.count or query.count_distinct) and names:
        sql += f" group by {', '.join(names)}"
    if query.best is not None:
        rank = "case "
        for place, condition in enumerate(query.best.ranks):
            rank += f"when {_condition(condition, given)} then {place} "
        rank += f"else {len(query.best.ranks)} end"
        of = ", ".join(map(_column, query.best.of))
        sql = (
            f"select {', '.join(names)} from (select *, {rank} as ranked from ({source})) "
            f"qualify ranked = min(ranked) over (partition by {of}) and (ranked < {query.best.alone_from} "
            f"or row_number() over (partition by {of} order by ranked) = 1)"
        )
    if query.order:
        ordered = (f"{_column(name)} {'desc' if down else 'asc'} nulls last" for name, down in query.order)
        sql += f" order by {', '.join(ordered)}"
    if query.limit is not None:
        sql += f" limit {int(query.limit)} offset {int(query.offset)}"
    return sql, [*given, *of_source, *bound]


def _condition(condition: Condition, given: list[object]) -> str:
    match condition:
        case Is(column, None):
            return f"{_column(column)} is null"
        case Is(column, value):
            given.append(value)
            return f"{_column(column)} = ?"
        case In(column, values):
            if not values:
                return "false"
            given.extend(values)
            return f"{_column(column)} in ({', '.join('?' * len(values))})"
        case Within(column, spans):
            parts = []
            for low, high in spans:
                given.extend((low,) if high is None else (low, high))
                parts.append(f"{_column(column)} >= ?" if high is None else f"{_column(column)} between ? and ?")
            return f"({' or '.join(parts) or 'false'})"
        case Same(column, other):
            return f"{_column(column)} = {_column(other)}"
        case Not(inner):
            return f"not ({_condition(inner, given)})"
        case AnyOf(inner):
            return "(" + " or ".join(_condition(one, given) for one in inner) + ")"
        case AllOf(inner):
            return "(" + " and ".join(_condition(one, given) for one in inner) + ")"
        case AgainstFirst():
            return (
                "(ref_task = task and ref_variant = variant and ref_seed = seed and (corpus, task, variant, seed, "
                "ref_step) in (select (corpus, task, variant, seed, first) from (select corpus, task, variant, seed, "
                "min(step) as first from live group by all)))"
            )


def _column(name: str) -> str:
    if name not in COLUMNS and not name.startswith(AXIS):
        raise ValueError(f"'{name}' is not a column of results.")
    return '"' + name.replace('"', '""') + '"'
