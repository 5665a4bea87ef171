"""Does a line chart show the numbers, at any size, and keep its words apart?"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.cells import width_of
from explorer.render.chart import Chart, Companion, Series
from explorer.render.lines import MOST, LineChart
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette

GOLDEN = Path(__file__).with_name("golden")


def chart(layers: int = 7, points: int = 11, spread: bool = False, floor: float = 0.0) -> LineChart:
    """Lines layer^2 * x / 100, each above the one before."""
    x = np.linspace(0, 1000, points)
    y = [layer**2 * x / 1e5 for layer in range(layers)]
    edges = [(v * 0.8, v * 1.2) if spread else (None, None) for v in y]
    series = tuple(Series(f"L{i}", x, y[i], i / max(1, layers - 1), *edges[i], number=i) for i in range(layers))
    return LineChart(Chart(series, "step", "distance", floor=floor))


def drawn(one: LineChart, width: int = 60, height: int = 16, depth: Depth = Depth.NONE, **how: object) -> list[str]:
    return ["".join(s.text for s in line) for line in one.draw(width, height, palette(depth), **how)]  # type: ignore[arg-type]


POINTS = st.lists(st.one_of(st.floats(-1, 2), st.just(np.nan), st.floats(1e-8, 1e-6)), max_size=12)


@given(
    st.lists(POINTS, max_size=14),
    st.integers(1, 120),
    st.integers(1, 40),
    st.sampled_from(list(Depth)),
    st.integers(-1, 14),
    st.integers(-1, 14),
    st.booleans(),
    st.booleans(),
)
def test_any_data_fills_exactly_the_cells_given(data, width, height, depth, cursor, focus, log, ascii_only):
    series = tuple(
        Series(f"L{i}", np.arange(len(ys)) * 50.0, np.array(ys, float), i / 14, *([np.array(ys) - 1] * 2))
        for i, ys in enumerate(data)
    )
    one = LineChart(Chart(series, "step", "distance", floor=1e-6))
    lines = one.draw(width, height, palette(depth), cursor, min(focus, len(series) - 1), log, ascii_only)
    assert [width_of(line) for line in lines] == [width] * height
    if ascii_only:
        assert "".join(s.text for line in lines for s in line).isascii()


def test_the_last_value_stands_beside_the_end_of_its_line():
    lines = drawn(chart(3, 11), 60, 16, Depth.TRUECOLOR)
    row = next(i for i, line in enumerate(lines) if "L2 0.040" in line)
    ink = [i for i, line in enumerate(lines) if re.search(r"[\u2801-\u28ff•] L2|[\u2801-\u28ff•]\s*$", line[:50])]
    assert row in ink or row - 1 in ink or row + 1 in ink
    assert row < 4


def test_values_stand_at_their_height():
    level = Series("a", np.array([0.0, 10.0]), np.array([0.5, 0.5]))
    one = LineChart(Chart((level,), "step", "", scale_of=np.array([0.0, 1.0])))
    lines = drawn(one, 40, 23)
    tick = {m[1]: i for i, line in enumerate(lines) if (m := re.match(r"\s*([\d.]+)┤", line))}
    ink = {i for i, line in enumerate(lines) if re.search(r"[\u2801-\u28ff]{5}", line)}
    assert ink == {round((tick["0.0"] + tick["1.0"]) / 2)}


def test_checkpoints_are_marked_where_there_is_room():
    assert sum(line.count("•") for line in drawn(chart(1, 6), 80, 16, Depth.TRUECOLOR)) == 6
    assert sum(line.count("•") for line in drawn(chart(1, 60), 80, 16, Depth.TRUECOLOR)) == 0


def test_one_checkpoint_alone_is_a_mark():
    one = LineChart(Chart((Series("L1", np.array([100.0]), np.array([0.5])),), "step", ""))
    assert sum(line.count("•") for line in drawn(one, depth=Depth.EIGHT_BIT)) == 1


def test_the_cursor_names_its_step_and_marks_the_value_in_focus():
    plain, pointed = drawn(chart(), focus=5), drawn(chart(), cursor=3, focus=5)
    assert "300" in pointed[-1].split()
    mark = next((i, line.index("◆")) for i, line in enumerate(pointed) if "◆" in line)
    changed = {j for a, b in zip(plain[:-1], pointed[:-1], strict=True) for j in range(60) if a[j] != b[j]}
    assert changed == {mark[1]}


def test_a_cursor_beyond_the_data_draws_nothing():
    assert drawn(chart(), cursor=99) == drawn(chart())


def test_moving_the_cursor_leaves_the_picture_as_it_was():
    one = chart()
    before = drawn(one)
    drawn(one, cursor=4, focus=2)
    assert drawn(one) == before


def test_focus_dims_the_others():
    colours = palette(Depth.EIGHT_BIT)
    lines = chart().draw(60, 16, colours, focus=6)
    braille = {s.style for line in lines for s in line if s.style and re.search(r"[\u2801-\u28ff]", s.text)}
    assert {s.color for s in braille} == {colours.faint.color, colours.line(1.0).color}


def test_labels_never_share_a_row():
    for height in (6, 10, 16, 40):
        lines = drawn(chart(24, 40), 90, height, Depth.TRUECOLOR)
        named = [len(re.findall(r"L\d+", line)) for line in lines]
        assert max(named) == 1
        assert sum(named) > 1


def test_a_log_axis_leaves_zeros_out_and_says_where_noise_begins():
    x = np.arange(0, 1000, 100.0)
    one = LineChart(
        Chart((Series("L1", x, np.where(x == 0, 0.0, 1e-8 * 10 ** (x / 200))),), "step", "distance", floor=1e-6)
    )
    text = "\n".join(drawn(one, 60, 20, log_y=True))
    assert "noise floor" in text
    assert "1e-6┤" in text


def test_a_companion_in_the_noise_does_not_take_the_log_axis():
    x = np.arange(0, 1000, 100.0)
    seeds = Companion("seeds", np.where(x == 0, 1e-12, 0.01), dashed=True)
    one = Chart((Series("L1", x, np.full(10, 0.1), companions=(seeds,)),), "step", "distance", floor=1e-6)
    assert one.y_scale(log=True).low > 1e-7


def test_a_band_thinner_than_a_cell_leaves_no_spots():
    x = np.arange(0, 1000, 100.0)
    y = x / 1000
    colours = palette(Depth.EIGHT_BIT)

    def tinted(spread):
        one = LineChart(Chart((Series("L1", x, y, low=y - spread, high=y + spread),), "step", "distance"))
        return any(s.style and s.style.bgcolor for line in one.draw(60, 16, colours) for s in line)

    assert tinted(0.1)
    assert not tinted(0.01)


def test_a_spread_is_a_background_or_dotted_edges():
    colours = palette(Depth.EIGHT_BIT)
    lines = chart(2, spread=True).draw(60, 16, colours)
    assert any(s.style and colours.band and s.style.bgcolor == colours.band.bgcolor for line in lines for s in line)
    assert drawn(chart(2, spread=True), focus=1) != drawn(chart(2), focus=1)


@pytest.mark.parametrize(
    ("name", "width", "height", "depth", "how"),
    [
        ("lines-40x10-none", 40, 10, Depth.NONE, {}),
        ("lines-80x20-256", 80, 20, Depth.EIGHT_BIT, {}),
        ("lines-80x20-none-cursor", 80, 20, Depth.NONE, {"cursor": 4, "focus": 5}),
        ("lines-60x16-ascii", 60, 16, Depth.NONE, {"ascii_only": True}),
    ],
)
def test_the_picture_is_the_one_that_was_looked_at(name, width, height, depth, how):
    text = to_text(chart().draw(width, height, palette(depth), **how))
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("focus", [-1, 0, 77, 199])
def test_of_very_many_lines_some_are_drawn_and_the_one_in_focus(focus):
    whole = chart(layers=200).chart
    one = LineChart(replace(whole, series=tuple(replace(s, label="") for s in whole.series)))
    there = one.shown(focus)
    assert {0, 199} <= set(there)
    assert focus < 0 or focus in there
    assert MOST <= len(there) <= MOST + 1
    assert np.diff(there).max() <= -(-200 // MOST) + 1
    few = LineChart(
        replace(
            one.chart,
            series=tuple(one.chart.series[i] for i in there),
            scale_of=np.concatenate([s.y for s in one.chart.series]),
        )
    )
    at = there.index(focus) if focus >= 0 else -1
    assert drawn(one, 100, 30, Depth.TRUECOLOR, focus=focus) == drawn(few, 100, 30, Depth.TRUECOLOR, focus=at)
    assert chart(layers=MOST).shown() == tuple(range(MOST))


def test_every_place_on_the_x_axis_is_named_where_there_is_room():
    def named(xs: list[int], width: int) -> list[str]:
        x = np.array(xs, np.float64)
        lines = to_text(LineChart(Chart((Series("L1", x, x / 9),), "step", "")).draw(width, 8, palette(Depth.NONE)))
        return lines.splitlines()[-1].split()[:-1]

    assert named([0, 1, 2, 3, 4, 5, 6], 40) == ["0", "1", "2", "3", "4", "5", "6"]
    assert named([0, 7, 30, 64], 60) == ["0", "7", "30", "64"]
    assert named([0, 1, 30, 64], 60) == ["0", "20", "40", "60"]  # the first two would touch
    assert named(list(range(0, 2001, 100)), 70) == ["0", "500", "1,000", "1,500", "2,000"]


def bundle(width: int, depth: Depth = Depth.NONE, labels: str = "L{}", **how: object) -> list[str]:
    """Seven lines that part to the right."""
    x = np.arange(0, 2001, 100.0)
    lines = [Series(labels.format(i), x, i * (x / 2000) ** 2, i / 6, number=i) for i in range(7)]
    return [line.rstrip() for line in drawn(LineChart(Chart(tuple(lines), "step", "")), width, 20, depth, **how)]


@pytest.mark.parametrize("width", [20, 27, 60, 120])
def test_every_line_has_its_letter_where_colours_do_not_tell_lines_apart(width):
    plot = "".join(re.split("[│┤]", line)[1].partition(" L")[0] for line in bundle(width)[:18])
    assert {c for c in plot if c.isdigit()} == set("0123456")


def test_a_label_that_is_its_letter_says_it_once():
    assert bundle(60)[0].endswith("L6 6.00")
    assert not bundle(60)[0].endswith("6 L6 6.00")
    assert bundle(60, labels="step {}20")[0].endswith(" 6 step 620 6.00")
    none = np.zeros(0)
    assert Series("L12", none, none, number=12).marked("L12 0.5") == "c L12 0.5"
    assert Series("seed 42", none, none, number=2).marked("seed 42") == "2 seed 42"
    assert Series("head 9", none, none, number=9).marked("head 9 0.1") == "head 9 0.1"


def test_lines_of_letters_are_named_by_them_in_colour_too():
    """Without dots a line is its letter: the label must say whose it is, not by its colour alone."""
    assert bundle(60, Depth.TRUECOLOR, "step {}20", ascii_only=True)[0].endswith(" 6 step 620 6.00")
