"""`bertdyn annotate`: add labels to a stored corpus."""

from __future__ import annotations

from pathlib import Path

import click

from explorer.commands.corpora import limit_option
from explorer.commands.streams import say


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.argument("corpus", metavar="CORPUS")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--text", metavar="COLUMN[,COLUMN]", help="Column of the sentences, as in `bertdyn extract`.")
@click.option("--label", metavar="COLUMN[,COLUMN]", help="Columns of the labels, as in `bertdyn extract`.")
@click.option("--name", metavar="NAME", help="Name of the labels of one column; default: the column's name.")
@limit_option
@click.option("--replace", is_flag=True, help="Replace existing labels of the same name.")
def command(
    store: Path,
    corpus: str,
    file: Path,
    text: str | None,
    label: str | None,
    name: str | None,
    limit: int | None,
    replace: bool,
) -> int:
    """Add the labels in FILE to a corpus of STORE, without running a model.

    FILE must have the texts of the corpus in the same order; other texts are refused. A row without a label is a
    sentence without one. Values computed from replaced labels become out of date.

    \b
    bertdyn annotate runs.bertdyn dev sst2_dev_topics.tsv --label topic
    bertdyn compute clusters runs.bertdyn --corpus dev --annotation topic
    """
    from store.corpora.annotate import annotations_in
    from store.store import Store

    opened = Store.open(store)
    made = annotations_in(file, opened, corpus, text=text, label=label, name=name, limit=limit, replace=replace)
    for one in made:
        what = "added" if opened.annotate(corpus, one, replace) else "there already"
        say(f"{what}: {one.info.in_words()}")
    return 0
