"""Keep arrays that belong to a row of results: probe weights, cluster assignments, directions, learning curves.

An artefact is a folder ``artefacts/<id>/``, written completely or not at all, before its row. ``check --repair``
removes those that no row names.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from store.errors import BertdynError, ForbiddenError
from store.groups import array_folders, damage, make_array, make_group, open_array
from store.layout import ARTEFACTS, STAGING, chunk_length
from store.ownership import ServerClock
from store.staging import Stage, modified, throw_away, writing

DAY = 24 * 3600
"""Age in seconds after which an unnamed artefact is removed. Rows follow their artefacts within minutes."""


def artefact_path(root: Path, name: str) -> Path:
    """Return the folder of an artefact."""
    return root / ARTEFACTS / name


def write_artefact(root: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Store arrays of any shape and return the artefact's name.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    name = uuid.uuid4().hex
    stage = Stage(root)
    try:
        with writing(root):
            make_group(stage.path, {})
            for key, array in arrays.items():
                _write(stage.path, key, np.asarray(array))
        stage.publish(artefact_path(root, name))
    finally:
        stage.discard()
    return name


def read_artefact(root: Path, name: str, only: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Read the arrays of an artefact.

    Args:
        only: names of arrays; others are not read. Empty: all.

    Raises:
        BertdynError: there is none of that name, or it is damaged.
    """
    place = artefact_path(root, name)
    if not name.isalnum() or modified(place) is None:
        raise BertdynError(f"The store has no artefact '{name}'.")
    # A missing chunk would read as zeros, so check all of them first.
    for problem in damage(place):
        raise BertdynError(f"Artefact '{name}' is damaged: {problem}. Compute its row again.")
    return {
        path.name: np.asarray(open_array(path)[...]) for path in array_folders(place) if not only or path.name in only
    }


def sweep_artefacts(root: Path, named: Collection[str]) -> int:
    """Remove artefacts that no row names and that are older than ``DAY``. Return their number.

    Args:
        named: artefacts that any row names, current or not.

    Raises:
        BertdynError: the store is not writable.
    """
    clock = ServerClock(root / STAGING)
    swept = 0
    with writing(root):
        for folder in sorted((root / ARTEFACTS).glob("*")):
            try:
                written = modified(folder)
            except ForbiddenError:
                continue
            if folder.name not in named and (written is None or clock.now() - written > DAY):
                throw_away(root, folder)
                swept += 1
    return swept


def _write(folder: Path, name: str, array: np.ndarray) -> None:
    rows, *rest = array.shape or (1,)
    chunks = (chunk_length(rows, max(1, array.nbytes // max(1, rows))), *(max(1, n) for n in rest))
    axes = [f"axis_{n}" for n in range(array.ndim)]
    kind = array.dtype.newbyteorder("<")
    make_array(folder, name, array.shape, chunks[: array.ndim], kind, axes, array.astype(kind))
