"""Do the broken lines beside a line say where they stand, and can they be told apart by every eye and terminal?"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.cells import width_of
from explorer.render.chart import Chart, Companion, Series
from explorer.render.lines import LineChart
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette

GOLDEN = Path(__file__).with_name("golden")
X = np.linspace(0, 1000, 11)


def chart(chance: float = 0.3, seeds: float = 0.1, **changes: object) -> LineChart:
    """Two lines up to 0.2 and 0.4; level lines beside the upper one, and a band."""
    beside = (
        Companion("seeds", np.full(11, seeds), dashed=True),
        Companion("chance", np.full(11, chance)),
    )
    upper = Series("L1", X, X * 4e-4, 1.0, X * 4e-4 - 0.02, X * 4e-4 + 0.02, 1, beside)
    shown = Chart((Series("L0", X, X * 2e-4), upper), "step", "distance", bands_in_focus_only=True)
    return LineChart(replace(shown, **changes))  # type: ignore[arg-type]


def drawn(
    one: LineChart, depth: Depth = Depth.NONE, focus: int = 1, size: tuple[int, int] = (80, 24), **how: object
) -> str:
    return to_text(one.draw(*size, palette(depth), focus=focus, **how))  # type: ignore[arg-type]


def test_they_are_named_with_their_last_value_while_their_line_is_in_focus():
    text = drawn(chart())
    assert "╌ seeds 0.100" in text
    assert "┈ chance 0.300" in text
    for focus in (-1, 0):
        assert "seeds" not in drawn(chart(), focus=focus)
        assert "chance" not in drawn(chart(), focus=focus)


def test_a_chance_level_far_away_is_named_at_the_edge_and_presses_no_line_flat():
    text = drawn(chart(chance=30.0))
    assert "┈ chance 30.0 ↑" in text.splitlines()[1]
    assert chart(chance=30.0).chart.y_scale(False) == chart(chance=0.3).chart.y_scale(False)
    low = drawn(chart(chance=-30.0))
    assert "┈ chance -30.0 ↓" in low
    assert "^" in drawn(chart(chance=30.0), ascii_only=True)


def test_one_not_far_off_makes_the_axis_longer():
    assert chart(chance=0.5).chart.y_scale(False).high > 0.5
    assert chart(chance=0.5).chart.y_scale(True).high > 0.5
    assert chart().chart.y_scale(False).high < 0.45


def test_charts_on_one_scale_stay_on_it():
    given = np.array([0.0, 0.4])
    alone = replace(chart().chart, series=chart().chart.series[:1], scale_of=given)
    assert alone.y_scale(False) == replace(chart(chance=0.5).chart, scale_of=given).y_scale(False)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_without_colour_three_kinds_of_line_have_three_patterns(ascii_only):
    """Level lines in rows of their own: what is drawn in such a row is the pattern."""
    level = np.ones(11)
    beside = Companion("seeds", 0.5 * level, dashed=True), Companion("chance", 0.2 * level)
    one = LineChart(Chart((Series("L1", X, level, companions=beside),), "step", "distance"))
    lines = drawn(one, ascii_only=ascii_only, focus=0, size=(100, 30)).splitlines()
    rows = {name: next(line[6:70] for line in lines if name in line) for name in ("L1", "seeds", "chance")}
    share = {name: sum(char != " " for char in row) / len(row) for name, row in rows.items()}
    assert share["L1"] == 1
    assert share["seeds"] == pytest.approx(3 / 4, abs=0.05)
    assert share["chance"] == pytest.approx(1 / 4, abs=0.05)
    if ascii_only:
        assert set(rows["seeds"]) == {"=", " "}
        assert set(rows["chance"]) == {":", " "}


def test_the_plot_is_as_wide_whichever_line_is_in_focus():
    """Else every key that moves between lines would send the whole picture."""
    widths = {drawn(chart(), focus=focus).splitlines()[-2].count("─") for focus in (-1, 0, 1)}
    assert len(widths) == 1


def test_bands_of_intervals_are_drawn_for_the_line_in_focus_alone():
    tint = palette(Depth.EIGHT_BIT).band
    assert tint is not None

    def banded(focus: int) -> bool:
        lines = chart().draw(80, 24, palette(Depth.EIGHT_BIT), focus=focus)
        return any(s.style and s.style.bgcolor == tint.bgcolor for line in lines for s in line)

    assert [banded(focus) for focus in (-1, 0, 1)] == [False, False, True]


def test_changes_have_zero_on_the_axis_and_a_line_there():
    below = Series("L1", X, np.linspace(-0.5, -0.3, 11))
    text = drawn(LineChart(Chart((below,), "step", "change", signed=True)), focus=-1)
    assert "0.0┤┈┈┈" in text
    plain = Chart((below,), "step", "change")
    assert plain.y_scale(False).high < 0
    assert LineChart(replace(plain, signed=True)).chart.y_scale(True).low < 0  # no logarithm of a change


def test_a_similarity_hangs_down_from_one():
    near = Chart((Series("L1", X, np.linspace(1, 0.7, 11)),), "step", "similarity", anchor=1.0)
    scale = near.y_scale(False)
    assert scale.high == 1.0
    assert 0.6 < scale.low < 0.7
    assert "1.00┤" in drawn(LineChart(near), focus=-1)


LEVELS = st.lists(st.one_of(st.floats(-1, 2), st.just(np.nan)), min_size=6, max_size=6)


@given(
    LEVELS, LEVELS, LEVELS, st.integers(1, 120), st.integers(1, 30), st.sampled_from(list(Depth)), st.booleans(),
    st.booleans(), st.booleans(), st.sampled_from([0.0, 1.0]),
)  # fmt: skip
def test_any_data_fills_exactly_the_cells_given(
    ys, chance, seeds, width, height, depth, log, ascii_only, signed, anchor
):
    x = np.arange(6.0)
    beside = (Companion("chance", np.array(chance)), Companion("seeds", np.array(seeds), dashed=True))
    series = (Series("L0", x, np.array(ys), companions=beside), Series("L1", x, np.array(seeds)))
    one = LineChart(Chart(series, "step", "distance", signed=signed, anchor=anchor))
    for focus in (-1, 0, 1):
        lines = one.draw(width, height, palette(depth), 2, focus, log, ascii_only)
        assert [width_of(line) for line in lines] == [width] * height
        if ascii_only:
            assert "".join(s.text for line in lines for s in line).isascii()


@pytest.mark.parametrize(("name", "how"), [("beside-80x24-none", {}), ("beside-80x24-ascii", {"ascii_only": True})])
def test_the_picture_is_the_one_that_was_looked_at(name, how):
    text = drawn(chart(chance=0.9, seeds=0.15), **how)
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("own", "other", "order"), [(0.03, -0.004, ["L1", "chance"]), (0.0, 0.03, ["chance", "L1"])])
def test_names_stand_in_the_order_of_their_lines(own, other, order):
    """Also where lines end close together at the edge of the plot."""
    beside = (Companion("chance", np.full(11, other)),)
    line = Series("L1", X, np.linspace(1, own, 11), number=1, companions=beside)
    crowd = [Series(f"L{i}", X, np.linspace(1, own + 0.004 * i, 11), number=i) for i in (2, 3)]
    text = drawn(LineChart(Chart((line, *crowd), "step", "similarity")), focus=0, size=(70, 14))
    named = [name for row in text.splitlines() for name in ("L1", "chance") if f" {name} " in row]
    assert named == order


def test_in_ascii_a_spread_is_dots_beside_a_line_of_letters():
    rows = drawn(chart(), ascii_only=True).splitlines()
    assert any(". 111" in row for row in rows)
    assert not any("1 111" in row or "111 1" in row for row in rows)
