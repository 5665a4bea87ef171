"""``index.duckdb``: nothing but views, for any DuckDB client. bertdyn writes it and never reads it.

The views hold absolute paths, so the file is made again when the store has moved, and when a measure shows up that it
has no view of. What it was made for is noted beside the tables, since opening it could meet somebody's lock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from store.duck import written
from store.layout import INDEX, TABLES
from store.locks import locked
from store.staging import Stage, refused, sync, write_file, writing
from store.tables import MeasureShape, axes_of, lasting_sources, views

_NOTE = "index.json"
_COMPATIBLE = "v1.5.0"


def noted(root: Path) -> tuple[str, dict[str, MeasureShape]]:
    """The folder that the index was made for, and the measures it has views of; ("", {}) when there is no index."""
    try:
        note = json.loads((root / TABLES / _NOTE).read_bytes())
        shapes = {
            name: MeasureShape(
                frozenset(shape["columns"]),
                tuple((n, k) for n, k in shape["parameters"]),
                tuple((n, k) for n, k in shape["axes"]),
            )
            for name, shape in note["measures"].items()
        }
        return str(note["root"]), shapes
    except (OSError, ValueError, KeyError, TypeError):
        return "", {}


def refresh(root: Path, shapes: Mapping[str, MeasureShape], again: bool = False) -> dict[str, MeasureShape]:
    """Make sure that the index is of this folder and shows these measures; gives all that it shows.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    real = os.path.realpath(root)
    merged = _merged(noted(root)[1], shapes)
    if not again and noted(root) == (real, merged) and (root / INDEX).exists():
        return merged
    with writing(root):
        (root / TABLES).mkdir(exist_ok=True)
    with writing(root), locked(root / TABLES / ".lock"):
        merged = _merged(noted(root)[1], shapes)
        _write(root, Path(real), merged)
        note = {
            "root": real,
            "measures": {
                name: {"columns": sorted(shape.columns), "parameters": shape.parameters, "axes": shape.axes}
                for name, shape in sorted(merged.items())
            },
        }
        write_file(root / TABLES / _NOTE, json.dumps(note, indent=1).encode())
    return merged


def _merged(known: Mapping[str, MeasureShape], more: Mapping[str, MeasureShape]) -> dict[str, MeasureShape]:
    merged = dict(known)
    for name, shape in more.items():
        merged[name] = merged[name].merged(shape) if name in merged else shape
    return merged


def _write(root: Path, real: Path, shapes: Mapping[str, MeasureShape]) -> None:
    import duckdb

    stage = Stage(root)
    draft = stage.path / INDEX
    try:
        written(draft, lambda path: _write_views(path, real, shapes))
        sync(draft)
        os.replace(draft, root / INDEX)
    except duckdb.IOException as error:
        raise refused(root / INDEX, str(error)) from None
    finally:
        stage.discard()
    sync(root)


def _write_views(path: Path, real: Path, shapes: Mapping[str, MeasureShape]) -> None:
    import duckdb

    # DuckDB 1.5 (harlequin, its own command line) must be able to read it.
    newer = tuple(map(int, duckdb.__version__.split(".")[:2])) >= (1, 5)
    config = {"storage_compatibility_version": _COMPATIBLE} if newer else {}
    with duckdb.connect(str(path), config=config) as connection:
        for statement in (*lasting_sources(real, axes_of(shapes)), *views(shapes)):
            connection.execute(statement)
