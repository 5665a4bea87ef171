"""Hold the content of a report. Pure data; the text in it is not escaped yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.claims.fetching import Judgement


@dataclass(frozen=True)
class TextTable:
    """A table, or a sentence in its place."""

    title: str
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    sentence: str = ""


@dataclass(frozen=True)
class Kept:
    """A kept selection as the report shows it: one picture of one task."""

    name: str
    """Name that the user gave it."""
    title: str
    subtitle: str
    remark: str = ""
    """What the user wrote about it."""
    reading: tuple[str, ...] = ()
    """Notes of the picture."""
    figure: str = ""
    """Name of the picture's file; empty: ``text`` is shown instead."""
    text: str = ""
    """The picture as text."""
    numbers: str = ""
    """Name of the file with its numbers."""
    commands: tuple[str, ...] = ()
    """Commands that compute and draw it again."""
    trouble: str = ""
    """Why it has no picture, or why the picture is not a figure."""


@dataclass(frozen=True)
class Report:
    """The content of a report."""

    store: str
    """Path of the store."""
    heading: str
    """Path and size of the store in one line."""
    command: str
    """Command that makes the report again."""
    holdings: tuple[TextTable, ...]
    """What the store holds."""
    findings: tuple[tuple[str, tuple[str, ...]], ...]
    """The overview: topics, each with its sentences."""
    kept: tuple[Kept, ...]
    claims: tuple[Judgement, ...]
    compute: tuple[str, ...]
    """Commands that compute what claims lack."""
    texts: TextTable
    """Corpora and annotations with their digests."""
    versions: tuple[tuple[str, str], ...]
    """Programs and their versions."""
    files: tuple[tuple[str, str], ...]
    """Further files of the report, and what they hold."""
