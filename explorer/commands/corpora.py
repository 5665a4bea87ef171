"""What commands that read text files share: their flags, and how a corpus is described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from store.errors import BertdynError

if TYPE_CHECKING:
    from store.keys import Corpus

_ANNOTATIONS = 5
"""Annotations of a corpus that have a line each; the others are named in one."""

text_option = click.option(
    "--text",
    metavar="[NAME:]COLUMN[,COLUMN]",
    multiple=True,
    help="Column of the sentences, two for pairs; by number, from 1, in a table without header. Default: the usual "
    "names (text, sentence, sentence1,sentence2, premise,hypothesis, question,sentence, ...) where only one fits; the "
    "first of a .tsv of two columns without a header. Several corpora: NAME:COLUMN for one.",
)
label_option = click.option(
    "--label",
    metavar="[NAME:]COLUMN[,COLUMN]",
    multiple=True,
    help="Columns of labels, by name or number; of a .conllu upos, xpos, deprel, head, arcs and keys of FEATS, where "
    "all are taken unless some are named. Default of a table: label, labels, gold_label or is_duplicate where only one "
    "is there, else score or similarity, or the second of a .tsv without a header. Several corpora: names of CoNLL-U "
    "are for each .conllu, others for each table, NAME:COLUMN for one.",
)
limit_option = click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N sentences of each file."
)
skip_option = click.option(
    "--skip-bad-rows",
    is_flag=True,
    help="Leave out and count rows that are torn or lack a text or label, and sentences whose heads are not a tree.",
)
max_length_option = click.option(
    "--max-length",
    metavar="N",
    type=click.IntRange(min=1),
    default=128,
    show_default=True,
    help="Longest sentence in tokens; the rest is cut off, and counted.",
)


def text_files(given: Sequence[str], flag: str = "--corpus ") -> dict[str, Path]:
    """Return the files of corpora, given as NAME=FILE or NAME:SPLIT=FILE.

    Raises:
        BertdynError: another form, or a name that occurs twice.
    """
    files: dict[str, Path] = {}
    for value in given:
        name, equals, path = value.partition("=")
        if not equals or not name or not path:
            raise BertdynError(f"{flag}{value}: write NAME=FILE or NAME:SPLIT=FILE, as in dev=sst2_dev.tsv.")
        if name in files:
            raise BertdynError(f"{flag}{name}: named twice, for {files[name]} and {path}.")
        files[name] = Path(path)
    return files


def corpus_lines(corpus: Corpus) -> Iterator[str]:
    """What was taken for what, in lines: texts, tokens, and each annotation."""
    info = corpus.info
    cut = f", {info.truncated:,} cut at {corpus.attributes.get('max_length')} tokens" if info.truncated else ""
    read = _read_from(corpus.attributes.get("columns"))
    yield f"corpus {info.name}: {info.examples:,} sentences{read}, {info.tokens:,} tokens{cut}"
    shown = info.annotations if len(info.annotations) <= _ANNOTATIONS + 1 else info.annotations[:_ANNOTATIONS]
    yield from (f"  {one.in_words()}" for one in shown)
    if others := [one.name for one in info.annotations[len(shown) :]]:
        yield f"  and {len(others)} more annotations: {', '.join(others)}"
    if not info.annotations:
        yield "  no labels"


def _read_from(columns: object) -> str:
    """Which columns the texts of a corpus were read from, in brackets; empty for none."""
    there = {str(k): str(v) for k, v in columns.items()} if isinstance(columns, Mapping) else {}
    text = there.get("text", "")
    header = ", no header" if there.get("header") == "none" else ""
    many = "s" if "," in text else ""
    return f" (column{many} {text.replace(',', ', ')}{header})" if text else ""
