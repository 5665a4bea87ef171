"""Draw words with short texts under each: labels and predictions. Long sentences go on below, in blocks."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from explorer.render.cells import Grid, Line
from explorer.render.palette import Palette
from explorer.render.targets import Target
from explorer.render.text import clean, crop, pad

_WIDEST = 14
"""Most cells of a word or text."""
_NAMES = 14
"""Most cells of the names of the rows."""
_GAP = 2


@dataclass(frozen=True)
class GlossRow:
    """One text per word; a missing text is empty."""

    name: str
    texts: tuple[str, ...]
    marks: tuple[str, ...] = ()
    """Mark after each text, one character or none; a marked text stands out. Empty: no marks."""


@dataclass(frozen=True)
class Gloss:
    """Words, and the rows under them."""

    name: str
    words: tuple[str, ...]
    rows: tuple[GlossRow, ...]

    @property
    def tall(self) -> int:
        """Number of lines of a block."""
        return 1 + len(self.rows)


def whole(gloss: Gloss, width: int) -> int:
    """Return the number of lines of all words, with a blank line between two blocks."""
    return len(_blocks(gloss, width)) * (gloss.tall + 1) - 1


def draw(
    gloss: Gloss, width: int, height: int, palette: Palette, at: int = -1, ascii_only: bool = False
) -> tuple[list[Line], tuple[int, int]]:
    """Return lines of exactly width x height cells, and the words that are drawn: the first, and one past the last.

    Args:
        at: the word that is pointed at, which is always drawn; -1: none.
    """
    grid = Grid(width, height)
    shown = _shown(gloss, width, height, at)
    left, cells = _left(gloss, width), _cells(gloss)
    for top, (first, past) in shown:
        grid.put(top, 0, pad(crop(gloss.name, left - _GAP, ascii_only), left - _GAP, right=True), palette.axis)
        for line, row in enumerate(gloss.rows, top + 1):
            grid.put(line, 0, pad(crop(row.name, left - _GAP, ascii_only), left - _GAP, right=True), palette.axis)
        column = left
        for i in range(first, past):
            room = cells[i] - _GAP
            if i == at:
                grid.put(top, column - 1, ">" if ascii_only else "▸", palette.strong)
            grid.put(top, column, crop(gloss.words[i], room, ascii_only), palette.strong if i == at else palette.text)
            for line, row in enumerate(gloss.rows, top + 1):
                mark = row.marks[i] if row.marks else ""
                text = crop(row.texts[i], room - len(mark), ascii_only) + mark
                style = palette.warning if mark else palette.text
                grid.put(line, column, text or ("." if ascii_only else "·"), style if text else palette.faint)
            column += cells[i]
    return grid.lines(), (shown[0][1][0], shown[-1][1][1])


def targets(gloss: Gloss, width: int, height: int, at: int = -1) -> tuple[Target, ...]:
    """Return the jump targets in the same picture: the words, as columns."""
    cells, found = _cells(gloss), []
    for top, (first, past) in _shown(gloss, width, height, at):
        column = _left(gloss, width)
        for i in range(first, past):
            found.append(Target(column - 1, top, column=i))
            column += cells[i]
    return tuple(found)


def _shown(gloss: Gloss, width: int, height: int, at: int) -> list[tuple[int, tuple[int, int]]]:
    """Return the blocks that are drawn, with their first lines: all or, in too few lines, those around a word."""
    blocks = _blocks(gloss, width)
    room = max(1, (height + 1) // (gloss.tall + 1))
    here = next((i for i, (first, past) in enumerate(blocks) if first <= at < past), 0)
    start = min(max(0, here - room // 2), max(0, len(blocks) - room))
    return [(i * (gloss.tall + 1), block) for i, block in enumerate(blocks[start : start + room])]


def _blocks(gloss: Gloss, width: int) -> list[tuple[int, int]]:
    """Return the words of each block: the first, and one past the last."""
    room, cells = width - _left(gloss, width), _cells(gloss)
    blocks, first, used = [], 0, 0
    for i, wide in enumerate(cells):
        if used + wide - _GAP > room and i > first:
            blocks.append((first, i))
            first, used = i, 0
        used += wide
    return [*blocks, (first, len(cells))]


def _left(gloss: Gloss, width: int) -> int:
    """Return the width of the names of the rows."""
    longest = max(cell_len(clean(name)) for name in (gloss.name, *(row.name for row in gloss.rows)))
    return min(longest, _NAMES, max(1, width // 5)) + _GAP


def _cells(gloss: Gloss) -> list[int]:
    """Return the width of each word's column, with the gap after it."""
    found = []
    for i, word in enumerate(gloss.words):
        marked = (cell_len(clean(row.texts[i])) + len(row.marks[i] if row.marks else "") for row in gloss.rows)
        found.append(min(_WIDEST, max(cell_len(clean(word)), *marked)) + _GAP)
    return found
