"""Several quantities at the same layers or steps, each as means over seeds, and the commands for missing ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.answers.rows import Rows
from explorer.measures import Measure
from explorer.selection import Question
from explorer.selection.command_line import compute_command
from store.errors import BertdynError

if TYPE_CHECKING:
    from store.store import Store

_FEWEST = 3
"""Minimum number of places for a rank correlation."""


@dataclass(frozen=True, eq=False)
class Profile:
    """One quantity at several places."""

    measure: Measure
    values: Mapping[int, tuple[float, ...]]
    """Values of the seeds that have one, by place."""
    absent: str = ""
    """Command that computes missing values, or the reason why there are none; empty if all are there."""
    statistic: str = ""
    """Statistic of the measure; empty: the main one."""
    label: str = ""
    """Name in pictures; empty: the measure's title."""

    @property
    def title(self) -> str:
        """Name in pictures."""
        return self.label or self.measure.title

    @property
    def unit(self) -> str:
        """Unit of the values: those of statistics besides the main one have none."""
        return "" if self.statistic else self.measure.unit

    @property
    def means(self) -> dict[int, float]:
        """Mean over seeds by place."""
        return {place: float(np.mean(values)) for place, values in self.values.items()}

    @property
    def spreads(self) -> dict[int, float]:
        """Standard deviation (n - 1) over seeds by place, of places with several."""
        return {place: float(np.std(v, ddof=1)) for place, v in self.values.items() if len(v) > 1}

    @property
    def largest(self) -> float:
        """Largest size of a mean, by which pictures scale it; 1 if there is none."""
        return max(map(abs, self.means.values()), default=0.0) or 1.0

    @property
    def range(self) -> tuple[float, float]:
        """Possible values; those of statistics besides the main one are not known."""
        return (-np.inf, np.inf) if self.statistic else (self.measure.low, self.measure.high)

    def correlation(self, other: Profile) -> tuple[float | None, int]:
        """Return Spearman's rank correlation of the means with another profile's, and the number of places of both.

        It is None with fewer than three places, or if one of the profiles is constant.
        """
        ours, theirs = self.means, other.means
        both = sorted(ours.keys() & theirs.keys())
        if len(both) < _FEWEST:
            return None, len(both)
        return rank_correlation([ours[place] for place in both], [theirs[place] for place in both]), len(both)


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation of two lists of numbers; equal numbers have the mean of their ranks.

    It is None if one of the lists is constant.
    """
    ours, theirs = (_ranks(np.array(side, np.float64)) for side in (a, b))
    return float(np.corrcoef(ours, theirs)[0, 1]) if ours.std() > 0 < theirs.std() else None


def first_task(rows: Rows) -> str:
    """Return the first task of rows.

    Raises:
        BertdynError: there is none, because no chosen checkpoint has what the measure reads.
    """
    if not rows.tasks:
        corpus = f" of corpus '{rows.question.corpus}'" if rows.question.corpus else ""
        raise BertdynError(
            f"No chosen checkpoint{corpus} has what {rows.measure.name} reads: extract checkpoints with a classifier."
        )
    return rows.tasks[0]


def places_of(profiles: Iterable[Profile]) -> tuple[int, ...]:
    """Return the places at which one of the quantities is there, ascending."""
    return tuple(sorted({place for profile in profiles for place in profile.values}))


def command(store: Store, question: Question, rows: Rows, steps: str = "") -> str:
    """Return the command that computes the missing values of a question in its first task; empty if there are none.

    Args:
        steps: steps to compute, as ``--step`` takes them; empty: all.
    """
    return compute_command(store.path, replace(question, tasks=rows.tasks[:1]), steps) if rows.missing else ""


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each of n values, from 1; equal ones have the mean of their ranks."""
    _, places, many = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((many.cumsum() - (many - 1) / 2)[places])
