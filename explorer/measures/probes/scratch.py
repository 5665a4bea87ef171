"""Keep more vectors than memory should hold in a file without a name, and read some of them at a time.

The file lies in the folder for temporary files (TMPDIR) and disappears with the object, also if the process is killed.
It is read with ordinary reads, not mapped: so its pages are not counted as memory of the process, and a failed read is
an error and not a signal.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from explorer.measures.computation import MeasureError


class Rows(Protocol):
    """Vectors [n, d]: an array, or what behaves like one.

    A slice of rows without a step is a view; an array of positions, or ``np.asarray``, reads.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows n and width d."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> Any: ...

    def __array__(self) -> np.ndarray: ...


class _File:
    """An open file without a name, which is closed, and so removed, with the last reference."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)


@dataclass(frozen=True, eq=False)
class Scratch:
    """Vectors in a file: Rows."""

    file: _File
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    first: int = 0
    """Number of rows of the file before the first one."""

    @classmethod
    def empty(cls, shape: tuple[int, int], dtype: np.dtype[Any]) -> Scratch:
        """Return vectors that are still to be set.

        Raises:
            MeasureError: no file can be made.
        """
        try:
            return cls(_File(), shape, dtype)
        except OSError as error:
            raise _no_room(shape, dtype, error) from None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: slice | np.ndarray) -> Any:
        """Return a view of rows first:last, or read rows by their positions (from 0), int64 [m]: array [m, d]."""
        if isinstance(key, slice):
            first, last, _ = key.indices(len(self))
            return replace(self, first=self.first + first, shape=(max(0, last - first), self.shape[1]))
        found = np.empty((len(key), self.shape[1]), self.dtype)
        if found.size:
            into, row = found.data.cast("B"), self._offset(1) - self._offset(0)
            for begin, end in _runs(key):
                self._read(int(key[begin]), into[begin * row : end * row])
        return found

    def __setitem__(self, places: np.ndarray, rows: np.ndarray) -> None:
        """Set rows at some positions, int64 [m], to rows [m, d].

        Raises:
            MeasureError: the disk is full.
        """
        rows = np.ascontiguousarray(rows, self.dtype)
        try:
            for begin, end in _runs(places):
                left, at = rows[begin:end].data.cast("B"), self._offset(int(places[begin]))
                while left:
                    many = os.pwrite(self.file.descriptor, left, at)
                    left, at = left[many:], at + many
        except OSError as error:
            raise _no_room(self.shape, self.dtype, error) from None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Read all rows, [n, d]."""
        found = np.empty(self.shape, self.dtype)
        if found.size:
            self._read(0, found.data.cast("B"))
        return found if dtype is None else found.astype(dtype, copy=False)

    def _offset(self, place: int) -> int:
        """Return the position of a row in the file in bytes."""
        return (self.first + place) * self.shape[1] * self.dtype.itemsize

    def _read(self, place: int, left: memoryview) -> None:
        """Fill some bytes, beginning at a row."""
        at = self._offset(place)
        while left:
            many = os.preadv(self.file.descriptor, [left], at)
            if not many:
                raise EOFError("rows that were never set cannot be read")
            left, at = left[many:], at + many


def _runs(places: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the first and last + 1 index of each run of places that follow each other."""
    ends = np.append(np.flatnonzero(np.diff(places) != 1) + 1, len(places)).tolist() if len(places) else []
    yield from zip([0, *ends], ends, strict=False)


def _no_room(shape: tuple[int, int], dtype: np.dtype[Any], error: OSError) -> MeasureError:
    size = shape[0] * shape[1] * dtype.itemsize / 1e9
    return MeasureError(
        f"{shape[0]:,} vectors need a temporary file of {size:.1f} GB in {tempfile.gettempdir()}, which cannot be "
        f"written ({error.strerror}): set TMPDIR to a folder with more room."
    )
