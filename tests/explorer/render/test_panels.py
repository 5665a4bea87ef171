"""Do panels fill their screen without covering each other?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.panels import arranged, tiled


@given(
    arrange=st.sampled_from([arranged, tiled]),
    count=st.integers(1, 30), width=st.integers(1, 250), height=st.integers(1, 80),
)  # fmt: skip
def test_panels_lie_inside_and_apart(arrange, count, width, height):
    boxes = arrange(count, width, height)
    assert 1 <= len(boxes) <= count
    cells = [(x, y) for box in boxes for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)]
    assert len(set(cells)) == len(cells)
    assert all(0 <= x < width and 0 <= y < height for x, y in cells)


@given(count=st.integers(1, 30), width=st.integers(60, 250), height=st.integers(14, 80))
def test_full_rows_reach_both_edges(count, width, height):
    boxes = arranged(count, width, height)
    first = [box for box in boxes if box.y == 0]
    assert (first[0].x, first[-1].x + first[-1].width) == (0, width)
    assert max(box.y + box.height for box in boxes) == height


@pytest.mark.parametrize(
    ("size", "across", "shown"),
    [((80, 21), 3, 5), ((120, 37), 3, 5), ((120, 40), 3, 5), ((250, 57), 3, 5), ((300, 8), 5, 5), ((40, 16), 2, 4)],
)
def test_tiles_have_the_shape_of_a_chart_and_all_are_shown_if_they_fit(size, across, shown):
    boxes = tiled(5, *size)
    assert len(boxes) == shown
    assert len([box for box in boxes if box.y == 0]) == across
    assert {box.x for box in boxes if box.y} <= {box.x for box in boxes if not box.y}
    assert all(box.width >= 19 and box.height >= 7 for box in boxes)
