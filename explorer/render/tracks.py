"""Draw small tracks below curves, along the same steps: training loss and evaluation metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import Grid
from explorer.render.palette import Palette
from explorer.render.text import crop

if TYPE_CHECKING:
    from explorer.render.chart import Frame

_LEAST, _ROOMY = 16, 32
"""Lines of a picture from which each quantity has one line, and two."""
_BARS, _PLAIN = "▁▂▃▄▅▆▇█", "._-=+*%#"


class Track(Protocol):
    """One quantity along the steps."""

    @property
    def values(self) -> np.ndarray:
        """Value at each step, float64 [steps]; NaN where there is none."""
        ...

    @property
    def letter(self) -> str:
        """A word of at most four letters for a narrow margin."""
        ...

    @property
    def short(self) -> str:
        """Name, such as 'accuracy'."""
        ...


def draw(
    grid: Grid,
    top: int,
    tall: int,
    at: Sequence[int],
    tracks: Sequence[Track],
    frame: Frame,
    palette: Palette,
    cursor: int,
    plain: bool,
) -> None:
    """Draw each track in ``tall`` lines under a chart, on its step axis and on a scale of its own, from its least value
    to its largest.

    Args:
        top: first line of the first track.
        at: step of each value.
        cursor: step that is pointed at; -1: none.
        plain: whether only ASCII is drawn.
    """
    steps = np.array(at, np.float64)
    columns = frame.x.low + (np.arange(frame.width) + 0.5) / frame.width * (frame.x.high - frame.x.low)
    bars, mark = (_PLAIN, "|") if plain else (_BARS, "│")
    for i, track in enumerate(tracks):
        there = np.isfinite(track.values)
        low, high = float(track.values[there].min()), float(track.values[there].max())
        share = (np.interp(columns, steps[there], track.values[there]) - low) / (high - low or 1.0)
        level = 1 + np.floor(share * (8 * tall - 1)).astype(int)
        level[(columns < steps[there][0]) | (columns > steps[there][-1])] = 0
        line = top + i * tall
        for row in range(tall):
            under = 8 * (tall - 1 - row)
            text = "".join(bars[min(7, n - under - 1)] if n > under else " " for n in level)
            grid.put(line + row, frame.left, text, palette.axis)
            if cursor >= 0:
                column = min(frame.column(float(cursor)), frame.left + frame.width - 1)
                grid.put(line + row, column, mark, palette.cursor)
        value = track.values[at.index(cursor)] if cursor in at else track.values[there][-1]
        right = frame.left + frame.width + 1
        figure = number(float(value)) if np.isfinite(value) else ""
        names = (f" {track.short}", f" {track.short.rpartition(' ')[2]}", "") if figure else ("",)
        said = next((figure + name for name in names if len(figure + name) <= grid.width - right), figure)
        grid.put(line + tall - 1, right, crop(said, max(0, grid.width - right), plain), palette.text)
        span = f"{number(low)}-{number(high)}"
        if tall > 1 and len(span) <= grid.width - right:
            grid.put(line, right, span, palette.axis)
        grid.put(line + tall - 1, 0, crop(track.letter, max(0, frame.left), plain), palette.axis)


def lines(tracks: Sequence[Track], height: int) -> int:
    """Return the number of lines per track below a chart in a picture of so many lines; 0: there is no room."""
    return 0 if not tracks or height < _LEAST else 2 if height >= _ROOMY else 1
