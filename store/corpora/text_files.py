"""Text files: the sentences and labels in a table (.tsv, .csv, .jsonl, .parquet, through DuckDB) or a .conllu file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from store.duck import interruptible
from store.duck_paths import scan
from store.errors import BertdynError

TABLES = (".tsv", ".csv", ".jsonl", ".parquet")
CONLLU = ".conllu"
CONLLU_LABELS = {"upos": 3, "deprel": 7}
"""Column of a CoNLL-U line, from 0."""
TEXT_COLUMNS = (("text",), ("sentence",), ("sentence1", "sentence2"), ("premise", "hypothesis"))
"""Taken, in this order, when --text is not given."""
LABEL_COLUMN = "label"
_LONGEST_LINE = 64 * 2**20


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
    """Which columns were read, as provenance."""


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


def read(path: Path, *, text: str | None = None, label: str | None = None, limit: int | None = None) -> Text:
    """Read a text file.

    Args:
        path: .tsv, .csv, .jsonl, .parquet or .conllu. A .tsv of two columns without a header is sentence and label.
        text: column of the sentences, or two columns joined by a comma for pairs.
        label: column of the labels; ``upos`` (default) or ``deprel`` of a .conllu.
        limit: keep the first so many examples.

    Raises:
        BertdynError: no such file, another ending, binary, empty, without the column, a row without text or label.
    """
    if not path.is_file():
        raise BertdynError(f"There is no corpus file {path}.")
    ending = path.suffix.lower()
    if ending == CONLLU:
        if text is not None:
            raise BertdynError(f"--text {text}: {path} is a .conllu, whose words are the text.")
        return _read_conllu(path, label or "upos", limit)
    if ending not in TABLES:
        raise BertdynError(f"{path}: corpus files end in {', '.join((*TABLES, CONLLU))}.")
    return _read_table(path, ending, text, label, limit)


def _read_table(path: Path, ending: str, text: str | None, label: str | None, limit: int | None) -> Text:
    source, there, skip = _scan(path, ending, (text, label))
    texts = _text_columns(path, text, there)
    labels = label if label is not None else LABEL_COLUMN if LABEL_COLUMN in there else None
    if labels is not None and labels not in there:
        raise BertdynError(f"{path} has no column '{labels}' for --label, only {', '.join(there) or 'no header'}.")
    wanted = [*texts, *([labels] if labels else [])]
    selected = ", ".join(f"CAST({_quoted(there[name])} AS VARCHAR)" for name in wanted)
    rows = _query(path, f"SELECT {selected} FROM {source}" + (f" LIMIT {int(limit)}" if limit is not None else ""))
    first = 1 + skip
    for number, row in enumerate(rows, first):
        for name, cell in zip(wanted, row, strict=True):
            if cell is None or not cell.strip():
                unit = "line" if ending in (".tsv", ".csv") else "row"
                what = "label" if name == labels else "text"
                raise BertdynError(f"{path}, {unit} {number}: no {what} in column '{name}'.")
    if not rows:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    return Text(
        kind="sentence",
        texts=tuple(tuple(row[: len(texts)]) for row in rows),
        words=None,
        labels=tuple(row[-1].strip() for row in rows) if labels else None,
        source=str(path.absolute()),
        sha256=_sha256(path),
        columns={"text": ",".join(texts), **({"label": labels} if labels else {})},
    )


def _scan(path: Path, ending: str, named: Sequence[str | None]) -> tuple[str, dict[str, str], int]:
    """The table function that reads the file, its columns (as shown -> in SQL), lines before the first row."""
    if ending == ".parquet":
        table = scan("read_parquet", [path])
        there = [row[0] for row in _query(path, f"DESCRIBE SELECT * FROM {table}")]
        return table, {name: name for name in there}, 0
    if _looks_binary(path):
        raise BertdynError(f"{path} is not text: a {ending} file was expected.")
    if ending == ".jsonl":
        plain = ("format='newline_delimited'", f"maximum_object_size={_LONGEST_LINE}")
        sampled = scan("read_json", [path], *plain, "sample_size=-1")
        there = [row[0] for row in _query(path, f"DESCRIBE SELECT * FROM {sampled}")]
        # Typed by us: what looks like a date or a number to DuckDB must come back as it was written.
        types = ", ".join(f"{_string(name)}: 'VARCHAR'" for name in there)
        return scan("read_json", [path], *plain, f"columns={{{types}}}"), {name: name for name in there}, 0
    delimiter, quote = ("\\t", "") if ending == ".tsv" else (",", '"')
    head = _first_row(path, "\t" if ending == ".tsv" else ",")
    header = _is_header(path, head, ending, named)
    names = [f"column{i}" for i in range(len(head))]
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    table = scan(
        "read_csv", [path], "auto_detect=false", "header=false", f"skip={int(header)}", f"delim=E'{delimiter}'",
        f"quote='{quote}'", f"escape='{quote}'", f"columns={{{types}}}", f"max_line_size={_LONGEST_LINE}",
    )  # fmt: skip
    shown = head if header else ["sentence", "label"][: len(names)]
    return table, dict(zip(shown, names, strict=True)), int(header)


def _is_header(path: Path, head: list[str], ending: str, named: Sequence[str | None]) -> bool:
    """Whether the first line names columns. Only a .tsv of two columns (or one) may do without."""
    columns = {part for name in named if name for part in name.split(",")}
    known = {LABEL_COLUMN, *(part for group in TEXT_COLUMNS for part in group)}
    lowered = {cell.strip().lower() for cell in head}
    if columns <= set(head) and (columns or lowered & known):
        if len(set(head)) != len(head):
            raise BertdynError(f"{path} names a column twice in its first line: {', '.join(head)}.")
        return True
    if ending == ".csv" or len(head) > 2 or lowered & known:
        return True
    if columns <= {"sentence", "label"}:
        return False
    raise BertdynError(
        f"{path} has no column {' or '.join(repr(c) for c in sorted(columns - set(head)))}: its first line is "
        f"{', '.join(repr(c[:40]) for c in head)}."
    )


def _text_columns(path: Path, text: str | None, there: Mapping[str, str]) -> list[str]:
    if text is None:
        for group in TEXT_COLUMNS:
            if all(name in there for name in group):
                return list(group)
        raise BertdynError(f"{path}: which column is the text? It has {', '.join(there)}; name one with --text.")
    names = [text] if text in there else [name.strip() for name in text.split(",")]
    missing = [name for name in names if name not in there]
    if missing:
        raise BertdynError(f"{path} has no column '{missing[0]}' for --text, only {', '.join(there)}.")
    if not 1 <= len(names) <= 2:
        raise BertdynError(f"--text {text}: an example is one text or a pair of texts, not {len(names)}.")
    return names


def _read_conllu(path: Path, label: str, limit: int | None) -> Text:
    column = CONLLU_LABELS.get(label.lower())
    if column is None:
        raise BertdynError(f"--label {label}: the labels of {path} are {' or '.join(CONLLU_LABELS)}.")
    if _looks_binary(path):
        raise BertdynError(f"{path} is not text: a .conllu file was expected.")
    sentences: list[tuple[str, ...]] = []
    labels: list[tuple[str, ...]] = []
    for words in _sentences(path):
        if limit is not None and len(sentences) == limit:
            break
        for number, cells in words:
            if cells[1] == "" or cells[column] in ("", "_"):
                raise BertdynError(f"{path}, line {number}: the word '{cells[1]}' has no {label.upper()}.")
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


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    import duckdb

    connection = duckdb.connect()
    try:
        with interruptible():
            return [tuple(row) for row in connection.execute(sql).fetchall()]
    except (duckdb.Error, UnicodeDecodeError) as error:
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), "unreadable")
        raise BertdynError(f"{path} cannot be read: {said}") from None
    finally:
        connection.close()


def _first_row(path: Path, delimiter: str) -> list[str]:
    import csv

    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            if delimiter == "\t":
                line = lines.readline().rstrip("\r\n")
                row = line.split("\t") if line else []
            else:
                row = next(csv.reader(lines, delimiter=delimiter), [])
    except UnicodeDecodeError:
        raise BertdynError(f"{path} is not UTF-8 text.") from None
    if not row:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    return row


def _looks_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(2**16)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _string(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
