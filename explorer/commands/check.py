"""`bertdyn check`: check a store and repair it."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.ls import counted
from explorer.commands.streams import say
from store.disk import readable


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.option("--repair", is_flag=True, help="Move damaged groups to trash/, rebuild the tables, remove leftovers.")
@click.option("--empty-trash", is_flag=True, help="First delete what earlier repairs moved to trash/.")
def command(store: Path, repair: bool, empty_trash: bool) -> None:
    """Read everything in STORE and compare it with its checksums and descriptions.

    Exit codes: 0 no faults (or all repaired), 1 faults, 2 bad input.

    \b
    bertdyn check runs.bertdyn
    bertdyn check runs.bertdyn --repair
    """
    from store.store import Store

    opened = Store.open(store)
    if empty_trash:
        say(f"removed from trash/: {opened.empty_trash():,}")
    report = opened.check(repair)
    for problem in report.problems:
        say(f"{problem.place}: {problem.what}")
    for done in report.mended:
        say(f"mended: {done}")
    found = (
        f"{len(report.problems):,} problem{'s' if len(report.problems) != 1 else ''}" if report.problems else "sound"
    )
    say(
        f"{counted(report.corpora, report.checkpoints)}, {readable(report.bytes)} read"
        + (f" (and a cache of {readable(report.kept_bytes)})" if report.kept_bytes else "")
        + f": {found}"
        + ("" if report.sound or repair else "; --repair repairs what it can")
        + "."
    )
    if report.problems and not repair:
        raise click.exceptions.Exit(1)
