"""A grid of styled character cells, and its lines: ``list[rich.segment.Segment]`` of an exact width."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style

from explorer.render.text import clean, crop

Line = list[Segment]
_PLAIN = Style()


def width_of(line: Line) -> int:
    """Return the width of a line in cells."""
    return sum(segment.cell_length for segment in line)


class Grid:
    """Characters and styles, [height, width]. Text outside is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.chars = np.full((height, width), ord(" "), np.uint32)
        """Code points; 0 in the second cell of a wide character."""
        self.styles = np.zeros((height, width), np.int16)
        """Numbers of styles, from ``style``."""
        self._table: list[Style] = [_PLAIN]
        self._numbers: dict[Style, int] = {_PLAIN: 0}

    def copy(self) -> Grid:
        """Return an independent copy."""
        other = Grid.__new__(Grid)
        other.width, other.height = self.width, self.height
        other.chars, other.styles = self.chars.copy(), self.styles.copy()
        other._table, other._numbers = self._table.copy(), self._numbers.copy()
        return other

    def style(self, style: Style) -> int:
        """Return the number of a style in this grid."""
        number = self._numbers.get(style)
        if number is None:
            number = self._numbers[style] = len(self._table)
            self._table.append(style)
        return number

    def put(self, row: int, column: int, text: str, style: Style = _PLAIN) -> None:
        """Write text, starting at a cell."""
        if not 0 <= row < self.height:
            return
        number = self.style(style)
        for char in clean(text):
            wide = not char.isascii() and cell_len(char) == 2
            if column >= 0 and column + wide < self.width:
                self.chars[row, column] = ord(char)
                self.styles[row, column] = number
                if wide:
                    self.chars[row, column + 1] = 0
                    self.styles[row, column + 1] = number
            column += 1 + wide

    def paste(self, other: Grid, row: int, column: int) -> None:
        """Copy a whole grid to a place, cutting off what does not fit."""
        tall, wide = min(other.height, self.height - row), min(other.width, self.width - column)
        if tall <= 0 or wide <= 0:
            return
        numbers = np.array([self.style(style) for style in other._table], np.int16)
        self.chars[row : row + tall, column : column + wide] = other.chars[:tall, :wide]
        self.styles[row : row + tall, column : column + wide] = numbers[other.styles[:tall, :wide]]

    def replace_word(self, row: int, centre: int, text: str, style: Style) -> None:
        """Write a word centred on a column, and remove all words that it would touch."""
        at = max(0, min(centre - len(text) // 2, self.width - len(text)))
        chars = self.chars[row]
        for edge, onward in ((at - 1, -1), (at + len(text), 1)):
            while 0 <= edge < self.width and chars[edge] != 32:
                chars[edge] = 32
                edge += onward
        chars[at : at + len(text)] = 32
        self.put(row, at, text, style)

    def lines(self) -> list[Line]:
        """Return the grid as lines of segments that are as long as possible.

        A blank takes the style of the character before it if the styles look the same on a blank, which saves bytes.
        """
        styles = self.styles
        hidden = np.array([s.bgcolor is None and not s.underline and not s.reverse for s in self._table])
        blank = (self.chars == 32) & hidden[styles]
        if blank.any():
            place = np.where(blank, 0, np.arange(self.width))
            before = np.take_along_axis(styles, np.maximum.accumulate(place, axis=1), axis=1)
            styles = np.where(blank & hidden[before], before, np.where(blank, 0, styles))
        lines: list[Line] = []
        table = self._table
        for chars, row in zip(self.chars, styles, strict=True):
            text = chars.tobytes().decode("utf-32-le")
            edges = [0, *(np.flatnonzero(row[1:] != row[:-1]) + 1).tolist(), self.width]
            wide = "\0" in text
            lines.append(
                [Segment(text[a:b].replace("\0", "") if wide else text[a:b], table[row[a]]) for a, b in pairwise(edges)]
            )
        return lines


def message(text: str, width: int, height: int, style: Style = _PLAIN) -> list[Line]:
    """Return lines with a wrapped message in the middle, instead of a picture; words longer than a line are broken."""
    words, rows = [part for word in clean(text).split() for part in chop_cells(word, max(2, width))], [""]
    for word in words:
        joined = f"{rows[-1]} {word}".strip()
        if cell_len(joined) <= max(1, width - 2) or not rows[-1]:
            rows[-1] = joined
        else:
            rows.append(word)
    grid = Grid(width, height)
    top = max(0, (height - len(rows)) // 2)
    for i, row in enumerate(rows[:height]):
        row = crop(row, width)
        grid.put(top + i, max(0, (width - cell_len(row)) // 2), row, style)
    return grid.lines()
