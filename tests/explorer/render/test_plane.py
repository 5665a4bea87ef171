"""Can a path be followed in a plane: from o to x, on one scale, told from others without colour?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.cells import width_of
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.render.plane import Path, Plane, draw, targets


def path(points: list[tuple[float, float]], label: str = "NOUN", number: int = 0) -> Path:
    places = np.array(points, np.float64)
    return Path(label, places[:, 0], places[:, 1], number / 4, number)


def text(paths: list[Path], width: int = 60, height: int = 24, **how: object) -> str:
    plane = Plane(tuple(paths), "component 1", "component 2")
    return to_text(draw(plane, width, height, palette(Depth.NONE), **how))  # type: ignore[arg-type]


def find(shown: str, sign: str) -> tuple[int, int]:
    lines = enumerate(shown.splitlines())
    return next((i, line.index(sign, 8)) for i, line in lines if i and sign in line[8:])


@pytest.mark.parametrize("size", [(60, 24), (120, 40), (100, 12)])
def test_both_axes_have_one_scale(size):
    """A cell is twice as high as wide, so as many units are twice as many columns as rows."""
    across = text([path([(0, 0), (10, 0)], "a"), path([(0, 10), (0, 10)], "b", 1)], *size)
    lines = across.splitlines()
    right = next((i, line.index("x")) for i, line in enumerate(lines) if "x" in line)
    starts = [(i, j) for i, line in enumerate(lines[1:-2], 1) for j, c in enumerate(line) if c == "o"]
    (top, _), (bottom, left) = starts
    assert bottom == right[0]
    assert right[1] - left == pytest.approx(2 * (bottom - top), abs=2)


def test_a_path_runs_from_o_to_x_and_has_its_name_and_letter():
    shown = text([path([(0, 0), (5, 5), (10, 0)])])
    plot = "\n".join(line[:54] for line in shown.splitlines())
    start, end, middle = (find(plot, sign) for sign in "ox0")
    assert start[1] < middle[1] < end[1]
    assert middle[0] < start[0] == end[0]
    assert any("NOUN" in line[:54] for line in shown.splitlines()[end[0] - 1 : end[0] + 2])


def test_paths_can_be_told_apart_without_colours():
    shown = text([path([(0, 0), (5, 5), (10, 0)], "NOUN"), path([(0, 1), (5, 9), (10, 6)], "VERB", 1)])
    assert "0 NOUN" in shown
    assert "1 VERB" in shown
    plot = "\n".join(line[:40] for line in shown.splitlines())
    assert find(plot, "1")[0] < find(plot, "0")[0]


def test_the_chosen_place_is_marked_on_every_path():
    paths = [path([(0, 0), (5, 5), (10, 0)]), path([(0, 1), (5, 9), (10, 6)], "VERB", 1)]
    assert text(paths, place=1).count("◆") == 2
    assert text(paths, place=-1).count("◆") == 0


def test_ticks_name_the_places_they_stand_at():
    shown = text([path([(-10, 0), (0, 0), (10, 0)])], 80, 20).splitlines()
    labels, marks = shown[-1] + " ", shown[-2]
    zero = next(i for i, line in enumerate(shown) if "o" in line[8:] and "x" in line[8:])
    start, end = shown[zero].index("o", 8), shown[zero].index("x")
    for name in ("-10", "0"):
        at = labels.index(f" {name} ") + 1 + len(name) // 2
        column = min((i for i, c in enumerate(marks) if c == "┬"), key=lambda i: abs(i - at))
        expected = start + (float(name) + 10) / 20 * (end - start)
        assert column == pytest.approx(expected, abs=1)


@given(
    st.integers(1, 20),
    st.integers(1, 30),
    st.integers(1, 260),
    st.integers(1, 70),
    st.sampled_from(list(Depth)),
    st.integers(-1, 29),
    st.integers(-1, 19),
    st.booleans(),
    st.sampled_from([0.0, 1e-300, 1.0, 1e12]),
)
def test_no_size_breaks_it(paths, places, width, height, depth, place, focus, ascii_only, size):
    rng = np.random.default_rng(paths * 100 + places)
    drawn = [path((rng.standard_normal((places, 2)) * size).tolist(), f"标签{i}", i) for i in range(paths)]
    drawn[0].y[0] = np.nan
    plane = Plane(tuple(drawn), "component 1", "component 2")
    lines = draw(plane, width, height, palette(depth), min(place, places - 1), min(focus, paths - 1), ascii_only)
    assert [width_of(line) for line in lines] == [width] * height


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [(80, 18), (60, 12), (120, 34)])
def test_each_name_stands_nearest_to_its_own_end_and_on_nothing_else(seed, size):
    """Seventeen labels at 80 x 24 leave some without a name in the plot; the list beside it has them all."""
    rng = np.random.default_rng(seed)
    names = [chr(65 + i) * 4 for i in range(17)]
    starts = rng.standard_normal((17, 1, 2))
    ways = starts + np.cumsum(rng.standard_normal((17, 5, 2)), axis=1) / 2
    plane = Plane(
        tuple(Path(n, w[:, 0], w[:, 1], i / 17, i) for i, (n, w) in enumerate(zip(names, ways, strict=True))), "", ""
    )
    lines = to_text(draw(plane, *size, palette(Depth.NONE), place=4)).splitlines()
    ends = [targets(plane, *size, focus=i)[-1] for i in range(17)]
    edge = targets(plane, *size)[0].x
    found = 0
    for i, name in enumerate(names):
        for row, line in enumerate(lines):
            at = line[:edge].find(name)
            if at < 0:
                continue
            found += 1
            beside = line[at - 1] + line[at + 4 : at + 5]
            assert all(c in " │" or 0x2800 <= ord(c) < 0x2900 for c in beside), f"{name} touches something: {line}"
            away = [max(at - e.x, e.x - at - 3, 2 * abs(e.y - row)) for e in ends]
            assert away[i] == min(away), f"{name} stands nearer to {names[away.index(min(away))]}: {line}"
            assert away[i] <= 2
    assert found > 4
