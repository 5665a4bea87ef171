"""Does a matrix show each value under the names of its row and column, and say what it leaves out?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.cells import width_of
from explorer.render.matrix import Matrix, MatrixWindow, Panel, draw, figures, spans, whole
from explorer.render.output import to_text
from explorer.render.palette import LEVELS, Depth, palette


def matrix(rows: int, columns: int, panels: int = 1, **changes: object) -> Matrix:
    values = np.linspace(0, 1, rows * columns).reshape(rows, columns)
    made = tuple(Panel(f"panel {i}", values, 0.0, 1.0, **changes) for i in range(panels))  # type: ignore[arg-type]
    names = tuple(f"row{i}" for i in range(rows)), tuple(f"col{i}" for i in range(columns))
    return Matrix(made, *names, "query", "key", Panel("side", values[:, :1], 0.0, 1.0))


def text(found: Matrix, width: int, height: int, **how: object) -> str:
    return to_text(draw(found, width, height, palette(Depth.NONE), **how)[0])  # type: ignore[arg-type]


def test_every_cell_has_the_colour_of_its_value():
    found = matrix(4, 5)
    colours = list(palette(Depth.EIGHT_BIT).heat)
    lines, window = draw(found, 60, 8, palette(Depth.EIGHT_BIT))
    assert window == MatrixWindow((0, 4), (0, 5))
    seen = []
    for line in lines[1:5]:
        cells = [s.style.bgcolor for s in line for _ in s.text if s.style and s.style.bgcolor in colours]
        seen.append([colours.index(c) for c in cells])
    expected = np.minimum(LEVELS - 1, np.floor(found.panels[0].values * LEVELS)).astype(int)
    for i, row in enumerate(seen):
        wide = (len(row) - 2) // 5  # two cells more are the column at the side
        assert row[: 5 * wide : wide] == expected[i].tolist()
        assert row[-2:] == [expected[i, 0]] * 2


def test_figures_in_the_cells_are_the_values():
    found = matrix(4, 5)
    lines = text(found, 80, 10, digits=True).splitlines()[1:5]
    for i, line in enumerate(lines):
        shown = line.split()
        assert shown[0] == f"row{i}"
        values = found.panels[0].values[i]
        assert [float(v) for v in shown[1:6]] == pytest.approx(values.tolist(), abs=5e-4)


@pytest.mark.parametrize(
    ("value", "room", "expected"),
    [(0.2104, 4, ".210"), (-0.0444, 4, "-.04"), (12.34, 4, "12.3"), (12.34, 3, "12"), (0.0, 3, "0"), (3e-7, 4, "3e-7")],
)
def test_a_value_keeps_the_digits_that_fit(value, room, expected):
    assert figures(value, room) == expected


def test_names_of_columns_stand_under_their_columns():
    lines = text(matrix(2, 3), 60, 12).splitlines()
    names = next(line for line in lines if "col0" in line)
    cells = draw(matrix(2, 3), 60, 12, palette(Depth.NONE), 0, 1)[0]
    marked = to_text(cells).splitlines()
    line = next(line for line in marked if "[" in line)
    assert line.index("[") <= names.index("col1") < line.index("]")


def test_names_go_downwards_where_columns_are_narrow():
    lines = text(matrix(6, 30), 60, 20).splitlines()
    first = next(i for i, line in enumerate(lines) if line.strip().startswith("key"))
    assert lines[first].split()[1] == "c" * 30
    assert lines[first + 3].strip().startswith("0123456789")


@pytest.mark.parametrize(("rows", "columns"), [(5, 5), (131, 131)])
def test_the_cursor_is_always_inside_the_window(rows, columns):
    found = matrix(rows, columns, panels=3)
    for row in (0, rows // 2, rows - 1):
        for column in (0, columns // 2, columns - 1):
            _, window = draw(found, 80, 17, palette(Depth.EIGHT_BIT), row, column)
            assert window.rows[0] <= row < window.rows[1]
            assert window.columns[0] <= column < window.columns[1]
            shown = to_text(draw(found, 80, 17, palette(Depth.NONE), row, column)[0])
            assert f"row{row}▸" in shown


def test_what_is_cut_off_is_said():
    _, window = draw(matrix(131, 131), 80, 17, palette(Depth.NONE), 60, 0)
    first, last = window.rows
    assert last - first < 131
    assert spans(window, 131, 131, "queries", "keys") == (
        f"queries {first}-{last - 1} of 131 and keys 0-{window.columns[1] - 1} of 131"
    )
    assert spans(MatrixWindow((0, 5), (0, 5)), 5, 5, "queries", "keys") == ""


def test_panels_are_whole_only_where_every_column_has_a_cell():
    assert whole(matrix(10, 10, panels=3), 100)
    assert not whole(matrix(40, 40, panels=3), 100)


def test_what_has_no_value_or_means_little_is_marked():
    values = np.array([[0.5, np.nan], [np.nan, 1.0]])
    refused = np.array([[False, True], [False, False]])
    marked = np.array([[True, False], [False, False]])
    panel = Panel("p", values, 0.0, 1.0, refused=refused, marked=marked)
    shown = text(Matrix((panel,), ("a", "b"), ("a", "b"), "", ""), 30, 4)
    assert (shown.count("×"), shown.count("·"), shown.count("!")) == (1, 1, 1)


def test_signs_can_be_told_apart_without_colours():
    panel = Panel("p", np.array([[-1.0, 0.0, 1.0]]), -1.0, 1.0, signed=True)
    shown = text(Matrix((panel,), ("r",), ("a", "b", "c"), "", ""), 30, 3)
    assert shown.splitlines()[0].split() == ["W" * 9, "M" * 9]


def test_a_root_scale_shows_small_changes_beside_large_ones():
    values = np.array([[-1.0, -0.04, 0.0, 0.04, 1.0]])
    linear = Panel("p", values, -1.0, 1.0, signed=True).levels(15)
    root = Panel("p", values, -1.0, 1.0, signed=True, root=True).levels(15)
    assert linear.tolist() == [[0, 7, 7, 7, 14]]
    assert root.tolist() == [[0, 6, 7, 9, 14]]


def test_a_logarithmic_scale_has_even_decades():
    panel = Panel("p", np.array([[1e-4, 1e-3, 1e-2, 1e-1, 1.0]]), 1e-3, 1.0, log=True)
    assert panel.levels(15).tolist() == [[0, 0, 5, 10, 14]]


@given(
    st.integers(1, 140),
    st.integers(1, 140),
    st.integers(1, 3),
    st.integers(1, 260),
    st.integers(1, 70),
    st.sampled_from(list(Depth)),
    st.integers(-1, 139),
    st.integers(-1, 139),
    st.booleans(),
    st.booleans(),
)
def test_no_size_breaks_it(rows, columns, panels, width, height, depth, row, column, digits, ascii_only):
    found = matrix(rows, columns, panels)
    at = min(row, rows - 1), min(column, columns - 1)
    lines, _ = draw(found, width, height, palette(depth), *at, digits, ascii_only)
    assert [width_of(line) for line in lines] == [width] * height
    if ascii_only:
        assert to_text(lines).isascii()
