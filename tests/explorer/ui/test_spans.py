"""Only what changed is sent, and all of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from explorer.ui.widgets.spans import changed
from tests.explorer.ui.emulator import Cell, styled

BLUE = Color.from_ansi(4)
STYLES = (
    None,
    Style(),
    Style(bold=True),
    Style(color=BLUE),
    Style(reverse=True),
    Style(color=BLUE, reverse=True),
    Style(bgcolor=BLUE),
    Style(color=BLUE, underline=True),
    Style(strike=True),
)
Row = list[tuple[str, Style | None]]
cells = st.lists(st.tuples(st.sampled_from("ab  ⣿"), st.sampled_from(STYLES)), min_size=20, max_size=20)


def line(row: Row) -> list[Segment]:
    return [Segment(char, style) for char, style in row]


def looks(row: Row) -> list[Cell]:
    return [styled(char, style) for char, style in row]


@given(cells, cells)
def test_taking_the_spans_of_the_new_line_makes_the_old_line_new(old: Row, new: Row) -> None:
    mended = list(old)
    for start, stop in changed(line(old), line(new)):
        mended[start:stop] = new[start:stop]
    assert looks(mended) == looks(new)


@given(cells, cells)
def test_a_span_begins_and_ends_with_a_cell_that_looks_other_than_before(old: Row, new: Row) -> None:
    before, after = looks(old), looks(new)
    for start, stop in changed(line(old), line(new)):
        assert before[start] != after[start]
        assert before[stop - 1] != after[stop - 1]


def test_a_blank_that_only_changes_its_colour_sends_nothing() -> None:
    assert (
        changed(
            [Segment("a  b", Style(bold=True))],
            [Segment("a", Style(bold=True)), Segment("  "), Segment("b", Style(bold=True))],
        )
        == []
    )


@given(cells)
def test_a_line_that_stays_sends_nothing(row: Row) -> None:
    assert changed(line(row), line(row)) == []


def test_two_changes_far_apart_leave_out_what_is_between() -> None:
    old, new = [Segment("." * 100)], [Segment("x" + "." * 98 + "x")]
    assert changed(old, new) == [(0, 1), (99, 100)]


def test_a_line_with_wide_characters_is_sent_whole() -> None:
    assert changed([Segment("日本..")], [Segment("日本.x")]) == [(0, 6)]
