"""Define the columns of a result row, and when a row is current.

A row is a key, a value and its provenance. ``row_key`` is a hash of the key; among rows with the same key, the newest
is shown. ``input_set`` refers to the digests of all inputs (table ``inputs``): a row is shown if and only if the inputs
in the store still have these digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Annotated, Any, NamedTuple, get_type_hints

from store.keys import CheckpointKey, recipe_of

KEY, VALUE, PROVENANCE = "key", "value", "provenance"
AXIS = "axis_"
"""Prefix of the Parquet columns of coordinates that are not fields of ``Result``."""
AXIS_TYPES = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR"}


class InputDigest(NamedTuple):
    """An input of a value, and its digest at that time."""

    kind: str
    """Kind of input, such as ``hidden``, ``attention``, ``annotation``, ``split`` or ``members``."""
    resource: str
    """Name of its source, from ``checkpoint_resource`` or ``annotation_resource``."""
    digest: str


def checkpoint_resource(corpus: str, key: CheckpointKey) -> str:
    """Return the name of a checkpoint on a corpus, as a source of inputs."""
    return f"{corpus}/{key}"


def annotation_resource(corpus: str, annotation: str) -> str:
    """Return the name of an annotation of a corpus, as a source of inputs."""
    return f"{corpus}/{annotation}"


class _Column(NamedTuple):
    """The storage of a field of a row."""

    sql: str
    """SQL type of its column; empty if it has no column."""
    tag: str
    shown: bool = False
    """True if the SQL view of a measure shows the column, provided that the measure's rows use it."""


class Result(NamedTuple):
    """One row of the ``results`` table: one value, its key, and the details needed to interpret it."""

    measure: Annotated[str, _Column("VARCHAR", KEY)]
    version: Annotated[int, _Column("BIGINT", PROVENANCE)] = 1
    """Version of the measure's definition in the code."""
    parameters: Annotated[str, _Column("VARCHAR", KEY)] = "{}"
    """Canonical JSON (sorted keys, no blanks) of every parameter of the measure."""
    corpus: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    annotation: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    """Annotation that was read; empty if the measure reads none."""
    ref_corpus: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    """Second corpus of measures that use two."""
    ref_annotation: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    task: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    variant: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    seed: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    step: Annotated[int, _Column("BIGINT", KEY, True)] = 0
    ref_task: Annotated[str | None, _Column("VARCHAR", KEY, True)] = None
    ref_variant: Annotated[str | None, _Column("VARCHAR", KEY, True)] = None
    ref_seed: Annotated[str | None, _Column("VARCHAR", KEY, True)] = None
    ref_step: Annotated[int | None, _Column("BIGINT", KEY, True)] = None
    third: Annotated[str | None, _Column("VARCHAR", KEY, True)] = None
    """Third operand, as TASK/SEED/STEP."""
    layer: Annotated[int | None, _Column("BIGINT", KEY, True)] = None
    head: Annotated[int | None, _Column("BIGINT", KEY, True)] = None
    """Attention head, from 1 (like layers with attention); None for a value of the whole layer."""
    ref_layer: Annotated[int | None, _Column("BIGINT", KEY, True)] = None
    example: Annotated[int | None, _Column("BIGINT", KEY, True)] = None
    """Example, from 0; None for a value of all examples."""
    query: Annotated[int | None, _Column("BIGINT", KEY, True)] = None
    """Query token, from 0 within its example; None for a value of all query tokens."""
    label_a: Annotated[str | None, _Column("VARCHAR", KEY, True)] = None
    label_b: Annotated[str | None, _Column("VARCHAR", KEY, True)] = None
    axes: Annotated[tuple[tuple[str, int | float | str], ...], _Column("", KEY)] = ()
    """Further coordinates, by name."""
    statistic: Annotated[str, _Column("VARCHAR", KEY, True)] = ""
    """Name of the number if the measure gives several; empty if it gives one."""
    value: Annotated[float | None, _Column("DOUBLE", VALUE, True)] = None
    """Value; None if the number would be meaningless (see ``reason``)."""
    unit: Annotated[str, _Column("VARCHAR", VALUE, True)] = ""
    n: Annotated[int, _Column("BIGINT", VALUE, True)] = 0
    """Number of tokens, examples or points (depending on the measure) behind the value."""
    interval_low: Annotated[float | None, _Column("DOUBLE", VALUE, True)] = None
    interval_high: Annotated[float | None, _Column("DOUBLE", VALUE, True)] = None
    null_value: Annotated[float | None, _Column("DOUBLE", VALUE, True)] = None
    reason: Annotated[str, _Column("VARCHAR", VALUE, True)] = ""
    """Reason for a missing value, or a warning about a value; else empty."""
    details: Annotated[str, _Column("VARCHAR", VALUE)] = "{}"
    """JSON object with kept dimensions, n/d and other details needed to interpret the value."""
    artefact: Annotated[str, _Column("VARCHAR", VALUE)] = ""
    """Name of the arrays that belong to the row (``Store.artefact``); empty if there are none."""
    inputs: Annotated[tuple[InputDigest, ...], _Column("", PROVENANCE)] = ()
    """Inputs of the value; required for writing a row, empty in a row that was read back."""
    input_set: Annotated[str | None, _Column("UUID", PROVENANCE)] = None
    """Name of the set of inputs, in a row that was read back; None if there are no inputs."""
    computed_at: Annotated[str, _Column("VARCHAR", PROVENANCE)] = ""
    """Time of the computation: UTC, ISO 8601 with microseconds."""

    @property
    def key(self) -> CheckpointKey:
        """Key of the measured checkpoint."""
        return CheckpointKey(self.task, self.variant, self.seed, self.step)

    @property
    def recipe(self) -> str:
        """Task and variant as one name."""
        return recipe_of(self.task, self.variant)

    @property
    def ref_recipe(self) -> str | None:
        """Task and variant of the reference as one name; None for a measure of one checkpoint."""
        return None if self.ref_task is None else recipe_of(self.ref_task, self.ref_variant or "")

    def __eq__(self, other: object) -> bool:
        """Compare all fields but the inputs, of which a row that was read back has only the name."""
        return isinstance(other, Result) and _compared(self) == _compared(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(_compared(self))


_FIELDS: Mapping[str, _Column] = {
    name: told.__metadata__[0] for name, told in get_type_hints(Result, include_extras=True).items()
}
COLUMNS: Mapping[str, str] = {name: column.sql for name, column in _FIELDS.items() if column.sql}
"""SQL types by column. Columns of further axes are not here: they exist only in fragments that use them."""
SHOWN = tuple(name for name, column in _FIELDS.items() if column.shown)
"""Columns that a measure's SQL view shows if its rows use them."""
_KEY = tuple(name for name, column in _FIELDS.items() if column.tag == KEY)
KEY_FIELDS = tuple(name for name in _KEY if name in COLUMNS)
"""Columns of the key, without those of further axes."""
_compared = itemgetter(*(place for place, name in enumerate(_FIELDS) if name not in ("inputs", "input_set")))
KEY_COLUMNS = frozenset(_KEY) | {"version"}
"""Columns of the key, and the version of the measure."""


def row_key(result: Result) -> str:
    """Return the hash of a row's key: 32 hexadecimal digits."""
    return _hash(json.dumps([getattr(result, name) for name in _KEY], separators=(",", ":")))


@lru_cache(maxsize=4096)
def input_set_of(inputs: tuple[InputDigest, ...]) -> str | None:
    """Return the name of a set of inputs as a UUID, independent of their order; None for an empty set."""
    return _uuid(_hash(json.dumps(sorted(inputs), separators=(",", ":")))) if inputs else None


def axis_columns(results: Iterable[Result]) -> dict[str, str]:
    """Return the Parquet columns that hold the further coordinates of rows, with their SQL types."""
    found: dict[str, str] = {}
    for result in results:
        for name, value in result.axes:
            kind = AXIS_TYPES["text" if isinstance(value, str) else "float" if isinstance(value, float) else "int"]
            found[AXIS + name] = kind if found.get(AXIS + name, kind) == kind else AXIS_TYPES["float"]
    return found


def stored_row(result: Result, axes: Sequence[str]) -> tuple[object, ...]:
    """Return the stored form of a row: ``COLUMNS``, the hash of its key, and its coordinates in some axis columns."""
    there = dict(result.axes)
    more = (there.get(name.removeprefix(AXIS)) for name in axes)
    values = {name: getattr(result, name) for name in COLUMNS}
    values["input_set"] = input_set_of(result.inputs) if result.inputs else result.input_set
    return (*values.values(), _uuid(row_key(result)), *more)


def row_reader(columns: Sequence[str], axes: Sequence[str]) -> Callable[[Sequence[Any]], Result]:
    """Return a function that makes a row from the values of some columns, then of some axes (named without prefix).

    Other fields have the defaults of ``Result``.
    """
    defaults = Result._field_defaults
    given = {name: place for place, name in enumerate(columns)}
    others = [name for name in Result._fields if name not in given]
    rest = tuple(defaults.get(name) for name in others)
    at = {**given, **{name: len(columns) + place for place, name in enumerate(others)}}
    ordered = itemgetter(*(at[name] for name in Result._fields))
    many, coordinates, names = len(columns), at["axes"], at["input_set"]

    def plain(row: Sequence[Any]) -> Result:
        return Result._make(ordered((*row, *rest)))

    def whole(row: Sequence[Any]) -> Result:
        values = [*row[:many], *rest]
        values[coordinates] = tuple((n, v) for n, v in zip(axes, row[many:], strict=True) if v is not None)
        values[names] = None if values[names] is None else str(values[names])  # DuckDB returns a UUID object
        return Result._make(ordered(values))

    return whole if axes or "input_set" in given else plain


def _hash(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
