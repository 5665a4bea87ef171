"""How a heat map shows levels: colours where there are some, else glyphs of rising weight; one scale or two sides.

On two sides (changes: less and more than before) lightness still rises from the lowest to the highest level, with grey
for none, so that a sign can be read in grey and with every kind of colour blindness; its glyphs point down and up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.color import Color
from rich.style import Style

from explorer.render.palette import LEVELS, SIDE, Palette

GLYPHS = ".:-=+*#%@"
"""Levels of one scale without colours, lightest first."""
BELOW, ABOVE = "-vVW", "+^AM"
"""Levels below and above zero without colours, nearest to zero first."""


@dataclass(frozen=True)
class Ink:
    """Looks of each level."""

    colours: tuple[Color, ...]
    """Empty: draw glyphs."""
    glyphs: tuple[str, ...]
    styles: tuple[Style, ...]
    """Of the glyphs."""
    dark_below: int
    """Colours of levels below it are dark: marks on them must be light."""

    @property
    def levels(self) -> int:
        """How many there are."""
        return len(self.glyphs)

    def on(self, level: int) -> Style:
        """Text that can be read on a level's colour."""
        return Style(
            color=Color.from_ansi(231 if level < self.dark_below else 16), bgcolor=self.colours[level], bold=True
        )


def ink(palette: Palette, two_sided: bool, ascii_only: bool) -> Ink:
    """The levels' looks in a palette; pictures of plain characters use no colour as data."""
    if two_sided:
        steps = [i * len(ABOVE) // SIDE for i in range(SIDE)]
        glyphs = (*(BELOW[i] for i in reversed(steps)), " ", *(ABOVE[i] for i in steps))
        styles = (palette.below,) * SIDE + (palette.text,) + (palette.above,) * SIDE
        return Ink(() if ascii_only else palette.two_sided, glyphs, styles, SIDE)
    glyphs = tuple(GLYPHS[i * len(GLYPHS) // LEVELS] for i in range(LEVELS))
    return Ink(() if ascii_only else palette.heat, glyphs, (palette.text,) * LEVELS, palette.heat_dark_below)


def half_block(looks: Ink, above: int, below: int) -> tuple[str, Style]:
    """Character and style of a cell whose upper and lower half have these levels; below 0 is empty, not both are."""
    if not looks.colours:
        level = max(above, below)
        return looks.glyphs[level], looks.styles[level]
    if above == below:
        return " ", fill(None, looks.colours[above])
    if below < 0:
        return "▀", fill(looks.colours[above], None)
    if above < 0:
        return "▄", fill(looks.colours[below], None)
    return "▀", fill(looks.colours[above], looks.colours[below])


@lru_cache(maxsize=1024)
def fill(fore: Color | None, back: Color | None) -> Style:
    """The colours of a half block."""
    return Style(color=fore, bgcolor=back)
