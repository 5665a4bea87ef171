"""The memory cache of a worker, limited in bytes: sides that several pairs share."""

from __future__ import annotations

import dataclasses
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping

DEFAULT_BYTES = 512 * 2**20


class MemoryCache(MutableMapping[tuple[object, ...], object]):
    """A mapping that drops the least recently used values when they take more than ``limit`` bytes.

    The newest value always stays, however large, since the current pair needs it.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        self._values: OrderedDict[tuple[object, ...], tuple[object, int]] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, key: tuple[object, ...]) -> object:
        value, _ = self._values[key]
        self._values.move_to_end(key)
        return value

    def __setitem__(self, key: tuple[object, ...], value: object) -> None:
        self.pop(key, None)
        size = size_of(value)
        self._values[key] = value, size
        self._bytes += size
        while self._bytes > self.limit and len(self._values) > 1:
            self._bytes -= self._values.popitem(last=False)[1][1]

    def __delitem__(self, key: tuple[object, ...]) -> None:
        self._bytes -= self._values.pop(key)[1]

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return iter(tuple(self._values))  # reading a value moves it, which an iterator over the dict would not survive

    def __len__(self) -> int:
        return len(self._values)


def size_of(value: object) -> int:
    """Return the bytes of arrays and tensors, also inside tuples, mappings and dataclasses; else Python's own size."""
    nbytes = getattr(value, "nbytes", None)
    if isinstance(nbytes, int):
        return nbytes
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return sum(size_of(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return sum(size_of(v) for v in value.values())
    if isinstance(value, (tuple, list)):
        return sum(map(size_of, value))
    return sys.getsizeof(value)
