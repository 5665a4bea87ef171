"""Read the data sets of Holmes: a .csv with inputs, their contexts, a label and splits (Waldis et al. 2024).

The format is that of Holmes-Benchmark/holmes-evaluation, ``src/utils/data_loading.py``. Cells are Python literals; they
are parsed, never run. ``inputs`` is a list of one or two texts, and ``context`` is blank; or ``inputs`` is a list of
tuples (text, number of the context, first character, end) with an optional fifth number that says to which of the spans
a part belongs, and ``context`` is a list of texts. Inputs of several contexts, of more than two spans, and spans
with gaps are not supported. ``set-0`` to ``set-3`` are splits.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store.corpora.labels import SPLIT, Labels, kind_of
from store.corpora.sentence_tables import of_sentences
from store.corpora.table_files import split_rows
from store.corpora.text import Row, Text, Wanted, first_line, joined_words, sha256_of, usable
from store.errors import BertdynError
from store.keys import Level

ENDING = ".csv"
_INPUTS, _CONTEXT, _LABEL = "inputs", "context", "label"
_SET = re.compile(r"set-\d+")
_USUAL_SET = "set-0"
_NO_CONTEXT = ("", "nan")
_LEVELS: Sequence[Level] = ("span", "pair")


@dataclass(frozen=True)
class _Example:
    """What a row says."""

    texts: tuple[str, ...]
    """The context of spans, or the texts of a sentence or of a pair of sentences."""
    spans: tuple[tuple[int, int], ...]
    """First and last word of each span; empty if the label is of the texts."""
    label: str | None
    split: str
    inexact: bool
    """Whether a span begins or ends within a word."""


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a .csv has inputs, context, label and set-0 (or another set), and no other columns are named."""
    names = set(first_line(path).split(",")) if path.suffix.lower() == ENDING else set[str]()
    whole = {_INPUTS, _CONTEXT, _LABEL} <= names and any(map(_SET.fullmatch, names))
    return whole and wanted.text is None and all(map(_is_meant, wanted.labels))


def read(path: Path, wanted: Wanted) -> Text:
    """Return the texts of a data set, the labels of its sentences, spans or pairs of spans, and its splits.

    Rows with the same context and the same split are one example.

    Args:
        wanted: ``--label set-2`` takes another column of splits than ``set-0``.

    Raises:
        BertdynError: the file cannot be read, there is no such set, or a row has another form.
    """
    sets = [name for name in wanted.labels if _SET.fullmatch(name)] or [_USUAL_SET]
    found, notes = usable(_rows(path, sets, wanted.unlabelled), path, replace(wanted, limit=None))
    examples = [row.cells[0] for row in found]
    whole = _of_spans(examples, wanted.limit) if examples[0].spans else _of_sentences(examples[: wanted.limit])
    return replace(
        whole,
        source=str(path.absolute()),
        sha256=sha256_of(path),
        columns={
            "format": "Holmes",
            "text": _CONTEXT if examples[0].spans else _INPUTS,
            "label": _LABEL,
            "split": sets[0],
        },
        notes=(*notes, *whole.notes),
    )


def _is_meant(name: str) -> bool:
    return name == _LABEL or _SET.fullmatch(name) is not None


def _of_sentences(examples: Sequence[_Example]) -> Text:
    return Text(
        kind="sentence",
        texts=tuple(example.texts for example in examples),
        words=None,
        labels=(
            of_sentences(_LABEL, [example.label for example in examples]),
            of_sentences(SPLIT, [example.split for example in examples], split=True),
        ),
        source="",
        sha256="",
        columns={},
    )


def _of_spans(examples: Sequence[_Example], limit: int | None) -> Text:
    level = _LEVELS[len(examples[0].spans) - 1]
    items: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for example in examples:
        places = (place for span in example.spans for place in span)
        items.setdefault((example.texts[0], example.split), []).append((*places, example.label))
    kept = dict(list(items.items())[:limit])
    words = tuple(tuple(context.split()) for context, _ in kept)
    return Text(
        kind="word",
        texts=joined_words(words),
        words=words,
        labels=(
            Labels(_LABEL, level, kind_of(example.label for example in examples), tuple(map(tuple, kept.values()))),
            of_sentences(SPLIT, [split for _, split in kept], split=True),
        ),
        source="",
        sha256="",
        columns={},
        notes=tuple(_spans_notes(examples)),
    )


def _spans_notes(examples: Sequence[_Example]) -> Iterator[str]:
    inexact = sum(example.inexact for example in examples)
    if inexact:
        yield f"inputs that begin or end within a word, of which the whole word is taken: {inexact:,}"
    splits: dict[str, set[str]] = {}
    for example in examples:
        splits.setdefault(example.texts[0], set()).add(example.split)
    shared = sum(len(there) > 1 for there in splits.values())
    if shared:
        yield f"texts that are in more than one split, and so an example in each: {shared:,}"


def _rows(path: Path, sets: Sequence[str], unlabelled: bool) -> Iterator[Row]:
    """Yield an example, or the fault, of every row."""
    rows = split_rows(path, ENDING)
    names = next(rows).cells
    if len(sets) > 1 or sets[0] not in names:
        there = ", ".join(name for name in names if _SET.fullmatch(name))
        raise BertdynError(f"--label {','.join(sets)}: name one column of splits of {path}, which has {there}.")
    form: tuple[int, int] | None = None
    for row in rows:
        try:
            if len(row.cells) != len(names):
                raise ValueError(f"{len(row.cells)} columns, but the first line has {len(names)}")
            example = _example(dict(zip(names, row.cells, strict=True)), sets[0], unlabelled)
            form = form or (len(example.texts), len(example.spans))
            if (len(example.texts), len(example.spans)) != form:
                raise ValueError("the inputs are of another kind or number than in the rows before")
            yield Row(row.number, (example,))
        except ValueError as error:
            yield Row(row.number, (), str(error))


def _example(row: Mapping[str, str], set_name: str, unlabelled: bool) -> _Example:
    """Return what a row says.

    Raises:
        ValueError: it has another form, or one that is not supported.
    """
    label, split = row[_LABEL].strip(), row[set_name].strip()
    if not label and not unlabelled:
        raise ValueError(f"no label in column '{_LABEL}'")
    if not split:
        raise ValueError(f"no split in column '{set_name}'")
    inputs = _literal(row, _INPUTS)
    if row[_CONTEXT].strip() in _NO_CONTEXT:
        texts = tuple(inputs) if isinstance(inputs, list | tuple) else ()
        if not 1 <= len(texts) <= 2 or not all(isinstance(text, str) and text.strip() for text in texts):
            raise ValueError(f"without a context, column '{_INPUTS}' must be a list of one text or two")
        return _Example(texts, (), label or None, split, inexact=False)
    contexts = _literal(row, _CONTEXT)
    if not isinstance(contexts, list | tuple) or not all(isinstance(text, str) and text.strip() for text in contexts):
        raise ValueError(f"column '{_CONTEXT}' is not a list of texts")
    if len(contexts) != 1:
        raise ValueError(f"{len(contexts)} contexts: only inputs of one context are supported")
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", contexts[0])]
    sides: dict[int, list[tuple[int, int]]] = {}
    for number, start, end in _parts(inputs):
        sides.setdefault(number, []).append((start, end))
    if not 1 <= len(sides) <= len(_LEVELS):
        raise ValueError(f"{len(sides)} inputs: only a span or a pair of spans is supported")
    spans = tuple(_span(words, sides[number]) for number in sorted(sides))
    begins, ends = {start for start, _ in words}, {end for _, end in words}
    inexact = any(start not in begins or end not in ends for parts in sides.values() for start, end in parts)
    return _Example((contexts[0],), spans, label or None, split, inexact)


def _parts(inputs: Any) -> Iterator[tuple[int, int, int]]:
    """Yield the span, the first character and the end of each input.

    Raises:
        ValueError: an input has another form.
    """
    for place, one in enumerate(inputs if isinstance(inputs, list | tuple) else [inputs]):
        match one:
            case [str(), 0, int(start), int(end)] if 0 <= start < end:
                yield place, start, end
            case [str(), 0, int(start), int(end), int(side)] if 0 <= start < end:
                yield side, start, end
            case _:
                raise ValueError(f"the input {str(one)[:40]!r} is not a text, 0, a first character and an end")


def _span(words: Sequence[tuple[int, int]], parts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the first and the last of the words that the parts of a span touch.

    Raises:
        ValueError: a part is outside the context, or there are words between the parts.
    """
    touched: set[int] = set()
    for start, end in parts:
        there = {place for place, (begin, stop) in enumerate(words) if begin < end and start < stop}
        if not there or end > words[-1][1]:
            raise ValueError(f"characters {start} to {end} are not in the context")
        touched |= there
    first, last = min(touched), max(touched)
    if len(touched) != last - first + 1:
        raise ValueError("an input with a gap between its words is not supported")
    return first, last


def _literal(row: Mapping[str, str], name: str) -> Any:
    """Return the value of a cell without running it.

    Raises:
        ValueError: it is not a Python literal.
    """
    try:
        return ast.literal_eval(row[name])
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(f"column '{name}' is not a Python literal: {row[name][:40]!r}") from None
