"""Small charts side by side on one scale: the axes, the line in focus and the cursor are the same in all of them."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from explorer.render.cells import Grid, crop
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.render.targets import Target
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.rows import Rows

_NARROWEST, _LOWEST = 20, 7
_SLIMMEST = 17
"""Cells of a panel where that makes room for the lines' labels in the last one."""
_LABELLED, _LAST = 10, 28
"""Cells that the last panel gets more than the others, for the lines' labels; and at least, to have any."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One of the small charts."""

    name: str
    chart: LineChart
    pointed: str = ""
    """What its name adds while a line is pointed at: what stands beside that one."""


class SideBySide:
    """x is the step, y (the line) the layer, the same in every panel."""

    data: Rows
    notes: tuple[str, ...]
    low: tuple[str, ...]
    """The note on noise."""
    empty: bool
    panels: list[Panel]
    """All have the same places along x and as many lines."""
    spare: int
    """Of the panels, so many from the first on are parts of the others: they go first where room is short."""

    @property
    def steps(self) -> tuple[int, ...]:
        """Of the axis that the panels share."""
        raise NotImplementedError

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the layers, in the order of the lines."""
        raise NotImplementedError

    def marks(self, pointed: bool) -> tuple[str, ...]:
        """Notes on what stands beside the values while a line is pointed at, or none is."""
        raise NotImplementedError

    def read(self, at: Cursor, room: int) -> str:
        """What a clamped cursor points at, in about so many cells."""
        raise NotImplementedError

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead(words.nothing(self.data), width, height, palette, self.notes)
        at = cursor.clamped(len(self.steps), len(self.layers))
        grid = Grid(width, height)
        across = max(1, min(len(self.panels), width // _NARROWEST))
        down = max(1, min(-(-len(self.panels) // across), height // _LOWEST))
        across = min(across, -(-len(self.panels) // down))
        room = across * down
        order = sorted(range(len(self.panels)), key=lambda i: i < self.spare)
        panels = [self.panels[i] for i in sorted(order[:room])]
        targets: list[Target] = []
        extra = _extra(width, across)
        wide, tall = (width - extra) // across, height // down
        for i, one in enumerate(panels):
            chart = one.chart
            row, column = divmod(i, across)
            last = i == len(panels) - 1 or column == across - 1
            size = width - column * wide if last and column == across - 1 else wide - 1 if across > 1 else wide
            if i == len(panels) - 1 and column < across - 1:
                size = wide + extra
            high = height - row * tall if row == down - 1 else tall
            name = one.name + (one.pointed if at.y >= 0 and cell_len(one.name + one.pointed) < size else "")
            name = name.replace("±", "+-").replace("╌", "=") if options.ascii else name
            grid.put(row * tall, column * wide, crop(name, size, options.ascii), palette.strong)
            if high > 1:
                panel = chart.grid(size, high - 1, palette, at.x, at.y, options.log_y, options.ascii)
                grid.paste(panel, row * tall + 1, column * wide)
                found = chart.targets(size, high - 1, palette, at.y, options.log_y, options.ascii)
                # The panels share their axes: lines are named in the one with room, steps are marked in the first.
                new = {t.row for t in found if t.row >= 0} - {t.row for t in targets}
                targets += [
                    t.moved(column * wide, row * tall + 1) for t in found if t.row in new or (t.row < 0 and not i)
                ]
        hidden = len(self.panels) - len(panels)
        notes = (f"{hidden} of {len(self.panels)} panels do not fit on this screen",) if hidden else ()
        notes = (*notes, *self.notes, *self.marks(at.y >= 0), *words.on_log(self.data.measure, options), *self.low)
        return Picture(tuple(grid.lines()), self.read(at, width), at, notes, tuple(targets))


def _extra(width: int, across: int) -> int:
    """Cells that the last of so many panels gets more than the others; 0 where they would be too narrow."""
    if width // across >= _NARROWEST + _LABELLED or across == 1:
        return _LABELLED
    rest = (width - _LAST) // (across - 1)
    return max(0, _LAST - rest) if rest >= _SLIMMEST else 0
