"""Chunk files written front to back.

A chunk here is its values and a checksum, so it can be appended to as sentences come: nothing has to wait in memory
for a chunk to fill (1.2 GB for the 157 axes of a 12-layer model), and each byte is written once.
"""

from __future__ import annotations

import hashlib

import numpy as np

from store.groups import CHECKSUM_BYTES, ArrayInfo, extend_checksum

DIGEST_BYTES = 16


class Stream:
    """One packed axis of an array: a layer's hidden states, or one head's attention. One thread at a time."""

    def __init__(self, info: ArrayInfo, before: tuple[int, ...]) -> None:
        """``before``: index of the axes before the packed one; those after it are whole in each chunk."""
        self._info = info
        self._before = before
        self._after = (0,) * (len(info.shape) - len(before) - 1)
        self._row_bytes = int(np.prod(info.shape[len(before) + 1 :], dtype=np.int64)) * info.dtype.itemsize
        self._chunk_bytes = info.chunks[len(before)] * self._row_bytes
        self._length = info.shape[len(before)]
        self._hash = hashlib.blake2b(f"{info.dtype.str}:{self._row_bytes}:".encode(), digest_size=DIGEST_BYTES)
        self._done = 0
        self._crc = 0

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return self._done // self._row_bytes if self._row_bytes else self._length

    def feed(self, rows: np.ndarray) -> None:
        """Append rows, contiguous and of the array's dtype."""
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
        """Fill the last chunk up, and give the digest of all rows in order, whatever the chunks and the calls were."""
        digest = self._hash.digest()
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
