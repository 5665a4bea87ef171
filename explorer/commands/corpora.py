"""Flags of commands that read text files, and descriptions of corpora."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from store.errors import BertdynError

if TYPE_CHECKING:
    from store.keys import Corpus

_ANNOTATIONS = 5
"""Number of annotations of a corpus that are described on a line each; the others share one line."""

text_option = click.option(
    "--text",
    metavar="[NAME:]COLUMN[,COLUMN]",
    multiple=True,
    help="Column of the sentences, or two for pairs; numbers (from 1) in a table without a header. Default: the usual "
    "names (text, sentence, sentence1,sentence2, premise,hypothesis, question,sentence, ...) if only one fits; the "
    "first column of a .tsv of two columns without a header. NAME:COLUMN is for one of several corpora.",
)
label_option = click.option(
    "--label",
    metavar="[NAME:]COLUMN[,COLUMN]",
    multiple=True,
    help="Columns of labels, by name or number; for a .conllu upos, xpos, deprel, head, arcs and keys of FEATS, for "
    "columns of words such as ner and ner-spans, for edge probing spans and pairs (default: all); for Holmes label and "
    "a set of splits, as in label,set-1. Default for a table: label, labels, gold_label or is_duplicate if there is "
    "only one, else score or similarity, or the second column of a .tsv without a header. With several corpora, names "
    "of CoNLL-U are for each .conllu, others for each table, and NAME:COLUMN for one corpus.",
)
limit_option = click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N sentences of each file."
)
skip_option = click.option(
    "--skip-bad-rows",
    is_flag=True,
    help="Leave out (and count) rows that are malformed or lack a text or label, and sentences whose heads are not a "
    "tree.",
)
max_length_option = click.option(
    "--max-length",
    metavar="N",
    type=click.IntRange(min=1),
    default=128,
    show_default=True,
    help="Maximum tokens of a sentence; longer ones are cut off and counted.",
)


def text_files(given: Sequence[str], flag: str = "--corpus ") -> dict[str, Path]:
    """Return the files of corpora, given as NAME=FILE or NAME:SPLIT=FILE.

    Raises:
        BertdynError: a text has another form, or a name occurs twice.
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
    """Yield lines that describe a corpus: texts, tokens, and each annotation."""
    info = corpus.info
    cut = f", {info.truncated:,} cut at {corpus.attributes.get('max_length')} tokens" if info.truncated else ""
    read = _read_from(corpus.attributes.get("columns"))
    empty = corpus.without_tokens
    bare = f", {empty:,} word{'s' * (empty != 1)} without a token" if empty else ""
    sentences = f"{info.examples:,} sentence{'s' * (info.examples != 1)}"
    yield f"corpus {info.name}: {sentences}{read}, {info.tokens:,} tokens{cut}{bare}"
    shown = info.annotations if len(info.annotations) <= _ANNOTATIONS + 1 else info.annotations[:_ANNOTATIONS]
    yield from (f"  {one.in_words()}" for one in shown)
    if others := [one.name for one in info.annotations[len(shown) :]]:
        yield f"  and {len(others)} more annotations: {', '.join(others)}"
    if not info.annotations:
        yield "  no labels"


def _read_from(columns: object) -> str:
    """Return in brackets what a corpus was read from: the format, the columns of the texts and of the splits."""
    there = {str(k): str(v) for k, v in columns.items()} if isinstance(columns, Mapping) else {}
    text = there.get("text", "")
    said = (
        there.get("format", ""),
        f"column{'s' * (',' in text)} {text.replace(',', ', ')}" if text else "",
        f"splits in column {there['split']}" if "split" in there else "",
        "no header" if there.get("header") == "none" else "",
    )
    return f" ({', '.join(part for part in said if part)})" if any(said) else ""
