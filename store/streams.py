"""Write chunk files from front to back, and read them directly into an array.

A chunk file holds values and a checksum, so sentences can be appended as they come: no chunk has to fill up in memory
first (1.2 GB for the 157 axes of a 12-layer model), and each byte is written once. Reading directly into the caller's
array avoids the copies and thread switches of a general reader.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from blake3 import blake3

from store.groups import CHECKSUM_BYTES, ArrayInfo, extend_checksum

DIGEST_BYTES = 16


class Stream:
    """One packed axis of an array: a layer's hidden states, or one head's attention. One thread at a time."""

    def __init__(self, info: ArrayInfo, before: tuple[int, ...]) -> None:
        """
        Args:
            before: index on the axes before the packed one; each chunk holds the later axes in full.
        """
        self._info = info
        self._before = before
        self._after = (0,) * (len(info.shape) - len(before) - 1)
        self._row_bytes = int(np.prod(info.shape[len(before) + 1 :], dtype=np.int64)) * info.dtype.itemsize
        self._chunk_bytes = info.chunks[len(before)] * self._row_bytes
        self._length = info.shape[len(before)]
        self._hash = blake3(f"{info.dtype.str}:{self._row_bytes}:".encode())
        self._done = 0
        self._crc = 0

    @property
    def rows(self) -> int:
        """Number of rows written so far."""
        return self._done // self._row_bytes if self._row_bytes else self._length

    def feed(self, rows: np.ndarray) -> None:
        """Append rows, which must be contiguous and of the array's dtype."""
        raw = rows.reshape(-1).view(np.uint8)
        self._hash.update(raw.data)
        start = 0
        while start < raw.size:
            room = self._chunk_bytes - self._done % self._chunk_bytes
            piece = raw[start : start + room]
            self._put(piece)
            self._done += piece.size
            start += piece.size

    def finish(self) -> bytes:
        """Fill up the last chunk. Return the digest of all rows in order, independent of chunks and calls."""
        digest = self._hash.digest(length=DIGEST_BYTES)
        left = -self._done % self._chunk_bytes if self._chunk_bytes else 0
        if left:
            empty = np.full(left // self._info.dtype.itemsize, np.nan, self._info.dtype)
            self._put(empty.view(np.uint8))
            self._done += left
        return digest

    def _put(self, piece: np.ndarray) -> None:
        number, filled = divmod(self._done, self._chunk_bytes)
        path = self._info.chunk(*self._before, number, *self._after)
        if not filled:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._crc = 0
        self._crc = extend_checksum(self._crc, piece)
        with open(path, "ab") as file:
            file.write(piece.data)
            if filled + piece.size == self._chunk_bytes:
                file.write(self._crc.to_bytes(CHECKSUM_BYTES, "little"))


def read_rows(info: ArrayInfo, before: tuple[int, ...], first: int, last: int) -> np.ndarray:
    """Read rows ``first`` to ``last`` of one packed axis, and compare each chunk with its checksum.

    Raises:
        OSError: a chunk is missing (Zarr readers would silently return fill values).
        ValueError: a chunk is cut off, or does not match its checksum.
    """
    axis = len(before)
    after = info.shape[axis + 1 :]
    length = info.chunks[axis]
    rows = np.empty((max(0, last - first), *after), info.dtype)
    for number in range(first // length, -(-last // length) if first < last else 0):
        start = number * length
        path = info.chunk(*before, number, *(0,) * len(after))
        if first <= start and start + length <= last:
            _fill(path, rows[start - first : start - first + length])
        else:
            whole = np.empty((length, *after), info.dtype)
            _fill(path, whole)
            low, high = max(first, start), min(last, start + length)
            rows[low - first : high - first] = whole[low - start : high - start]
    return rows


def _fill(path: Path, place: np.ndarray) -> None:
    raw = place.reshape(-1).view(np.uint8)
    with open(path, "rb", buffering=0) as file:
        count = file.readinto(raw.data)
        end = file.read(CHECKSUM_BYTES + 1)
    if count != raw.size or len(end) != CHECKSUM_BYTES:
        raise ValueError(f"the size of '{path}' has changed since it was written")
    if extend_checksum(0, raw).to_bytes(CHECKSUM_BYTES, "little") != end:
        raise ValueError(f"'{path}' does not match its checksum")
