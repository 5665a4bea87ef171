"""What a worker sees, to be compared with what the process that hands out tasks sees."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from explorer.compute.pool import cpus
from store.layout import STAGING
from store.ownership import draft
from store.staging import writing


@dataclass(frozen=True)
class Sight:
    """One process: where it runs, what it has, whether it sees the store."""

    host: str
    cpus: int
    mark: str | None
    """Content of the file that was put into the store; None where it is not there."""
    measures: Mapping[str, int]
    """Version of each measure's definition."""
    packages: Mapping[str, str]
    """Versions of what numbers depend on."""


@contextmanager
def shown(store: Path) -> Iterator[Path]:
    """Put a file with content of its own into the store, for others to find; it is gone afterwards.

    Raises:
        BertdynError: the store cannot be written.
    """
    mark = draft(store / STAGING / "seen")
    with writing(store):
        mark.write_text(mark.name)
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def look(mark: str) -> Sight:
    """Look around in this process."""
    from importlib.metadata import version

    from explorer.measures.registry import all_measures

    content = None
    with suppress(OSError):
        content = Path(mark).read_text()
    return Sight(
        os.uname().nodename,
        cpus(),
        content,
        {measure.name: measure.version for measure in all_measures()},
        {name: version(name) for name in ("bertdyn", "numpy", "scipy")},
    )


def difference(own: Sight, other: Sight, store: Path) -> str:
    """Say why another process cannot do this one's tasks; empty where it can."""
    if other.mark != own.mark:
        return (
            f"on {other.host} does not see the store: {store} must be on a file system that all machines share, under "
            "the same path."
        )
    for name, package in own.packages.items():
        if other.packages.get(name) != package:
            return (
                f"on {other.host} has {name} {other.packages.get(name)}, and this process {package}: the same numbers "
                "need the same versions."
            )
    for name, number in own.measures.items():
        if other.measures.get(name) != number:
            has = f"version {other.measures[name]}" if name in other.measures else "no"
            return (
                f"on {other.host} has {has} measure '{name}', and this process version {number}: start workers with "
                "the same code and the same BERTDYN_MEASURES."
            )
    return ""
