"""Cache arrays of single layers of single checkpoints that are costly to compute.

Nothing depends on the cache: if a file is missing, damaged (by its checksums) or not writable, its user computes the
arrays again. A key is a sequence of texts; each file holds its key, which tells the checkpoint that it belongs to.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from store.layout import KEPT, STAGING
from store.ownership import tag

SPARE = 2 * 2**30
"""Bytes that stay free on the disk: the cache must leave room for the next checkpoint."""
_KEY = "key"
_ENDING = ".npz"


class Shelf:
    """Cached arrays of a store by key. Safe for several threads and processes: files are renamed when complete."""

    def __init__(self, root: Path) -> None:
        self._folder, self._drafts = root / KEPT, root / STAGING

    def get(self, key: Sequence[str]) -> Mapping[str, np.ndarray] | None:
        """Return the arrays of a key; None if there are none or they are damaged."""
        try:
            found = _read(self._place(key))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return found if found.pop(_KEY).tolist() == list(key) else None

    def put(self, key: Sequence[str], arrays: Mapping[str, np.ndarray]) -> None:
        """Cache arrays, replacing older ones. Does nothing if the store is read-only or the disk is nearly full."""
        place = self._place(key)
        draft = self._drafts / f"{tag()}.tmp"  # collected if we die meanwhile
        with suppress(OSError):
            if shutil.disk_usage(self._folder.parent).free < SPARE + sum(a.nbytes for a in arrays.values()):
                return
            place.parent.mkdir(parents=True, exist_ok=True)
            self._drafts.mkdir(exist_ok=True)
            try:
                with open(draft, "wb") as file:
                    np.savez(file, **{_KEY: np.array(list(key))}, **arrays)  # type: ignore[arg-type]
                os.replace(draft, place)
            finally:
                draft.unlink(missing_ok=True)

    def _place(self, key: Sequence[str]) -> Path:
        name = hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / name[:2] / (name[2:40] + _ENDING)


def kept_bytes(root: Path) -> int:
    """Return the size of the cache in bytes."""
    return sum(_size(path) for path in (root / KEPT).glob("*/*"))


def unused(root: Path, digests: set[str]) -> Iterator[Path]:
    """Yield files that are damaged, unfinished, or of removed checkpoints (no part of their key is in ``digests``)."""
    for path in sorted((root / KEPT).glob("*/*")):
        parts: set[str] = set()
        with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            parts = {part for text in _read(path)[_KEY].tolist() for part in text.split("/")}
        if path.suffix != _ENDING or not parts & digests:
            yield path


def _read(path: Path) -> dict[str, np.ndarray]:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:  # zip checks each array's CRC
        return {name: arrays[name] for name in arrays.files}


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
