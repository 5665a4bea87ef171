"""Do panels fill their screen without covering each other?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from explorer.render.panels import arranged


@given(count=st.integers(1, 30), width=st.integers(1, 250), height=st.integers(1, 80))
def test_panels_lie_inside_and_apart(count, width, height):
    boxes = arranged(count, width, height)
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
