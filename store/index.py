"""``index.duckdb``: nothing but views, for any DuckDB client. bertdyn writes it and never reads it.

The views hold absolute paths, so the file is made again when the store has moved, and when a measure shows up that it
has no view of. What it was made for is noted beside the tables, since opening it could meet somebody's lock. A store
below a folder with a backslash in its name has none: DuckDB would take the name for two folders.

The note also says which columns, parameters and coordinates the view of each measure shows, which the fragments tell
only together. It holds a checksum of what it says: one that was damaged counts as missing, and is made again from the
fragments, so that no column or parameter gets lost or a wrong name.

The views compare no checksums: a damaged fragment makes them fail or, at worst, shows other values. bertdyn's own
commands do not read them (see ``store.sound_fragments``). While a fragment is damaged the index may not be made; it is
made by ``bertdyn check --repair``, or at the next writing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from store.duck import written
from store.duck_paths import lasts, plain_folder
from store.fragments import fault, listed
from store.layout import INDEX, TABLES
from store.locks import locked
from store.staging import Stage, refused, sync, write_file, writing
from store.tables import ALL, MeasureShape, axes_of, lasting_sources, outlines, views

NOTE = f"{TABLES}/index.json"
"""Where it is noted what the index was made for and shows, relative to the store."""
_COMPATIBLE = "v1.5.0"


def noted(root: Path) -> tuple[str, dict[str, MeasureShape]]:
    """The folder that the index was made for, and the measures it has views of; ("", {}) when there is no index, or its
    note is damaged."""
    try:
        note = json.loads((root / NOTE).read_bytes())
        if note.pop("checksum") != _checksum(note):
            return "", {}
        shapes = {
            name: MeasureShape(
                frozenset(shape["columns"]),
                tuple((n, k) for n, k in shape["parameters"]),
                tuple((n, k) for n, k in shape["axes"]),
            )
            for name, shape in note["measures"].items()
        }
        return str(note["root"]), shapes
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", {}


def _checksum(note: Mapping[str, object]) -> str:
    """CRC-32C of what a note says, however it is laid out."""
    import google_crc32c

    return f"{google_crc32c.value(json.dumps(note, sort_keys=True).encode()):08x}"


def damaged(root: Path) -> bool:
    """Return whether there is a note that does not say what was written."""
    return (root / NOTE).exists() and not noted(root)[0]


def missing(root: Path) -> bool:
    """Return whether there is no index although this folder can have one."""
    return lasts(os.path.realpath(root)) and not (root / INDEX).exists()


def refresh(root: Path, shapes: Mapping[str, MeasureShape], again: bool = False) -> dict[str, MeasureShape]:
    """Make sure that the index is of this folder and shows these measures; gives all that it shows.

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
                name: {"columns": sorted(shape.columns), "parameters": shape.parameters, "axes": shape.axes}
                for name, shape in sorted(merged.items())
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
    """Write the index where there can be one; False when a damaged fragment keeps DuckDB from making its views."""
    import duckdb

    if not lasts(str(real)):
        (root / INDEX).unlink(missing_ok=True)  # what another place left would show that place's rows
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
        if isinstance(error, duckdb.IOException):
            raise refused(root / INDEX, str(error)) from None
        raise
    finally:
        stage.discard()
    sync(root)
    return True


def _write_views(path: Path, real: Path, shapes: Mapping[str, MeasureShape]) -> None:
    import duckdb

    # DuckDB 1.5 (harlequin, its own command line) must be able to read it.
    newer = tuple(map(int, duckdb.__version__.split(".")[:2])) >= (1, 5)
    config = {"storage_compatibility_version": _COMPATIBLE} if newer else {}
    axes = axes_of(shapes)
    with duckdb.connect(str(path), config=config) as connection:
        for statement in (*outlines(axes), *views(shapes), *lasting_sources(real, axes)):
            connection.execute(statement)
