"""Few bytes, and still every cell as Textual meant it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from explorer.ui.terminal.minimal_updates import MinimalUpdates
from tests.explorer.ui.emulator import Cell, Emulator, styled

WIDTH, HEIGHT = 24, 3
BLUE, RED, GREY = Color.from_rgb(0, 0, 255), Color.from_ansi(160), Color.default()
STYLES = (
    None,
    Style(),
    Style(bold=True),
    Style(reverse=True),
    Style(color=BLUE),
    Style(color=RED, bold=True),
    Style(color=BLUE, bgcolor=RED),
    Style(color=RED, bgcolor=RED),
    Style(bgcolor=BLUE, underline=True),
    Style(color=GREY, dim=True),
    Style(color=BLUE, strike=True),
)
cells = st.tuples(st.sampled_from("ab  ⣿▀"), st.sampled_from(STYLES))
lines = st.lists(st.lists(cells, min_size=WIDTH, max_size=WIDTH), min_size=HEIGHT, max_size=HEIGHT)
cuts = st.lists(st.integers(1, WIDTH - 1), max_size=3, unique=True).map(sorted)
spans = st.lists(
    st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH)).filter(
        lambda s: s[1] < s[2]
    ),
    min_size=1,
    max_size=5,
)
Line = list[tuple[str, Style | None]]


def strip(line: Line) -> Strip:
    return Strip([Segment(char, style) for char, style in line], len(line))


def looks(picture: Sequence[Line]) -> list[list[Cell]]:
    return [[styled(char, style) for char, style in line] for line in picture]


def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system="truecolor")


def everything(picture: Sequence[Line]) -> LayoutUpdate:
    return LayoutUpdate([[strip(line)] for line in picture], Region(0, 0, WIDTH, HEIGHT))


@given(lines)
def test_a_whole_screen_looks_as_it_was_meant(picture: list[Line]) -> None:
    update, screen = everything(picture), Emulator(WIDTH, HEIGHT)
    sent = MinimalUpdates().lean(update).render_segments(console())
    screen.feed(sent)
    assert screen.cells == looks(picture)
    assert screen.plain
    assert len(sent) <= len(update.render_segments(console()))


@given(lines, lines, cuts, spans)
def test_a_change_sends_its_cells_and_touches_no_other(
    old: list[Line], new: list[Line], cut: list[int], changed: list[tuple[int, int, int]]
) -> None:
    edges = [0, *cut, WIDTH]
    chops = [{a: strip(line[a:b]) for a, b in pairwise(edges)} for line in new]
    update = ChopsUpdate(chops, changed, [edges[1:]] * HEIGHT)
    screen = Emulator(WIDTH, HEIGHT)
    sent_before = MinimalUpdates()
    screen.feed(sent_before.lean(everything(old)).render_segments(console()))
    screen.feed(sent_before.lean(update).render_segments(console()))
    expected = looks(old)
    for y, start, stop in changed:
        expected[y][start:stop] = looks(new)[y][start:stop]
    assert screen.cells == expected
    assert screen.plain


def test_a_change_at_the_right_edge_of_a_widget_does_not_send_the_rest_of_it() -> None:
    line: Line = [("a", None)] * (WIDTH - 1) + [("b", None)]
    update = ChopsUpdate([{0: strip(line)}], [(0, WIDTH - 1, WIDTH)], [[WIDTH]])
    assert MinimalUpdates().lean(update).render_segments(console()) == f"\x1b[1;{WIDTH}Hb"


def test_a_style_is_said_once_and_only_what_differs_of_the_next() -> None:
    line = Strip(
        [Segment("ab", Style(color=BLUE, bgcolor=RED)), Segment("c", Style(color=GREY, bgcolor=RED)), Segment("d")]
    )
    update = LayoutUpdate([[line]], Region(0, 0, 4, 1))
    expected = "\x1b[1;1H\x1b[38;2;0;0;255;48;5;160mab\x1b[39mc\x1b[0md"
    assert MinimalUpdates().lean(update).render_segments(console()) == expected


def test_wide_characters_take_their_two_cells() -> None:
    strips = [Strip([Segment("日", Style(bold=True)), Segment("x")]), Strip([Segment("本"), Segment("y")])]
    screen = Emulator(WIDTH, HEIGHT)
    screen.feed(MinimalUpdates().lean(LayoutUpdate([strips], Region(0, 0, 6, 1))).render_segments(console()))
    assert [cell[0] for cell in screen.cells[0][:6]] == ["日", "", "x", "本", "", "y"]


def test_what_is_no_update_of_the_screen_is_left_alone() -> None:
    assert MinimalUpdates().lean(None) is None
    assert MinimalUpdates().lean("text") == "text"


@given(st.lists(lines, min_size=2, max_size=4))
def test_screens_after_one_another_look_as_the_last_was_meant(pictures: list[list[Line]]) -> None:
    sent_before, screen = MinimalUpdates(), Emulator(WIDTH, HEIGHT)
    for picture in pictures:
        screen.feed(sent_before.lean(everything(picture)).render_segments(console()))
        assert screen.cells == looks(picture)
    assert sent_before.lean(everything(pictures[-1])).render_segments(console()) == ""


def test_a_screen_that_stays_sends_nothing_until_it_is_forgotten() -> None:
    picture: list[Line] = [[("a", Style(bold=True))] * WIDTH] * HEIGHT
    sent_before = MinimalUpdates()
    first = sent_before.lean(everything(picture)).render_segments(console())
    assert sent_before.lean(everything(picture)).render_segments(console()) == ""
    sent_before.forget()
    assert sent_before.lean(everything(picture)).render_segments(console()) == first


wide = st.lists(st.sampled_from(["日", "本", "x", " ", "⣿"]), min_size=4, max_size=8)


@given(wide, wide)
def test_wide_characters_over_one_another_leave_no_half(old: list[str], new: list[str]) -> None:
    sent_before, screen = MinimalUpdates(), Emulator(20, 1)
    for row in (old, new):
        strips = [Strip([Segment("".join(row))]).adjust_cell_length(16)]
        screen.feed(sent_before.lean(LayoutUpdate([strips], Region(0, 0, 16, 1))).render_segments(console()))
    shown = "".join(cell[0] for cell in screen.cells[0])
    assert shown.rstrip() == "".join(new).rstrip()
