"""Order the places of a picture by the size of their values. Pure."""

from __future__ import annotations

import numpy as np

from explorer.views.base import Cursor

MOST = 1000
"""Places that are ordered: nobody walks through more."""


def ranked(sizes: np.ndarray, top_first: bool = False) -> tuple[Cursor, ...]:
    """Return the places of sizes [rows, columns], the largest first; those that are not finite are left out.

    Args:
        top_first: whether the first row is the top one; cursors count rows from the lowest up.
    """
    rows, columns = sizes.shape
    flat = np.where(np.isfinite(sizes), sizes, -np.inf).ravel()
    order = np.argsort(-flat, kind="stable")[:MOST]
    places = (divmod(int(i), columns) for i in order if np.isfinite(flat[i]))
    return tuple(Cursor(x, rows - 1 - y if top_first else y) for y, x in places)
