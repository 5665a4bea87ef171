"""Processes that do tasks: child processes on this machine, or the workers of a cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.compute.executors.base import MakeWorkers

SCHEDULER = "BERTDYN_SCHEDULER"
"""Environment variable with the address of a scheduler."""


def address_of(scheduler: str | None) -> str:
    """Return the address of the scheduler, from the command line or ``BERTDYN_SCHEDULER``; empty if there is none."""
    return scheduler or os.environ.get(SCHEDULER, "")


def workers_of(scheduler: str | None, store: Path) -> MakeWorkers:
    """Return a function that starts workers: those of the given scheduler, else child processes.

    Args:
        scheduler: address from the command line; None: use ``BERTDYN_SCHEDULER`` if it is set.
        store: path of the store that they will work on.
    """
    address = address_of(scheduler)
    if address:
        from explorer.compute.executors.cluster import cluster_workers

        return cluster_workers(address, store)
    from explorer.compute.executors.local import local_workers

    return local_workers
