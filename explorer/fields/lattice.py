"""Values between the computed points of a plane. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.fields.field import ARRAYS, Field, FieldAxis, Index


def lattice(field: Field) -> Field:
    """Return a field of two numeric axes on evenly spaced places, with values between the computed points interpolated.

    Points that were tried outside the grid (with no second point in their row or column) are left out. Interpolated
    values are not ``there``; refused ones stay as they are.
    """
    dense = [np.flatnonzero(field.there.sum(axis=1 - axis) > 1) for axis in (0, 1)]
    if not all(len(one) > 1 for one in dense):
        return field
    axes, where = [], []
    for axis, kept in zip(field.axes, dense, strict=True):
        known = np.array([float(axis.places[i]) for i in kept])
        step = np.diff(known).min()
        many = round((known[-1] - known[0]) / step)
        exact = {round((value - known[0]) / step): axis.places[i] for i, value in zip(kept, known, strict=True)}
        places = tuple(exact.get(n, float(known[0] + n * step)) for n in range(many + 1))
        axes.append(FieldAxis(axis.name, places, axis.title))
        where.append(np.array(sorted(exact)))
    shape = tuple(len(axis.places) for axis in axes)

    def spread(array: np.ndarray) -> np.ndarray:
        empty = np.full(shape, np.nan if array.dtype.kind == "f" else 0, array.dtype)
        empty[np.ix_(*where)] = array[np.ix_(*dense)]
        return empty

    arrays: dict[str, Any] = {name: spread(getattr(field, name)) for name in ARRAYS}
    placed = [dict(zip(kept.tolist(), at.tolist(), strict=True)) for kept, at in zip(dense, where, strict=True)]
    reasons: dict[Index, str] = {
        (placed[0][i], placed[1][j]): text
        for (i, j), text in field.reasons.items()
        if i in placed[0] and j in placed[1]
    }
    arrays["values"] = filled(arrays["values"], arrays["there"])
    return replace(field, axes=tuple(axes), reasons=reasons, **arrays)


def filled(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return values [rows, columns] with the points that are not there interpolated along rows and columns.

    Each pass fills what lies between two known points of its row or column (the mean of both where there are both); it
    is repeated until nothing is left to fill.
    """
    found = values.copy()
    while True:
        open_ = ~np.isfinite(found) & ~there
        along = np.stack([_between(found), _between(found.T).T])
        known = np.isfinite(along)
        new = open_ & known.any(0)
        if not new.any():
            return found
        mean = np.where(known, along, 0).sum(0) / np.maximum(known.sum(0), 1)
        found = np.where(new, mean, found)


def _between(values: np.ndarray) -> np.ndarray:
    """Interpolate each row between its known values; NaN outside them."""
    found = np.full_like(values, np.nan)
    places = np.arange(values.shape[1])
    for row, out in zip(values, found, strict=True):
        known = np.flatnonzero(np.isfinite(row))
        if len(known) > 1:
            out[known[0] : known[-1] + 1] = np.interp(places[known[0] : known[-1] + 1], known, row[known])
    return found
