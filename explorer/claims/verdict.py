"""Compare a claim's numbers with its bound, and combine the parts of a claim. Pure.

The interval of a statistic is its range over independent repetitions, mostly fine-tuning seeds. The range of n
independent values contains the median of their distribution, whatever it is, with probability 1 - 2^(1 - n): 50 % for
two seeds, 94 % for five. A part holds if all of its range lies within the bound, fails if all of it lies outside, and
is open if the repetitions disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.claims.evidence import Evidence, Lack

HOLDS, FAILS, OPEN = "holds", "fails", "cannot be said"
SEEDS = "seeds"
_MOST = 6
"""Number of values that a sentence lists."""


@dataclass(frozen=True)
class Bound:
    """The values that confirm a claim: an interval."""

    low: float = float("-inf")
    high: float = float("inf")
    strict: bool = False
    """Whether the ends are outside."""

    def holds(self, value: float) -> bool:
        """Return whether a value confirms the claim."""
        return self.low < value < self.high if self.strict else self.low <= value <= self.high

    def __str__(self) -> str:
        if self.low > float("-inf") and self.high < float("inf"):
            return f"from {self.low:.3g} to {self.high:.3g}"
        if self.low > float("-inf"):
            return f"{'above' if self.strict else 'at least'} {self.low:.3g}"
        return f"{'below' if self.strict else 'at most'} {self.high:.3g}"


POSITIVE, NEGATIVE = Bound(low=0.0, strict=True), Bound(high=0.0, strict=True)


@dataclass(frozen=True)
class Sample:
    """A value of a statistic, with the ends of its own interval if it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Samples:
    """The values of a statistic over repetitions."""

    values: Mapping[str, Sample]
    """Values by repetition, such as 'seed 1'."""
    over: str = SEEDS
    """Name of the repetitions."""
    lacking: tuple[Lack, ...] = ()
    """Stored values that further repetitions lack."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One number that must lie within a bound for a claim to hold."""

    statistic: str
    bound: Bound
    values: Callable[[Evidence], Samples]
    """Pure function of the stored rows.

    Raises:
        UndecidableError: the number does not exist or means nothing; or values are missing (``lacking``).
    """


class UndecidableError(Exception):
    """A statistic cannot be given."""

    def __init__(self, why: str, lacking: Iterable[Lack] = ()) -> None:
        super().__init__(why)
        self.lacking = tuple(lacking)


@dataclass(frozen=True)
class Verdict:
    """What a store says about a claim."""

    verdict: str
    """One of HOLDS, FAILS and OPEN."""
    statistic: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Number of repetitions, such as seeds."""
    over: str = ""
    """How the interval was made, in words."""
    why: str = ""
    lacking: tuple[Lack, ...] = ()
    """Stored values that are missing."""


def judge(parts: Iterable[Part], evidence: Evidence) -> Verdict:
    """Return the verdict of a claim, the conjunction of its parts.

    It fails if one part fails, is open if none fails and one is open, and else holds. The statistic is that of the
    first part that decides so; ``why`` tells the other parts.
    """
    found = [part_verdict(part, evidence) for part in parts]
    decisive = next((one for kind in (FAILS, OPEN) for one in found if one.verdict == kind), found[0])
    others = (_told(one) for one in found if one is not decisive)
    why = dict.fromkeys(text for text in (decisive.why, *others) if text)
    return replace(decisive, why="; ".join(why), lacking=tuple(dict.fromkeys(n for one in found for n in one.lacking)))


def part_verdict(part: Part, evidence: Evidence) -> Verdict:
    """Return the verdict of one part."""
    try:
        samples = part.values(evidence)
    except UndecidableError as error:
        return Verdict(OPEN, part.statistic, why=str(error), lacking=error.lacking)
    sizes = [one.value for one in samples.values.values()]
    first = next(iter(samples.values.values()))
    low, high = first.low, first.high
    over = "" if low is None else "interval over examples"
    if len(sizes) > 1:
        low, high, over = min(sizes), max(sizes), f"range over {len(sizes)} {samples.over}"
        if samples.over == SEEDS:
            over += f", which contains the median with {100 * (1 - 2 ** (1 - len(sizes))):.0f} %"
    said = {part.bound.holds(v) for v in (*sizes, *(end for end in (low, high) if end is not None))}
    notes = list(samples.notes)
    if len(sizes) == 1 and samples.over == SEEDS:
        notes.append(f"{next(iter(samples.values))} alone: other seeds may differ")
    if len(said) > 1:
        verdict = OPEN
        listed = ", ".join(f"{name}: {one.value:.3g}" for name, one in list(samples.values.items())[:_MOST])
        more = f" and {len(sizes) - _MOST} more" if len(sizes) > _MOST else ""
        what = f"{samples.over} disagree ({listed}{more})" if len(sizes) > 1 else "its interval contains the bound"
        notes.insert(0, f"{what}; it must be {part.bound}")
    else:
        verdict = HOLDS if said == {True} else FAILS
    return Verdict(
        verdict, part.statistic, median(sizes), low, high, len(sizes), over, "; ".join(notes), samples.lacking
    )


def _told(one: Verdict) -> str:
    if one.value is None:
        return one.why
    return f"{one.statistic} {one.value:.3g} {one.verdict}{f' ({one.why})' if one.why else ''}"
