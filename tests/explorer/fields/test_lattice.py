"""Values between the computed points of a plane."""

from __future__ import annotations

import numpy as np

from explorer.fields.field import FieldAxis, plain_field
from explorer.fields.lattice import filled, lattice


def test_points_between_computed_ones_are_interpolated() -> None:
    known = np.array([[0.0, np.nan, 2.0], [np.nan, np.nan, np.nan], [2.0, np.nan, 4.0]])
    found = filled(known, np.isfinite(known))
    assert np.allclose(found, [[0, 1, 2], [1, 2, 3], [2, 3, 4]])


def test_what_has_no_value_for_a_reason_stays_empty() -> None:
    known = np.array([[0.0, np.nan, 2.0], [2.0, np.nan, 4.0]])
    there = np.array([[True, True, True], [True, False, True]])
    found = filled(known, there)
    assert np.isnan(found[0, 1])
    assert found[1, 1] == 3


def test_places_are_even_and_probes_outside_the_grid_are_left_out() -> None:
    axes = [FieldAxis("beta", (-0.5, 0.0, 0.25, 0.5)), FieldAxis("alpha", (-1.0, 0.0, 0.5, 1.0))]
    values = np.full((4, 4), np.nan)
    values[np.ix_([0, 1, 3], [1, 2, 3])] = np.arange(9).reshape(3, 3)
    values[2, 1] = 50.0  # its row has no other point
    values[1, 0] = 70.0
    found = lattice(plain_field(axes, values))
    assert found.axes[0].places == (-0.5, 0.0, 0.5)
    assert found.axes[1].places == (0.0, 0.5, 1.0)
    assert np.array_equal(found.values, np.arange(9).reshape(3, 3))


def test_a_missing_row_of_an_uneven_axis_is_filled_in() -> None:
    axes = [FieldAxis("beta", (0.0, 1.0)), FieldAxis("alpha", (0.0, 0.5, 2.0))]
    found = lattice(plain_field(axes, np.array([[0.0, 1.0, 4.0], [2.0, 3.0, 6.0]])))
    assert found.axes[1].places == (0.0, 0.5, 1.0, 1.5, 2.0)
    assert found.values[0].tolist() == [0, 1, 2, 3, 4]
    assert found.there[0].tolist() == [True, True, False, False, True]
