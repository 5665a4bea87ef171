"""Where does a picture say that its lines, steps, rows and columns stand?"""

import itertools

import pytest

from explorer.pages.example import Example
from explorer.pages.paths import Paths
from explorer.pages.store_view import StoreView
from explorer.render.palette import Depth, palette
from explorer.render.targets import ROOM, Target, apart, nearest
from explorer.ui.lists.sql import WorkedList
from explorer.views.base import Cursor, DrawOptions
from explorer.views.clusters import Clusters
from explorer.views.label_lines import LabelLines
from explorer.views.lines import curves, profile
from explorer.views.maps import heat
from explorer.views.side_by_side import of_seeds
from explorer.views.table import Table
from tests.explorer.views.part_samples import SENTENCE, label_rows, moved
from tests.explorer.views.samples import rows
from tests.explorer.views.test_pictures import centroids, coverage

SIZES = [(60, 12), (90, 24), (220, 55)]
LONG = ["[CLS]", *(f"w{i}" for i in range(70)), "[SEP]"]


def drawn(view, size, cursor, depth=Depth.NONE, **options):
    picture = view.draw(*size, palette(depth), cursor, DrawOptions(**options))
    return picture, ["".join(s.text for s in line) for line in picture.lines]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("depth", [Depth.NONE, Depth.EIGHT_BIT])
@pytest.mark.parametrize(
    "view",
    [
        heat(rows()),
        heat(rows(layers=range(25))),
        Clusters(label_rows()),
        Example(moved(SENTENCE)),
        Example(moved(LONG)),
        Table(rows()),
        StoreView(coverage()),
        WorkedList(),
    ],
    ids=lambda view: view.name,
)
def test_a_row_stands_where_the_cursor_marks_it(view, size, depth):
    there, _ = drawn(view, size, Cursor(1, 1), depth)
    targets = [t for t in there.targets if t.row >= 0]
    assert targets
    for target in targets:
        picture, lines = drawn(view, size, Cursor(1, target.row), depth)
        assert picture.cursor.y == target.row
        if view.name != "example" or len(picture.targets) == len(there.targets) == 2 * len(SENTENCE):
            assert "▸" in lines[target.y][: target.x + 2]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(
    "view",
    [curves(rows()), curves(rows(steps=range(0, 9001, 3), layers=range(3))), profile(rows()), LabelLines(label_rows())],
    ids=["curves", "many", "profile", "labels"],
)
def test_lines_have_their_ends_and_steps_their_columns(view, size, ascii_only):
    for cursor in (Cursor(0, -1), Cursor(0, 1)):
        picture, lines = drawn(view, size, cursor, ascii=ascii_only)
        ends = [t for t in picture.targets if t.row >= 0]
        assert ends
        for target in ends:
            name = lines[target.y][target.x + 1 :]
            shared = "≤" in name or "<=" in name  # by lines of one height: the highest of them
            assert name.strip() if shared else view.chart.chart.series[target.row].label in name
    steps = [t for t in picture.targets if t.column >= 0]
    assert {0, len(view.chart.xs) - 1} <= {t.column for t in steps}
    assert all(b.x - a.x >= ROOM for a, b in itertools.pairwise(steps))
    for target in steps:
        _, lines = drawn(view, size, Cursor(target.column, -1), ascii=ascii_only)
        name = f"{view.chart.xs[target.column]:,.0f}"
        at = lines[-1].find(name, max(0, target.x - len(name)))
        assert at <= target.x <= at + len(name)


def test_of_many_steps_the_round_ones_are_places():
    view = curves(rows(steps=range(10001), layers=(5, 6)))
    picture, _ = drawn(view, (120, 30), Cursor(0, -1))
    steps = {view.chart.xs[t.column] for t in picture.targets if t.column >= 0}
    assert {0, 2000, 4000, 6000, 8000, 10000} <= steps


@pytest.mark.parametrize(
    ("size", "named"), [(SIZES[0], ()), (SIZES[1], range(12, 0, -1)), (SIZES[2], range(12, -1, -1))], ids=str
)
def test_seeds_are_one_set_of_lines_and_steps(size, named):
    view = of_seeds(rows(seeds=("1", "2", "3")))
    picture, lines = drawn(view, size, Cursor(0, 1))
    ends = [t for t in picture.targets if t.row >= 0]
    assert [t.row for t in ends] == list(named)
    for target in ends:
        assert f"L{target.row}" in lines[target.y][target.x + 1 :].split()[:2]
    steps = [t.column for t in picture.targets if t.column >= 0]
    assert steps == sorted(set(steps))
    assert {0, 20} <= set(steps)


def test_a_path_in_focus_has_its_checkpoints_and_the_list_its_names():
    view = Paths(centroids())
    picture, lines = drawn(view, (70, 20), Cursor(0, 1))
    names = {t.row: lines[t.y][t.x :].split()[-1] for t in picture.targets if t.row >= 0}
    assert names == {0: "ADJ", 1: "NOUN", 2: "VERB"}
    places = {t.column: t for t in picture.targets if t.column >= 0}
    assert sorted(places) == [0, 1, 2]
    for column, target in places.items():
        assert drawn(view, (70, 20), Cursor(column, 1))[1][target.y][target.x] == "◆"


def test_cells_leave_each_other_room_and_the_first_wishes_are_heard():
    assert apart([0, 1, 2, 3, 4, 5, 6]) == [0, 3, 6]
    assert apart([0, 1, 2, 3, 4], first=(1,)) == [1, 4]
    assert apart([]) == []


def test_the_nearest_place_of_a_cell_is_found_between_few_places_too():
    cells = [Target(10, 9, column=0), Target(30, 9, column=10), Target(2, 3, row=1), Target(2, 7, row=0)]
    assert [nearest(cells, x, 3).column for x in (9, 10, 13, 19, 29, 30, 31)] == [0, 0, 2, 4, 10, 10, 10]
    assert [nearest(cells, 10, y).row for y in (1, 2, 3, 4, 6, 7, 9)] == [1, 1, 1, 1, 0, 0, 0]
    assert (nearest(cells, 60, 3).column, nearest(cells, 60, 3).row) == (-1, 1), "beside the columns"
    assert nearest(cells, 60, 30) is None
    assert nearest([], 1, 1) is None


def test_a_line_is_reached_at_its_name_and_a_point_of_a_plane_anywhere_near():
    lines = [Target(10, 9, column=0), Target(30, 9, column=1), Target(30, 2, row=1), Target(30, 6, row=0)]
    assert [nearest(lines, x, 2, lines=True)[2:] for x in (12, 24, 33)] == [(0, -1), (1, -1), (-1, 1)]
    assert nearest(lines, 3, 2, lines=True) is None, "the value axis"
    points = [Target(10, 2, column=0), Target(11, 8, column=1), Target(40, 8, column=2)]
    assert [nearest(points, *at).column for at in ((10, 3), (10, 7), (30, 8), (79, 1))] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    "view", [heat(rows()), Clusters(label_rows()), curves(rows()), Table(rows())], ids=lambda v: v.name
)
def test_each_place_is_the_nearest_one_to_itself(view):
    picture, _ = drawn(view, (90, 24), Cursor(0, 0))
    lines = view.name == "curves"
    for target in picture.targets:
        found = nearest(picture.targets, target.x + 2 * (lines and target.row >= 0), target.y, lines)
        assert target.column in (-1, found.column)
        assert target.row in (-1, found.row)
