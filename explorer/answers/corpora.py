"""Compare a measure's values on several corpora: the gap between two, with its interval.

A gap is the value on the first corpus minus the value on another one, of the same checkpoint, reference and layer. The
examples of two corpora are independent samples, so the variances of the two values add. For an interval [l, u] of a
value v, the part below it, v - l, and the part above it, u - v, are as many standard errors as the level asks for; they
are added in squares, each side by itself (Newcombe 1998, method 10; Zou and Donner 2008):

    gap - sqrt((a - l_a)^2 + (u_b - b)^2)  to  gap + sqrt((u_a - a)^2 + (b - l_b)^2)

For symmetric intervals, such as the jackknife's, this is gap -+ sqrt(h_a^2 + h_b^2), h being half their lengths.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import hypot
from typing import TYPE_CHECKING

from explorer.answers.details import trust_of
from explorer.answers.fetching import fetch_first
from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.selection import Question
from store.results import Result

if TYPE_CHECKING:
    from store.store import Store

_LEVELS = "the intervals on the two corpora have different levels"


def every_corpus(store: Store, question: Question, look: Look, found: Rows, *others: object) -> Rows:
    """Return the values of whole layers of the first task on every corpus of the question, and the gaps between them.

    Args:
        found: those on the first corpus.

    Raises:
        BertdynError: the task is not on every corpus, or the store cannot be read.
    """
    asked = (replace(one, tasks=found.tasks[:1]) for one in question.every[1:])
    return together(question, [found, *(fetch_first(store, one) for one in asked)])


def together(question: Question, each: Sequence[Rows]) -> Rows:
    """Return the rows of several corpora as one table, with the gaps between the first and each further one (pure)."""
    first, *further = each
    return replace(
        first,
        question=question,
        results=tuple(r for rows in each for r in rows.results),
        wanted=tuple(cell for rows in each for cell in rows.wanted),
        yardsticks={},
        unseen=sum(rows.unseen for rows in each),
        gaps=tuple(gap for rows in further for gap in gaps(first.main, rows.main)),
    )


def gap_note(rows: Rows) -> str:
    """Return the note on the gaps of a picture: their names, and how their intervals are made."""
    names = " and ".join(dict.fromkeys(r.corpus for r in rows.gaps))
    interval = "; its interval adds the variances of both: the corpora are independent samples"
    return f"{names}: the gap" + interval * any(r.interval_low is not None for r in rows.gaps)


def gaps(first: Iterable[Result], second: Iterable[Result]) -> tuple[Result, ...]:
    """Return the gaps between the rows of two corpora that lie at the same place."""
    there = {_place(r): r for r in second}
    return tuple(gap(r, there[_place(r)]) for r in first if _place(r) in there)


def gap(a: Result, b: Result) -> Result:
    """Return a - b for the same place on two corpora, as a row of corpus 'A - B'.

    It has an interval if both rows have one of the same level, and no null. Its n is the smaller one.
    """
    name = f"{a.corpus} - {b.corpus}"
    reasons = dict.fromkeys(f"{r.corpus}: {r.reason}" for r in (a, b) if r.reason)
    row = a._replace(
        corpus=name, value=None, null_value=None, interval_low=None, interval_high=None,
        n=min(a.n, b.n), reason="; ".join(reasons), details="{}",
    )  # fmt: skip
    if a.value is None or b.value is None:
        return row
    row = row._replace(value=a.value - b.value)
    ends = a.interval_low, a.interval_high, b.interval_low, b.interval_high
    if None in ends:
        return row
    if trust_of(a).get("level") != trust_of(b).get("level"):
        return row._replace(details=json.dumps({"no_interval": _LEVELS}))
    low, high = interval_of_gap((a.value, *ends[:2]), (b.value, *ends[2:]))  # type: ignore[arg-type]
    return row._replace(interval_low=low, interval_high=high, details=json.dumps({"trust": trust_of(a)}))


def interval_of_gap(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float]:
    """Return the interval of a - b, given two independent values, each with the ends of its interval."""
    (value_a, low_a, high_a), (value_b, low_b, high_b) = a, b
    between = value_a - value_b
    return between - hypot(value_a - low_a, high_b - value_b), between + hypot(high_a - value_a, value_b - low_b)


def _place(r: Result) -> tuple[object, ...]:
    checkpoints = r.task, r.variant, r.seed, r.step, r.ref_task, r.ref_variant, r.ref_seed, r.ref_step
    return (*checkpoints, r.layer, r.ref_layer, r.axes, r.head, r.statistic, r.label_a, r.label_b)
