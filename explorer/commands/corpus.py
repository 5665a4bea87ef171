"""`bertdyn corpus`: add texts to a store without extracting."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.corpora import (
    corpus_lines,
    label_option,
    limit_option,
    max_length_option,
    skip_option,
    text_files,
    text_option,
)
from explorer.commands.streams import say


@click.group(no_args_is_help=True)
def command() -> None:
    """Add corpora to a store."""


@command.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.argument("files", metavar="NAME[:SPLIT]=FILE...", nargs=-1, required=True)
@text_option
@label_option
@limit_option
@skip_option
@max_length_option
@click.option(
    "--tokenizer",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Default: the tokenizer of the store's checkpoints.",
)
def add(
    store: Path,
    files: tuple[str, ...],
    text: tuple[str, ...],
    label: tuple[str, ...],
    limit: int | None,
    skip_bad_rows: bool,
    max_length: int,
    tokenizer: Path | None,
) -> int:
    """Tokenise texts and labels and add them to STORE, without running checkpoints.

    Use it for texts on which checkpoints are evaluated later; for hidden states, use `bertdyn extract`.

    \b
    bertdyn corpus add runs.bertdyn sst2:train=sst2_train.tsv sst2:dev=sst2_dev.tsv
    """
    from store.extract.adding import add_corpora
    from store.extract.plan import ExtractOptions
    from store.store import Store

    options = ExtractOptions(text=text, label=label, limit=limit, skip_bad_rows=skip_bad_rows, max_length=max_length)
    made, notes = add_corpora(Store.open(store), text_files(files, ""), options, tokenizer)
    for corpus in made:
        say("\n".join(corpus_lines(corpus)))
    for note in notes:
        say(f"note: {note}", error=True)
    return 0
