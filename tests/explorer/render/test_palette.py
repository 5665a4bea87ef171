"""Does each kind of terminal get only what it can show, in an order that the eye can follow?"""

import colorsys
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from rich.color import Color

from explorer.render.chart import Chart, Series
from explorer.render.heat import HeatChart, HeatMap
from explorer.render.ink import ink
from explorer.render.lines import LineChart
from explorer.render.output import to_ansi
from explorer.render.palette import LEVELS, SIDE, Depth, detect, palette

DEPTHS = list(Depth)


def luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2) of a colour."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour.get_truecolor()]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def drawn(depth: Depth, dark: bool = True) -> str:
    """A chart with bands, focus and cursor, and a heat map with everything, as a terminal of that depth gets it."""
    x = np.arange(0, 500, 20.0)
    series = tuple(Series(f"L{i}", x, i * x / 500, i / 12, i * x / 500 - 0.1, i * x / 500 + 0.1, i) for i in range(13))
    values = np.arange(60.0).reshape(6, 10)
    values[2, 3] = np.nan
    names = tuple(map(str, range(6))), tuple(map(str, range(10))), "layer", "step", "distance"
    chart, heat, changes = (
        LineChart(Chart(series, "step", "distance")),
        HeatChart(HeatMap(values, *names)),
        HeatChart(HeatMap(values - 30, *names, signed=True)),
    )
    colours = palette(depth, dark)
    lines = [
        *chart.draw(90, 20, colours, 3, 4),
        *chart.draw(90, 20, colours),
        *heat.draw(90, 20, colours, 3, 4),
        *heat.draw(90, 20, colours, 3, 4, digits=True),
        *changes.draw(90, 20, colours, 3, 4),
        *changes.draw(90, 20, colours, 3, 4, digits=True),
    ]
    return to_ansi(lines, depth)


def codes(text: str) -> set[str]:
    """Colour codes: 38;2, 38;5, 48;2, 48;5 or a plain number."""
    found = set()
    for sequence in re.findall(r"\x1b\[([\d;]*)m", text):
        parts = sequence.split(";")
        while parts:
            head = parts.pop(0)
            if head in ("38", "48"):
                kind = parts.pop(0)
                found.add(f"{head};{kind}")
                del parts[: 3 if kind == "2" else 1]
            elif int(head or 0) >= 30:
                found.add(head)
    return found


def test_without_colour_there_is_no_escape_at_all():
    assert "\x1b" not in drawn(Depth.NONE)


@pytest.mark.parametrize("dark", [True, False])
def test_256_colours_are_eight_bit_codes_only(dark):
    assert codes(drawn(Depth.EIGHT_BIT, dark)) == {"38;5", "48;5"}


@pytest.mark.parametrize("dark", [True, False])
def test_truecolour_is_twenty_four_bit_but_for_black_and_white_marks(dark):
    assert {"38;2", "48;2"} <= codes(drawn(Depth.TRUECOLOR, dark)) <= {"38;2", "48;2", "38;5"}


def test_16_colours_are_the_sixteen():
    found = codes(drawn(Depth.STANDARD))
    assert found
    assert all(30 <= int(c) <= 37 or 90 <= int(c) <= 97 for c in found)


@pytest.mark.parametrize("depth", [Depth.TRUECOLOR, Depth.EIGHT_BIT])
def test_heat_colours_rise_in_lightness(depth):
    light = [luminance(c) for c in palette(depth).heat]
    assert len(light) == LEVELS
    assert all(b > a for a, b in pairwise(light))


@pytest.mark.parametrize("depth", [Depth.TRUECOLOR, Depth.EIGHT_BIT])
def test_heat_colours_go_one_way_round_from_violet_to_yellow(depth):
    """A ramp that turns back (blue, violet, blue) reads as more classes than it has values."""
    hues = [360 * colorsys.rgb_to_hls(*(c / 255 for c in one.get_truecolor()))[0] for one in palette(depth).heat]
    assert hues[0] > 260
    assert hues[-1] < 70
    assert all(b < a + 20 for a, b in pairwise(hues))


def chroma(colour: Color) -> float:
    """How far from grey: the extent of the three channels."""
    return (max(colour.get_truecolor()) - min(colour.get_truecolor())) / 255


@pytest.mark.parametrize("depth", [Depth.TRUECOLOR, Depth.EIGHT_BIT])
def test_colours_of_changes_rise_in_lightness_from_blue_over_grey_to_yellow(depth):
    """Blue and yellow are told apart with every common kind of colour blindness; lightness alone gives the sign too."""
    colours = palette(depth).two_sided
    assert len(colours) == 2 * SIDE + 1
    light = [luminance(c) for c in colours]
    assert all(b > a for a, b in pairwise(light))
    assert chroma(colours[SIDE]) < 0.05
    for i in range(SIDE - 1):
        red, _, blue = colours[i].get_truecolor()
        assert blue > red
    for i in range(SIDE + 1, 2 * SIDE):
        red, _, blue = colours[i].get_truecolor()
        assert red > blue


@pytest.mark.parametrize("depth", [Depth.TRUECOLOR, Depth.EIGHT_BIT])
@pytest.mark.parametrize("dark", [True, False])
def test_lines_can_be_seen_and_their_order_followed(depth, dark):
    light = [luminance(s.color) for s in palette(depth, dark).lines if s.color]
    background = 0.01 if dark else 1.0
    contrast = [(max(v, background) + 0.05) / (min(v, background) + 0.05) for v in light]
    assert min(contrast) >= (2.5 if dark else 1.9)
    assert light == sorted(light, reverse=not dark)
    inks = [s.color.get_truecolor() for s in palette(depth, dark).lines if s.color]
    hues = [colorsys.rgb_to_hls(*(c / 255 for c in ink))[0] for ink in inks]
    assert max(hues) - min(hues) > 0.4


@pytest.mark.parametrize("depth", [Depth.TRUECOLOR, Depth.EIGHT_BIT])
def test_figures_can_be_read_on_every_level(depth):
    for two_sided in (False, True):
        looks = ink(palette(depth), two_sided, ascii_only=False)
        for level in range(looks.levels):
            style = looks.on(level)
            assert style.color
            assert style.bgcolor
            figure, paper = sorted((luminance(style.color), luminance(style.bgcolor)), reverse=True)
            assert (figure + 0.05) / (paper + 0.05) >= 3.0, level


@pytest.mark.parametrize("depth", [Depth.STANDARD, Depth.NONE])
def test_where_colours_are_few_the_glyph_says_the_sign_of_a_change(depth):
    looks = ink(palette(depth), True, ascii_only=False)
    below, above = set(looks.glyphs[:SIDE]), set(looks.glyphs[SIDE + 1 :])
    assert looks.glyphs[SIDE] == " "
    assert not looks.colours
    assert not (below & above)
    assert " " not in below | above
    assert len(below) == len(above) == 4


@pytest.mark.parametrize("depth", [Depth.STANDARD, Depth.NONE])
def test_where_colours_are_few_lines_have_letters(depth):
    assert palette(depth).letters
    text = drawn(depth)
    assert re.search(r"c L12 \d", re.sub(r"\x1b\[[\d;]*m", "", text))


@pytest.mark.parametrize(
    ("environment", "depth"),
    [
        ({"TERM": "xterm-256color"}, Depth.EIGHT_BIT),
        ({"TERM": "tmux-256color"}, Depth.EIGHT_BIT),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Depth.TRUECOLOR),
        ({"TERM": "linux"}, Depth.STANDARD),
        ({"TERM": "dumb"}, Depth.NONE),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, Depth.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Depth.EIGHT_BIT),
    ],
)
def test_the_terminal_is_asked_what_it_can_show(environment, depth):
    assert detect(environment) is depth


def test_styling_a_screen_needs_no_arrays():
    code = "import explorer.render.palette, explorer.views.base, sys; print({'numpy', 'textual'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
