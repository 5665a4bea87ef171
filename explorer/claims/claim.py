"""Declare what a claim of a paper is. Pure data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from explorer.claims.evidence import Evidence, Need, Run, missing
from explorer.claims.verdict import Part, Verdict, judge

TASK = "task"
"""One verdict per task."""
TEXTS = "task and corpus"
"""One verdict per task and corpus."""
OWN_LABELS = "task and its own labels"
"""One verdict per task and annotation of the classes that the task's classifier predicts."""
LABELS = "task and labels"
"""One verdict per task and annotation of classes: those with stored values, else the first one."""
OWN_PAIR = "task and two corpora with its own labels"
DOMAINS = "task, a corpus with its own labels, and another"
OTHER_TEXTS = "task and a corpus without its own labels"
NO_DOMAIN = "corpus without own labels of a task"
"""One verdict per corpus, over all tasks."""
STORE = "store"
"""One verdict, over all tasks."""


@dataclass(frozen=True)
class Claim:
    """A claim of a paper, and the rule by which a store decides it."""

    id: str
    sentence: str
    """The claim, as the paper makes it."""
    paper: str
    section: str
    rule: str
    """The rule of decision in words. Thresholds are ours where the paper gives none."""
    per: str
    """What one verdict is about."""
    parts: tuple[Part, ...]
    needs: tuple[Need, ...] = ()
    concerns: Callable[[Run], bool] = lambda run: True
    """Whether the claim is about a run; if it is about none, one verdict says so (``otherwise``)."""
    otherwise: str = ""
    """Why the claim is not about any run of a store, or why nothing can be compared."""
    making: str = ""
    """Arguments of the command that makes what is missing then."""

    def judge(self, evidence: Evidence) -> Verdict:
        """Return the verdict on the stored rows; ``why`` also tells what is missing and what measures warn of."""
        found = judge(self.parts, evidence)
        warned = [text for text in evidence.warnings() if text.partition(": ")[2] not in found.why]
        more = f" (and {len(warned) - 1} more warnings)" * (len(warned) > 1)
        words = (found.why, missing(found.lacking), "".join(warned[:1]) + more)
        return replace(found, why="; ".join(filter(None, words)))
