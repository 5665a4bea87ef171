"""Rasterise lines and bands as braille dots, in cells of 2 x 4 dots.

Coordinates are dots: x from 0 (left) to 2 * width, y from 0 (bottom) to 4 * height, real numbers, cell centres at .5.
A later line replaces the cells of an earlier one instead of adding its dots, so every cell has one line's colour.
"""

from __future__ import annotations

import numpy as np

# Bit of the dot in row (from the top) and column of a braille cell, Unicode chapter 21.1.
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.float64)

_THIN = 0.75
"""Height in cells below which a band is not drawn."""


class Canvas:
    """Dots of lines in [height, width] cells: ``bits`` of a braille pattern and the ``owner`` line of each cell."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.bits = np.zeros((height, width), np.uint8)
        self.owner = np.full((height, width), -1, np.int16)
        self.band = np.full((height, width), -1, np.int16)

    def line(self, x: np.ndarray, y: np.ndarray, owner: int) -> None:
        """Draw a line through points [n] of ascending x. Non-finite points interrupt it; a single point is a dot."""
        dots = [self._spans(*run) for run in _runs(x, y)]
        if dots:
            self._mark(np.concatenate([d[0] for d in dots]), np.concatenate([d[1] for d in dots]), owner)

    def broken(self, x: np.ndarray, y: np.ndarray, owner: int, drawn: int, period: int) -> None:
        """Draw a dashed line: of every ``period`` columns of dots, only the first ``drawn``."""
        for run in _runs(x, y):
            column, row = self._spans(*run)
            kept = column % period < drawn
            self._mark(column[kept], row[kept], owner)

    def dots(self, x: np.ndarray, y: np.ndarray, owner: int) -> None:
        """Draw single dots at points [n]."""
        good = np.isfinite(x) & np.isfinite(y)
        self._mark(np.floor(x[good]).astype(np.int64), np.floor(y[good]).astype(np.int64), owner)

    def fill(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, owner: int) -> None:
        """Mark the cells between two curves [n] as a band: every cell that the middle third of the band touches.

        A band lower than ``_THIN`` cells is not drawn, since it would look like spots.
        """
        for (run_x, run_low), (_, run_high) in zip(
            _runs(x, np.where(np.isfinite(high), low, np.nan)),
            _runs(x, np.where(np.isfinite(low), high, np.nan)),
            strict=True,
        ):
            first, last = int(run_x[0] // 2), int(run_x[-1] // 2)
            columns = np.arange(max(0, first), min(self.width - 1, last) + 1)
            if not len(columns):
                continue
            centre = np.clip(columns * 2.0 + 1.0, run_x[0], run_x[-1])
            bottom = np.interp(centre, run_x, run_low) / 4
            top = np.interp(centre, run_x, run_high) / 4
            middle = self.height - 0.5 - np.arange(self.height)[:, None]
            inside = (middle + 1 / 6 >= bottom) & (middle - 1 / 6 <= top) & (top - bottom >= _THIN)
            part = self.band[:, columns]
            part[inside] = owner
            self.band[:, columns] = part

    def _spans(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the dots of an unbroken run: its height per column, extended half way to both neighbours."""
        first, last = int(np.floor(x[0])), int(np.floor(x[-1]))
        columns = np.arange(first, last + 1)
        rows = np.floor(np.interp(np.clip(columns + 0.5, x[0], x[-1]), x, y)).astype(np.int64)
        low, high = rows.copy(), rows.copy()
        if len(columns) > 1:
            step = np.diff(rows)
            reach = np.maximum(np.abs(step) - 1, 0)
            after, before = (reach + 1) // 2, reach // 2
            high[:-1] += np.where(step > 0, after, 0)
            low[:-1] -= np.where(step < 0, after, 0)
            high[1:] = np.maximum(high[1:], rows[1:] + np.where(step < 0, before, 0))
            low[1:] = np.minimum(low[1:], rows[1:] - np.where(step > 0, before, 0))
        # Peaks between column centres: with more points than columns this is a min/max decimation.
        column = np.floor(x).astype(np.int64) - first
        own = np.floor(y).astype(np.int64)
        starts = np.flatnonzero(np.diff(column, prepend=-1))
        low[column[starts]] = np.minimum(low[column[starts]], np.minimum.reduceat(own, starts))
        high[column[starts]] = np.maximum(high[column[starts]], np.maximum.reduceat(own, starts))
        low, high = np.clip(low, -1, 4 * self.height), np.clip(high, -1, 4 * self.height)
        length = high - low + 1
        total = int(length.sum())
        offset = np.arange(total) - np.repeat(np.cumsum(length) - length, length)
        return np.repeat(columns, length), np.repeat(low, length) + offset

    def _mark(self, x: np.ndarray, y: np.ndarray, owner: int) -> None:
        y = 4 * self.height - 1 - y
        inside = (x >= 0) & (x < 2 * self.width) & (y >= 0) & (y < 4 * self.height)
        dots = np.unique(y[inside] * (2 * self.width) + x[inside])
        y, x = np.divmod(dots, 2 * self.width)
        cells = (y // 4) * self.width + x // 2
        bits = np.bincount(cells, _BITS[y % 4, x % 2], self.width * self.height).astype(np.uint8)
        own = bits.reshape(self.height, self.width)
        drawn = own > 0
        self.bits[drawn] = own[drawn]
        self.owner[drawn] = owner


def _runs(x: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the runs of finite points."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(good):
        return []
    parts = np.split(good, np.flatnonzero(np.diff(good) > 1) + 1)
    return [(x[part], y[part]) for part in parts]
