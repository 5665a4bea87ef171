"""`bertdyn report`: write what is known of a store as Markdown and HTML."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from explorer.commands.streams import say
from explorer.render.printable import printable
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.report.gather import Wanted
    from store.store import Store


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder of the report."
)
@click.option("--corpus", metavar="NAME[,NAME...]", help="Test claims on these corpora only; default: on all.")
def command(store: Path, output: Path, corpus: str | None) -> None:
    """Write a report on STORE into the folder DIR: report.md and report.html, figures and numbers.

    It has the selections that you kept in the explorer (S), each with its picture, its numbers and the commands that
    make it again; the claims of the papers; what the store holds; digests of all inputs, and versions. Nothing is
    computed. The page needs no network. A folder with other files in it is refused; an earlier report is replaced.
    Figures need the extra plots (pip install 'bertdyn[plots]'); without it, the pictures are text.

    \b
    bertdyn report runs.bertdyn -o report/
    """
    from explorer.commands.ls import heading, parts
    from explorer.report.content import TextTable
    from explorer.report.folder import ReportFolder
    from explorer.report.gather import gather
    from explorer.report.html import html
    from explorer.report.markdown import markdown
    from store.store import Store
    from store.whole_files import write_whole

    opened = Store.open(store)
    names = [name.strip() for name in corpus.split(",")] if corpus else []
    kept = kept_selections(opened)
    holdings = [TextTable(part.title, part.columns, part.rows, part.sentence) for part in parts(opened)]
    again = ["bertdyn", "report", str(store), "-o", str(output), *(["--corpus", corpus] if corpus else [])]
    folder = ReportFolder(output)
    report = gather(opened, holdings, heading(opened), kept, shlex.join(again), folder, names)
    write_whole(folder.file("report.md"), markdown(report))
    write_whole(folder.file("report.html"), html(report, lambda name: (output / name).read_bytes()))
    folder.finish()
    kept_pictures = f"{len(report.kept)} kept picture{'s' * (len(report.kept) != 1)}"
    say(printable(f"{output / 'report.html'} and report.md: {kept_pictures}, {len(report.claims)} verdicts"))
    for trouble in dict.fromkeys(one.trouble for one in report.kept if one.trouble):
        say(f"note: {trouble}", error=True)


def kept_selections(store: Store) -> list[Wanted]:
    """Return the selections that were kept in the explorer of this user, as questions to the store."""
    from explorer.report.gather import Wanted
    from explorer.ui.reader import catalogue
    from explorer.ui.session import Session
    from explorer.ui.state import NotShownError, settled
    from explorer.views.base import DrawOptions

    session = Session(store.path)
    presets, remarks = session.presets(), session.remarks()
    if not presets:
        return []
    there = catalogue(store)
    found = []
    for name, state in presets.items():
        shown = settled(state, there)
        drawn = DrawOptions(shown.drawing.scale, digits=shown.drawing.digits)
        kept = Wanted(name, None, remark=remarks.get(name, ""), options=drawn)
        try:
            kept = replace(kept, question=shown.chosen(there, shown.measure))
            wish = shown.wish(there)
        except NotShownError:  # the measure has another picture
            wish = None
        except BertdynError as error:
            kept, wish = replace(kept, trouble=str(error)), None
        if wish is not None and wish.question is not None:
            kept = replace(kept, question=wish.question, view=wish.view, look=replace(wish.look, most=None))
        found.append(kept)
    return found
