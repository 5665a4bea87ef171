"""`bertdyn compute`: compute measures for a selection and print the values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from explorer.commands.options import SELECTING, measure_named, questions, selection_options
from explorer.commands.output import format_of, output_options, write_rows
from explorer.commands.parameters import parameter_options
from explorer.commands.sharing import part_option, scheduler_option
from explorer.commands.streams import say
from explorer.measures import Measure, Uncertainty
from explorer.measures.computation import INTERVALS
from explorer.render.printable import printable
from explorer.selection import Question, QuestionError
from store.errors import BertdynError
from store.results import SHOWN

if TYPE_CHECKING:
    from explorer.compute.plan import Plan
    from explorer.compute.protocol import Failure, Outcome, Update
    from explorer.selection import Question
    from store.results import Result
    from store.store import Store

COLUMNS = ("measure", *SHOWN, "parameters", "details")
_NOT_IN_TABLES = ("parameters", "details")
_FIELDS = frozenset(COLUMNS)


@click.command(no_args_is_help=True)
@click.argument("measures", metavar="MEASURE[,MEASURE...]")
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@selection_options
@parameter_options
@click.option("--by", type=click.Choice(["layer", "head"]), default="layer", help="List layers or their heads.")
@click.option(
    "--null",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also compute the chance level: mean of N draws with whole examples (or labels) permuted.",
)
@click.option("--interval", type=click.Choice(INTERVALS), help="Also compute an interval over whole examples.")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Its level.")
@click.option("--resamples", type=click.IntRange(20), default=200, show_default=True, help="Bootstrap resamples.")
@click.option("--keep", is_flag=True, help="Also store fitted objects, such as probes, for use in Python.")
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Number of processes; default: by cores and work."
)
@scheduler_option
@part_option
@click.option("--device", default="auto", metavar="auto|cpu|cuda", show_default=True, help="Device to compute on.")
@click.option("--dry-run", is_flag=True, help="Only say what is missing and about how long it takes; a few are timed.")
@output_options
def command(
    measures: str,
    store: Path,
    by: str,
    null: int | None,
    interval: str | None,
    level: float,
    resamples: int,
    keep: bool,
    workers: int | None,
    scheduler: str | None,
    part: str | None,
    device: str,
    dry_run: bool,
    format: str | None,
    output: Path | None,
    **given: str | None,
) -> None:
    """Compute MEASURE for a selection of STORE's checkpoints and print the values.

    Several measures, separated by commas, share their inputs. Computed values are stored and read back the next time.
    Ctrl-C keeps finished values. 'bertdyn measures' lists the measures. Exit codes: 0 all values exist, 1 some values
    could not be computed, 2 bad input.

    \b
    bertdyn compute svcca runs.bertdyn
    bertdyn compute svcca runs.bertdyn --task sst2 --layer 4-6 --against previous --format csv
    bertdyn compute js runs.bertdyn --against pretrained --by head -o heads.parquet
    bertdyn compute svcca,cka,procrustes runs.bertdyn --null 5 --interval jackknife
    bertdyn compute cka runs.bertdyn --task sst2 --seed 1 --step 80 --against-layer all
    """
    declared = measures_named(measures.split(","), by)
    chosen = format_of(format, output)
    from explorer.compute.executors import address_of, workers_of
    from explorer.compute.pool import termination_interrupts
    from explorer.compute.run import compute, warnings
    from explorer.compute.worker import resolve_device
    from store.part import WHOLE, Part
    from store.store import Store

    share = Part.parse(part) if part else WHOLE
    flags = {name: given.pop(name) for name in SELECTING}
    trust = Uncertainty(null or 0, interval or "", level, resamples, keep=keep)
    with termination_interrupts():
        opened = Store.open(store)
        if not address_of(scheduler):  # also if nothing is to be computed
            resolve_device(device)
        parameters = {name: value for name, value in given.items() if value is not None}
        plans, refusals = plans_of(opened, declared, flags, parameters, trust)
        for refusal in refusals:
            say(f"bertdyn: skipped: {refusal}", error=True)
        if dry_run:
            from explorer.commands.estimate import estimate

            for of_corpus in plans.values():
                executor = workers_of(scheduler, opened.path)
                say(estimate(opened, of_corpus, workers, device, executor, trust))
            return
        outcomes = []
        for of_corpus in plans.values():
            asked = [planned.question for planned in of_corpus]
            with progress_bar(asked) as update:
                executor = workers_of(scheduler, opened.path)
                outcomes.append(compute(opened, asked, update, workers, device, executor, trust, share))
            _narrate(of_corpus, outcomes[-1])
            if outcomes[-1].cancelled:
                raise click.exceptions.Exit(130)
        rows = rows_of_plans(opened, plans, by, trust)
    for warning in warnings(rows):
        say(f"note: {warning}", error=True)
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    if failures and not rows:
        raise BertdynError(in_words(failures))
    if chosen == "table":
        rows = list(map(_for_people, rows))
    columns = columns_of(chosen, rows)
    write_rows(columns, [_cells(row, columns) for row in rows], chosen, output)
    if failures:
        say(f"bertdyn: {in_words(failures)}", error=True)
        raise click.exceptions.Exit(1)


def measures_named(names: Iterable[str], by: str) -> list[Measure]:
    """Return the measures with these names.

    Args:
        by: wanted rows: ``layer`` or ``head``.

    Raises:
        BertdynError: there is no measure of that name, or it has no rows of heads.
    """
    declared = [measure_named(name.strip()) for name in names]
    for one in declared:
        if by == "head" and one.axis("head") is None:
            raise BertdynError(f"{one.name} is a value of a whole layer: --by head has no meaning for it.")
    return declared


def plans_of(
    store: Store,
    measures: Sequence[Measure],
    flags: Mapping[str, str | None],
    parameters: Mapping[str, object],
    trust: Uncertainty,
) -> tuple[dict[str, list[Plan]], tuple[str, ...]]:
    """Return the plans for each corpus, and the reasons why some measures are skipped.

    Raises:
        BertdynError: the selection does not fit any measure, or no measure has a given parameter.
    """
    from explorer.compute.plan import plan

    plans: dict[str, list[Plan]] = {}
    refusals: dict[str, BertdynError] = {}
    for measure in measures:
        fits = {name: value for name, value in parameters.items() if name in {p.name for p in measure.parameters}}
        # Each measure takes only its own parameters and flags; the last one refuses those that none has.
        others = {p.name for m in measures if m is not measure for p in m.parameters}
        fits |= {name: value for name, value in parameters.items() if name not in fits and name not in others}
        texts = {} if measure.on_corpus or len(measures) == 1 else {"corpus": None, "annotation": None}
        try:
            asked = questions(store, measure, parameters=fits, trust=trust, **{**flags, **texts})
        except QuestionError as error:
            if error.about != "uncertainty":
                raise
            refusals[str(error)] = error
            continue
        for question in asked:
            try:
                plans.setdefault(question.corpus, []).append(plan(store, question, trust))
            except BertdynError as error:
                refusals[str(error)] = error
    if not any(plans.values()):
        raise next(iter(refusals.values()))
    return {corpus: of_corpus for corpus, of_corpus in plans.items() if of_corpus}, tuple(refusals)


def rows_of_plans(store: Store, plans: Mapping[str, Sequence[Plan]], by: str, trust: Uncertainty) -> list[Result]:
    """Return the stored rows of layers or of heads, including cells that were proposed during the computation."""
    from explorer.compute.plan import plan, rows

    planned = (one for of_corpus in plans.values() for one in of_corpus)
    done = (one if one.exact else plan(store, one.question, trust) for one in planned)
    return [row for one in done for row in rows(store, one) if (row.head is not None) == (by == "head")]


def columns_of(format: str, rows: Sequence[Result]) -> tuple[str, ...]:
    """Return the columns of rows: all columns in formats for programs; in a table, only informative ones."""
    columns = [*COLUMNS]
    at = columns.index("statistic")
    columns[at:at] = dict.fromkeys(name for row in rows for name, _ in row.axes)
    if format != "table":
        return tuple(columns)
    usual = all(row.ref_layer in (None, row.layer) for row in rows)
    shown = [c for c in columns if c not in _NOT_IN_TABLES and not (usual and c == "ref_layer")]
    return tuple(c for c in shown if c == "value" or any(cell(row, c) not in (None, "") for row in rows))


def _cells(row: Result, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple(json.loads(cell(row, c)) if c in _NOT_IN_TABLES else cell(row, c) for c in columns)


def cell(row: Result, column: str) -> Any:
    """Return a row's value in a column or on an axis of that name; None if it has neither."""
    return getattr(row, column) if column in _FIELDS else dict(row.axes).get(column)


def _for_people(row: Result) -> Result:
    """Shorten the reason to its first words; a note on stderr has all of it."""
    return row._replace(reason=row.reason.partition(":")[0])


def _named(questions: Sequence[Question]) -> str:
    """Return the names of the measures and of their corpus."""
    names = ", ".join(question.measure.name for question in questions)
    return f"{names} on corpus '{questions[0].corpus}'" if questions[0].corpus else names


def _narrate(plans: Sequence[Plan], outcome: Outcome) -> None:
    questions = [planned.question for planned in plans]
    against = next((f" against {q.against}" for q in questions if q.against), "")
    to_go = sum(len(p.missing) for p in plans) - outcome.computed
    ended = f", interrupted with {to_go:,} to go" if outcome.cancelled else ""
    say(f"{_named(questions)}{against}: {outcome.computed:,} computed, {outcome.known:,} read back{ended}.", error=True)
    for note in dict.fromkeys(note for planned in plans for note in planned.notes):
        say(f"note: {note}", error=True)


def in_words(failures: Sequence[Failure]) -> str:
    """Return each message once, with the places where it occurred."""
    places: dict[str, list[str]] = {}
    for failure in failures:
        places.setdefault(failure.message, []).append(failure.where)
    parts = []
    for message, where in places.items():
        more = f" and {len(where) - 3:,} more" if len(where) > 3 else ""
        parts.append(f"{message} ({', '.join(where[:3])}{more})")
    return "; ".join(parts)


@contextmanager
def progress_bar(questions: Sequence[Question]) -> Iterator[Callable[[Update], None]]:
    """Show a progress bar on stderr, if it is a terminal, while questions on one corpus are computed."""
    what = printable(_named(questions))
    if not sys.stderr.isatty():
        yield lambda update: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as bar:
        task = bar.add_task(what, total=None)
        yield lambda update: bar.update(
            task, completed=update.done, total=update.total, description=printable(update.current or what)
        )
