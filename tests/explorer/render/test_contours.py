"""Lines of equal value and paths over maps: against closed forms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.contours import LINES, MapPath, contours, path_cells, sampled
from explorer.render.heat import HeatChart, HeatMap
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette


def test_values_between_blocks_are_interpolated_between_their_centres() -> None:
    blocks = np.add.outer(10.0 * np.arange(4), np.arange(5.0))
    found = sampled(blocks, cell=3, unit=2, height=4, width=15)
    # A plane stays a plane between the outer centres; the lowest row of blocks is the last row of characters.
    assert found[:, 1::3] == pytest.approx(blocks[::-1])
    assert found[0, 2] == pytest.approx(blocks[3, 0] + 1 / 3)


@given(st.floats(-2, 2), st.integers(2, 5), st.integers(1, 6))
def test_every_crossing_has_a_sign_on_one_of_its_sides_and_nothing_else_has(level: float, cell: int, unit: int) -> None:
    y, x = np.mgrid[-1:1:6j, -1:1:7j]
    values = sampled(x**2 - y, cell, unit, 3 * unit, 7 * cell)
    lines = contours(values, [level]) >= 0
    above = values >= level
    beside = np.zeros(values.shape, bool)
    for one, other in (((slice(None), slice(None, -1)), (slice(None), slice(1, None))), (
        (slice(None, -1), slice(None)), (slice(1, None), slice(None)),
    )):  # fmt: skip
        crossed = above[one] != above[other]
        assert (lines[one] | lines[other])[crossed].all()
        beside[one] |= crossed
        beside[other] |= crossed
    assert not (lines & ~beside).any()


@pytest.mark.parametrize(
    ("slope", "sign"), [((0.0, 1.0), "│"), ((1.0, 0.0), "─"), ((2.0, 1.0), "╱"), ((-2.0, 1.0), "╲")]
)
def test_a_line_runs_across_the_slope(slope: tuple[float, float], sign: str) -> None:
    """A character is twice as high as wide: going down one row is as far as two columns."""
    values = np.add.outer(slope[0] * np.arange(9.0), slope[1] * np.arange(9.0))
    lines = contours(values, [float(values.mean()) + 0.3])
    assert {LINES[i] for i in lines[lines >= 0]} == {sign}


def test_nothing_is_drawn_beside_a_block_without_a_value() -> None:
    values = np.array([[0.0, np.nan, 2.0], [0.0, np.nan, 2.0]])
    assert (contours(values, [1.0]) == -1).all()


def test_a_path_goes_through_its_places_without_a_gap() -> None:
    path = MapPath(np.array([0.0, 3.0, 3.0]), np.array([0.0, 1.5, 4.0]), ("0", "20", "40"))
    found = list(path_cells(path, cell=4, unit=2, blocks=(4, 5), shape=(4, 20)))
    places = {i: (row, column) for row, column, i in found if i >= 0}
    assert places == {0: (3, 2), 1: (0, 8), 2: (0, 18)}
    way = [(row, column) for row, column, i in found if i < 0]
    assert all(max(abs(a - c), abs(b - d)) <= 1 for (a, b), (c, d) in pairwise(way))


@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (20, 5), (80, 24), (250, 60)])
def test_a_surface_with_a_path_fits_every_screen(depth: Depth, plain: bool, size: tuple[int, int]) -> None:
    y, x = np.mgrid[-1:1:11j, -1:1:11j]
    names = tuple(f"{place:.1f}" for place in x[0])
    path = MapPath(np.array([1.0, 5.0, np.nan]), np.array([1.0, 5.0, 3.0]), ("0", "20", "40"))
    heat = HeatMap(x**2 + y**2, names, names, "beta", "alpha", "loss", contours=True, paths=(path,))
    text = to_text(HeatChart(heat).draw(*size, palette(depth), ascii_only=plain))
    assert len(text.splitlines()) == size[1]
    if size[0] >= 80:
        assert "o0" in text
        assert any(sign in text for sign in ("~", "/") if plain) or any(sign in text for sign in LINES)
    if plain:
        assert text.isascii()
