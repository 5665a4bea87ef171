"""Draw a text whose pieces are shaded by values, in lines that are wrapped between words.

Where there are no colours, a line of glyphs under each line of text shows the levels: it can be read in any script,
in upper and lower case, and in ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rich.cells import cell_len
from rich.style import Style

from explorer.render.cells import Grid, Line
from explorer.render.ink import Ink, ink
from explorer.render.matrix import Panel
from explorer.render.palette import Palette
from explorer.render.targets import Target, apart
from explorer.render.text import crop

_MARKED = Style(underline=True)


@dataclass(frozen=True, eq=False)
class Prose:
    """A text in pieces, each with a value."""

    pieces: tuple[str, ...]
    joined: tuple[bool, ...]
    """Whether the piece goes on from the one before it, without a blank."""
    values: Panel
    """Values [pieces, 1], from ``low`` to ``high``."""


@dataclass(frozen=True)
class _Place:
    """Place of a piece in the whole text."""

    piece: int
    line: int
    """Line of text, from 0."""
    x: int
    text: str
    gap: int
    """Cell before the word, or before its part on this line."""


def unit(palette: Palette, ascii_only: bool) -> int:
    """Return the number of lines of the picture per line of text."""
    return 1 if ink(palette, False, ascii_only).colours else 2


def tall(prose: Prose, width: int, palette: Palette, ascii_only: bool = False) -> int:
    """Return the number of lines that the whole text takes."""
    return (_places(prose, width, ascii_only)[-1].line + 1) * unit(palette, ascii_only)


def draw(
    prose: Prose,
    width: int,
    height: int,
    palette: Palette,
    at: int = -1,
    other: int = -1,
    ascii_only: bool = False,
) -> tuple[list[Line], tuple[int, int]]:
    """Return lines of exactly width x height cells, and the pieces that are drawn: the first, and one past the last.

    Args:
        at: the piece that is pointed at, which is always drawn; -1: none.
        other: a second piece that is marked if it is drawn; -1: none.
    """
    grid, looks = Grid(width, height), ink(palette, False, ascii_only)
    levels = prose.values.levels(looks.levels)[:, 0]
    shown, per = _shown(prose, width, height, palette, at, ascii_only), unit(palette, ascii_only)
    for one in shown:
        level, line = int(levels[one.piece]), one.line * per
        style = _style(looks, level, palette, one.piece in (at, other))
        grid.put(line, one.x, one.text, style)
        if not looks.colours:
            grid.put(line + 1, one.x, looks.glyphs[level] * cell_len(one.text), looks.styles[level])
    marks = ((other, "*" if ascii_only else "◆"), (at, ">" if ascii_only else "▸"))
    for piece, sign in marks:
        for one in shown:
            if one.piece == piece:
                grid.put(one.line * per, one.gap, sign, palette.strong)
    return grid.lines(), (shown[0].piece, shown[-1].piece + 1)


def targets(
    prose: Prose, width: int, height: int, palette: Palette, at: int = -1, ascii_only: bool = False
) -> tuple[Target, ...]:
    """Return the jump targets in the same picture: the pieces, as columns."""
    shown, per = _shown(prose, width, height, palette, at, ascii_only), unit(palette, ascii_only)
    found: list[Target] = []
    for line in range(shown[-1].line + 1):
        here = [one for one in shown if one.line == line and one.x < width]
        found += [Target(here[i].x, line * per, here[i].piece) for i in apart([one.x for one in here])]
    return tuple(target for target in found if target.y < height)


def _style(looks: Ink, level: int, palette: Palette, marked: bool) -> Style:
    if looks.colours:
        return looks.on(level) + _MARKED if marked else looks.on(level)
    return palette.strong + _MARKED if marked else palette.text


def _shown(prose: Prose, width: int, height: int, palette: Palette, at: int, ascii_only: bool) -> list[_Place]:
    """Return the places on the lines that are drawn, counted from the first of them: all lines, or those around a
    piece."""
    places = _places(prose, width, ascii_only)
    there = places[-1].line + 1
    room = max(1, height // unit(palette, ascii_only))
    here = next((one.line for one in places if one.piece == at), 0)
    first = min(max(0, here - room // 2), max(0, there - room))
    return [
        _Place(one.piece, one.line - first, one.x, one.text, one.gap)
        for one in places
        if first <= one.line < first + room
    ]


@lru_cache(maxsize=4)
def _places(prose: Prose, width: int, ascii_only: bool) -> tuple[_Place, ...]:
    """Return the place of each piece. The first cell of a line is kept for marks; a word is only broken if it is
    longer than a line, and then between its pieces."""
    room = max(1, width - 1)
    texts = [crop(piece, room, ascii_only) or "?" for piece in prose.pieces]
    edges = [*(i for i, joined in enumerate(prose.joined) if not joined or i == 0), len(texts)]
    found: list[_Place] = []
    line = used = 0
    for first, past in pairwise(edges):
        wide = sum(map(cell_len, texts[first:past]))
        if used and used + 1 + wide > room:
            line, used = line + 1, 0
        elif used:
            used += 1
        gap = used
        for i in range(first, past):
            if used and used + cell_len(texts[i]) > room:
                line, used, gap = line + 1, 0, 0
            found.append(_Place(i, line, used + 1, texts[i], gap))
            used += cell_len(texts[i])
    return tuple(found)
