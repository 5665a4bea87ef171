"""Ranks of all pairs' similarities, and the same sums over pairs as rsa_pairs.py makes of the similarities themselves.

For Spearman's correlation every one of n (n - 1) / 2 pairs has to be ranked: at n = 5,000 that is 12.5 million, 100 MB
to sort and 50 MB a side to keep. Pairs are laid out as a flattened upper triangle, row after row.
"""

from __future__ import annotations

import numpy as np

from explorer.measures.rsa_pairs import Own, Pairs, Unit, pair_counts

LARGEST = 20_000
"""Rows whose pairs are ranked: 200 million pairs, 1.6 GB to sort."""
ROWS = 256
"""Rows of the triangle whose similarities are made at once."""
CHUNK = 2**20
"""Sorted pairs that get their ranks at once."""


def pair_ranks(side: Unit, device: str) -> np.ndarray:
    """Twice the rank (from 1; equal ones share their mean) of each pair's similarity, uint32 [n (n - 1) / 2].

    Similarities are made in float64 and ranked in float32: differences below 6e-8 of a similarity are ties.
    """
    n = len(side.a)
    packed = np.empty(n * (n - 1) // 2, np.uint64)
    everything = side.extended(slice(None), device)
    everything = everything[:, [*range(side.z.shape[1]), -1, -2]]
    at = 0
    for start in range(0, n, ROWS):
        stop = min(start + ROWS, n)
        block = (side.extended(slice(start, stop), device) @ everything[start:].T).float().cpu().numpy()
        for row, similarities in enumerate(block):
            later = similarities[row + 1 :]
            words = packed[at : at + len(later)]
            words[:] = _sortable(later)
            words <<= np.uint64(32)
            words |= np.arange(at, at + len(later), dtype=np.uint64)
            at += len(later)
    packed.sort()
    return _shared_ranks(packed)


def _sortable(values: np.ndarray) -> np.ndarray:
    """float32 as uint32 in the same order."""
    bits = (values + np.float32(0)).view(np.uint32)  # -0 becomes 0
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))


def _shared_ranks(packed: np.ndarray) -> np.ndarray:
    """Twice the rank at each place, from sorted words of a value (upper half) and its place (lower half)."""
    ranks = np.empty(len(packed), np.uint32)
    start = 0
    while start < len(packed):
        stop = min(start + CHUNK, len(packed))
        last = packed[stop - 1] >> np.uint64(32)
        stop = int(np.searchsorted(packed, (last + np.uint64(1)) << np.uint64(32)))  # never between equal values
        values = packed[start:stop] >> np.uint64(32)
        begins = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])
        twice = 2 * start + begins[:-1] + begins[1:] + 1
        places = (packed[start:stop] & np.uint64(0xFFFFFFFF)).astype(np.int64)
        ranks[places] = np.repeat(twice, np.diff(begins))
        start = stop
    return ranks


def rank_pairs(x: np.ndarray, y: np.ndarray, order: np.ndarray | None, bounds: np.ndarray) -> Pairs:
    """Sums over pairs of two sides' ranks, in groups of rows bounds[g] to bounds[g + 1], the rows of y in an order.

    Args:
        x, y: as pair_ranks() gives them.
        order: int64 [n]; None: as they are.
    """
    n = int(bounds[-1])
    begins = np.concatenate([[0], np.cumsum(np.arange(n - 1, 0, -1))])  # of each row in the triangle
    middle = len(x) + 1.0  # of all doubled ranks: taken off, the sums keep their digits
    groups = np.searchsorted(bounds, np.arange(n), side="right") - 1
    sums = np.zeros((5, len(bounds) - 1, len(bounds) - 1))
    for i in range(n - 1):
        mine = slice(int(begins[i]), int(begins[i]) + n - 1 - i)
        if order is None:
            theirs = y[mine]
        else:
            low, high = np.minimum(order[i], order[i + 1 :]), np.maximum(order[i], order[i + 1 :])
            theirs = y[begins[low] + high - low - 1]
        a, b = x[mine] / middle - 1, theirs / middle - 1
        first = groups[i + 1]
        cuts = np.maximum(bounds[first:-1], i + 1) - (i + 1)
        sums[:, groups[i], first:] += np.add.reduceat(np.stack([a, b, a * a, b * b, a * b]), cuts, axis=1)
    both = sums + sums.transpose(0, 2, 1)
    return Pairs(pair_counts(bounds), Own(both[0], both[2]), Own(both[1], both[3]), both[4])
