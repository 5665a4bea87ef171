"""Flags that share work between machines."""

from __future__ import annotations

import click

scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A dask scheduler whose workers do the work, such as tcp://host:8786; also BERTDYN_SCHEDULER. The store must "
    "be on a shared file system.",
)
part_option = click.option(
    "--part",
    metavar="I/N",
    help="Only share I of N, for independent jobs (a SLURM array).",
)
