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


def rank_in_words(place: int, many: int) -> str:
    """Return 'the largest of 70 values', 'the 2nd largest of 70 values', ...; there may be more than MOST.

    Args:
        place: from 0.
        many: number of places that are ordered.
    """
    number = place + 1
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    largest = "the largest" if not place else f"the {number}{ending} largest"
    return f"{largest} of {many:,} values{' or more' * (many >= MOST)}"
