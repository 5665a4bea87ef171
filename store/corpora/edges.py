"""Read edge-probing files: one JSON object per line, with a text and labels of its spans (Tenney et al. 2019).

The format is that of jiant: ``{"text": "the old ferry sank", "targets": [{"span1": [0, 3], "span2": [3, 4], "label":
"ARG0"}]}``. The words of a text are separated by blanks, the ends of spans are exclusive, ``span2`` may be missing, and
a label is a text or a list of texts (SPR: several labels, or none, per target).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from store.corpora.labels import Labels
from store.corpora.table_files import JSON, LABEL_COLUMNS
from store.corpora.text import Row, Text, Wanted, joined_words, looks_binary, numbered_lines, sha256_of, usable
from store.errors import BertdynError
from store.keys import ITEM_WORDS, Level

NAMES: Mapping[str, Level] = {"spans": "span", "pairs": "pair"}
"""Names of the annotations, with their levels: targets of one span and targets of two."""
_TEXT, _TARGETS, _LABEL = "text", "targets", "label"
_SPANS = ("span1", "span2")


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether the lines of a file are objects with ``text`` and ``targets``, and a first target has a span or a
    label.

    A table may have these columns too: it is read as one where other columns are named.

    Raises:
        BertdynError: there is a column of labels beside the spans, and no labels are named.
    """
    if path.suffix.lower() not in JSON or wanted.text is not None or not set(wanted.labels) <= set(NAMES):
        return False
    first = _first_with_targets(path)
    others = [name for name in LABEL_COLUMNS if name in first]
    if others and not wanted.labels:
        raise BertdynError(
            f"{path} has labels of spans in '{_TARGETS}' and a column '{others[0]}': choose with --label "
            f"{','.join(NAMES)} or --label {others[0]}."
        )
    return bool(first)


def read(path: Path, wanted: Wanted) -> Text:
    """Return the words of a file, and the labels of its spans and of its pairs of spans.

    Raises:
        BertdynError: a line is not such an object, or has a span outside the text; the named labels do not occur.
    """
    found, notes = usable(_rows(path), path, wanted)
    words = tuple(row.cells[0] for row in found)
    made = [
        Labels(name, level, "class", tuple(_of_level(row.cells[1], level) for row in found))
        for name, level in NAMES.items()
    ]
    there = [labels for labels in made if any(labels.values)]
    if missing := set(wanted.labels) - {labels.name for labels in there}:
        raise BertdynError(f"--label {min(missing)}: {path} has none, only {there[0].name if there else 'sentences'}.")
    labels = tuple(one for one in there if not wanted.labels or one.name in wanted.labels)
    return Text(
        kind="word",
        texts=joined_words(words),
        words=words,
        labels=labels,
        source=str(path.absolute()),
        sha256=sha256_of(path),
        columns={
            "format": "edge probing",
            "text": _TEXT,
            **({"label": ",".join(one.name for one in labels)} if labels else {}),
        },
        notes=notes,
    )


def _of_level(items: tuple[tuple[Any, ...], ...], level: Level) -> tuple[tuple[Any, ...], ...]:
    return tuple(item for item in items if len(item) == ITEM_WORDS[level] + 1)


def _rows(path: Path) -> Iterator[Row]:
    """Yield the words and the items of each line: positions of words from 0, inclusive, and a label."""
    for number, line in numbered_lines(path):
        try:
            yield Row(number, _example(_parsed(line)))
        except ValueError as error:
            yield Row(number, (), str(error))


def _example(found: Any) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Return words and items of one object.

    Raises:
        ValueError: it has another form.
    """
    if not isinstance(found, dict) or not isinstance(found.get(_TEXT), str):
        raise ValueError(f"not an object with a text in '{_TEXT}'")
    words = tuple(found[_TEXT].split())
    if not words:
        raise ValueError(f"no text in column '{_TEXT}'")
    targets = found.get(_TARGETS, [])
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        raise ValueError(f"'{_TARGETS}' is not a list of objects")
    return words, tuple(
        (*(place for name in _SPANS if target.get(name) is not None for place in _span(target, name, words)), label)
        for target in targets
        for label in _labels(target)
    )


def _span(target: Mapping[str, Any], name: str, words: tuple[str, ...]) -> tuple[int, int]:
    """Return the first and the last word of a span, inclusive."""
    match target[name]:
        case [int(first), int(end)] if 0 <= first < end <= len(words):
            return first, end - 1
    raise ValueError(f"{name} {json.dumps(target[name])} is not a first word and an end within {len(words)} words")


def _labels(target: Mapping[str, Any]) -> list[str | None]:
    """Return the labels of a target; one None where its list is empty.

    Raises:
        ValueError: there is no first span, or the label is neither a text nor a list of texts.
    """
    if target.get(_SPANS[0]) is None:
        raise ValueError(f"a target has no {_SPANS[0]}")
    given = target.get(_LABEL)
    labels = given if isinstance(given, list) else [given]
    if not all(isinstance(label, str | int) and not isinstance(label, bool) and str(label) for label in labels):
        raise ValueError(f"the label {json.dumps(given)} of a target is neither a text nor a list of texts")
    return list(dict.fromkeys(str(label) for label in labels)) or [None]


def _first_with_targets(path: Path) -> Mapping[str, Any]:
    """Return the first object of a file whose list of targets is not empty; empty if no target there has a span or a
    label, or if an object before it is not an example.
    """
    for _, line in numbered_lines(path) if not looks_binary(path) else ():
        found = _parsed(line)
        if not isinstance(found, dict) or not isinstance(found.get(_TEXT), str):
            break
        if targets := found.get(_TARGETS):
            some = targets if isinstance(targets, list) else []
            return found if any(isinstance(one, dict) and one.keys() & {*_SPANS, _LABEL} for one in some) else {}
        if targets is None:
            break
    return {}


def _parsed(line: str) -> Any:
    """Return the value of a line; None if it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
