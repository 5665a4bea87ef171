"""Show verdicts on claims as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING

from explorer.claims.registry import CLAIMS

if TYPE_CHECKING:
    from explorer.claims.fetching import Judgement
    from store.store import Store

COLUMNS = {
    "claim": "VARCHAR", "paper": "VARCHAR", "section": "VARCHAR", "sentence": "VARCHAR", "rule": "VARCHAR",
    "task": "VARCHAR", "corpus": "VARCHAR", "annotation": "VARCHAR", "statistic": "VARCHAR", "bound": "VARCHAR",
    "value": "DOUBLE", "low": "DOUBLE", "high": "DOUBLE", "interval": "VARCHAR", "n": "BIGINT", "verdict": "VARCHAR",
    "why": "VARCHAR", "compute": "VARCHAR",
}  # fmt: skip
"""Columns of the table, with their SQL types."""
_IN = "    "


def rows_of(tested: Iterable[Judgement]) -> list[tuple[object, ...]]:
    """Return one row per verdict, in the order of COLUMNS."""
    rows: list[tuple[object, ...]] = []
    for one in tested:
        claim, scope, said = one.claim, one.scope, one.verdict
        bound = next((str(part.bound) for part in claim.parts if part.statistic == said.statistic), "")
        about = claim.id, claim.paper, claim.section, claim.sentence, claim.rule
        where = scope.task, scope.texts, scope.annotation, said.statistic, bound
        number = said.value, said.low, said.high, said.over, said.n
        rows.append((*about, *where, *number, said.verdict, said.why, "\n".join(one.commands)))
    return rows


def text_of(tested: Iterable[Judgement], width: int) -> str:
    """Return verdicts as text: each claim with its rule, then one line per verdict and its reason below.

    Args:
        width: number of characters at which lines are broken, at least 40.
    """
    lines: list[str] = []
    for claim, each in groupby(tested, key=lambda one: one.claim):
        lines += wrap(f"{claim.id}  {claim.sentence} ({claim.paper}, {claim.section})", width, subsequent_indent=_IN)
        lines += wrap(f"Rule: {claim.rule}", width, initial_indent=_IN, subsequent_indent=_IN)
        for one in each:
            about = " ".join(filter(None, (one.scope.task, one.scope.texts, one.scope.annotation))) or "all tasks"
            lines += wrap(
                f"{one.verdict.verdict.upper()}  {about} - {number_of(one)}", width, initial_indent=_IN,
                subsequent_indent=2 * _IN,
            )  # fmt: skip
            lines += wrap(one.verdict.why, width, initial_indent=2 * _IN, subsequent_indent=2 * _IN)
        lines.append("")
    return "\n".join(lines)


def number_of(one: Judgement) -> str:
    """Return the statistic of a verdict with its interval, in words."""
    said = one.verdict
    if said.value is None:
        return f"{said.statistic}: no value"
    interval = "" if said.low is None or said.high is None else f" ({said.low:.3g} to {said.high:.3g}, {said.over})"
    bound = next((str(part.bound) for part in one.claim.parts if part.statistic == said.statistic), "")
    return f"{said.statistic}: {said.value:.3g}{interval}; holds if {bound}"


def claims_table(store: Store, corpora: Sequence[str] = ()) -> list[tuple[object, ...]]:
    """Test all claims on a store, and return one row per verdict.

    Raises:
        BertdynError: as ``fetching.judged``.
    """
    from explorer.claims.fetching import judged

    return rows_of(judged(store, corpora, CLAIMS))
