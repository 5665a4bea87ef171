"""The flags that share work between machines."""

from __future__ import annotations

import click

scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A dask scheduler, as tcp://host:8786, whose workers do the work; also BERTDYN_SCHEDULER. The store must be "
    "on a file system that all see.",
)
part_option = click.option(
    "--part",
    metavar="I/N",
    help="Only this one of N shares, for jobs that know nothing of each other (a SLURM array).",
)
