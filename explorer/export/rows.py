"""Write rows as CSV, JSON and Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from store.duck import write_table


def as_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a JSON array with one object per row; NaN and infinities become null."""
    objects = [{c: _json_safe(v) for c, v in zip(columns, row, strict=True)} for row in rows]
    body = ",\n".join(" " + json.dumps(o, ensure_ascii=False, default=str, allow_nan=False) for o in objects)
    return f"[\n{body}\n]\n" if objects else "[]\n"


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return CSV with a header; missing values are empty cells."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([plain(v) for v in row] for row in rows)
    return text.getvalue()


def write_parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]], output: Path) -> None:
    """Write rows as Parquet; each column has the type of its values.

    Raises:
        BertdynError: the file cannot be written.
    """
    values = [[plain(row[i]) for row in rows] for i in range(len(columns))]
    write_table(columns, values, output)


def plain(value: Any) -> Any:
    """Convert a value for formats without nesting: lists and mappings become JSON."""
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(_json_safe(value), ensure_ascii=False, default=str)
    return value


def _json_safe(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _json_safe(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_safe(v) for v in value]
    return value
