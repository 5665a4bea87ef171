"""`bertdyn demo DIR`: make a small but real store."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from explorer.commands.streams import say

TRY = (
    "bertdyn-tui {}",
    "bertdyn show curves {} --corpus topic --task topic",
    "bertdyn show heat {} --corpus tags --task tags",
    "bertdyn compute js {} --corpus tags --task tags --seed 1 --step 200 --by head",
    'bertdyn sql {} "select task, layer, avg(value) as distance from svcca where step = 200 group by all order by all"',
)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Fine-tune a tiny BERT, extract and compute, to make a small but real store in DIR.

    Two generated tasks, two seeds, six checkpoints each; a few minutes. Existing parts of DIR are not made again.

    \b
    bertdyn demo try
    bertdyn-tui try/demo.bertdyn
    """
    path = make(folder)
    say(f"The demo's store is {path}. Try:\n")
    for line in TRY:
        say("  " + line.format(shlex.quote(str(path))))
    say("\nIts checkpoints are in runs/ beside it, and the sentences of its corpora in texts/.")


def make(folder: Path) -> Path:
    """Make the missing parts of the demo's store in ``folder``, with a progress bar on stderr. Return its path."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    from explorer.demo.run import DemoStage, make_demo

    console = Console(stderr=True)
    count, unit = MofNCompleteColumn(), TextColumn("{task.fields[unit]}")
    columns = (TextColumn("{task.description:<22}", markup=False), BarColumn(), count, unit, TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        shown: dict[str, TaskID] = {}

        def tell(stage: DemoStage) -> None:
            if stage.total and stage.name not in shown:
                shown[stage.name] = bar.add_task(stage.name, unit=stage.unit, total=stage.total)
            if stage.name in shown:
                bar.update(shown[stage.name], completed=stage.done, total=stage.total)

        return make_demo(folder, tell)
