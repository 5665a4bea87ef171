"""Permute and resample for nulls and intervals: always whole examples, never tokens.

Tokens of one sentence depend on each other, so an interval over tokens would be too narrow and a null over tokens too
small (MultiBERTs, Sellam et al. 2022; Kuensch 1989 for blocks).
"""

from __future__ import annotations

import numpy as np

GROUPS = 20
"""Number of groups of whole examples to resample if single examples would cost too much."""
RUN = 65_536
"""Number of rows within which examples are permuted if rows are streamed; it limits the memory, whatever n is."""


def example_order(examples: int, seed: int, draw: int) -> np.ndarray:
    """Return a random order of the examples, int64 [E], fixed by the seed and the draw (from 0)."""
    return np.random.default_rng([seed, draw]).permutation(examples)


def groups_of(offsets: np.ndarray, count: int = GROUPS) -> np.ndarray:
    """Return the group of each example, int64 [E], from 0: consecutive examples, with about equal numbers of tokens.

    Args:
        offsets: number of tokens before each example, int64 [E + 1].
        count: maximum number of groups; there are fewer if there are fewer examples.
    """
    lengths = np.diff(offsets)
    if not len(lengths) or not lengths.sum():
        return np.zeros(len(lengths), np.int64)
    middle = offsets[:-1] + lengths / 2
    wanted = np.minimum((middle * count / offsets[-1]).astype(np.int64), count - 1)
    return np.unique(wanted, return_inverse=True)[1].astype(np.int64)  # no group stays empty


def group_bounds(row_offsets: np.ndarray, count: int = GROUPS) -> np.ndarray:
    """Return the row at which each group of groups_of() begins, and the number of rows: int64 [groups + 1].

    Args:
        row_offsets: number of rows before each example, int64 [E + 1].
        count: maximum number of groups.
    """
    groups = groups_of(row_offsets, count)
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.append(row_offsets[first], row_offsets[-1])


def example_runs(row_offsets: np.ndarray, rows: int = RUN) -> np.ndarray:
    """Cut the examples into runs of at most about ``rows`` rows. Return the examples before each run, int64 [runs + 1].

    Runs have about the same length, so that none has too few examples to permute.
    """
    groups = groups_of(row_offsets, max(1, -(-int(row_offsets[-1]) // rows)))
    return np.append(np.flatnonzero(np.diff(groups, prepend=-1)), len(groups))


def shuffled_rows(row_offsets: np.ndarray, first: int, stop: int, seed: int, draw: int) -> np.ndarray:
    """Return the rows of examples first..stop in a random order of the examples, counted from the first one's row.

    Rows of one example stay together and in order. The result is fixed by the seed, the draw and the first example.
    """
    order = np.random.default_rng([seed, draw, first]).permutation(stop - first) + first
    lengths = np.diff(row_offsets)[order]
    begins = np.cumsum(lengths) - lengths
    start = row_offsets[order] - row_offsets[first]
    return np.repeat(start - begins, lengths) + np.arange(lengths.sum())


def resample_counts(groups: int, resamples: int, seed: int) -> np.ndarray:
    """Return the count of each group in each bootstrap resample, int64 [resamples, groups]; rows sum to ``groups``."""
    return np.random.default_rng([seed, 1 << 20]).multinomial(groups, np.full(groups, 1 / groups), size=resamples)


def percentile_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Return the central interval of bootstrap values [resamples] that holds the share ``level`` (Efron 1979)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def jackknife_interval(estimate: float, left_out: np.ndarray, level: float) -> tuple[float, float]:
    """Return the symmetric interval around the estimate, from the values without each group, [groups] (Tukey 1958).

    Quantiles of the standard error are Student's with G - 1 degrees of freedom.
    """
    from scipy.special import stdtrit

    half = jackknife_error(left_out) * float(stdtrit(len(left_out) - 1, (1 + level) / 2))
    return estimate - half, estimate + half


def jackknife_error(left_out: np.ndarray) -> float:
    """Return the standard error sqrt((G - 1) / G sum (v - mean v)^2) from the values without each group, [groups]."""
    count = len(left_out)
    return float(np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()))


def ratio_interval(
    sums: np.ndarray, counts: np.ndarray, method: str, level: float, resamples: int, seed: int
) -> tuple[float, float]:
    """Return the interval of sum(sums) / sum(counts), the mean over all rows, by a method of ``INTERVALS``.

    Args:
        sums: sum over the rows of each example, float64 [E], with E at least 2.
        counts: number of rows of each example, at least 1, [E].
    """
    count, total, rows = len(sums), float(sums.sum()), float(counts.sum())
    if method == "jackknife":
        return jackknife_interval(total / rows, (total - sums) / (rows - counts), level)
    drawn = resample_counts(count, resamples, seed)
    return percentile_interval((drawn @ sums) / (drawn @ counts), level)
