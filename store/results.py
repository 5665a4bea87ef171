"""The one list of columns of a result row, and what makes a row current.

A row is a key, a value, and its provenance. ``row_key`` is a hash of the key: of rows with the same key the newest is
shown. ``input_set`` names the digests of everything that was read (table ``inputs``): a row is shown if and only if
each of them is still the digest of what is in the store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, NamedTuple

from store.keys import CheckpointKey, recipe_of

KEY, VALUE, PROVENANCE = "key", "value", "provenance"
AXIS = "axis_"
"""Begins the name of a Parquet column that holds a coordinate for which there is no column of its own."""
AXIS_TYPES = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR"}


class InputDigest(NamedTuple):
    """Something that a value was computed from, and the digest of what it was then."""

    kind: str
    """``hidden``, ``attention``, ``annotation``, ``members``."""
    resource: str
    """Whose: ``checkpoint_resource`` or ``annotation_resource``."""
    digest: str


def checkpoint_resource(corpus: str, key: CheckpointKey) -> str:
    """Return the name of what was extracted of a checkpoint on a corpus."""
    return f"{corpus}/{key}"


def annotation_resource(corpus: str, annotation: str) -> str:
    """Return the name of an annotation of a corpus."""
    return f"{corpus}/{annotation}"


def _column(sql: str, tag: str, shown: bool = False, default: Any = None, compare: bool = True) -> Any:
    return field(default=default, compare=compare, metadata={"sql": sql, "tag": tag, "shown": shown})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row of the ``results`` table: one value, all that defines it, and what is needed to read it."""

    measure: str = field(metadata={"sql": "VARCHAR", "tag": KEY, "shown": False})
    version: int = _column("BIGINT", PROVENANCE, default=1)
    """Version of the measure's definition in the code."""
    parameters: str = _column("VARCHAR", KEY, default="{}")
    """Canonical JSON (sorted keys, no blanks) of every parameter of the measure."""
    corpus: str = _column("VARCHAR", KEY, True, "")
    annotation: str = _column("VARCHAR", KEY, True, "")
    """Labels that were read; empty where the measure reads none."""
    ref_corpus: str = _column("VARCHAR", KEY, True, "")
    """The other corpus of measures that use two."""
    ref_annotation: str = _column("VARCHAR", KEY, True, "")
    task: str = _column("VARCHAR", KEY, True, "")
    variant: str = _column("VARCHAR", KEY, True, "")
    seed: str = _column("VARCHAR", KEY, True, "")
    step: int = _column("BIGINT", KEY, True, 0)
    ref_task: str | None = _column("VARCHAR", KEY, True)
    ref_variant: str | None = _column("VARCHAR", KEY, True)
    ref_seed: str | None = _column("VARCHAR", KEY, True)
    ref_step: int | None = _column("BIGINT", KEY, True)
    third: str | None = _column("VARCHAR", KEY, True)
    """A third operand, as TASK/SEED/STEP."""
    layer: int | None = _column("BIGINT", KEY, True)
    head: int | None = _column("BIGINT", KEY, True)
    """Counted from 1, as layers with attention are; None for a value of the whole layer."""
    ref_layer: int | None = _column("BIGINT", KEY, True)
    example: int | None = _column("BIGINT", KEY, True)
    """Counted from 0; None for a value of all examples."""
    query: int | None = _column("BIGINT", KEY, True)
    """Query token, counted from 0 within its example; None for a value of all of them."""
    label_a: str | None = _column("VARCHAR", KEY, True)
    label_b: str | None = _column("VARCHAR", KEY, True)
    axes: tuple[tuple[str, int | float | str], ...] = _column("", KEY, default=())
    """Further coordinates, by name."""
    statistic: str = _column("VARCHAR", KEY, True, "")
    """Which of a measure's several numbers; empty where it gives one."""
    value: float | None = _column("DOUBLE", VALUE, True)
    """None when the number would mean nothing; ``reason`` says why."""
    unit: str = _column("VARCHAR", VALUE, True, "")
    n: int = _column("BIGINT", VALUE, True, 0)
    """Rows that entered: tokens, examples or points, as the measure says."""
    interval_low: float | None = _column("DOUBLE", VALUE, True)
    interval_high: float | None = _column("DOUBLE", VALUE, True)
    null_value: float | None = _column("DOUBLE", VALUE, True)
    reason: str = _column("VARCHAR", VALUE, True, "")
    """Why there is no value, or a warning about one; empty when all is well."""
    details: str = _column("VARCHAR", VALUE, default="{}")
    """JSON object: kept dimensions, n/d and whatever else belongs to reading the value."""
    artefact: str = _column("VARCHAR", VALUE, default="")
    """Name of the arrays that belong to the row (``Store.artefact``); empty where there are none."""
    inputs: tuple[InputDigest, ...] = _column("", PROVENANCE, default=(), compare=False)
    """What was read; needed to write a row, not given of one that is read back."""
    input_set: str | None = _column("UUID", PROVENANCE, compare=False)
    """Name of the inputs of a row that is read back; None where nothing was read."""
    computed_at: str = _column("VARCHAR", PROVENANCE, default="")
    """UTC, ISO 8601 with microseconds."""

    @property
    def key(self) -> CheckpointKey:
        """The checkpoint that was measured."""
        return CheckpointKey(self.task, self.variant, self.seed, self.step)

    @property
    def recipe(self) -> str:
        """Task and variant as one name."""
        return recipe_of(self.task, self.variant)

    @property
    def ref_recipe(self) -> str | None:
        """Task and variant of the reference as one name; None for a measure of one checkpoint."""
        return None if self.ref_task is None else recipe_of(self.ref_task, self.ref_variant or "")


_FIELDS = {f.name: f.metadata for f in fields(Result)}
COLUMNS: Mapping[str, str] = {name: told["sql"] for name, told in _FIELDS.items() if told["sql"]}
"""SQL type of every column but the further axes', which only fragments that use them have."""
SHOWN = tuple(name for name, told in _FIELDS.items() if told["shown"])
"""What a measure's SQL view shows, where its rows use it."""
_KEY = tuple(name for name, told in _FIELDS.items() if told["tag"] == KEY)
KEY_COLUMNS = frozenset(_KEY) | {"version"}
"""Columns that are the same in every row of a key, and the version of the measure."""


def row_key(result: Result) -> str:
    """Return the hash of what identifies a row: 32 hexadecimal digits."""
    return _hash(json.dumps([getattr(result, name) for name in _KEY], separators=(",", ":")))


@lru_cache(maxsize=4096)
def input_set_of(inputs: tuple[InputDigest, ...]) -> str | None:
    """Return the name of a set of inputs, the same whatever their order, as a UUID; None of none."""
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
    """Return a row as it is written: ``COLUMNS``, the hash of its key, and its coordinates on some axis columns."""
    there = dict(result.axes)
    more = (there.get(name.removeprefix(AXIS)) for name in axes)
    values = {name: getattr(result, name) for name in COLUMNS}
    values["input_set"] = input_set_of(result.inputs) if result.inputs else result.input_set
    return (*values.values(), _uuid(row_key(result)), *more)


def result_of(row: Sequence[Any], axes: Sequence[str]) -> Result:
    """Return the row that was read: ``COLUMNS``, then the coordinates on some axes (named without prefix)."""
    many = len(COLUMNS)
    given = dict(zip(COLUMNS, row[:many], strict=True))
    given["axes"] = tuple((n, v) for n, v in zip(axes, row[many:], strict=True) if v is not None)
    if given["input_set"] is not None:
        given["input_set"] = str(given["input_set"])
    return Result(**given)


def _hash(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
