"""What of a store was there when a visit ended, and what is new since. Pure.

Checkpoints are counted by run; measures count as seen once a picture or the overview showed a value of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.answers.findings import Door, Finding, Findings, listed
from store.keys import NO_CORPUS, PRETRAINED

if TYPE_CHECKING:
    from explorer.selection import Listing
    from explorer.views.base import View

NEW = "New since your last visit"


@dataclass(frozen=True)
class Seen:
    """What a visit saw."""

    runs: tuple[tuple[str, str, str, int, int], ...] = ()
    """Corpus, task with its variant, seed, number of checkpoints and last step of each run."""
    measures: tuple[tuple[str, str], ...] = ()
    """Corpus and name of each measure of which a value was shown."""
    listed: tuple[str, ...] = ()
    """Corpora of which the overview listed every measure with values."""


def with_runs(seen: Seen, listing: Listing) -> Seen:
    """Return what was seen once a store was listed."""
    runs = tuple(
        (info.name, run.recipe, run.seed, len(steps), steps[-1])
        for info in listing.corpora
        for run, steps in listing.runs(info.name).items()
        if run.task != PRETRAINED
    )
    return replace(seen, runs=runs)


def with_view(seen: Seen, view: View) -> Seen:
    """Return what was seen once a view was shown."""
    stored = view.stored
    if stored is None:
        return seen
    question = stored.question
    found = {question.measure.name} if any(r.value is not None for r in stored.main) else set()
    corpora = set(seen.listed)
    if isinstance(view.data, Findings) and view.data.whole:
        found |= measures_in(view.data)
        # Of seeds that are chosen, or of the first of many tasks, not every measure is listed.
        corpora |= {question.corpus} if not question.seeds and not view.data.left_out else set()
    measures = {*seen.measures, *((question.corpus, name) for name in found)}
    if measures == set(seen.measures) and corpora == set(seen.listed):
        return seen
    return replace(seen, measures=tuple(sorted(measures)), listed=tuple(sorted(corpora)))


def measures_in(findings: Findings) -> set[str]:
    """Return the names of the measures with values."""
    return {n.measure for f in findings.findings for n in f.numbers if n.measure and n.value is not None}


def since(before: Seen, now: Seen, findings: Findings) -> tuple[Finding, ...]:
    """Return what is new on the corpus of an overview: checkpoints, and measures without any value before.

    Args:
        before: what the visit before saw.
        now: what is there.
        findings: the overview.
    """
    corpus = findings.question.corpus
    known = {run[:3]: run[3:] for run in before.runs}
    new = [run for run in now.runs if run[0] == corpus and run[3] > known.get(run[:3], (0, -1))[0]]
    found = []
    if new and before.runs:
        counts = [run[3] - known.get(run[:3], (0, -1))[0] for run in new]
        said = [_run(run, count, known.get(run[:3], (0, -1))[1]) for run, count in zip(new, counts, strict=True)]
        text = f"{sum(counts):,} on {corpus}: {listed(said)}"
        found.append(Finding(NEW, "checkpoints", text, Door("curves", tasks=(new[0][1],))))
    there = measures_in(findings) if findings.whole and corpus in before.listed else set()
    known_there = {name for of, name in before.measures if of in (corpus, NO_CORPUS)}
    if names := sorted(there - known_there):
        text = f"{listed(names)} {'has its' if len(names) == 1 else 'have their'} first values"
        found.append(Finding(NEW, "measures", text, Door("curves", measure=names[0])))
    return tuple(found)


def _run(run: tuple[str, str, str, int, int], count: int, last: int) -> str:
    """Return the new checkpoints of a run in words.

    Args:
        last: last step that was known; -1: none.
    """
    _, task, seed, _, step = run
    if step <= last:
        return f"{task} seed {seed} ({count:,} before step {step:,})"
    return f"{task} seed {seed} step {step:,}" if count == 1 else f"{task} seed {seed} ({count:,}, to step {step:,})"
