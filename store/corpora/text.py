"""The content of a text file, and what the readers of all formats share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from store.corpora.labels import Labels
from store.errors import BertdynError

_SHOWN = 3
"""Number of bad rows that a message names; it only counts the rest."""


@dataclass(frozen=True)
class Text:
    """The content of a text file, before tokenisation."""

    kind: Literal["sentence", "word"]
    texts: tuple[tuple[str, ...], ...]
    """One text per example, or two for pairs; for a file of words, the forms joined by blanks."""
    words: tuple[tuple[str, ...], ...] | None
    """The forms of each sentence in a file of words; None for other files."""
    labels: tuple[Labels, ...]
    """Labels, one entry per column that was read."""
    source: str
    sha256: str
    columns: Mapping[str, str]
    """Columns that were read, as provenance; ``format`` is the format if it is not a table, ``header`` is ``none`` if
    the first line of a table does not name the columns."""
    notes: tuple[str, ...] = ()
    """Notes to the user about the reading, such as rows that were left out."""


@dataclass(frozen=True)
class Wanted:
    """What to read from a text file."""

    text: str | None = None
    """Column of the sentences, or two columns joined by a comma for pairs; None: the usual one."""
    label: str | None = None
    """Columns of the labels, joined by commas; None: the usual ones."""
    limit: int | None = None
    """Number of examples to keep, from the first; None: all."""
    skip: bool = False
    """Whether to leave out (and count) malformed rows instead of refusing the file."""
    unlabelled: bool = False
    """Whether a row without a label is a sentence without one instead of a malformed row."""

    @property
    def labels(self) -> list[str]:
        """Names of the columns of labels; empty for the usual ones."""
        return parts(self.label)


@dataclass(frozen=True)
class Row:
    """One row of a file."""

    number: int
    """Number of its last line, or of the row in a file that has no lines; from 1."""
    cells: tuple[Any, ...]
    """Content of the row; for a table the requested columns: each a text, a list of texts or None."""
    fault: str = ""
    """Why the row cannot be used; empty if it can."""


def usable(rows: Iterable[Row], path: Path, wanted: Wanted, unit: str = "line") -> tuple[list[Row], tuple[str, ...]]:
    """Return the rows that can be used, and a note that counts those that are left out.

    Args:
        unit: word for one row in messages.

    Raises:
        BertdynError: a row has a fault and ``wanted.skip`` is False, or no row is left.
    """
    found, bad = list[Row](), list[str]()
    for row in rows:
        if wanted.limit is not None and len(found) == wanted.limit:
            break
        if not row.fault:
            found.append(row)
        elif wanted.skip:
            bad.append(f"{unit} {row.number}: {row.fault}")
        else:
            raise BertdynError(
                f"{path}, {unit} {row.number}: {row.fault}. --skip-bad-rows leaves out such rows and counts them."
            )
    not_empty(found, path)
    return found, (left_out(bad, f"bad {unit}"),) if bad else ()


def not_empty(found: Sequence[object], path: Path) -> None:
    """Refuse a file in which no example was found.

    Raises:
        BertdynError: ``found`` is empty.
    """
    if not found:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")


def left_out(bad: Sequence[str], unit: str) -> str:
    """Return a note that counts what was left out and names the first few with their faults."""
    many = f"1 {unit} is" if len(bad) == 1 else f"{len(bad):,} {unit}s are"
    return f"{many} left out ({'; '.join(bad[:_SHOWN])}{', ...' * (len(bad) > _SHOWN)})"


def parts(names: str | None) -> list[str]:
    """Return names that are joined by commas."""
    return [part.strip() for part in (names or "").split(",") if part.strip()]


def joined_words(words: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the text of each example in a file of words: the words joined by blanks."""
    return tuple((" ".join(forms),) for forms in words)


def first_line(path: Path) -> str:
    """Return the first line of a text file that is not blank; empty if there is none or the file is not text."""
    if not path.is_file() or looks_binary(path):
        return ""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        return next((line.rstrip("\r\n") for line in lines if line.strip()), "")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that are not blank, without their ends, and their numbers from 1.

    Raises:
        BertdynError: the file is not text.
    """
    if looks_binary(path):
        raise BertdynError(f"{path} is not text.")
    try:
        with path.open(encoding="utf-8-sig") as lines:
            yield from ((number, line.rstrip("\n")) for number, line in enumerate(lines, 1) if line.strip())
    except UnicodeDecodeError:
        raise BertdynError(f"{path} is not UTF-8 text.") from None


def looks_binary(path: Path) -> bool:
    """Return whether the first 64 KiB of a file hold a zero byte."""
    with path.open("rb") as file:
        return b"\0" in file.read(2**16)


def sha256_of(*paths: Path) -> str:
    """Return the SHA-256 of a file, or of several files as if they were one."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()
