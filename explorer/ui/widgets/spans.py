"""Find the cells of a line that changed, so that only these are sent."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

JOIN = 6
"""Changes with a smaller distance, in cells, are sent as one: moving the cursor takes eight bytes."""


def changed(old: Sequence[Segment], new: Sequence[Segment]) -> list[tuple[int, int]]:
    """Return the spans of cells (start, stop) where two lines of the same width differ.

    A line with wide characters is one span, since its cells cannot be counted by characters.
    """
    before, after = _cells(old), _cells(new)
    if before is None or after is None or len(before) != len(after):
        return [(0, sum(s.cell_length for s in new))]
    spans: list[tuple[int, int]] = []
    for place, (a, b) in enumerate(zip(before, after, strict=True)):
        if a == b:
            continue
        if spans and place - spans[-1][1] < JOIN:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
    return spans


def _cells(line: Sequence[Segment]) -> list[tuple[str, Style | None]] | None:
    cells: list[tuple[str, Style | None]] = []
    for text, style, _ in line:
        looks = style or None
        blank = None if hidden(style) else looks
        cells.extend((char, blank if char == " " else looks) for char in text)
    return cells if len(cells) == sum(s.cell_length for s in line) else None


def hidden(style: Style | None) -> bool:
    """Return whether a blank looks the same with a style as without one."""
    return style is None or (style.bgcolor is None and not style.underline and not style.reverse and not style.strike)
