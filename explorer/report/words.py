"""Spell parts of a report alike in Markdown and HTML. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from explorer.claims.claim import Claim
from explorer.claims.fetching import Judgement
from explorer.claims.verdict import FAILS, HOLDS, OPEN
from explorer.render.printable import printable

TITLE = "What fine-tuning changed"
VERDICTS = (HOLDS, FAILS, OPEN)
CLAIM_COLUMNS = ("verdict", "task", "texts", "labels", "value", "range", "n", "why")
SUMMARY_COLUMNS = ("claim", "sentence", *VERDICTS)
ABOUT_CLAIMS = (
    "Each claim of the four papers is tested on the stored values by the rule below it; thresholds are ours where the "
    "paper gives none. A statistic is the median over seeds, its range that over seeds: the range of n seeds contains "
    "the median of all seeds with probability 1 - 2^(1-n), 50 % for two. One seed speaks only for itself."
)
NOTHING_KEPT = "No selection is kept. In the explorer, S keeps what is shown under a name, and the next report has it."


def cell(value: object) -> str:
    """Return a value of a table as one line: numbers with four significant digits, nothing for None."""
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return printable(" ".join(text.split()), lines=False)


def by_claim(claims: Iterable[Judgement]) -> Iterator[tuple[Claim, list[Judgement]]]:
    """Yield each claim with its judgements."""
    return ((claim, list(each)) for claim, each in groupby(claims, key=lambda one: one.claim))


def claim_row(one: Judgement) -> tuple[object, ...]:
    """Return a judgement in the order of CLAIM_COLUMNS."""
    said, scope = one.verdict, one.scope
    interval = "" if said.low is None or said.high is None else f"{said.low:.4g} to {said.high:.4g}"
    about = scope.task or "all tasks", scope.texts, scope.annotation
    return (said.verdict, *about, said.value, interval, said.n or None, said.why)


def summary(claims: Iterable[Judgement]) -> list[tuple[object, ...]]:
    """Return one row per claim, in the order of SUMMARY_COLUMNS: its numbers of verdicts."""
    rows: list[tuple[object, ...]] = []
    for claim, each in by_claim(claims):
        many = Counter(one.verdict.verdict for one in each)
        rows.append((claim.id, claim.sentence, *(many[verdict] or None for verdict in VERDICTS)))
    return rows


def statistics(each: Iterable[Judgement]) -> str:
    """Return the statistics of a claim's judgements, with their bounds."""
    bounds = {part.statistic: part.bound for one in each for part in one.claim.parts}
    return "; ".join(f"{name}: {bound}" for name, bound in bounds.items())


def tally(claims: Iterable[Judgement]) -> str:
    """Return the number of verdicts of each kind: '4 hold, 2 fail, 15 cannot be said'."""
    many = Counter(one.verdict.verdict for one in claims)
    return f"{many[HOLDS]} hold, {many[FAILS]} fail, {many[OPEN]} cannot be said"
