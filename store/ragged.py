"""Pack rows of variable length on one flat axis with offsets, without padding. Pure numpy."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np


def offsets_of(lengths: Iterable[int]) -> np.ndarray:
    """Return offsets, int64 [E + 1], of E rows of the given lengths: row i is ``packed[offsets[i]:offsets[i + 1]]``.

    Raises:
        ValueError: a length is negative.
    """
    sizes = np.fromiter(lengths, dtype=np.int64)
    if sizes.size and sizes.min() < 0:
        raise ValueError("a row cannot have a negative length")
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))


def pair_offsets(offsets: np.ndarray) -> np.ndarray:
    """Return offsets, int64 [E + 1], of packed attention maps, where example i takes its squared length.

    Raises:
        ValueError: the offsets do not start at 0, or decrease.
    """
    ends = np.asarray(offsets, dtype=np.int64)
    lengths = ends[1:] - ends[:-1]
    if int(ends[0]) != 0 or (lengths.size and lengths.min() < 0):
        raise ValueError("offsets start at 0 and never fall")
    return offsets_of(lengths * lengths)


def pack(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Concatenate arrays that differ only in their first axis. Return (packed, offsets int64 [E + 1]).

    Raises:
        ValueError: there is no array (and so no dtype), or the other axes differ.
    """
    if not rows:
        raise ValueError("nothing to pack")
    return np.concatenate(rows), offsets_of(len(row) for row in rows)


def unpack(packed: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    """Return the rows of a packed array as views."""
    return [packed[a:b] for a, b in itertools.pairwise(offsets)]


def pack_maps(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Pack square attention maps [length, length] (query token first) on one flat axis [sum of squared lengths]."""
    return np.concatenate([np.reshape(m, -1) for m in maps])


def map_of(packed: np.ndarray, offsets: np.ndarray, example: int) -> np.ndarray:
    """Return one example's map as a view [length, length] of one head's packed attention, given token offsets."""
    length = int(offsets[example + 1] - offsets[example])
    start = int(pair_offsets(offsets[: example + 1])[-1])
    return packed[start : start + length * length].reshape(length, length)


def pack_texts(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Pack texts as UTF-8 bytes. Return (uint8 [bytes], offsets int64 [texts + 1]).

    Zarr's own variable-length strings are an extension; bytes and offsets belong to the core format of every reader.
    """
    # Scraped text may hold lone surrogates, which must survive the round trip.
    raw = [text.encode("utf-8", "surrogatepass") for text in texts]
    return np.frombuffer(b"".join(raw), dtype=np.uint8), offsets_of(map(len, raw))


def unpack_texts(packed: np.ndarray, offsets: np.ndarray) -> list[str]:
    """Return the texts that ``pack_texts`` packed."""
    raw = packed.tobytes()
    return [raw[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(offsets)]
