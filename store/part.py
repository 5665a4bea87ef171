"""Split work between processes that do not know each other (SLURM arrays)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from store.errors import BertdynError


@dataclass(frozen=True)
class Part:
    """One of several shares of about equal size; the share of an item depends only on the item's name."""

    number: int
    """Number of the share, from 1."""
    count: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Parse a share such as ``2/5``.

        Raises:
            BertdynError: the text is not I/N.
        """
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise BertdynError(f"--part: '{text}' is not I/N with I from 1 to N, as in 2/5.")
        return cls(int(number), int(count))

    def has(self, name: str) -> bool:
        """Return whether the item of that name belongs to the share."""
        return zlib.crc32(name.encode("utf-8", "surrogatepass")) % self.count == self.number - 1


WHOLE = Part(1, 1)
"""The share that contains everything."""
