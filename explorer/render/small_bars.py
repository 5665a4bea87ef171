"""Draw sizes by layer as a row of characters of different height. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MARKS, _PLAIN_MARKS = " ▁▂▃▄▅▆▇█", " ._-=+*%#"
_MOST = 24
"""Largest number of bars in a row: in deeper models one bar stands for two layers, and so on."""


@dataclass(frozen=True)
class SmallBars:
    """Rows of bars over the same layers: from the first to the last one."""

    low: int
    high: int

    @property
    def each(self) -> int:
        """Number of layers per bar."""
        return -(-(self.high - self.low + 1) // _MOST)

    @property
    def width(self) -> int:
        """Number of bars in a row."""
        return -(-(self.high - self.low + 1) // self.each)

    @property
    def name(self) -> str:
        """Heading of the rows."""
        return f"layers {self.low} to {self.high}" if self.high > self.low else f"layer {self.low}"

    def row(self, sizes: Sequence[tuple[int, float]], ascii_only: bool = False) -> str:
        """Return a row for sizes by layer, the largest of full height; blank where there is none.

        Each bar shows the largest size of its layers.
        """
        known = {layer: abs(size) for layer, size in sizes}
        marks, largest = _PLAIN_MARKS if ascii_only else _MARKS, max(known.values(), default=0.0)
        if not largest:
            return ""
        starts = range(self.low, self.high + 1, self.each)
        shown = [max(known.get(start + n, 0.0) for n in range(self.each)) for start in starts]
        return "".join(marks[round(size / largest * (len(marks) - 1))] for size in shown)
