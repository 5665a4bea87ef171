"""`bertdyn ablate`: fine-tune runs with frozen, removed or re-initialised layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from explorer.commands import extract
from explorer.commands.corpora import limit_option, skip_option
from explorer.commands.output import as_table
from explorer.commands.runs import print_report
from explorer.commands.streams import put, say
from explorer.render.printable import printable
from explorer.training.settings import NAMES, POOLERS, settled
from explorer.training.variants import KINDS, Kind

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from explorer.training.ablation import Ablation, Outcome
    from explorer.training.runs import Run

_METRICS = ("eval_accuracy", "eval_f1", "eval_loss")
_STATUS = {"trained": "trained", "present": "there already", "failed": "failed"}
_MINUTE = 60
_MOST = 10_000


@click.group(no_args_is_help=True)
def command() -> None:
    """Fine-tune runs that lack something, to see which layers a task needs.

    Each run is a variant (freeze-6, truncate-4, reinit-2, scratch) in the usual folders, OUT/TASK+VARIANT/seed-N/
    checkpoint-STEP, and is extracted on the corpora of STORE, so that every measure works on it. Finished runs are not
    trained again, and an interrupted one goes on from its last checkpoint.

    \b
    bertdyn ablate freeze runs.bertdyn --task sst2 --train sst2_train.tsv --eval sst2_dev.tsv \\
        --k 0-12 --seed 1,2 --out ablations/ --dry-run
    """


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags that all kinds of variants share."""
    flags = [
        click.argument("store", type=click.Path(path_type=Path)),
        click.option("--task", metavar="NAME", required=True, help="Name of the task in the runs' folders."),
        click.option(
            "--train",
            metavar="FILE",
            required=True,
            type=click.Path(path_type=Path),
            help="Sentences or words with labels to train on, in any format of corpora.",
        ),
        click.option(
            "--eval",
            "evaluation",
            metavar="FILE",
            required=True,
            type=click.Path(path_type=Path),
            help="The same to evaluate on.",
        ),
        click.option("--text", metavar="COLUMN[,COLUMN]", help="Column of the sentences, or two for pairs."),
        click.option("--label", metavar="COLUMN", help="Column of the labels, such as upos of a .conllu."),
        limit_option,
        skip_option,
        click.option("--seed", metavar="1,2", default="1", show_default=True, help="Seeds; each is a run."),
        click.option(
            "--out",
            metavar="RUNS",
            required=True,
            type=click.Path(path_type=Path),
            help="Folder of the runs; it may hold others.",
        ),
        click.option(
            "--reference",
            metavar="PATH_OR_HUB_ID",
            help="The pre-trained model to start from. Default: the one in STORE.",
        ),
        click.option(
            "--settings",
            metavar="FILE.toml",
            type=click.Path(path_type=Path),
            help=f"Hyper-parameters by name ({', '.join(NAMES)}); flags are stronger.",
        ),
        click.option("--epochs", metavar="X", type=float, help="Passes over the training file. Default: 3."),
        click.option("--max-steps", metavar="N", type=int, help="Number of steps, instead of --epochs."),
        click.option("--batch-size", metavar="N", type=int, help="Examples of a step. Default: 32."),
        click.option("--learning-rate", metavar="X", type=float, help="Peak learning rate of AdamW. Default: 2e-5."),
        click.option("--warmup", metavar="X", type=float, help="Share of the steps before the peak. Default: 0.1."),
        click.option("--weight-decay", metavar="X", type=float, help="Default: 0.01."),
        click.option("--max-length", metavar="N", type=int, help="Maximum tokens of an example. Default: 128."),
        click.option(
            "--checkpoints",
            metavar="0,20,40",
            help="Steps of the checkpoints, besides the last. Default: 0 and every quarter of a run.",
        ),
        click.option("--cpu", is_flag=True, help="Train on the CPU even if there is a GPU."),
        click.option("--no-extract", is_flag=True, help="Train only."),
        click.option(
            "--dry-run",
            is_flag=True,
            help="Only say how many runs and steps are missing and about how many seconds they take; a few are timed.",
        ),
    ]
    for flag in reversed(flags):
        function = flag(function)
    return function


_k_option = click.option(
    "--k", metavar="0-6", help="Numbers of layers, as in 0,3,6 or 0-6; each is a run. Default: all."
)
_pooler_option = click.option(
    "--pooler",
    type=click.Choice(POOLERS),
    help="Keep the pre-trained pooler, or start from a new one. Default: kept. Classifiers of words have none.",
)


@command.command(no_args_is_help=True)
@_options
@_k_option
@_pooler_option
@click.option(
    "--frozen-dropout",
    type=click.Choice(["on", "off"]),
    help="Dropout inside frozen layers. Default: on, as where only the weights are frozen.",
)
def freeze(pooler: str | None, frozen_dropout: str | None, **given: Any) -> int:
    """Freeze the embeddings and the bottom k layers; k = 0 freezes nothing.

    Frozen weights do not change by a bit, and there is no backward pass below them.
    """
    dropout = None if frozen_dropout is None else frozen_dropout == "on"
    return _ablate("freeze", given, pooler=pooler, frozen_dropout=dropout)


@command.command(no_args_is_help=True)
@_options
@_k_option
@_pooler_option
def truncate(pooler: str | None, **given: Any) -> int:
    """Put the classifier on layer k and remove the layers above."""
    return _ablate("truncate", given, pooler=pooler)


@command.command(no_args_is_help=True)
@_options
@_k_option
@_pooler_option
def reinit(pooler: str | None, **given: Any) -> int:
    """Start the top k layers from new weights, as the model's own initialiser makes them."""
    return _ablate("reinit", given, pooler=pooler)


@command.command(no_args_is_help=True)
@_options
def scratch(**given: Any) -> int:
    """Start from random weights: fine-tuning without pre-training."""
    return _ablate("scratch", {**given, "k": None}, pooler="fresh")


def _ablate(kind: str, given: dict[str, Any], **own: Any) -> int:
    from explorer.training.ablation import train
    from explorer.training.extracting import extract_runs

    plan = _plan(KINDS[kind], given, own)
    for note in plan.data.notes:
        say(f"note: {note}", error=True)
    if given["dry_run"]:
        from explorer.training.timing import seconds

        say(f"{_sizes(plan)}, about {duration(seconds(plan))}")
        return 0
    say(_sizes(plan), error=True)
    with _shown() as progress:
        outcomes = train(plan, progress)
    put(_table(outcomes), raw=True)
    label, share = plan.data.evaluation.majority
    say(f"majority: {100 * share:.1f} % of the labels of {plan.data.evaluation.text.source} are '{label}'")
    failed = [one for one in outcomes if one.status == "failed"]
    for one in failed:
        say(f"failed: {one.run}: {one.reason}", error=True)
    if len(failed) == len(outcomes):
        return 2
    if given["no_extract"]:
        return 1 if failed else 0
    folders = [one.run.folder for one in outcomes if one.status != "failed"]
    reference, otherwise = given["reference"] or str(plan.base.folder), {given["task"]: given["evaluation"]}
    reports = extract_runs(given["store"], reference, folders, otherwise, extract.shown)
    for report in reports:
        print_report(report)
    return 1 if failed or any(report.exit_code for report in reports) else 0


def _plan(kind: Kind, given: dict[str, Any], own: dict[str, Any]) -> Ablation:
    from explorer.training.ablation import make_plan, require_trainer
    from explorer.training.examples import read_data
    from explorer.training.extracting import base_of
    from store.extract.hub import resolve

    require_trainer()
    base = base_of(given["store"]) if given["reference"] is None else resolve(given["reference"])[0]
    chosen = {name: given[name] for name in NAMES if name in given} | own
    if given["checkpoints"] is not None:
        chosen["checkpoints"] = _whole(given["checkpoints"], "--checkpoints")
    settings = settled(chosen, given["settings"])
    numbers = None if given["k"] is None else _whole(given["k"], "--k")
    seeds = _whole(given["seed"], "--seed")
    names = ("text", "label", "limit")
    data = read_data(
        given["train"],
        given["evaluation"],
        skip=given["skip_bad_rows"],
        **{name: given[name] for name in names},
    )
    return make_plan(
        base,
        data,
        settings,
        kind,
        task=given["task"],
        numbers=numbers,
        seeds=seeds,
        out=given["out"],
        cpu=given["cpu"],
    )


def _whole(text: str, flag: str) -> tuple[int, ...]:
    """Return whole numbers, written ``0,3,6`` or ``0-6``."""
    from explorer.selection.ranges import Ranges
    from store.errors import BertdynError

    found: list[int] = []
    for low, high in Ranges.parse(text, flag).spans:
        if high is None:
            raise BertdynError(f"{flag} {text}: the range from {low} has no end.")
        if high - low >= _MOST:
            raise BertdynError(f"{flag} {text}: at most {_MOST:,} numbers.")
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))


def _sizes(plan: Ablation) -> str:
    many, there = len(plan.missing), len(plan.runs) - len(plan.missing)
    already = f" ({there} there already)" if there else ""
    dropout = f", dropout in frozen layers {'on' if plan.settings.frozen_dropout else 'off'}"
    return (
        f"{many} run{'s' * (many != 1)}{already} of {plan.total:,} steps, {many * plan.total:,} steps together; "
        f"{len(plan.data.train):,} training examples, checkpoints at {', '.join(map(str, plan.steps))}; "
        f"pooler {plan.note['pooler']}{dropout if any(run.variant.kind.freezes for run in plan.runs) else ''}"
    )


def duration(seconds: float) -> str:
    """Return seconds in words, with minutes where there are some."""
    return (
        f"{seconds:,.0f} seconds" if seconds < 2 * _MINUTE else f"{seconds:,.0f} seconds ({seconds / 60:.0f} minutes)"
    )


def _table(outcomes: Sequence[Outcome]) -> str:
    """Return the last checkpoints' metrics by variant: mean over seeds, with the standard deviation."""
    import numpy as np

    by_variant: dict[str, list[Outcome]] = {}
    for one in outcomes:
        by_variant.setdefault(one.run.variant.name, []).append(one)
    rows = []
    for variant, runs in by_variant.items():
        cells = []
        for name in _METRICS:
            values = [one.metrics[name] for one in runs if name in one.metrics]
            spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}" if values else "")
        counts = (sum(one.status == status for one in runs) for status in _STATUS)
        rows.append((variant, *counts, *cells))
    columns = ("variant", *_STATUS.values(), *(name.removeprefix("eval_") for name in _METRICS))
    return as_table(columns, rows)


class _Shown:
    """Shows a line per run and, on a terminal, a bar over the steps of all missing runs with the time left."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("loading", total=None)
        self._steps = self._before = self._done = 0

    def begin(self, steps: int) -> None:
        self._steps = steps
        self._bar.update(self._task, total=steps)

    def running(self, run: Run) -> None:
        self._before += self._done
        self._done = 0
        self._bar.update(self._task, description=printable(str(run)), completed=self._before)

    def step(self, done: int) -> None:
        self._done = done
        self._bar.update(self._task, completed=self._before + done)

    def outcome(self, outcome: Outcome) -> None:
        accuracy = outcome.metrics.get(_METRICS[0])
        told = "" if accuracy is None else f", accuracy {accuracy:.4f}"
        line = f"{outcome.run}: {_STATUS[outcome.status]}{told}"
        self._bar.console.print(printable(line), highlight=False, soft_wrap=True, markup=False)


@contextmanager
def _shown() -> Iterator[_Shown]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    text, unit = TextColumn("{task.description}", markup=False), TextColumn("steps")
    columns = (text, BarColumn(), MofNCompleteColumn(), unit, TimeRemainingColumn(elapsed_when_finished=True))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Shown(bar)
