"""Flags that select checkpoints, and the report of their outcomes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from explorer.commands.output import as_table
from explorer.commands.streams import put, say

if TYPE_CHECKING:
    from store.extract.plan import ExtractOutcome
    from store.extract.run import Report

layout_option = click.option(
    "--layout",
    metavar="TEMPLATE",
    default="{task}/seed-{seed}/checkpoint-{step}",
    show_default=True,
    help="Template of the end of a checkpoint's path; * is any part of a name. Without {step}, the step comes from "
    'trainer_state.json; without {seed}, the seed is "0".',
)
reference_option = click.option(
    "--reference", metavar="PATH_OR_HUB_ID", help="The pre-trained model: stored as task 'pretrained', step 0."
)


def print_report(report: Report, none: str = "(any)") -> None:
    """Print counts per run on stdout, and failures and notes on stderr.

    Args:
        none: text in place of a missing corpus.
    """
    runs: dict[tuple[str, str, str], list[ExtractOutcome]] = {}
    for outcome in report.outcomes:
        runs.setdefault((outcome.corpus or none, outcome.key.recipe, outcome.key.seed), []).append(outcome)
    rows = []
    for (corpus, task, seed), outcomes in runs.items():
        counts = Counter(o.status for o in outcomes)
        steps = ",".join(str(o.key.step) for o in outcomes if o.status in ("added", "replaced"))
        rows.append(
            (corpus, task, seed, counts["added"], counts["replaced"], counts["present"], counts["failed"], steps)
        )
    columns = ("corpus", "task", "seed", "added", "replaced", "there already", "failed", "steps added")
    put(as_table(columns, rows), raw=True)
    for outcome in report.outcomes:
        if outcome.status == "failed":
            where = f"{outcome.key} on {outcome.corpus}" if outcome.corpus else str(outcome.key)
            say(f"failed: {where}: {outcome.reason}", error=True)
        elif outcome.reason:
            say(f"note: {outcome.key} on {outcome.corpus}: {outcome.reason}", error=True)
    for note in report.notes:
        say(f"note: {note}", error=True)
