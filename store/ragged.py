"""Packed variable-length rows: one flat axis and offsets into it, no padding. Pure numpy."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np


def offsets_of(lengths: Iterable[int]) -> np.ndarray:
    """Offsets int64 [E + 1] of E rows of the given lengths: row i is ``packed[offsets[i]:offsets[i + 1]]``.

    Raises:
        ValueError: a length is negative.
    """
    sizes = np.fromiter(lengths, dtype=np.int64)
    if sizes.size and sizes.min() < 0:
        raise ValueError("a row cannot have a negative length")
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))


def pair_offsets(offsets: np.ndarray) -> np.ndarray:
    """Offsets int64 [E + 1] of the packed attention maps: example i takes its length squared.

    Raises:
        ValueError: the offsets do not start at 0, or fall.
    """
    ends = np.asarray(offsets, dtype=np.int64)
    lengths = ends[1:] - ends[:-1]
    if int(ends[0]) != 0 or (lengths.size and lengths.min() < 0):
        raise ValueError("offsets start at 0 and never fall")
    return offsets_of(lengths * lengths)


def pack(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows that differ only in their first axis, one after the other: (packed, offsets int64 [E + 1]).

    Raises:
        ValueError: no row at all (there would be no dtype), or rows of different width.
    """
    if not rows:
        raise ValueError("nothing to pack")
    return np.concatenate(rows), offsets_of(len(row) for row in rows)


def unpack(packed: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    """Views of the rows of a packed array."""
    return [packed[a:b] for a, b in itertools.pairwise(offsets)]


def pack_maps(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Square attention maps [length, length] (query token first) as one flat axis [sum of length squared]."""
    return np.concatenate([np.reshape(m, -1) for m in maps])


def map_of(packed: np.ndarray, offsets: np.ndarray, example: int) -> np.ndarray:
    """View [length, length] of one example in one head's packed attention; ``offsets`` are those of the tokens."""
    length = int(offsets[example + 1] - offsets[example])
    start = int(pair_offsets(offsets[: example + 1])[-1])
    return packed[start : start + length * length].reshape(length, length)


def pack_texts(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Texts as UTF-8 bytes: (uint8 [bytes], offsets int64 [texts + 1]).

    Zarr's own variable-length strings are an extension; bytes and offsets are core format that any reader has.
    """
    # Lone surrogates occur in scraped text; they must come back as they went in.
    raw = [text.encode("utf-8", "surrogatepass") for text in texts]
    return np.frombuffer(b"".join(raw), dtype=np.uint8), offsets_of(map(len, raw))


def unpack_texts(packed: np.ndarray, offsets: np.ndarray) -> list[str]:
    """The texts that ``pack_texts`` packed."""
    raw = packed.tobytes()
    return [raw[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(offsets)]
