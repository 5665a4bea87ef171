"""A share of work for processes that know nothing of each other (SLURM arrays)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from store.errors import BertdynError


@dataclass(frozen=True)
class Part:
    """One of several about equal shares of named things; which one a thing belongs to depends on its name alone."""

    number: int
    """From 1."""
    count: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read ``2/5``.

        Raises:
            BertdynError: it is not that.
        """
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise BertdynError(f"--part: '{text}' is not I/N with I from 1 to N, as in 2/5.")
        return cls(int(number), int(count))

    def has(self, name: str) -> bool:
        """Return whether something of that name belongs to the share."""
        return zlib.crc32(name.encode("utf-8", "surrogatepass")) % self.count == self.number - 1


WHOLE = Part(1, 1)
"""Everything."""
