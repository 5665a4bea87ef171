"""`bertdyn ls`: list what a store holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from explorer.commands.output import as_json, as_table, format_of, output_options, write_rows, write_text
from store.disk import readable
from store.errors import BertdynError
from store.overviews import OVERVIEWS, overview, totals

if TYPE_CHECKING:
    from store.store import Store, Table

EMPTY = {
    "runs": "no checkpoint yet: run 'bertdyn extract'",
    "corpora": "no corpus yet: run 'bertdyn extract' with --corpus",
    "results": "nothing computed yet: run 'bertdyn compute'",
}


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.argument("what", metavar="[WHAT]", required=False, type=click.Choice(tuple(OVERVIEWS)))
@output_options
def command(store: Path, what: str | None, format: str | None, output: Path | None) -> None:
    """List what STORE holds: runs, checkpoints, corpora, their sizes, and computed results.

    WHAT is one of runs, checkpoints, corpora, results; without it, all lists but that of single checkpoints are shown.

    If a list cannot be read, the reason is shown in its place, and the other lists are not affected. In the JSON of all
    lists it is null, and "errors" has the reason.

    \b
    bertdyn ls runs.bertdyn
    bertdyn ls runs.bertdyn checkpoints --format csv
    """
    from store.store import Store

    chosen = format_of(format, output)
    opened = Store.open(store)
    if what is not None:
        table = overview(opened, what)
        write_rows(table.columns, _plain(table, for_people=chosen == "table"), chosen, output)
    elif chosen == "table":
        write_text(overview_text(opened), output)
    elif chosen == "json":
        write_text(_everything(opened), output)
    else:
        raise BertdynError(f"{chosen} holds one list: say which, {', '.join(OVERVIEWS)}.")


@dataclass(frozen=True)
class NamedList:
    """One list of the overview, or a sentence in its place."""

    title: str
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[object]] = ()
    sentence: str = ""


def heading(store: Store) -> str:
    """Return the first line of the overview: path and size of the store."""
    count, size = totals(store)
    return f"{store.path}: {count:,} checkpoints, {readable(size)}"


def parts(store: Store) -> Iterator[NamedList]:
    """Yield the lists of the overview in readable form."""
    for name in ("runs", "corpora", "results"):
        try:
            table = overview(store, name)
        except BertdynError as error:
            yield NamedList(name, sentence=str(error))  # a list that cannot be read does not hide the others
            continue
        if table.rows:
            yield NamedList(name, table.columns, _plain(table, for_people=True))
        else:
            yield NamedList(name, sentence=EMPTY[name])


def overview_text(store: Store) -> str:
    """Return the overview of a store as text.

    Raises:
        BertdynError: the table of checkpoints is damaged.
    """
    texts = [f"{heading(store)}\n"]
    for part in parts(store):
        body = f"{part.sentence}\n" if part.sentence else as_table(part.columns, part.rows)
        texts.append(f"{part.title}\n{body}")
    return "\n".join(texts)


def _everything(store: Store) -> str:
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in OVERVIEWS:
        try:
            table = overview(store, name)
            found[name] = json.loads(as_json(table.columns, _plain(table, for_people=False)))
        except BertdynError as error:
            found[name], errors[name] = None, str(error)
    return json.dumps({"store": str(store.path), **found, "errors": errors}, ensure_ascii=False, indent=1) + "\n"


def _plain(table: Table, for_people: bool) -> list[list[object]]:
    """Return rows with JSON text as objects and, for people, with readable sizes and times."""
    rows = []
    for row in table.rows:
        cells: list[object] = []
        for name, cell in zip(table.columns, row, strict=True):
            if name == "parameters":
                cells.append(json.loads(cell) if not for_people else _parameters(cell))
            elif for_people and name == "bytes":
                cells.append(readable(cell))
            elif for_people and name == "newest":
                cells.append(str(cell)[:19].replace("T", " "))
            else:
                cells.append(cell)
        rows.append(cells)
    return rows


def _parameters(text: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in json.loads(text).items() if value != "")


def counted(corpora: int, checkpoints: int) -> str:
    """Return the content of a store in words: '1 corpus and 5 checkpoints'."""
    texts = f"{corpora:,} {'corpus' if corpora == 1 else 'corpora'}"
    return f"{texts} and {checkpoints:,} checkpoint{'' if checkpoints == 1 else 's'}"
