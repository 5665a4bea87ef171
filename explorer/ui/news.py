"""Say how far the jobs beside the queue are, as findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from explorer.answers.findings import Door, Finding

if TYPE_CHECKING:
    from explorer.ui.lists.jobs import Job

UNDER_WAY = "Under way"
FORETOLD = 0.1
"""Share that must be done before the time left is said: the start of a job says little about its rate."""


def under_way(jobs: Iterable[Job]) -> tuple[Finding, ...]:
    """Return a finding for each running job beside the queue: what it does, how far it is, how long it may take."""
    from explorer.ui.lists.jobs import lasting

    found = []
    for job in jobs:
        if not job.beside or job.state != "running":
            continue
        parts = [job.subject]
        parts += [f"{job.done:,} of {job.total:,} {job.units}"] if job.total else ["starting"]
        if job.left and job.done >= FORETOLD * job.total:
            parts.append(f"about {lasting(job.left)} left")
        text = ", ".join(parts) + (f"; now {job.current}" if job.current else "")
        found.append(Finding(UNDER_WAY, job.title, text, Door("jobs")))
    return tuple(found)
