"""Arrange small charts of one size in rows and columns. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

_NARROWEST, _LOWEST = 20, 7
_SLIMMEST = 17
"""Cells of a panel where that makes room for the lines' labels in the last one."""
_LABELLED, _LAST = 10, 28
"""Cells that the last panel gets more than the others, for the lines' labels; and at least, to have any."""

_SHAPE = 2.5
"""Cells across per cell down of a chart that reads well: cells are twice as tall as they are wide."""


class Box(NamedTuple):
    """The cells of a panel, with the cells free on its right side left out."""

    x: int
    y: int
    width: int
    height: int


def arranged(count: int, width: int, height: int) -> list[Box]:
    """Return the boxes of panels, row by row; fewer than ``count`` if the others do not fit.

    Args:
        count: number of panels, at least 1.
    """
    across = max(1, min(count, width // _NARROWEST))
    down = max(1, min(-(-count // across), height // _LOWEST))
    across = min(across, -(-count // down))
    extra = _extra(width, across)
    wide, tall = (width - extra) // across, height // down
    shown = min(count, across * down)
    boxes = []
    for i in range(shown):
        row, column = divmod(i, across)
        size = wide - 1 if across > 1 else wide
        if column == across - 1:
            size = width - column * wide
        elif i == shown - 1:
            size = wide + extra
        boxes.append(Box(column * wide, row * tall, size, height - row * tall if row == down - 1 else tall))
    return boxes


def tiled(count: int, width: int, height: int) -> list[Box]:
    """Return boxes of one size, row by row, as near as they can be to the shape of a chart that reads well.

    There are fewer than ``count`` if the others do not fit.

    Args:
        count: number of panels, at least 1.
    """

    def shape(across: int) -> float:
        """How far from its best shape a panel is."""
        down = -(-count // across)
        return abs(math.log(width / across / (height / down) / _SHAPE))

    widest, most = max(1, width // _NARROWEST), max(1, height // _LOWEST)
    fitting = [across for across in range(1, min(count, widest) + 1) if -(-count // across) <= most]
    across = min(fitting, key=shape) if fitting else min(count, widest)
    down = min(-(-count // across), most)
    across = min(across, -(-count // down))
    wide, tall = width // across, height // down
    found = []
    for i in range(min(count, across * down)):
        row, column = divmod(i, across)
        size = width - column * wide if column == across - 1 else wide - 1
        found.append(Box(column * wide, row * tall, size, height - row * tall if row == down - 1 else tall))
    return found


def _extra(width: int, across: int) -> int:
    """Cells that the last of so many panels gets more than the others; 0 where they would be too narrow."""
    if width // across >= _NARROWEST + _LABELLED or across == 1:
        return _LABELLED
    rest = (width - _LAST) // (across - 1)
    return max(0, _LAST - rest) if rest >= _SLIMMEST else 0
