"""Write ``index.duckdb``: a file of views for any DuckDB client, which bertdyn itself never reads.

The views hold absolute paths, so the file is rebuilt when the store has moved, or when a measure has no view yet. A
note beside the tables records the folder and the measures of the index, since another process may have locked the
index itself. A store below a folder with a backslash in its name has no index: DuckDB would take the name for two
folders.

The note also records the columns, parameters and coordinates of each measure's view, which no single fragment knows.
It has a checksum: a damaged note counts as missing and is rebuilt from the fragments, so that no column or parameter
is lost or gets a wrong name.

The views do not compare checksums: with a damaged fragment they fail or, at worst, show wrong values. bertdyn's own
commands do not use them (see ``store.sound_fragments``). While a fragment is damaged, the index may be missing;
``bertdyn check --repair`` or the next writing rebuilds it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from store.duck import written
from store.duck_paths import lasts, plain_folder
from store.fragments import fault, listed
from store.layout import INDEX, TABLES
from store.locks import locked
from store.staging import Stage, refused, sync, write_file, writing
from store.tables import ALL, MeasureShape, axes_of, lasting_sources, outlines, views

NOTE = f"{TABLES}/index.json"
"""Path of the note on the index, relative to the store."""
_COMPATIBLE = "v1.5.0"


def noted(root: Path) -> tuple[str, dict[str, MeasureShape]]:
    """Return the folder and the measures of the index; ("", {}) if there is no index or its note is damaged."""
    try:
        note = json.loads((root / NOTE).read_bytes())
        if note.pop("checksum") != _checksum(note):
            return "", {}
        shapes = {
            name: MeasureShape(
                frozenset(shape["columns"]),
                tuple((n, k) for n, k in shape["parameters"]),
                tuple((n, k) for n, k in shape["axes"]),
                shape.get("noise"),
            )
            for name, shape in note["measures"].items()
        }
        return str(note["root"]), shapes
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", {}


def _checksum(note: Mapping[str, object]) -> str:
    """Return the CRC-32C of a note's content, whatever its formatting."""
    import google_crc32c

    return f"{google_crc32c.value(json.dumps(note, sort_keys=True).encode()):08x}"


def damaged(root: Path) -> bool:
    """Return whether there is a note whose content has changed since it was written."""
    return (root / NOTE).exists() and not noted(root)[0]


def missing(root: Path) -> bool:
    """Return whether there is no index although this folder can have one."""
    return lasts(os.path.realpath(root)) and not (root / INDEX).exists()


def refresh(root: Path, shapes: Mapping[str, MeasureShape], again: bool = False) -> dict[str, MeasureShape]:
    """Rebuild the index if it is of another folder or lacks some measures. Return all measures in it.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    real = os.path.realpath(root)
    merged = _merged(noted(root)[1], shapes)
    if not again and noted(root) == (real, merged) and not missing(root):
        return merged
    with writing(root):
        (root / TABLES).mkdir(exist_ok=True)
    with writing(root), locked(root / TABLES / ".lock"):
        merged = _merged(noted(root)[1], shapes)
        if not _write(root, Path(real), merged):
            return merged
        note: dict[str, object] = {
            "root": real,
            "measures": {
                name: {**asdict(shape), "columns": sorted(shape.columns)} for name, shape in sorted(merged.items())
            },
        }
        write_file(root / NOTE, json.dumps({"checksum": _checksum(note), **note}, indent=1).encode())
    return merged


def _merged(known: Mapping[str, MeasureShape], more: Mapping[str, MeasureShape]) -> dict[str, MeasureShape]:
    merged = dict(known)
    for name, shape in more.items():
        merged[name] = merged[name].merged(shape) if name in merged else shape
    return merged


def _write(root: Path, real: Path, shapes: Mapping[str, MeasureShape]) -> bool:
    """Write the index, unless the folder cannot have one. Return False if a damaged fragment prevents the views."""
    import duckdb

    if not lasts(str(real)):
        (root / INDEX).unlink(missing_ok=True)  # an index from before a move would show the rows of the old place
        return True
    stage = Stage(root)
    try:
        with plain_folder(stage.path) as folder:
            written(folder / INDEX, lambda path: _write_views(path, real, shapes))
            if folder != stage.path:
                shutil.copyfile(folder / INDEX, stage.path / INDEX)
        sync(stage.path / INDEX)
        os.replace(stage.path / INDEX, root / INDEX)
    except duckdb.Error as error:
        if any(fault(path) is not None for table in ALL for path in listed(root, table)):
            return False
        # On a full disk, DuckDB's last write is the one of a transaction's end.
        if isinstance(error, duckdb.IOException | duckdb.TransactionException | duckdb.FatalException):
            raise refused(root / INDEX, str(error)) from None
        raise
    finally:
        stage.discard()
    sync(root)
    return True


def _write_views(path: Path, real: Path, shapes: Mapping[str, MeasureShape]) -> None:
    import duckdb

    # DuckDB 1.5 (harlequin, DuckDB's own command line) must be able to read it.
    newer = tuple(map(int, duckdb.__version__.split(".")[:2])) >= (1, 5)
    config = {"storage_compatibility_version": _COMPATIBLE} if newer else {}
    axes = axes_of(shapes)
    with duckdb.connect(str(path), config=config) as connection:
        for statement in (*outlines(axes), *views(shapes), *lasting_sources(real, axes)):
            connection.execute(statement)
