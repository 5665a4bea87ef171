"""`bertdyn doctor`: examine machine, terminal and store, and say what to do."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from explorer.commands.findings import Finding, of_disk, of_limits, of_packages, of_store, of_terminal, of_torch
from explorer.commands.streams import put, say

_MARKS = {"ok": "ok", "note": "note", "todo": "TO DO"}


@click.command()
@click.argument("store", metavar="[STORE]", required=False, type=click.Path(path_type=Path))
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(store: Path | None, format: str) -> int:
    """Examine terminal, packages, GPU, limits and disk, and STORE if it is given; say what to do.

    Only descriptions and tables of STORE are read, which takes seconds; `bertdyn check` reads everything.

    Exit codes: 0 all is well, 1 something should be done (TO DO), 2 bad input.

    \b
    bertdyn doctor
    bertdyn doctor runs.bertdyn
    """
    found = list(examined(store))
    well = all(one.level != "todo" for one in found)
    if format == "json":
        put(json.dumps({"ok": well, "findings": [asdict(one) for one in found]}, ensure_ascii=False, indent=1) + "\n")
    else:
        say(as_text(found))
    return 0 if well else 1


def examined(store: Path | None) -> Iterator[Finding]:
    """Yield the findings of the machine, and of a store or of the working folder.

    Raises:
        BertdynError: the folder is not a store of this version.
    """
    from explorer.commands import machine
    from store.founding import recognised

    place = recognised(store) if store is not None else None
    yield from of_terminal(machine.terminal(os.environ))
    yield from of_packages(machine.packages())
    yield of_torch(machine.torch())
    yield from of_limits(machine.limits(os.environ))
    yield from of_disk(machine.examine(place or Path.cwd()))
    if place is not None:
        yield from of_store(machine.store_health(place, shlex.quote(str(store))))


def as_text(found: Sequence[Finding]) -> str:
    """Return one line per finding, and below it what to do."""
    width = max(len(one.area) for one in found)
    lines = []
    for one in found:
        lines.append(f"{_MARKS[one.level]:<5}  {one.area:<{width}}  {one.what}")
        lines += [f"{'':<5}  {'':<{width}}  -> {one.do}"] if one.do else []
    return "\n".join(lines)
