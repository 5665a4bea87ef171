"""Rank the similarities of all pairs, and compute the sums of rsa_pairs.py for the ranks.

For Spearman's correlation all n (n - 1) / 2 pairs must be ranked: for n = 5,000 these are 12.5 million, 100 MB to sort
and 50 MB per side to cache. Pairs are stored as a flattened upper triangle, row by row.
"""

from __future__ import annotations

import numpy as np

from explorer.measures.rsa_pairs import Own, Pairs, Unit, pair_counts

LARGEST = 20_000
"""Maximum number of rows whose pairs are ranked: 200 million pairs, 1.6 GB to sort."""
ROWS = 256
"""Number of rows of the triangle whose similarities are computed at once."""
CHUNK = 2**20
"""Number of sorted pairs that get their ranks at once."""


def pair_ranks(side: Unit, device: str) -> np.ndarray:
    """Return twice the rank of each pair's similarity (from 1; ties share their mean), uint32 [n (n - 1) / 2].

    Similarities are computed in float64 and ranked in float32: relative differences below 6e-8 are ties.
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
    """Return float32 numbers as uint32 with the same order."""
    bits = (values + np.float32(0)).view(np.uint32)  # -0 becomes 0
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))


def _shared_ranks(packed: np.ndarray) -> np.ndarray:
    """Return twice the rank at each position, from sorted words of a value (upper half) and its position (lower)."""
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
    """Return sums over pairs of two sides' ranks, per pair of groups of rows bounds[g] to bounds[g + 1].

    Args:
        x, y: ranks from pair_ranks().
        order: order of the rows of y, int64 [n]; None: unchanged.
    """
    n = int(bounds[-1])
    begins = np.concatenate([[0], np.cumsum(np.arange(n - 1, 0, -1))])  # of each row in the triangle
    middle = len(x) + 1.0  # mean of all doubled ranks, subtracted so that the sums keep their precision
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
