"""From values of attention rows to values of heads and layers, with their null and interval.

A head's value is a ratio of two sums over examples, and a layer's the mean of its heads. With every example weighing
the same, an example gives its mean over query tokens and 1; with every query token weighing the same, its sum over
query tokens and their number. Nulls and intervals take the same ratio of other sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.measures.base import Trust
from explorer.measures.resampling import groups_of, jackknife_interval, percentile_interval, resample_counts

GROUPS = 1000
"""Up to so many examples are resampled one by one; of more, so many groups: what is kept does not grow with them."""


@dataclass
class Sums:
    """Sums over the examples of each group: what every value of a layer is made of."""

    groups: np.ndarray
    """int64 [E], group of each example."""
    by_query: bool
    """Every query token weighs the same, not every example."""
    total: np.ndarray
    """float64 [statistics, heads, groups]."""
    weight: np.ndarray
    """float64 [heads, groups]."""
    examples: np.ndarray
    """int64 [heads], examples that count."""
    queries: np.ndarray
    """int64 [heads], query tokens that count."""
    without_mass: np.ndarray
    """int64 [heads], attention rows left out because nothing was left of them."""

    @classmethod
    def of(cls, statistics: int, heads: int, groups: np.ndarray, by_query: bool) -> Sums:
        """No examples yet."""
        count = int(groups.max()) + 1 if len(groups) else 0
        zeros = [np.zeros(heads, np.int64) for _ in range(3)]
        return cls(groups, by_query, np.zeros((statistics, heads, count)), np.zeros((heads, count)), *zeros)

    def add(self, head: int, examples: np.ndarray, lengths: np.ndarray, rows: np.ndarray, without_mass: int) -> None:
        """Take the rows of some examples of a head (from 1); NaN rows do not count.

        Args:
            examples: int64 [e].
            lengths: int64 [e], rows of each.
            rows: float64 [statistics, sum of lengths].
        """
        means, counts = example_means(lengths, rows)
        used = counts > 0
        weight = counts * 1.0 if self.by_query else used * 1.0
        group = self.groups[examples]
        size = self.total.shape[-1]
        self.weight[head - 1] += np.bincount(group, weights=weight, minlength=size)
        for statistic, values in enumerate(np.where(used, means, 0) * weight):
            self.total[statistic, head - 1] += np.bincount(group, weights=values, minlength=size)
        self.examples[head - 1] += int(used.sum())
        self.queries[head - 1] += int(counts.sum())
        self.without_mass[head - 1] += without_mass

    def values(self) -> np.ndarray:
        """float64 [statistics, 1 + heads]: the layer's first, then the heads'; NaN where no example counts."""
        return _values(self.total.sum(-1, keepdims=True), self.weight.sum(-1, keepdims=True))[..., 0]

    def interval(self, trust: Trust) -> Interval:
        """Intervals of ``values`` over whole examples or groups of them, as ``trust`` asks."""
        used = np.flatnonzero(self.weight.any(0))
        if len(used) < 2:
            return Interval(reason="an interval takes two examples or more")
        total, weight = self.total[..., used], self.weight[..., used]
        if trust.interval == "bootstrap":
            drawn = resample_counts(len(used), trust.resamples, trust.seed).T
            again = _values(total @ drawn, weight @ drawn)
        else:
            again = _values(*(x.sum(-1, keepdims=True) - x for x in (total, weight)))
        if np.isnan(again).any():
            return Interval(reason="an interval takes two examples or more with a value in every head")
        estimates = self.values()
        bounds = np.empty((*estimates.shape, 2))
        for at, estimate in np.ndenumerate(estimates):
            if trust.interval == "bootstrap":
                bounds[at] = percentile_interval(again[at], trust.level)
            else:
                bounds[at] = jackknife_interval(float(estimate), again[at], trust.level)
        return Interval(bounds, len(used) if len(self.groups) > GROUPS else None)


def _values(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Heads' ratios after their mean, the layer's, [statistics, 1 + heads, W], of sums [statistics, heads, W]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        heads = np.where(weight > 0, total / weight, np.nan)
        valued = ~np.isnan(heads)
        # A head in which no example counts has no part in the layer's value.
        layer = np.where(valued, heads, 0).sum(1, keepdims=True) / valued.sum(1, keepdims=True)
    return np.concatenate([layer, heads], axis=1)


@dataclass(frozen=True)
class Interval:
    """Bounds of every value, or the reason why there are none."""

    bounds: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 2)))
    """float64 [statistics, 1 + heads, 2]."""
    groups: int | None = None
    """Number of groups, where not single examples were resampled."""
    reason: str = ""


def example_groups(offsets: np.ndarray) -> np.ndarray:
    """What is resampled together: group of each example, int64 [E]; single examples up to GROUPS of them."""
    examples = len(offsets) - 1
    return np.arange(examples) if examples <= GROUPS else groups_of(np.asarray(offsets), GROUPS)


def example_means(lengths: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each example's rows that count, float64 [statistics, e] (NaN without), and their numbers, int64 [e]."""
    counted = ~np.isnan(rows[0])
    starts = np.cumsum(lengths) - lengths
    counts = np.add.reduceat(counted.astype(np.int64), starts)
    with np.errstate(invalid="ignore"):
        return np.add.reduceat(np.where(counted, rows, 0), starts, axis=1) / counts, counts


def partners(alike: Sequence[object], seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Positions that have another of their own kind, int64 [m], and of such another for each, int64 [m].

    The members of a kind are put in a random order and each is given the next: nobody gets itself.

    Args:
        alike: equal for positions that may stand for each other.
        seed: of the random orders.
    """
    kinds: dict[object, list[int]] = {}
    for position, kind in enumerate(alike):
        kinds.setdefault(kind, []).append(position)
    generator = np.random.default_rng(list(seed))
    orders = [generator.permutation(members) for members in kinds.values() if len(members) > 1]
    if not orders:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(orders), np.concatenate([np.roll(order, -1) for order in orders])
