"""Reduce values of attention rows to values of heads and layers, with null and interval.

A head's value is a ratio of two sums over examples, and a layer's value is the mean over its heads. If every example
has the same weight, it adds its mean over query tokens to the first sum and 1 to the second; if every query token has
the same weight, it adds its sum over query tokens and their number. Nulls and intervals use the same ratio of other
sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.measures.computation import Uncertainty
from explorer.measures.resampling import groups_of, jackknife_interval, percentile_interval, resample_counts

GROUPS = 1000
"""Maximum number of units to resample: single examples if there are no more, else groups. It limits the memory."""


@dataclass
class AttentionSums:
    """Sums over the examples of each group, from which all values of a layer are computed."""

    groups: np.ndarray
    """Group of each example, int64 [E]."""
    by_query: bool
    """True if every query token has the same weight, False if every example has."""
    total: np.ndarray
    """Sums of values, float64 [statistics, heads, groups]."""
    weight: np.ndarray
    """Sums of weights, float64 [heads, groups]."""
    examples: np.ndarray
    """Number of examples that count, int64 [heads]."""
    queries: np.ndarray
    """Number of query tokens that count, int64 [heads]."""
    without_mass: np.ndarray
    """Number of attention rows left out because they kept no mass, int64 [heads]."""

    @classmethod
    def of(cls, statistics: int, heads: int, groups: np.ndarray, by_query: bool) -> AttentionSums:
        """Return sums of no examples."""
        count = int(groups.max()) + 1 if len(groups) else 0
        zeros = [np.zeros(heads, np.int64) for _ in range(3)]
        return cls(groups, by_query, np.zeros((statistics, heads, count)), np.zeros((heads, count)), *zeros)

    def add(self, head: int, examples: np.ndarray, lengths: np.ndarray, rows: np.ndarray, without_mass: int) -> None:
        """Add the rows of some examples of a head (from 1); NaN rows do not count.

        Args:
            examples: numbers of the examples, int64 [e].
            lengths: number of rows of each example, int64 [e].
            rows: values of the rows, float64 [statistics, sum of lengths].
            without_mass: number of rows that kept no mass.
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
        """Return the layer's value, then the heads', float64 [statistics, 1 + heads]; NaN if no example counts."""
        return _values(self.total.sum(-1, keepdims=True), self.weight.sum(-1, keepdims=True))[..., 0]

    def interval(self, trust: Uncertainty) -> Interval:
        """Return the requested intervals of ``values`` over whole examples or groups of them."""
        used = np.flatnonzero(self.weight.any(0))
        if len(used) < 2:
            return Interval(reason="an interval needs at least two examples")
        total, weight = self.total[..., used], self.weight[..., used]
        if trust.interval == "bootstrap":
            drawn = resample_counts(len(used), trust.resamples, trust.seed).T
            again = _values(total @ drawn, weight @ drawn)
        else:
            again = _values(*(x.sum(-1, keepdims=True) - x for x in (total, weight)))
        if np.isnan(again).any():
            return Interval(reason="an interval needs at least two examples with a value in every head")
        estimates = self.values()
        bounds = np.empty((*estimates.shape, 2))
        for at, estimate in np.ndenumerate(estimates):
            if trust.interval == "bootstrap":
                bounds[at] = percentile_interval(again[at], trust.level)
            else:
                bounds[at] = jackknife_interval(float(estimate), again[at], trust.level)
        return Interval(bounds, len(used) if len(self.groups) > GROUPS else None)


def _values(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the layer's value (the mean over heads), then the heads' ratios, [statistics, 1 + heads, W].

    Args:
        total: sums [statistics, heads, W]; ``weight`` has [heads, W].
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        heads = np.where(weight > 0, total / weight, np.nan)
        valued = ~np.isnan(heads)
        # A head in which no example counts does not enter the layer's value.
        layer = np.where(valued, heads, 0).sum(1, keepdims=True) / valued.sum(1, keepdims=True)
    return np.concatenate([layer, heads], axis=1)


@dataclass(frozen=True)
class Interval:
    """Interval bounds of all values, or the reason why there are none."""

    bounds: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 2)))
    """Lower and upper bounds, float64 [statistics, 1 + heads, 2]."""
    groups: int | None = None
    """Number of resampled groups; None if single examples were resampled."""
    reason: str = ""


def example_groups(offsets: np.ndarray) -> np.ndarray:
    """Return the group of each example that is resampled as a unit, int64 [E]; single examples if at most GROUPS."""
    examples = len(offsets) - 1
    return np.arange(examples) if examples <= GROUPS else groups_of(np.asarray(offsets), GROUPS)


def example_means(lengths: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each example's mean over the rows that count, float64 [statistics, e] (NaN if none), and their number."""
    counted = ~np.isnan(rows[0])
    starts = np.cumsum(lengths) - lengths
    counts = np.add.reduceat(counted.astype(np.int64), starts)
    with np.errstate(invalid="ignore"):
        return np.add.reduceat(np.where(counted, rows, 0), starts, axis=1) / counts, counts


def partners(alike: Sequence[object], seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions that have a partner, int64 [m], and the position of each one's partner, int64 [m].

    The positions of each kind are put in a random order, and each gets the next one: no position gets itself.

    Args:
        alike: kind of each position; positions of the same kind may be exchanged.
        seed: seed of the random orders.
    """
    kinds: dict[object, list[int]] = {}
    for position, kind in enumerate(alike):
        kinds.setdefault(kind, []).append(position)
    generator = np.random.default_rng(list(seed))
    orders = [generator.permutation(members) for members in kinds.values() if len(members) > 1]
    if not orders:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(orders), np.concatenate([np.roll(order, -1) for order in orders])
