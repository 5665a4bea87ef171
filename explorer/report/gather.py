"""Gather the content of a report from a store, and write its figures and numbers."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from explorer.answers.fetching import wanted_of
from explorer.answers.look import ANYWHERE, Look
from explorer.claims.fetching import commands, judged
from explorer.claims.table import COLUMNS, rows_of
from explorer.export.files import write
from explorer.export.picture import as_text
from explorer.export.rows import as_csv
from explorer.report.commands import commands_of
from explorer.report.content import Kept, Report, TextTable
from explorer.report.findings import findings
from explorer.selection import Ranges, at_or_before, steps_of
from explorer.views.base import PLAIN, DrawOptions
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.whole_files import write_whole

if TYPE_CHECKING:
    from explorer.report.folder import ReportFolder
    from explorer.selection import Question
    from explorer.views.base import View, ViewKind
    from store.store import Store

PROGRAMS = ("bertdyn", "numpy", "scipy", "duckdb", "torch", "transformers", "tokenizers")
"""Packages whose versions a report names."""
_PICTURE = (100, 30)
_TOGETHER = "task"
"""Part of a view that shows all tasks in one picture."""
_CLAIMS, _INPUTS = "claims.csv", "inputs.csv"
_INPUT_COLUMNS = ("corpus", "task", "variant", "seed", "step", "kind", "digest", "source")


@dataclass(frozen=True)
class Wanted:
    """A kept selection, settled for the store."""

    name: str
    question: Question | None
    trouble: str = ""
    """Why the store has no such selection."""
    remark: str = ""
    """What the user wrote about it."""
    view: str = ""
    """View that was shown; empty: the one that ``view_for`` returns."""
    look: Look = ANYWHERE
    """What the view showed of the question."""
    options: DrawOptions = PLAIN
    """How it was drawn."""


def gather(
    store: Store,
    holdings: Sequence[TextTable],
    heading: str,
    kept: Sequence[Wanted],
    command: str,
    folder: ReportFolder,
    corpora: Sequence[str] = (),
) -> Report:
    """Return the content of a report; its figures and files of numbers are written.

    Args:
        corpora: corpora on which claims are tested; none: all.

    Raises:
        BertdynError: the store cannot be read, or a file cannot be written.
    """
    found = judged(store, corpora)
    shown = [
        replace(one, remark=wanted.remark)
        for number, wanted in enumerate(kept, 1)
        for one in _pictures(store, wanted, number, folder)
    ]
    write_whole(folder.file(_CLAIMS), as_csv(tuple(COLUMNS), rows_of(found)))
    write_whole(folder.file(_INPUTS), as_csv(_INPUT_COLUMNS, _inputs(store)))
    lacking = (lack for one in found for lack in one.verdict.lacking)
    return Report(
        store=str(store.path),
        heading=heading,
        command=command,
        holdings=tuple(holdings),
        findings=findings(store),
        kept=tuple(shown),
        claims=tuple(found),
        compute=commands(store, lacking),
        texts=_texts(store),
        versions=tuple(versions()),
        files=((_CLAIMS, "all claims with their rules"), (_INPUTS, "digests of what was extracted per checkpoint")),
    )


def versions() -> list[tuple[str, str]]:
    """Return the versions of Python and of the packages that are installed."""
    found = [("Python", platform.python_version())]
    for name in PROGRAMS:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


def view_for(question: Question) -> ViewKind:
    """Return the view that draws a question: losses in a plane as a surface, ends of runs by layer, else curves."""
    measure = question.measure
    if measure.plane:
        return VIEWS["surface"]
    return VIEWS["profile" if measure.final and measure.own_axes else "curves"]


def _pictures(store: Store, wanted: Wanted, number: int, folder: ReportFolder) -> list[Kept]:
    """Return one picture per task of a kept selection."""
    question = wanted.question
    if question is None:
        return [Kept(wanted.name, wanted.name, "", trouble=wanted.trouble)]
    try:
        tasks = wanted_of(store, question).tasks
    except BertdynError as error:
        return [Kept(wanted.name, wanted.name, "", trouble=str(error))]
    if wanted.look.part == _TOGETHER or (wanted.view and VIEWS[wanted.view].every_task):
        return [_picture(store, wanted, f"kept-{number}-1", folder)]
    names = [f"{wanted.name}: {task}" if len(tasks) > 1 else wanted.name for task in tasks]
    each = (
        replace(wanted, name=name, question=replace(question, tasks=(task,)))
        for name, task in zip(names, tasks, strict=True)
    )
    return [_picture(store, one, f"kept-{number}-{place}", folder) for place, one in enumerate(each, 1)]


def _picture(store: Store, wanted: Wanted, stem: str, folder: ReportFolder) -> Kept:
    name, (kind, question, look) = wanted.name, _shown(store, wanted)
    figure, numbers = f"{stem}.png", f"{stem}.csv"
    again = partial(commands_of, question, kind.name, look, wanted.options, str(store.path))
    try:
        view = kind.load(store, question, look)
    except BertdynError as error:
        return Kept(name, name, "", commands=again(figure, numbers), trouble=str(error))
    files = (figure, numbers) if view.sheet(wanted.options) is not None else (numbers,)
    drawn = Kept(name, view.title, view.subtitle, numbers=numbers, commands=again(*files))
    write(view, "csv", folder.file(numbers))
    missing = view.stored.missing if view.stored is not None else 0
    notes = (f"{missing:,} of {view.stored.asked:,} values are not computed",) if missing and view.stored else ()
    return replace(_drawn(view, drawn, figure, folder, wanted.options), reading=notes)


def _shown(store: Store, wanted: Wanted) -> tuple[ViewKind, Question, Look]:
    """Return the view of a kept selection, and a question and a look that name the same step and layer as flags."""
    question, look = wanted.question, wanted.look
    assert question is not None
    if not wanted.view:
        return view_for(question), question, ANYWHERE
    if look.step != ANYWHERE.step:
        steps = steps_of(question, [c.key for c in store.checkpoints(question.corpus)])
        question = replace(question, steps=Ranges.one(steps[at_or_before(steps, look.step)]))
    if look.layer is not None:
        question = replace(question, layers=Ranges.one(look.layer))
    return VIEWS[wanted.view], question, replace(look, step=ANYWHERE.step, layer=None)


def _drawn(view: View, kept: Kept, figure: str, folder: ReportFolder, options: DrawOptions) -> Kept:
    """Return the picture with its figure or, if there can be none, with its text and the reason."""
    if view.empty:
        return replace(kept, text=_text(view, options), trouble="there is no value to draw")
    try:
        write(view, "png", folder.file(figure), options=options)
    except BertdynError as error:
        return replace(kept, text=_text(view, options), trouble=str(error))
    return replace(kept, figure=figure)


def _text(view: View, options: DrawOptions) -> str:
    return as_text(view, _PICTURE, options=options)


def _texts(store: Store) -> TextTable:
    """Return the corpora and annotations with their digests."""
    rows: list[tuple[object, ...]] = []
    for corpus in store.corpora():
        rows.append((corpus.name, "", corpus.examples, corpus.tokens, corpus.fingerprint, corpus.source))
        rows += [(corpus.name, one.name, one.count, "", one.digest, one.source) for one in corpus.annotations]
    return TextTable("Texts", ("corpus", "annotation", "n", "tokens", "digest", "source"), rows)


def _inputs(store: Store) -> list[tuple[object, ...]]:
    return [
        (c.corpus, c.key.task, c.key.variant, c.key.seed, c.key.step, kind, digest, c.source)
        for c in store.checkpoints()
        for kind, digest in sorted(c.digests.items())
    ]
