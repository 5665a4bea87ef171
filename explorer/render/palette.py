"""Colours per colour depth of the terminal (truecolor, 256, 16, none), for dark and for light backgrounds.

Layers and steps are ordered, so lines take their colours from an ordinal ramp whose lightness rises (or falls)
monotonically: it can be read in greyscale and with any colour blindness. If a depth has too few colours for the ramp
(16, none), lines also have letters and heat maps use glyphs. Pure Python, since screens are styled before numpy is
loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rich.color import Color
from rich.style import Style

LEVELS = 16
"""Number of colour levels of a heat map: more would cost bytes and could not be distinguished."""
SIDE = 7
"""Number of levels of a change on each side of zero."""


class Depth(StrEnum):
    """Number of colours that the terminal shows."""

    TRUECOLOR = "truecolor"
    EIGHT_BIT = "256"
    STANDARD = "16"
    NONE = "none"


@dataclass(frozen=True)
class Palette:
    """Styles by role. Backgrounds belong to the terminal (or the widget), except where colours show data."""

    depth: Depth
    dark: bool
    text: Style
    axis: Style
    faint: Style
    """Style of lines out of focus, of the grid and of missing cells."""
    strong: Style
    cursor: Style
    warning: Style
    lines: tuple[Style, ...]
    """Ordinal ramp of line colours, lowest first; a single style if only letters distinguish lines."""
    heat: tuple[Color, ...]
    """LEVELS colours, lowest first; empty: draw levels with glyphs."""
    heat_dark_below: int
    """Level below which colours are dark, so that marks on them must be light."""
    two_sided: tuple[Color, ...]
    """2 SIDE + 1 colours for changes, with grey in the middle for zero, dark below it; empty if ``heat`` is."""
    below: Style
    """Style of glyphs for levels below zero, if there are no colours."""
    above: Style
    band: Style | None
    """Background of a spread; None: draw dotted edges instead."""

    @property
    def letters(self) -> bool:
        """Whether lines need letters because colours do not distinguish them."""
        return self.depth in (Depth.STANDARD, Depth.NONE)

    def line(self, rank: float) -> Style:
        """Return the style of a line at a place of the ramp, 0 = lowest to 1 = highest."""
        return self.lines[min(len(self.lines) - 1, max(0, round(rank * (len(self.lines) - 1))))]


@lru_cache(maxsize=8)
def palette(depth: Depth | str, dark: bool = True) -> Palette:
    """Return the palette of a depth for a dark or a light background.

    Raises:
        ValueError: there is no such depth.
    """
    depth = Depth(depth)
    if depth is Depth.TRUECOLOR:
        return _truecolor(dark)
    if depth is Depth.EIGHT_BIT:
        return _eight_bit(dark)
    return _standard(dark) if depth is Depth.STANDARD else _none(dark)


def detect(environment: Mapping[str, str]) -> Depth:
    """Return the colour depth from environment variables. Callers must check first that the output is a terminal.

    tmux keeps 24-bit colours and reduces them for its client; mosh and screen do not, and ssh does not forward
    COLORTERM, so 256 is the common case.
    """
    term = environment.get("TERM", "").lower()
    if environment.get("NO_COLOR") or term in ("dumb", "unknown"):
        return Depth.NONE
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return Depth.TRUECOLOR
    if term in ("linux", "ansi", "vt100", "vt220", "xterm-color", "cygwin"):
        return Depth.STANDARD
    return Depth.EIGHT_BIT


# Cells of the 6x6x6 cube picked by hand along the ramp's path (violet, blue, teal, green, yellow), lightness rising
# (falling for lines on a light background). Nearest-colour rounding of a smooth ramp gives greys and uneven steps.
_CUBE_LINES_DARK = (97, 98, 99, 68, 69, 37, 42, 78, 113, 149, 185, 191, 227)
_CUBE_LINES_LIGHT = (142, 106, 70, 35, 31, 26, 25, 56, 55, 54, 18)
_CUBE_HEAT = (53, 54, 55, 56, 25, 26, 31, 32, 37, 42, 78, 113, 149, 185, 191, 227)
_CUBE_TWO_SIDED = (17, 18, 19, 20, 25, 61, 67, 245, 137, 173, 178, 214, 220, 227, 230)


def _truecolor(dark: bool) -> Palette:
    low, high = (0.58, 0.93) if dark else (0.74, 0.30)
    lines = [_ramp(i / 31, low, high, turn=not dark) for i in range(32)]
    return Palette(
        depth=Depth.TRUECOLOR,
        dark=dark,
        text=Style(color=_rgb(0.88 if dark else 0.25)),
        axis=Style(color=_rgb(0.62 if dark else 0.50)),
        faint=Style(color=_rgb(0.42 if dark else 0.76)),
        strong=Style(color=_rgb(0.98 if dark else 0.10), bold=True),
        cursor=Style(color=_rgb(0.72 if dark else 0.45)),
        warning=Style(color=Color.from_rgb(*_oklch(0.80 if dark else 0.55, 0.15, 70)), bold=True),
        lines=tuple(Style(color=c) for c in lines),
        heat=tuple(_ramp(i / (LEVELS - 1), 0.24, 0.95) for i in range(LEVELS)),
        two_sided=tuple(_two_sided(i / SIDE) for i in range(-SIDE, SIDE + 1)),
        heat_dark_below=8,
        below=Style(),
        above=Style(),
        band=Style(bgcolor=_rgb(0.38 if dark else 0.90)),
    )


def _eight_bit(dark: bool) -> Palette:
    def grey(level: int) -> Color:
        return Color.from_ansi(level)

    return Palette(
        depth=Depth.EIGHT_BIT,
        dark=dark,
        text=Style(color=grey(252 if dark else 235)),
        axis=Style(color=grey(246 if dark else 243)),
        faint=Style(color=grey(240 if dark else 249)),
        strong=Style(color=grey(231 if dark else 16), bold=True),
        cursor=Style(color=grey(249 if dark else 240)),
        warning=Style(color=Color.from_ansi(215 if dark else 130), bold=True),
        lines=tuple(Style(color=Color.from_ansi(c)) for c in (_CUBE_LINES_DARK if dark else _CUBE_LINES_LIGHT)),
        heat=tuple(Color.from_ansi(c) for c in _CUBE_HEAT),
        two_sided=tuple(Color.from_ansi(c) for c in _CUBE_TWO_SIDED),
        heat_dark_below=8,
        below=Style(),
        above=Style(),
        band=Style(bgcolor=grey(238 if dark else 254)),
    )


def _standard(dark: bool) -> Palette:
    order = (5, 4, 6, 2, 3, 1) if not dark else (13, 12, 14, 10, 11, 9)
    return Palette(
        depth=Depth.STANDARD,
        dark=dark,
        text=Style(),
        axis=Style(),
        faint=Style(dim=True),
        strong=Style(bold=True),
        cursor=Style(),
        warning=Style(color=Color.from_ansi(11 if dark else 1), bold=True),
        lines=tuple(Style(color=Color.from_ansi(c)) for c in order),
        heat=(),
        two_sided=(),
        heat_dark_below=0,
        below=Style(color=Color.from_ansi(6 if dark else 4)),
        above=Style(color=Color.from_ansi(3 if dark else 1)),
        band=None,
    )


def _none(dark: bool) -> Palette:
    return Palette(
        depth=Depth.NONE,
        dark=dark,
        text=Style(),
        axis=Style(),
        faint=Style(dim=True),
        strong=Style(bold=True),
        cursor=Style(),
        warning=Style(bold=True),
        lines=(Style(),),
        heat=(),
        two_sided=(),
        heat_dark_below=0,
        below=Style(),
        above=Style(),
        band=None,
    )


def _ramp(place: float, low: float, high: float, turn: bool = False) -> Color:
    """Return a colour from violet to yellow with lightness from low to high; ``turn`` reverses the hues."""
    hue = 310 - 210 * (1 - place if turn else place)
    return Color.from_rgb(*_oklch(low + (high - low) * place, 0.145, hue))


def _two_sided(place: float) -> Color:
    """Return dark blue at -1, grey at 0, yellow at 1, with monotonically rising lightness."""
    if place < 0:
        return Color.from_rgb(*_oklch(0.58 + 0.30 * place, 0.19 * abs(place) ** 0.7, 262))
    return Color.from_rgb(*_oklch(0.58 + 0.37 * place, 0.16 * place**0.7, 55 + 50 * place))


def _rgb(lightness: float) -> Color:
    return Color.from_rgb(*_oklch(lightness, 0.0, 0.0))


def _oklch(lightness: float, chroma: float, hue: float) -> tuple[int, int, int]:
    """Return the sRGB bytes of an OKLCH colour (Ottosson 2020), with chroma reduced until the colour exists."""
    while True:
        a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
        if all(-1e-4 <= v <= 1.0001 for v in linear) or chroma < 1e-3:
            red, green, blue = (_gamma(min(1.0, max(0.0, v))) for v in linear)
            return red, green, blue
        chroma *= 0.95


def _gamma(linear: float) -> int:
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * value)
