"""Draw training loss and evaluation metric below curves, along the same steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.answers.training import Training
from explorer.render.axes import number
from explorer.render.cells import Grid, crop
from explorer.render.palette import Palette

if TYPE_CHECKING:
    from explorer.render.chart import Frame

_LEAST, _ROOMY = 16, 32
"""Lines of a picture from which each quantity has one line, and two."""
_BARS, _PLAIN = "▁▂▃▄▅▆▇█", "._-=+*%#"


def said(training: Training, step: int) -> str:
    """'accuracy 0.912, loss 0.214'; empty where nothing was logged."""
    if step not in training.steps:
        return ""
    place = training.steps.index(step)
    return ", ".join(f"{t.short} {number(float(v))}" for t in training.tracks if np.isfinite(v := t.values[place]))


def draw(
    grid: Grid, top: int, tall: int, training: Training, frame: Frame, palette: Palette, cursor: int, plain: bool
) -> None:
    """Each track in ``tall`` lines under a chart, on its step axis; ``cursor`` is a step or -1. Each has its own scale,
    from its least value to its largest."""
    steps = np.array(training.steps, np.float64)
    columns = frame.x.low + (np.arange(frame.width) + 0.5) / frame.width * (frame.x.high - frame.x.low)
    bars, mark = (_PLAIN, "|") if plain else (_BARS, "│")
    for i, track in enumerate(training.tracks):
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
        value = track.values[training.steps.index(cursor)] if cursor in training.steps else track.values[there][-1]
        at = frame.left + frame.width + 1
        figure = number(float(value)) if np.isfinite(value) else ""
        names = (f" {track.short}", f" {track.short.rpartition(' ')[2]}", "") if figure else ("",)
        said = next((figure + name for name in names if len(figure + name) <= grid.width - at), figure)
        grid.put(line + tall - 1, at, crop(said, max(0, grid.width - at), plain), palette.text)
        span = f"{number(low)}-{number(high)}"
        if tall > 1 and len(span) <= grid.width - at:
            grid.put(line, at, span, palette.axis)
        grid.put(line + tall - 1, 0, crop(track.letter, max(0, frame.left), plain), palette.axis)


def lines(training: Training, height: int) -> int:
    """Return the number of lines per track below a chart in a picture of so many lines; 0: there is no room."""
    return 0 if not training.tracks or height < _LEAST else 2 if height >= _ROOMY else 1
