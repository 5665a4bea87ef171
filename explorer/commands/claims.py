"""`bertdyn claims`: test the claims of four papers on a store."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from explorer.claims.registry import CLAIMS
from explorer.claims.table import COLUMNS, rows_of, text_of
from explorer.commands.output import format_of, output_options, write_rows, write_text
from explorer.commands.streams import say
from explorer.render.printable import printable

_WIDEST = 120
"""Largest number of characters in a line."""


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.option("--corpus", metavar="NAME[,NAME...]", help="Test them on these corpora only; default: on all.")
@click.option("--rules", is_flag=True, help="List the claims and the rules that decide them; nothing is tested.")
@output_options
def command(store: Path, corpus: str | None, rules: bool, format: str | None, output: Path | None) -> None:
    """Test the claims of four papers on fine-tuning on STORE's values: each holds, fails, or cannot be said.

    Nothing is computed here. If values are missing, the commands that compute them are listed at the end, and in
    the column compute of csv and json. Statistics are medians over seeds, and intervals are ranges over seeds.

    \b
    bertdyn claims runs.bertdyn
    bertdyn claims runs.bertdyn --corpus dev --format csv
    bertdyn claims runs.bertdyn --rules
    bertdyn sql runs.bertdyn "SELECT claim, task, verdict FROM claims WHERE paper LIKE 'Hao%'"
    """
    from explorer.claims.fetching import commands, judged
    from store.store import Store

    chosen = format_of(format, output)
    if rules:
        told = [(one.id, one.paper, one.section, one.sentence, one.rule) for one in CLAIMS]
        write_rows(list(COLUMNS)[:5], told, chosen, output)
        return
    opened = Store.open(store)
    found = judged(opened, [name.strip() for name in corpus.split(",")] if corpus else [])
    if chosen != "table":
        write_rows(list(COLUMNS), rows_of(found), chosen, output)
        return
    width = min(shutil.get_terminal_size().columns, _WIDEST) if output is None else _WIDEST
    write_text(printable(text_of(found, max(width, 40))), output)
    missing = commands(opened, (lack for one in found for lack in one.verdict.lacking))
    if missing:
        say("Commands that compute or make what is missing:", error=True)
        for line in missing:
            say(f"  {line}", error=True)
