"""Compare the environment of a worker with that of the process that sends tasks."""

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
    """The environment of a process: machine, packages, and whether it sees the store."""

    host: str
    cpus: int
    mark: str | None
    """Content of the mark file in the store; None if the process does not see the file."""
    measures: Mapping[str, int]
    """Version of each measure's definition."""
    packages: Mapping[str, str]
    """Versions of the packages on which numbers depend."""


@contextmanager
def shown(store: Path) -> Iterator[Path]:
    """Write a mark file with unique content into the store for the duration of the block.

    Raises:
        BertdynError: the store is not writable.
    """
    mark = draft(store / STAGING / "seen")
    with writing(store):
        mark.write_text(mark.name)
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def look(mark: str) -> Sight:
    """Return the environment of this process."""
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
    """Return the reason why another process cannot do this one's tasks; empty if it can."""
    if other.mark != own.mark:
        return (
            f"on {other.host} does not see the store: {store} must be on a file system that all machines share, under "
            "the same path."
        )
    for name, package in own.packages.items():
        if other.packages.get(name) != package:
            return (
                f"on {other.host} has {name} {other.packages.get(name)}, but this process {package}: the same numbers "
                "need the same versions."
            )
    for name, number in own.measures.items():
        if other.measures.get(name) != number:
            has = f"version {other.measures[name]} of" if name in other.measures else "no"
            return (
                f"on {other.host} has {has} measure '{name}', but this process version {number}: start workers with "
                "the same code and the same BERTDYN_MEASURES."
            )
    return ""
