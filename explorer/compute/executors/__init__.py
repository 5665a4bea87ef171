"""Where tasks are done: child processes on this machine, or the workers of a cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.compute.executors.base import MakeWorkers

SCHEDULER = "BERTDYN_SCHEDULER"
"""Variable of the environment that names a scheduler."""


def address_of(scheduler: str | None) -> str:
    """Return the scheduler that is named, on the command line or by ``BERTDYN_SCHEDULER``; empty for none."""
    return scheduler or os.environ.get(SCHEDULER, "")


def workers_of(scheduler: str | None, store: Path) -> MakeWorkers:
    """Return the way to the workers of the scheduler that is named, on the command line or by ``BERTDYN_SCHEDULER``;
    else to child processes.

    Args:
        scheduler: its address; None: not named on the command line.
        store: what they will work on.
    """
    address = address_of(scheduler)
    if address:
        from explorer.compute.executors.cluster import cluster_workers

        return cluster_workers(address, store)
    from explorer.compute.executors.local import local_workers

    return local_workers
