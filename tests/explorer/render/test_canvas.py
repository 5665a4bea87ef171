"""Are the dots where the numbers are?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.canvas import Canvas

# Unicode 16, table 'Braille Patterns': dots 1-8 in (row, column) of the cell, dot n is bit n - 1.
PLACES = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]


def dots(canvas: Canvas, owner: int | None = None) -> set[tuple[int, int]]:
    """Lit dots as (x, y), y counted from the bottom."""
    lit = set()
    for row in range(canvas.height):
        for column in range(canvas.width):
            if owner is not None and canvas.owner[row, column] != owner:
                continue
            for bit, (down, right) in enumerate(PLACES):
                if canvas.bits[row, column] >> bit & 1:
                    lit.add((2 * column + right, 4 * canvas.height - 1 - (4 * row + down)))
    return lit


def line(points: list[tuple[float, float]], width: int = 10, height: int = 5) -> Canvas:
    canvas = Canvas(width, height)
    x, y = np.array(points, float).T
    canvas.line(x, y, 0)
    return canvas


def test_a_level_line_is_one_dot_high():
    assert dots(line([(0.5, 7.5), (19.5, 7.5)])) == {(x, 7) for x in range(20)}


def test_a_diagonal_has_one_dot_a_column():
    assert dots(line([(0.5, 0.5), (19.5, 19.5)])) == {(i, i) for i in range(20)}


def test_a_lone_point_is_one_dot():
    assert dots(line([(3.2, 6.9)])) == {(3, 6)}


def test_a_line_outside_the_canvas_is_cut_off():
    assert dots(line([(0.5, 100.0), (19.5, 100.0)])) == set()
    assert all(0 <= y < 20 for _, y in dots(line([(0.5, -50.0), (19.5, 60.0)])))


def test_a_missing_value_breaks_the_line():
    canvas = line([(0.5, 5.5), (5.5, 5.5), (8.5, np.nan), (12.5, 5.5), (19.5, 5.5)])
    assert {x for x, _ in dots(canvas)} == set(range(6)) | set(range(12, 20))


def test_a_later_line_takes_the_cells_it_crosses():
    canvas = Canvas(10, 5)
    ends = np.array([0.5, 19.5])
    canvas.line(ends, np.array([9.5, 9.5]), 0)
    canvas.line(np.array([10.5, 10.5]), np.array([0.5, 19.5]), 1)
    assert {(x, 9) for x in range(10)} <= dots(canvas, 0)
    crossing = {(x, y) for x, y in dots(canvas) if x in (10, 11)}
    assert crossing == {(10, y) for y in range(20)}  # the first line's dot at (11, 9) is gone


def test_a_peak_between_columns_is_not_lost():
    x = np.linspace(0.5, 19.5, 5000)
    y = np.full(5000, 2.5)
    y[1234] = 18.5
    canvas = Canvas(10, 5)
    canvas.line(x, y, 0)
    assert (int(x[1234]), 18) in dots(canvas)


@given(st.lists(st.tuples(st.floats(0, 19.99), st.floats(0, 19.99)), min_size=1, max_size=40, unique_by=lambda p: p[0]))
def test_every_line_is_joined_and_holds_its_points(points):
    points.sort()
    lit = dots(line(points))
    assert all((int(x), int(y)) in lit for x, y in points)
    seen, todo = set(), [next(iter(lit))]
    while todo:
        x, y = todo.pop()
        if (x, y) in seen or (x, y) not in lit:
            continue
        seen.add((x, y))
        todo += [(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    assert seen == lit


@pytest.mark.parametrize(("low", "high", "rows"), [(4.0, 12.0, {2, 3}), (0.0, 20.0, {0, 1, 2, 3, 4})])
def test_a_band_covers_the_cells_between_its_edges(low, high, rows):
    canvas = Canvas(10, 5)
    x = np.array([0.5, 19.5])
    canvas.fill(x, np.full(2, low), np.full(2, high), 3)
    assert {int(r) for r in np.flatnonzero((canvas.band == 3).all(axis=1))} == rows
    assert (canvas.band[[r for r in range(5) if r not in rows]] == -1).all()
