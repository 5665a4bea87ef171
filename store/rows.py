"""Questions to the table of results: columns, conditions, order, limit. Values are bound, never written into SQL.

RowQuery((Is("measure", "svcca"), In("layer", (1, 2))), columns=("task", "value"), limit=10)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.keys import PRETRAINED, task_and_variant
from store.results import AXIS, COLUMNS, KEY_COLUMNS


@dataclass(frozen=True)
class Is:
    """The column has this value; None: it has none."""

    column: str
    value: object


@dataclass(frozen=True)
class In:
    """The column has one of these values."""

    column: str
    values: tuple[object, ...]


@dataclass(frozen=True)
class Within:
    """The column's number lies in one of these ranges; both ends belong to a range, None is an open end."""

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
    """One of some conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AllOf:
    """All of some conditions hold."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AgainstFirst:
    """The reference is the first checkpoint of the measured one's own run."""


Condition = Is | In | Within | Same | Not | AnyOf | AllOf | AgainstFirst
PAIRED_WITH_ITSELF = AnyOf((Is("ref_layer", None), Same("ref_layer", "layer")))
"""A layer is compared with the same layer of the reference, or with none."""
WHOLE = AllOf(tuple(Is(column, None) for column in ("head", "label_a", "label_b", "example", "query")))
"""A value of the whole layer."""
AGAINST_PRETRAINED = Is("ref_task", PRETRAINED)


@dataclass(frozen=True)
class Best:
    """Of the rows that agree in some columns, those that rank first."""

    of: tuple[str, ...]
    ranks: tuple[Condition, ...]
    """A row's rank is the first of these that it fulfils; rows that fulfil none come last."""
    alone_from: int
    """From this rank on only one row is taken."""


@dataclass(frozen=True)
class RowQuery:
    """A question to the table of results."""

    where: tuple[Condition, ...] = ()
    columns: tuple[str, ...] = ()
    """Empty: whole rows."""
    axes: tuple[tuple[str, str], ...] = ()
    """Further coordinates that whole rows shall have, with their SQL types."""
    distinct: bool = False
    count: bool = False
    """Also how many rows have these columns: the last column of the answer."""
    count_distinct: tuple[str, ...] = ()
    """Also how many different values these columns have, of rows that agree in ``columns``. Older rows of a value that
    was computed twice count too: they have the same values."""
    best: Best | None = None
    order: tuple[tuple[str, bool], ...] = ()
    """Columns to sort by, and whether descending; rows without a value come last."""
    limit: int | None = None
    offset: int = 0


def rows_of(
    measure: str | None = None,
    corpus: str | None = None,
    parameters: str | None = None,
    version: int | None = None,
    recipes: Iterable[str] = (),
) -> tuple[Condition, ...]:
    """Return conditions on a row's measure, corpus, canonical parameters and version, and on its task and variant."""
    named = {"measure": measure, "corpus": corpus, "parameters": parameters, "version": version}
    return (*(Is(name, value) for name, value in named.items() if value is not None), *of_recipes(recipes))


def of_recipes(recipes: Iterable[str]) -> tuple[Condition, ...]:
    """Return conditions that hold for rows of some tasks with variants; none at all: for every row."""
    named = [task_and_variant(recipe) for recipe in recipes]
    if not named:
        return ()
    tasks = In("task", tuple(dict.fromkeys(task for task, _ in named)))
    if not any(variant for _, variant in named):
        return tasks, Is("variant", "")
    # The first condition alone lets the fragments be skipped that hold other tasks.
    return tasks, AnyOf(tuple(AllOf((Is("task", task), Is("variant", variant))) for task, variant in named))


def condition_sql(conditions: Sequence[Condition]) -> tuple[str, list[object]]:
    """Return conditions that must all hold as SQL, and the values to bind to its parameters."""
    given: list[object] = []
    return " and ".join(_condition(one, given) for one in conditions) or "true", given


def of_the_key(condition: Condition) -> bool:
    """Whether a condition is on columns of the key alone: it holds for all rows of a key, or for none."""
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
    """Return the question as SQL over a source of current rows, and the values to bind, in the order of the text.

    Args:
        source: a SELECT of the current rows that fulfil the conditions on their key.
        of_source: the values to bind to its parameters.
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
        # Hashes of 64 bits take half the time of the columns; among a million two are alike once in 30 million stores.
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
