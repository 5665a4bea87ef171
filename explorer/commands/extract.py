"""`bertdyn extract`: checkpoints and sentences in, a store out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from explorer.commands.output import as_table
from store.errors import BertdynError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from store.extract.run import Outcome, Plan, Progress, Report, Work
    from store.keys import CheckpointKey

_FOLDERS = 4
"""Folders of which the plan says what they were taken for."""


@click.command(
    epilog="""\b
    Examples:
      bertdyn extract runs.bertdyn runs/ --reference bert-base-uncased --corpus dev=sst2_dev.tsv
      bertdyn extract runs.bertdyn runs/ --corpus mnli=mnli.csv --text premise,hypothesis --label gold \\
          --corpus ewt=ewt_dev.conllu --label ewt:deprel --limit 1000
    """
)
@click.argument("store", type=click.Path(path_type=Path))
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--layout",
    metavar="TEMPLATE",
    default="{task}/seed-{seed}/checkpoint-{step}",
    show_default=True,
    help="How a checkpoint's path ends; * is any part of a name. Without {step}, trainer_state.json says it; without "
    '{seed}, the seed is "0".',
)
@click.option(
    "--reference", metavar="PATH_OR_HUB_ID", help="The pre-trained model: stored as task 'pretrained', step 0."
)
@click.option(
    "--corpus",
    "corpora",
    metavar="NAME=FILE",
    multiple=True,
    required=True,
    help="Sentences every checkpoint is measured on: .tsv, .csv, .jsonl, .parquet or .conllu. Several may be given.",
)
@click.option(
    "--text",
    metavar="[NAME:]COLUMN[,COLUMN]",
    multiple=True,
    help="Column of the sentences, two for pairs; by number, from 1, in a table without header. Default: the usual "
    "names (text, sentence, sentence1,sentence2, premise,hypothesis, question,sentence, ...) where only one fits; the "
    "first of a .tsv of two columns without a header. Several corpora: NAME:COLUMN for one.",
)
@click.option(
    "--label",
    metavar="[NAME:]COLUMN",
    multiple=True,
    help="Column of the labels, or its number; upos or deprel of a .conllu. Default: label, labels, gold_label or "
    "is_duplicate where only one is there, upos, or the second of a .tsv without a header. Several corpora: upos and "
    "deprel are for each .conllu, others for each table, "
    "NAME:COLUMN for one.",
)
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N sentences of each file.")
@click.option(
    "--skip-bad-rows",
    is_flag=True,
    help="Leave out and count rows that are torn or lack a text or label, and sentences with a word that has none.",
)
@click.option(
    "--max-length",
    metavar="N",
    type=click.IntRange(min=1),
    default=128,
    show_default=True,
    help="Longest sentence in tokens; the rest is cut off, and counted.",
)
@click.option(
    "--batch-tokens",
    metavar="N",
    type=click.IntRange(min=1),
    help="Tokens of a batch, padding included. Default: 1,024 on a CPU, 16,384 on a GPU.",
)
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1...; auto is a GPU if there is one."
)
@click.option(
    "--dtype",
    type=click.Choice(["float16", "float32"]),
    default="float16",
    show_default=True,
    help="How values are stored; they are computed in float32.",
)
@click.option("--no-attentions", is_flag=True, help="Hidden states only.")
@click.option("--replace", is_flag=True, help="Extract again what is there, and put it in its place.")
def command(
    store: Path,
    runs: tuple[Path, ...],
    layout: str,
    reference: str | None,
    corpora: tuple[str, ...],
    text: tuple[str, ...],
    label: tuple[str, ...],
    limit: int | None,
    skip_bad_rows: bool,
    max_length: int,
    batch_tokens: int | None,
    device: str,
    dtype: str,
    no_attentions: bool,
    replace: bool,
) -> int:
    """Read the checkpoints under RUNS, run them on corpora and keep hidden states and attentions in STORE.

    Only what is missing is done; run it again after more training, or after an interruption. Exit code 0: everything
    is in place, 1: some checkpoints failed, 2: nothing could be done.
    """
    files = _text_files(corpora)
    from store.extract.run import ExtractOptions, extract

    options = ExtractOptions(
        layout=layout,
        reference=reference,
        text=text,
        label=label,
        limit=limit,
        skip_bad_rows=skip_bad_rows,
        max_length=max_length,
        batch_tokens=batch_tokens,
        device=device,
        dtype=dtype,
        attentions=not no_attentions,
        replace=replace,
    )
    with _shown() as progress:
        report = extract(store, runs, files, options, progress)
    _print_report(report)
    return report.exit_code


def _text_files(given: Sequence[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for value in given:
        name, equals, path = value.partition("=")
        if not equals or not name or not path:
            raise BertdynError(f"--corpus {value}: write NAME=FILE, as in dev=sst2_dev.tsv.")
        if name in files:
            raise BertdynError(f"--corpus: '{name}' is named twice, for {files[name]} and {path}.")
        files[name] = Path(path)
    return files


class _Shown:
    """The plan as text, then a bar over tokens and checkpoints; the bar only on a terminal."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("looking at the checkpoints", total=None)
        self._keys: list[CheckpointKey] = []
        self._left: Counter[tuple[CheckpointKey, str]] = Counter()
        self._finished = 0

    def begin(self, plan: Plan) -> None:
        self._keys = list(dict.fromkeys(w.found.key for w in plan.work))
        self._bar.console.print(_plan_text(plan), highlight=False, soft_wrap=True, markup=False)
        self._bar.update(self._task, description="loading", total=plan.tokens, completed=0)

    def loading(self, key: CheckpointKey) -> None:
        place = self._keys.index(key) + 1
        self._bar.update(self._task, description=f"checkpoint {place} of {len(self._keys)}: {key}")

    def advance(self, tokens: int) -> None:
        self._bar.advance(self._task, tokens)

    def outcome(self, work: Work, outcome: Outcome) -> None:
        # Set, not advanced: a checkpoint that failed or was there has run fewer tokens than planned.
        self._finished += work.tokens
        self._bar.update(self._task, completed=self._finished)


@contextmanager
def _shown() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tokens"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Shown(bar)


def _plan_text(plan: Plan) -> str:
    from store.extract.run import size

    lines = []
    for name, corpus in plan.corpora.items():
        info = corpus.info
        cut = f", {info.truncated:,} cut at {plan.options.max_length} tokens" if info.truncated else ""
        text, label = _read_from(corpus.attributes.get("columns"))
        labels = f", {len(info.labels)} labels{label}" if info.labels else ", no labels"
        lines.append(f"corpus {name}: {info.examples:,} sentences{text}, {info.tokens:,} tokens{cut}{labels}")
    there = sum(o.status == "present" for o in plan.outcomes)
    what = "nothing to extract"
    if plan.work:
        what = f"{plan.checkpoints:,} checkpoints to extract on {plan.device}: {plan.tokens:,} tokens, at most "
        what += f"{size(plan.bytes)} of {size(plan.free)} free"
    lines.append(what + (f"; {there:,} there already" if there else ""))
    folders = {work.found.key: work.found.folder for work in plan.work}
    for key, folder in list(folders.items())[:_FOLDERS]:
        lines.append(f"  {folder} is {_named(key)}")
    if len(folders) > _FOLDERS:
        lines.append(f"  and {len(folders) - _FOLDERS:,} more")
    return "\n".join([*lines, *plan.notes])


def _read_from(columns: object) -> tuple[str, str]:
    """Return which columns the texts and the labels of a corpus were read from, in brackets; empty for none."""
    there = {str(k): str(v) for k, v in columns.items()} if isinstance(columns, Mapping) else {}
    text, label = there.get("text", ""), there.get("label", "")
    header = ", no header" if there.get("header") == "none" else ""
    many = "s" if "," in text else ""
    return (
        f" (column{many} {text.replace(',', ', ')}{header})" if text else "",
        f" (column {label})" if label else "",
    )


def _named(key: CheckpointKey) -> str:
    from store.keys import PRETRAINED

    if key.task == PRETRAINED:
        return "the reference"
    variant = f", variant {key.variant}" if key.variant else ""
    return f"task {key.task}{variant}, seed {key.seed}, step {key.step}"


def _print_report(report: Report) -> None:
    """Counts by run on stdout; each failure, and what is worth knowing, on stderr."""
    runs: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in report.outcomes:
        runs.setdefault((outcome.corpus or "(any)", outcome.key.recipe, outcome.key.seed), []).append(outcome)
    rows = []
    for (corpus, task, seed), outcomes in runs.items():
        counts = Counter(o.status for o in outcomes)
        steps = ",".join(str(o.key.step) for o in outcomes if o.status in ("added", "replaced"))
        rows.append(
            (corpus, task, seed, counts["added"], counts["replaced"], counts["present"], counts["failed"], steps)
        )
    columns = ("corpus", "task", "seed", "added", "replaced", "there already", "failed", "steps added")
    sys.stdout.write(as_table(columns, rows))
    sys.stdout.flush()
    for outcome in report.outcomes:
        if outcome.status == "failed":
            where = f"{outcome.key} on {outcome.corpus}" if outcome.corpus else str(outcome.key)
            print(f"failed: {where}: {outcome.reason}", file=sys.stderr)
        elif outcome.reason:
            print(f"note: {outcome.key} on {outcome.corpus}: {outcome.reason}", file=sys.stderr)
    for note in report.notes:
        print(f"note: {note}", file=sys.stderr)
