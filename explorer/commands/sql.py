"""`bertdyn sql`: query the store's tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from explorer.claims.sql import given_tables
from explorer.commands.output import format_of, output_options, write_rows
from explorer.commands.streams import say
from explorer.selection.stored import tables_of_measures
from store.errors import BertdynError


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.argument("query", metavar="SQL")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Print at most N rows, and a note if there are more."
)
@click.option(
    "--outside",
    is_flag=True,
    help="Let the query also read files and URLs that are not the store's, and let DuckDB load extensions for them.",
)
@output_options
def command(store: Path, query: str, limit: int | None, outside: bool, format: str | None, output: Path | None) -> None:
    """Answer one SELECT (DuckDB's SQL) over STORE; '-' reads it from stdin. A query can only read the store's tables.

    Tables: runs, checkpoints, training_log, corpora, annotations, results, onsets, and one per measure (svcca, js,
    clusters) with its parameters as columns; and claims, what `bertdyn claims` says. DESCRIBE and SUMMARIZE work too.

    \b
    bertdyn sql runs.bertdyn "SELECT task, layer, max(value) FROM svcca GROUP BY ALL ORDER BY ALL"
    bertdyn sql runs.bertdyn "SHOW TABLES"
    """
    from store.store import Store

    chosen = format_of(format, output)
    text = _typed() if query == "-" else query
    opened = Store.open(store)
    table = opened.query(text, limit, tables_of_measures(), outside, given_tables(opened, text))
    write_rows(table.columns, table.rows, chosen, output)
    if table.truncated:
        say(f"bertdyn: there are more rows than --limit {limit}.", error=True)


def _typed() -> str:
    if sys.stdin is None:
        raise BertdynError("Standard input is closed, and the query '-' is read from it.")
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise BertdynError("The query on standard input is not valid text: it must be UTF-8.") from None
