"""Does a heat map show every value at its place, and say what is missing?"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.cells import width_of
from explorer.render.heat import HeatChart, HeatMap
from explorer.render.output import to_text
from explorer.render.palette import LEVELS, Depth, palette

GOLDEN = Path(__file__).with_name("golden")


def numbered(places: Iterable[int]) -> tuple[str, ...]:
    return tuple(map(str, places))


def heat(values: np.ndarray, refused: np.ndarray | None = None) -> HeatChart:
    rows, columns = values.shape
    names = numbered(range(rows)), numbered([20 * i for i in range(columns)])
    return HeatChart(HeatMap(values, *names, "layer", "step", "distance", refused))


def levels(chart: HeatChart, width: int, height: int) -> list[list[tuple[int | None, int | None]]]:
    """Levels of the upper and the lower half of every cell."""
    colours = list(palette(Depth.EIGHT_BIT).heat)
    found = []
    for line in chart.draw(width, height, palette(Depth.EIGHT_BIT)):
        row: list[tuple[int | None, int | None]] = []
        for segment in line:
            style = segment.style
            fore = colours.index(style.color) if style and style.color in colours else None
            back = colours.index(style.bgcolor) if style and style.bgcolor in colours else None
            for char in segment.text:
                row.append({"▀": (fore, back), "▄": (back, fore), " ": (back, back)}.get(char, (None, None)))
        found.append(row)
    return found


def test_rows_rise_and_columns_run_right():
    values = np.arange(12.0).reshape(3, 4)
    cells = levels(heat(values), 30, 8)
    body = [row for row in cells if any(c != (None, None) for c in row)]
    top, bottom = body[0], body[-1]
    assert bottom[2] == (0, 0)
    assert max(c[0] for c in top if c[0] is not None) == LEVELS - 1
    seen = [c[0] for c in top if c[0] is not None]
    runs = [v for i, v in enumerate(seen) if i == 0 or seen[i - 1] != v]
    assert runs == [min(LEVELS - 1, int(v / 11 * LEVELS)) for v in values[2]]


def test_too_many_columns_are_averaged_not_picked():
    values = np.zeros((1, 200))
    values[0, 1::2] = 1.0
    cells = levels(heat(values), 37, 5)
    shown = {c[0] for row in cells for c in row if c[0] is not None}
    assert shown <= set(range(5, 12))
    assert 8 in shown


def test_missing_and_refused_cells_differ():
    values = np.arange(12.0).reshape(3, 4)
    values[0, 0] = values[1, 2] = np.nan
    refused = np.zeros((3, 4), bool)
    refused[1, 2] = True
    for depth in Depth:
        text = to_text(heat(values, refused).draw(50, 10, palette(depth)))
        assert "·" in text
        assert "×" in text


def test_digits_are_the_values():
    values = np.array([[0.125, 0.25], [0.5, 1.0]])
    for depth in Depth:
        text = to_text(heat(values).draw(60, 10, palette(depth), digits=True))
        assert re.findall(r"\d\.\d\d\d?", text.split("step")[0])[:4]
        assert [t for t in re.findall(r"(?<!\d)[01]\.\d{2,3}", text) if t in ("0.500", "1.00", "0.125", "0.250")]


def test_narrow_cells_show_tenths_of_the_scale():
    values = np.linspace(0, 1, 20).reshape(1, 20)
    lines = to_text(heat(values).draw(46, 6, palette(Depth.EIGHT_BIT), digits=True)).splitlines()
    assert any(line[2:22] == "".join(str(min(9, int(10 * v))) for v in values[0]) for line in lines)


@pytest.mark.parametrize("depth", list(Depth))
def test_the_cursor_marks_its_cell_and_both_numbered(depth):
    lines = to_text(heat(np.arange(30.0).reshape(5, 6)).draw(60, 12, palette(depth), 2, 3)).splitlines()
    row = next(line for line in lines if "▸" in line)
    assert row.lstrip().startswith("3▸")
    assert row.index("[") < lines[-1].index("40") < row.index("]")


def test_values_all_alike_are_drawn():
    assert any(c[0] is not None for row in levels(heat(np.full((3, 3), 0.2)), 40, 10) for c in row)


@given(
    st.integers(1, 30),
    st.integers(1, 60),
    st.integers(1, 120),
    st.integers(1, 40),
    st.sampled_from(list(Depth)),
    st.integers(-1, 59),
    st.integers(-1, 29),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_any_map_fills_exactly_the_cells_given(rows, columns, width, height, depth, x, y, digits, log, ascii_only):
    values = np.random.default_rng(rows * 60 + columns).normal(0.2, 0.3, (rows, columns))
    values[values > 0.5] = np.nan
    chart = heat(values, np.isnan(values) & (values.cumsum(axis=0) > 0))
    if rows % 2:
        chart = HeatChart(replace(chart.heat, signed=True))
    cursor = min(x, columns - 1), min(y, rows - 1)
    lines = chart.draw(width, height, palette(depth), *cursor, digits=digits, log=log, ascii_only=ascii_only)
    assert [width_of(line) for line in lines] == [width] * height
    if ascii_only:
        assert "".join(s.text for line in lines for s in line).isascii()


def test_neighbours_of_one_level_are_one_run():
    lines = heat(np.zeros((13, 100))).draw(120, 40, palette(Depth.EIGHT_BIT))
    assert max(len(line) for line in lines) <= 6  # name, map, gap, bar, tick


def changes(values: np.ndarray) -> HeatChart:
    rows, columns = values.shape
    names = numbered(range(rows)), numbered([20 * i for i in range(columns)])
    return HeatChart(HeatMap(values, *names, "layer", "step", "change", signed=True))


def test_zero_is_in_the_middle_of_a_scale_of_changes_whatever_the_values_are():
    for values in ([[0.1, 0.4]], [[-0.4, -0.1]], [[-0.4, 0.1]]):
        scale = changes(np.array(values)).scale(log=True)
        assert (scale.low, scale.high, scale.log) == (-0.4, 0.4, False)


@pytest.mark.parametrize("depth", list(Depth))
def test_no_change_looks_like_none_and_opposite_changes_look_different(depth):
    chart = changes(np.array([[-0.4, 0.0, 0.4]]))
    line = chart.draw(60, 12, palette(depth))[1]
    cells = [(char, segment.style) for segment in line for char in segment.text]
    low, none, high = (cells[at] for at in (5, 20, 32))
    assert len({low, none, high}) == 3
    two_sided = palette(depth).two_sided
    if two_sided:
        assert none[1].bgcolor == two_sided[len(two_sided) // 2]
    else:
        assert (low[0], none[0], high[0]) == ("W", " ", "M")


def test_the_colours_of_similarities_end_at_one():
    names = numbered(range(1)), numbered(range(3)), "layer", "step", "similarity"
    near = HeatChart(HeatMap(np.array([[0.75, 0.9, 0.99]]), *names, anchor=1.0))
    assert (near.scale().low, near.scale().high) == (0.75, 1.0)


@pytest.mark.parametrize(
    ("name", "how"), [("changes-60x12-none", {}), ("changes-60x12-ascii", {"ascii_only": True, "column": 2, "row": 4})]
)
def test_the_picture_of_changes_is_the_one_that_was_looked_at(name, how):
    values = np.outer(np.arange(7.0) - 3, 1 - np.exp(-np.arange(8) / 3)) / 8
    text = to_text(changes(values).draw(60, 12, palette(Depth.NONE), **how))
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "how"), [("heat-60x12-none", {}), ("heat-60x12-none-digits", {"digits": True, "column": 2, "row": 4})]
)
def test_the_picture_is_the_one_that_was_looked_at(name, how):
    values = np.outer(np.arange(7.0) ** 2, 1 - np.exp(-np.arange(8) / 3)) / 80
    values[2, 6:] = np.nan
    text = to_text(heat(values).draw(60, 12, palette(Depth.NONE), **how))
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_figures_in_cells_are_all_values_or_all_tenths():
    """Among values a small one is rounded: as a tenth of the scale it would read as nothing."""
    small = HeatChart(HeatMap(np.array([[2.03e-4, 0.184, -3e-4]]), numbered(range(1)), numbered(range(3)), "", "", ""))

    def figures(cells: int) -> list[str]:
        text = to_text(small.draw(2 + 3 * cells, 6, palette(Depth.NONE), digits=True))
        return next(line for line in text.splitlines() if "0.18" in line or " 9" in line)[1:].split()

    assert figures(6) == ["0.000", "0.184", "0.000"]
    assert figures(5) == ["0.00", "0.18", "0.00"]
    assert figures(4) == ["0", "9", "0"]


def test_noise_takes_no_part_of_a_logarithmic_scale():
    names = numbered(range(1)), numbered(range(3)), "layer", "step", "distance"
    noisy = HeatChart(HeatMap(np.array([[1e-9, 1e-3, 0.3]]), *names, floor=1e-6))
    assert noisy.scale(log=True).low == pytest.approx(1e-6, rel=0.2)
    assert noisy.scale().low == 0
    nothing_else = HeatChart(HeatMap(np.array([[1e-9, 1e-8, 3e-8]]), *names, floor=1e-6))
    assert nothing_else.scale(log=True).high < 1e-7
