"""Looks of a heat map's levels: colours if there are any, else glyphs of increasing weight.

For changes (two-sided scales), lightness also rises from the lowest to the highest level, with grey for zero, so that
signs can be read in greyscale and with any colour blindness; the glyphs point down and up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.color import Color
from rich.style import Style

from explorer.render.palette import LEVELS, SIDE, Palette

GLYPHS = ".:-=+*#%@"
"""Glyphs for the levels of a one-sided scale, lightest first."""
BELOW, ABOVE = "-vVW", "+^AM"
"""Glyphs for levels below and above zero, nearest to zero first."""


@dataclass(frozen=True)
class Ink:
    """The looks of each level."""

    colours: tuple[Color, ...]
    """Colours of the levels; empty: draw glyphs."""
    glyphs: tuple[str, ...]
    styles: tuple[Style, ...]
    """Styles of the glyphs."""
    dark_below: int
    """Level below which colours are dark, so that marks on them must be light."""

    @property
    def levels(self) -> int:
        """Number of levels."""
        return len(self.glyphs)

    def on(self, level: int) -> Style:
        """Return a style for text that is readable on a level's colour."""
        return Style(
            color=Color.from_ansi(231 if level < self.dark_below else 16), bgcolor=self.colours[level], bold=True
        )


def ink(palette: Palette, two_sided: bool, ascii_only: bool) -> Ink:
    """Return the looks of levels in a palette; pictures of plain characters do not use colours for data."""
    if two_sided:
        steps = [i * len(ABOVE) // SIDE for i in range(SIDE)]
        glyphs = (*(BELOW[i] for i in reversed(steps)), " ", *(ABOVE[i] for i in steps))
        styles = (palette.below,) * SIDE + (palette.text,) + (palette.above,) * SIDE
        return Ink(() if ascii_only else palette.two_sided, glyphs, styles, SIDE)
    glyphs = tuple(GLYPHS[i * len(GLYPHS) // LEVELS] for i in range(LEVELS))
    return Ink(() if ascii_only else palette.heat, glyphs, (palette.text,) * LEVELS, palette.heat_dark_below)


def half_block(looks: Ink, above: int, below: int) -> tuple[str, Style]:
    """Return character and style of a cell whose halves have these levels; a negative level is empty (not both)."""
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
    """Return the style of a half block."""
    return Style(color=fore, bgcolor=back)
