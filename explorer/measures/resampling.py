"""What nulls and intervals have in common: whole examples are permuted, left out or drawn again, never tokens.

Tokens of one sentence depend on each other, so an interval over tokens would be too narrow and a null over tokens too
small (MultiBERTs, Sellam et al. 2022; Kuensch 1989 for blocks).
"""

from __future__ import annotations

import numpy as np

GROUPS = 20
"""Groups of whole examples where each single one would cost too much."""


def example_order(examples: int, seed: int, draw: int) -> np.ndarray:
    """A random order of the examples, int64 [E]; the same for the same seed and draw (counted from 0)."""
    return np.random.default_rng([seed, draw]).permutation(examples)


def groups_of(offsets: np.ndarray, count: int = GROUPS) -> np.ndarray:
    """Group of each example, int64 [E], from 0: consecutive whole examples, of about as many tokens each.

    Args:
        offsets: int64 [E + 1], tokens before each example.
        count: most groups; fewer where there are fewer examples.
    """
    lengths = np.diff(offsets)
    if not len(lengths) or not lengths.sum():
        return np.zeros(len(lengths), np.int64)
    middle = offsets[:-1] + lengths / 2
    wanted = np.minimum((middle * count / offsets[-1]).astype(np.int64), count - 1)
    return np.unique(wanted, return_inverse=True)[1].astype(np.int64)  # no group stays empty


def resample_counts(groups: int, resamples: int, seed: int) -> np.ndarray:
    """How often each group is drawn in each bootstrap resample, int64 [resamples, groups]; rows sum to ``groups``."""
    return np.random.default_rng([seed, 1 << 20]).multinomial(groups, np.full(groups, 1 / groups), size=resamples)


def percentile_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """The middle ``level`` of the bootstrap's values [resamples] (Efron 1979)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def jackknife_interval(estimate: float, left_out: np.ndarray, level: float) -> tuple[float, float]:
    """Symmetric interval around the estimate from the values with one group left out each [groups] (Tukey 1958).

    The standard error is sqrt((G - 1) / G sum (v - mean v)^2); quantiles are Student's with G - 1 degrees of freedom.
    """
    from scipy.special import stdtrit

    count = len(left_out)
    error = float(np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()))
    half = error * float(stdtrit(count - 1, (1 + level) / 2))
    return estimate - half, estimate + half


def mean_interval(values: np.ndarray, method: str, level: float, resamples: int, seed: int) -> tuple[float, float]:
    """Interval of the mean of per-example values [E], by either method of ``INTERVALS``; E of at least 2."""
    count = len(values)
    if method == "jackknife":
        left_out = (values.sum() - values) / (count - 1)
        return jackknife_interval(float(values.mean()), left_out, level)
    drawn = resample_counts(count, resamples, seed)
    return percentile_interval(drawn @ values / count, level)
