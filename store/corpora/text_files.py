"""Text files: the sentences and labels in a table (.tsv, .csv, .jsonl, .parquet, through DuckDB) or a .conllu file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from store.corpora.table_files import NUMBER_COLUMNS, Table, label_column, looks_binary, table_of, text_columns
from store.errors import BertdynError

TABLES = (".tsv", ".csv", ".jsonl", ".parquet")
CONLLU = ".conllu"
CONLLU_LABELS = {"upos": 3, "deprel": 7}
"""Column of a CoNLL-U line, from 0."""
LABEL_COLUMN = "label"
_SHOWN = 3
"""Bad rows that are named; the others are counted."""


@dataclass(frozen=True)
class Text:
    """What a text file says, before any tokenizer."""

    kind: Literal["sentence", "word"]
    texts: tuple[tuple[str, ...], ...]
    """One text an example, or two for pairs; of words, the forms joined by blanks."""
    words: tuple[tuple[str, ...], ...] | None
    """Word-level sets: the forms of each sentence."""
    labels: tuple[str, ...] | tuple[tuple[str, ...], ...] | None
    """One an example, or for word-level sets one a word."""
    source: str
    sha256: str
    columns: Mapping[str, str]
    """Which columns were read, as provenance; ``header``: ``none`` where the first line does not name them."""
    notes: tuple[str, ...] = ()
    """What a user would want to know of how it was read."""


def columns_of(corpora: Mapping[str, Path], given: Sequence[str], flag: Literal["--text", "--label"]) -> dict[str, str]:
    """Which column the flag names for each corpus.

    ``NAME:COLUMN`` is for one corpus; a bare column is for all it can be meant for: ``upos`` and ``deprel`` for the
    .conllu files when there are any, every other for the tables.

    Raises:
        BertdynError: two columns for one corpus, or a column that no corpus can have.
    """
    chosen: dict[str, str] = {}
    own: set[str] = set()
    for value in given:
        name, colon, column = value.partition(":")
        if colon and name in corpora:
            names = [name]
            own.add(name)
        else:
            column = value
            words = flag == "--label" and column.lower() in CONLLU_LABELS
            conllu = [n for n, p in corpora.items() if p.suffix.lower() == CONLLU]
            tables = [n for n in corpora if n not in conllu]
            names = conllu if words and conllu else tables
            if not names:
                hint = " or ".join(CONLLU_LABELS) if flag == "--label" else "no column: its words are the text"
                raise BertdynError(f"{flag} {value}: no corpus is a table that has columns; of a .conllu it is {hint}.")
            names = [n for n in names if n not in own]
        for n in names:
            if n in chosen and chosen[n] != column and n not in own:
                raise BertdynError(f"{flag}: both '{chosen[n]}' and '{column}' for corpus '{n}'; write {n}:COLUMN.")
            chosen[n] = column
    return chosen


def read(
    path: Path, *, text: str | None = None, label: str | None = None, limit: int | None = None, skip: bool = False
) -> Text:
    """Read a text file.

    Args:
        path: .tsv, .csv, .jsonl, .parquet or .conllu. A .tsv of two columns without a header is sentence and label.
        text: column of the sentences, or two columns joined by a comma for pairs; by number without a header.
        label: column of the labels; ``upos`` (default) or ``deprel`` of a .conllu.
        limit: keep the first so many examples.
        skip: leave out and count rows that are torn or lack a text or label, and sentences with a word that has none.

    Raises:
        BertdynError: no such file, another ending, binary, empty, without the column, columns of which several fit, a
            bad row.
    """
    if not path.is_file():
        raise BertdynError(f"There is no corpus file {path}.")
    ending = path.suffix.lower()
    if ending == CONLLU:
        if text is not None:
            raise BertdynError(f"--text {text}: {path} is a .conllu, whose words are the text.")
        return _read_conllu(path, label or "upos", limit, skip)
    if ending not in TABLES:
        raise BertdynError(f"{path}: corpus files end in {', '.join((*TABLES, CONLLU))}.")
    return _read_table(path, ending, text, label, limit, skip)


def _read_table(path: Path, ending: str, text: str | None, label: str | None, limit: int | None, skip: bool) -> Text:
    named = [*(text or "").split(","), label or ""]
    table = table_of(path, ending, [name.strip() for name in named if name.strip()])
    texts, labels = text_columns(table, text), label_column(table, label)
    wanted = [*texts, *([labels] if labels else [])]
    rows, bad = list[tuple[str, ...]](), list[str]()
    for row in table.rows(wanted, None if skip else limit):
        if limit is not None and len(rows) == limit:
            break
        fault = row.fault or _blank(wanted, row.cells, labels)
        if not fault:
            rows.append(tuple(str(cell) for cell in row.cells))
        elif skip:
            bad.append(f"{table.unit} {row.number}: {fault}")
        else:
            raise BertdynError(
                f"{path}, {table.unit} {row.number}: {fault}. With --skip-bad-rows such rows are left out and counted."
            )
    if not rows:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    return Text(
        kind="sentence",
        texts=tuple(row[: len(texts)] for row in rows),
        words=None,
        labels=tuple(row[-1].strip() for row in rows) if labels else None,
        source=str(path.absolute()),
        sha256=_sha256(path),
        columns={
            "text": ",".join(texts),
            **({"label": labels} if labels else {}),
            **({} if table.header else {"header": "none"}),
        },
        notes=_notes(table, labels, bad),
    )


def _blank(wanted: Sequence[str], cells: Sequence[str | None], labels: str | None) -> str:
    for name, cell in zip(wanted, cells, strict=True):
        if cell is None or not cell.strip():
            return f"no {'label' if name == labels else 'text'} in column '{name}'"
    return ""


def _notes(table: Table, labels: str | None, bad: Sequence[str]) -> tuple[str, ...]:
    said = []
    numbers = [name for name in NUMBER_COLUMNS if name in table.names]
    if labels is None and numbers:
        said.append(f"no labels were taken; with --label {numbers[0]} each number in it is a class")
    if bad:
        said.append(_left_out(bad, f"bad {table.unit}"))
    return tuple(said)


def _left_out(bad: Sequence[str], unit: str) -> str:
    many = f"1 {unit} is" if len(bad) == 1 else f"{len(bad):,} {unit}s are"
    return f"{many} left out ({'; '.join(bad[:_SHOWN])}{', ...' * (len(bad) > _SHOWN)})"


def _read_conllu(path: Path, label: str, limit: int | None, skip: bool) -> Text:
    column = CONLLU_LABELS.get(label.lower())
    if column is None:
        raise BertdynError(f"--label {label}: the labels of {path} are {' or '.join(CONLLU_LABELS)}.")
    if looks_binary(path):
        raise BertdynError(f"{path} is not text: a .conllu file was expected.")
    sentences: list[tuple[str, ...]] = []
    labels: list[tuple[str, ...]] = []
    bad: list[str] = []
    for words in _sentences(path):
        if limit is not None and len(sentences) == limit:
            break
        lacking = next(((n, cells[1]) for n, cells in words if cells[1] == "" or cells[column] in ("", "_")), None)
        if lacking is not None and skip:
            bad.append(f"line {lacking[0]}: no {label.upper()}")
            continue
        if lacking is not None:
            raise BertdynError(
                f"{path}, line {lacking[0]}: the word '{lacking[1]}' has no {label.upper()}. With --skip-bad-rows such "
                "sentences are left out and counted."
            )
        sentences.append(tuple(cells[1] for _, cells in words))
        labels.append(tuple(cells[column] for _, cells in words))
    if not sentences:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    return Text(
        kind="word",
        texts=tuple((" ".join(words),) for words in sentences),
        words=tuple(sentences),
        labels=tuple(labels),
        source=str(path.absolute()),
        sha256=_sha256(path),
        columns={"text": "FORM", "label": label.upper()},
        notes=(_left_out(bad, "sentence"),) if bad else (),
    )


def _sentences(path: Path) -> Iterator[list[tuple[int, list[str]]]]:
    """Sentences of a CoNLL-U file: its syntactic words with their line numbers.

    Multiword ranges (1-2) repeat the words that follow and empty nodes (8.1) have no place in the text: both are left
    out (universaldependencies.org/format.html).
    """
    words: list[tuple[int, list[str]]] = []
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, raw in enumerate(lines, 1):
                line = raw.rstrip("\r\n")
                if not line.strip():
                    if words:
                        yield words
                    words = []
                elif not line.startswith("#"):
                    cells = line.split("\t")
                    if len(cells) != 10 or not cells[0].replace("-", "").replace(".", "").isdecimal():
                        raise BertdynError(f"{path}, line {number}: not CoNLL-U: a number and nine more columns.")
                    if cells[0].isdecimal():
                        words.append((number, cells))
    except UnicodeDecodeError:
        raise BertdynError(f"{path} is not UTF-8 text.") from None
    if words:
        yield words


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
