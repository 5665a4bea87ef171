"""`bertdyn show`: print the explorer's views as text, or write them as CSV, JSON, Parquet, SVG, PNG or PDF."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from explorer.answers.examples import NoSuchExampleError
from explorer.answers.look import Look
from explorer.commands.options import SELECTING, measure_named, questions, selection_options
from explorer.commands.output import unknown_ending, write_rows, write_text
from explorer.commands.parameters import parameter_options
from explorer.commands.streams import encodes, say
from explorer.export.files import FORMATS, PICTURE, as_format, format_of, write
from explorer.selection import narrowed
from explorer.views.base import LINEAR, SCALES, DrawOptions
from explorer.views.kinds import VIEWS
from store.errors import BertdynError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from explorer.answers.rows import Rows
    from explorer.measures import Measure
    from explorer.selection import Question
    from explorer.views.base import View, ViewKind
    from store.store import Store

_PIPE = (100, 30)
_AROUND = 7
"""Number of lines of a terminal for title, notes and prompt."""
_PARTS = "; ".join(f"{name}: {', '.join(kind.parts)}" for name, kind in VIEWS.items() if kind.parts) + "."
_DRAWN = "│┤─▀█⠿·…±▲"
"""Some of the characters that pictures are drawn with; without them, only those of ASCII are used."""
_WIDE = 1000
"""Width of a table in a pipe in cells, enough for every column; blanks at the ends of lines are not printed."""


_LISTED = "\n".join(f"{name:<12}{kind.help}" for name, kind in VIEWS.items())
_HELP = f"""Draw VIEW of a STORE's computed values.

\b
{_LISTED}

Nothing is computed here: if values are missing, the command that computes them is printed.

\b
bertdyn show curves runs.bertdyn --task sst2 --seed 1
bertdyn show heat runs.bertdyn --measure js --digits
bertdyn show heads runs.bertdyn --measure weight-change
bertdyn show seeds runs.bertdyn --task sst2 --format svg -o seeds.svg
bertdyn show curves runs.bertdyn --task sst2 --scale log -o curves.pdf
bertdyn show layers runs.bertdyn --task sst2 --seed 1 --step 800
bertdyn show example runs.bertdyn --task sst2 --find movie --layer 11
"""


@click.command(no_args_is_help=True, help=_HELP)
@click.argument("view", metavar="VIEW", type=click.Choice(list(VIEWS)))
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.option("--measure", metavar="NAME", help="Measure to show; default: svcca, or the view's own.")
@selection_options
@parameter_options
@click.option(
    "--format",
    type=click.Choice(list(FORMATS)),
    help="Default: by the name of -o, else text. png, pdf: a figure for a paper (pip install 'bertdyn[plots]').",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write here.")
@click.option("--width", type=click.IntRange(20, 1000), metavar="CELLS", help="Default: the terminal's, in a pipe 100.")
@click.option("--height", type=click.IntRange(5, 1000), metavar="LINES", help="Default: the terminal's, in a pipe 30.")
@click.option(
    "--color",
    type=click.Choice(["auto", "truecolor", "256", "16", "none"]),
    default="auto",
    show_default=True,
    help="auto: as many as the terminal shows; none in a pipe and with NO_COLOR.",
)
@click.option("--light", is_flag=True, help="Colours for a light background.")
@click.option("--ascii", is_flag=True, help="Only characters that every font has.")
@click.option(
    "--scale",
    type=click.Choice(list(SCALES)),
    default=LINEAR,
    help="Value axis; percent: of each line's final value; seeds: multiples of the distance between two seeds.",
)
@click.option("--digits", is_flag=True, help="heat: values in the cells.")
@click.option("--sort", metavar="COLUMN", default="", help="table: sort by this column.")
@click.option("--descending", is_flag=True, help="table: largest first.")
@click.option("--part", metavar="NAME", default="", help="Part of the view: " + _PARTS)
@click.option("--head", type=click.IntRange(min=0), metavar="N", default=0, help="example: head; 0: their mean.")
@click.option("--example", type=click.IntRange(min=0), metavar="N", help="example: its number, from 0.")
@click.option("--find", metavar="TEXT", default="", help="example: one that contains this text, or label:NAME.")
@click.option("--changed", is_flag=True, help="example: the one whose attention changed most.")
def command(
    view: str,
    store: Path,
    measure: str | None,
    format: str | None,
    output: Path | None,
    width: int | None,
    height: int | None,
    color: str,
    light: bool,
    ascii: bool,
    scale: str,
    digits: bool,
    sort: str,
    descending: bool,
    part: str,
    head: int,
    example: int | None,
    find: str,
    changed: bool,
    **given: str | None,
) -> None:
    """Draw a view of a store; see ``_HELP``."""
    chosen = _format(format, output)
    kind = VIEWS[view]
    declared = measure_named(measure or kind.measure or "svcca")
    which = -1 if example is None else example
    several = "," in (given.get("corpus") or "")
    look = Look(part=part_named(kind, part, several), head=head, example=which, find=find, changed=changed)
    from store.store import Store

    flags: dict[str, Any] = {name: given.pop(name) for name in SELECTING}
    parameters = {name: value for name, value in given.items() if value is not None}
    opened = Store.open(store)
    views = loaded(opened, kind, declared, flags, parameters, look)
    plain = ascii or (output is None and not encodes(_DRAWN))
    options = DrawOptions(scale=scale, ascii=plain, digits=digits, sort=sort, descending=descending)
    if FORMATS[chosen].alone and len(views) > 1:
        raise BertdynError(f"A file of {chosen} holds one picture: choose a corpus with --corpus.")
    if chosen in ("csv", "json", "parquet"):
        columns = views[0].rows()[0]
        write_rows(columns, [row for one in views for row in one.rows()[1]], chosen, output)
    elif chosen != "text":
        size = width or PICTURE[0], height or PICTURE[1]
        if output is None:
            write_text(as_format(views[0], chosen, size, not light, options=options), output)
        else:
            write(views[0], chosen, output, size, not light, options=options)
    else:
        texts = [text_of(one, width, height, color, light, options, output is not None) for one in views]
        write_text("\n".join(texts), output, raw=True)
    for one in views:
        if one.stored is not None and one.stored.missing:
            _tell_missing(one.stored, store, flags_of_missing(kind, one.stored, flags), parameters)


def loaded(
    store: Store,
    kind: ViewKind,
    measure: Measure,
    flags: dict[str, Any],
    parameters: Mapping[str, object],
    look: Look,
) -> list[View]:
    """Return a loaded view of the selected values for each corpus, or one of all corpora if the part joins them.

    Corpora without the example that is looked for are left out if another corpus has it.

    Args:
        flags: values of the flags in SELECTING; ``against`` is filled in if the view shows only one comparison.

    Raises:
        BertdynError: as ``options.questions`` and ``ViewKind.load``.
    """
    if kind.against and flags["against"] is None and measure.compares:
        flags["against"] = kind.against
    if kind.whole:
        return [kind.load(store, None, look)]
    asked = questions(store, measure, **flags, parameters=parameters)
    if look.part in kind.joins:
        asked = [replace(asked[0], beside=tuple(asked[1:]))]
    views: list[View] = []
    refused: list[BertdynError] = []
    for question in asked:
        try:
            views.append(kind.load(store, _one(store, kind, question), look))
        except NoSuchExampleError as error:
            refused.append(error)
    if not views:
        raise refused[0]
    return views


def part_named(kind: ViewKind, name: str, several: bool = False) -> str:
    """Return the part of a view with this name; if the name is empty, its first part, or the one for several corpora.

    Args:
        several: whether several corpora are named.

    Raises:
        BertdynError: the view has no part of that name.
    """
    if name and name not in kind.parts:
        there = f"no part '{name}', only {', '.join(kind.parts)}" if kind.parts else "no parts: leave --part out"
        raise BertdynError(f"--part: {kind.name} has {there}.")
    return name or next(iter(kind.joins if several and kind.joins else kind.parts), "")


def _one(store: Store, kind: ViewKind, question: Question) -> Question:
    """Narrow the question of a view that shows one comparison; a map of layers finds one with values itself."""
    if not kind.one or kind.across:
        return question
    return narrowed(question, [c.key for c in store.checkpoints(question.corpus)])


def _format(format: str | None, output: Path | None) -> str:
    named = format_of(output) if format is None and output is not None else None
    if format is None and named is None and output is not None and output.suffix:
        raise unknown_ending(output, FORMATS)
    chosen = format or named or "text"
    if output is None and not FORMATS[chosen].text:
        raise BertdynError(f"{chosen} is binary: name a file with -o FILE.")
    return chosen


def text_of(
    view: View, width: int | None, height: int | None, color: str, light: bool, options: DrawOptions, to_file: bool
) -> str:
    """Return a view as text that fits the terminal or, in a pipe or file, a page; tables there are complete."""
    from explorer.export.picture import as_text
    from explorer.render.palette import Depth, detect

    terminal = sys.stdout.isatty() and not to_file
    if color == "auto":
        depth = detect(os.environ) if terminal else Depth.NONE
    else:
        depth = Depth(color)
    size = shutil.get_terminal_size(_PIPE) if terminal else os.terminal_size(_PIPE)
    whole = view.listed and not terminal
    columns = width or (_WIDE if whole else size.columns)
    page = size.lines - (_AROUND if terminal else 0)
    rows = height or (
        view.lines_needed(columns) if whole else max(view.lines_needed(columns), page) if not view.listed else page
    )
    narrow = min(columns, _PIPE[0]) if whole else None
    return as_text(view, (columns, max(5, rows)), depth, not light, options=options, heading=narrow)


def flags_of_missing(kind: ViewKind, rows: Rows, flags: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Return the flags that select the values of a view; for a map of layers, those of its only comparison, and for a
    view of one step, those of this step."""
    if kind.at_step and len({(cell.recipe, cell.step) for cell in rows.wanted}) == 1:
        cell = next(iter(rows.wanted))
        return {**flags, "task": cell.recipe, "step": str(cell.step)}
    if not kind.across:
        return flags
    key = next(iter(rows.wanted)).key
    shown = {"task": key.recipe, "seed": key.seed, "step": str(key.step)}
    return {**flags, **shown, "against_layer": flags["against_layer"] or "all"}


def _tell_missing(rows: Rows, store: Path, flags: Mapping[str, str | None], parameters: Mapping[str, object]) -> None:
    parts = ["bertdyn", "compute", rows.measure.name, str(store)]
    parts += ["--corpus", ",".join(rows.question.corpora)] if rows.question.corpus else []
    for name, value in flags.items():
        if value is not None and name != "corpus":
            parts += [f"--{name.replace('_', '-')}", value]
    for name, given in parameters.items():
        parts += [f"--{name.replace('_', '-')}", str(given)]
    say(
        f"{rows.missing:,} of {rows.asked:,} values are not computed; compute them with:\n  {shlex.join(parts)}",
        error=True,
    )
