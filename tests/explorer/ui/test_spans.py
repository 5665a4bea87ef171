"""Only what changed is sent, and all of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

from explorer.ui.widgets.spans import changed

STYLES = (None, Style(bold=True), Style(reverse=True))
cells = st.lists(st.tuples(st.sampled_from("ab ⣿"), st.sampled_from(STYLES)), min_size=20, max_size=20)


def line(row: list[tuple[str, Style | None]]) -> list[Segment]:
    return [Segment(char, style) for char, style in row]


@given(cells, cells)
def test_taking_the_spans_of_the_new_line_makes_the_old_line_new(old, new) -> None:
    mended = list(old)
    for start, stop in changed(line(old), line(new)):
        mended[start:stop] = new[start:stop]
    assert [looks(cell) for cell in mended] == [looks(cell) for cell in new]


def looks(cell: tuple[str, Style | None]) -> tuple[str, Style | None]:
    """A bold blank looks like any other; a reversed one does not."""
    char, style = cell
    return (char, None) if char == " " and style is not None and not style.reverse else cell


def test_a_blank_that_only_changes_its_colour_sends_nothing() -> None:
    assert (
        changed(
            [Segment("a  b", Style(bold=True))],
            [Segment("a", Style(bold=True)), Segment("  "), Segment("b", Style(bold=True))],
        )
        == []
    )


@given(cells)
def test_a_line_that_stays_sends_nothing(row) -> None:
    assert changed(line(row), line(row)) == []


def test_two_changes_far_apart_leave_out_what_is_between() -> None:
    old, new = [Segment("." * 100)], [Segment("x" + "." * 98 + "x")]
    assert changed(old, new) == [(0, 1), (99, 100)]


def test_a_line_with_wide_characters_is_sent_whole() -> None:
    assert changed([Segment("日本..")], [Segment("日本.x")]) == [(0, 6)]
