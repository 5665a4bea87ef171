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
