"""`bertdyn register`: register checkpoints without running them."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.runs import layout_option, print_report, reference_option


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@layout_option
@reference_option
@click.option("--replace", is_flag=True, help="Replace registered checkpoints whose weights have changed.")
def command(store: Path, runs: tuple[Path, ...], layout: str, reference: str | None, replace: bool) -> int:
    """Register the checkpoints under RUNS in STORE without running them: no hidden states, no disk space.

    This is enough for measures of weights (weight-change) and for the Trainer's log; `bertdyn extract` can add the rest
    at any time. Exit codes as for `bertdyn extract`.

    \b
    bertdyn register runs.bertdyn runs/ --reference bert-base-uncased
    bertdyn compute weight-change runs.bertdyn
    """
    from store.extract.registering import register

    report = register(store, runs, layout, reference, replace)
    print_report(report, none="(none)")
    return report.exit_code
