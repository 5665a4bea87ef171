"""Do grids begin coarse, get finer where a function bends, and share their points?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measures.computation import MeasureError
from explorer.measures.declaration import At, Known
from explorer.measures.landscapes.grids import at, ends_in, line, places, plane

Finished = dict[At, tuple[Known, ...]]


def finished(propose: Callable[[Mapping[At, tuple[Known, ...]]], list[At]], loss: Callable[[At], float]) -> Finished:
    """Evaluate what is proposed until nothing is new."""
    known: Finished = {}
    while new := [point for point in propose(known) if point not in known]:
        known |= {point: (Known("loss", loss(point)), Known("error", 99.0)) for point in new}
    return known


def on_line(loss: Callable[[float], float], many: int = 41, low: float = -0.5, high: float = 1.5) -> dict[float, float]:
    along = places((Fraction(low), Fraction(high)), many)
    known = finished(lambda k: line("alpha", along, (0.0, 0.5, 1.0), k, "loss"), lambda p: loss(float(p.more[0][1])))
    return {float(point.more[0][1]): float(values[0].value or 0) for point, values in sorted(known.items())}


def test_a_straight_line_needs_the_coarse_grid_alone() -> None:
    assert set(on_line(lambda x: 2 + x)) == {*places(ends_in("-0.5,1.5"), 11), 0.0, 0.5, 1.0}


@pytest.mark.parametrize("many", [19, 21, 35, 41, 67, 97])
def test_the_coarse_grid_has_both_ends_and_even_steps(many: int) -> None:
    along = places((Fraction(0), Fraction(1)), many)
    first = [along.index(float(point.more[0][1])) for point in line("alpha", along, (), {}, "loss")]
    assert (first[0], first[-1]) == (0, many - 1)
    assert len(set(np.diff(first))) == 1
    assert len(first) >= 9


def test_a_bump_is_refined_where_it_is() -> None:
    found = on_line(lambda x: 1 + float(np.exp(-40 * (x - 0.7) ** 2)), 81)
    near = [x for x in found if abs(x - 0.7) < 0.3]
    far = [x for x in found if x < 0]
    assert len(near) > 3 * len(far)


@given(st.floats(-0.2, 1.2), st.floats(1.0, 20.0), st.floats(0.2, 3.0))
def test_interpolation_is_right_within_some_per_cent(centre: float, sharp: float, height: float) -> None:
    def loss(x: float) -> float:
        return 1 + height * sharp * (x - centre) ** 2 / (1 + sharp * (x - centre) ** 2)

    found = on_line(loss, 129)
    x = np.linspace(-0.5, 1.5, 1000)
    drawn = np.interp(x, list(found), list(found.values()))
    exact = np.array([loss(one) for one in x])
    assert np.abs(drawn / exact - 1).max() < 0.1


def test_no_points_are_spent_on_losses_of_a_thousandth_of_a_nat() -> None:
    def loss(x: float) -> float:
        return 1e-5 * float(np.cosh(9 * x))  # 0.0005 at 0.5, 0.04 at 1, 3.6 at 1.5

    found = on_line(loss, 161)
    assert [x for x in found if x <= 0.5] == [-0.5, -0.3, -0.1, 0.0, 0.1, 0.3, 0.5]
    assert len([x for x in found if x > 1.25]) > 9
    x = np.linspace(-0.5, 1.5, 1000)
    drawn, exact = np.interp(x, list(found), list(found.values())), np.array([loss(one) for one in x])
    assert (np.abs(drawn - exact) < 0.04 * np.maximum(0.05, exact)).all()


def test_a_finer_grid_keeps_every_point() -> None:
    def loss(x: float) -> float:
        return float(np.cosh(9 * x))

    coarse, fine = set(on_line(loss, 41)), set(on_line(loss, 81))
    assert coarse < fine


def test_points_do_not_depend_on_the_order_of_arrival() -> None:
    along = places(ends_in("-0.5,1.5"), 41)

    def loss(point: At) -> float:
        return float(np.exp(3 * float(point.more[0][1])))

    known: Finished = {}
    while True:
        new = [p for p in line("alpha", along, (), known, "loss") if p not in known]
        if not new:
            break
        known = {new[-1]: (Known("loss", loss(new[-1])),), **known}  # one at a time, the last one first
    assert set(known) == set(finished(lambda k: line("alpha", along, (), k, "loss"), loss))


def test_a_point_without_a_number_stops_no_other() -> None:
    along = places(ends_in("0,1"), 17)
    known: Finished = {}
    while new := [p for p in line("alpha", along, (), known, "loss") if p not in known]:
        for p in new:
            x = float(p.more[0][1])
            known[p] = (Known("loss", None if x == 0.5 else float(np.exp(6 * x))),)
    assert len(known) > 5


def surface(loss: Callable[[float, float], float], many: int = 17) -> set[tuple[float, float]]:
    along = places(ends_in("-0.5,1.5"), many)
    known = finished(
        lambda k: plane(("alpha", "beta"), along, along, k, "loss"),
        lambda p: loss(float(p.more[0][1]), float(p.more[1][1])),
    )
    return {(float(p.more[0][1]), float(p.more[1][1])) for p in known}


def test_a_plane_begins_with_the_coarse_grid_and_holds_the_ends() -> None:
    found = surface(lambda a, b: 3 + a + 2 * b)
    assert len(found) == 25
    assert {(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)} <= found


def test_a_plane_is_refined_where_it_bends() -> None:
    found = surface(lambda a, b: 1 + 5 * float(np.exp(-30 * ((a - 1) ** 2 + (b - 1) ** 2))), 33)
    near = [p for p in found if p[0] > 0.4 and p[1] > 0.4]
    far = [p for p in found if p[0] < 0.4 and p[1] < 0.4]
    assert len(near) > 5 * len(far)


def test_a_plane_that_bends_everywhere_gets_every_point() -> None:
    assert len(surface(lambda a, b: float(np.exp(5 * a) + np.exp(5 * b)), 9)) == 81


def test_a_finer_plane_keeps_every_point() -> None:
    def loss(a: float, b: float) -> float:
        return float(np.cosh(3 * a) + np.cosh(3 * b))

    assert surface(loss, 9) < surface(loss, 17)


@pytest.mark.parametrize("text", ["", "1", "0,1,2", "a,b", "1,1", "2,-1", "1/0,2"])
def test_another_range_is_refused(text: str) -> None:
    with pytest.raises(MeasureError, match="range"):
        ends_in(text)


def test_places_are_the_nearest_floats() -> None:
    assert places(ends_in("-0.5,1.5"), 21) == tuple(float(Fraction(i - 5, 10)) for i in range(21))


def test_a_point_of_a_line_has_one_coordinate() -> None:
    assert at("alpha", 0.5) == At(more=(("alpha", 0.5),))
