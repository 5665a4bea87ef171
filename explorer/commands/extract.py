"""`bertdyn extract`: run checkpoints on sentences and store the results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from explorer.commands.corpora import (
    corpus_lines,
    label_option,
    limit_option,
    max_length_option,
    skip_option,
    text_files,
    text_option,
)
from explorer.commands.runs import layout_option, print_report, reference_option
from explorer.commands.sharing import part_option, scheduler_option
from explorer.compute.executors import address_of
from explorer.compute.pool import one_blas_thread
from explorer.render.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from store.extract.checkpoint import ExtractProgress
    from store.extract.plan import ExtractOptions, ExtractOutcome, ExtractPlan, Work
    from store.extract.run import Report
    from store.keys import CheckpointKey

_FOLDERS = 4
"""Number of folders whose task, seed and step the plan shows."""


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
@layout_option
@reference_option
@click.option(
    "--corpus",
    "corpora",
    metavar="NAME[:SPLIT]=FILE",
    multiple=True,
    required=True,
    help="Sentences on which every checkpoint is measured: .tsv, .csv, .jsonl, .json, .parquet, .conllu, .conll, .txt "
    "(one sentence per line), files of edge probing, SentEval, Holmes and DirectProbe, a folder of save_to_disk of the "
    "library datasets, or hf:NAME[/CONFIG]:SPLIT. May be repeated; files with a split (sst2:train=..., "
    "sst2:test=...) make one corpus, as a column 'split' does.",
)
@text_option
@label_option
@limit_option
@skip_option
@max_length_option
@click.option(
    "--batch-tokens",
    metavar="N",
    type=click.IntRange(min=1),
    help="Maximum tokens of a batch, with padding. Default: 1,024 on a CPU, 16,384 on a GPU.",
)
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1...; auto is a GPU if there is one."
)
@click.option(
    "--dtype",
    type=click.Choice(["float16", "float32"]),
    default="float16",
    show_default=True,
    help="Type of the stored values; they are computed in float32.",
)
@click.option("--no-attentions", is_flag=True, help="Store hidden states without attentions.")
@click.option("--no-logits", is_flag=True, help="Do not store logits and weights of checkpoints' classifiers.")
@click.option("--replace", is_flag=True, help="Extract stored checkpoints again and replace them.")
@scheduler_option
@part_option
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
    no_logits: bool,
    replace: bool,
    scheduler: str | None,
    part: str | None,
) -> int:
    """Read the checkpoints under RUNS, run them on corpora and store hidden states and attentions in STORE.

    Only missing checkpoints are extracted; run it again after more training or after an interruption. Exit codes: 0
    everything is stored, 1 some checkpoints failed, 2 nothing could be done.
    """
    with one_blas_thread():  # models compute with torch's own threads
        import numpy  # noqa: F401
    files = text_files(corpora)
    from store.extract.plan import ExtractOptions
    from store.part import WHOLE, Part

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
        logits=not no_logits,
        replace=replace,
        part=Part.parse(part) if part else WHOLE,
        elsewhere=bool(address_of(scheduler)),
    )
    with shown() as progress:
        report = _extracted(store, runs, files, options, progress, address_of(scheduler))
    print_report(report)
    return report.exit_code


def _extracted(
    store: Path,
    runs: tuple[Path, ...],
    files: Mapping[str, Path],
    options: ExtractOptions,
    progress: ExtractProgress,
    scheduler: str,
) -> Report:
    from store.extract.plan import make_plan
    from store.extract.run import execute, extract

    if not scheduler:
        return extract(store, runs, files, options, progress)
    from explorer.compute.executors.cluster import cluster_workers
    from store.store import Store

    plan = make_plan(store, runs, files, options)
    if not plan.work:
        return execute(plan, progress)
    ours = not store.exists()
    opened = Store.open_or_create(store)  # it must exist, since workers are asked whether they see it
    try:
        with cluster_workers(scheduler, opened.path, gpu=True)(len(plan.work)) as workers:
            return execute(plan, progress, workers)
    finally:
        if ours:
            opened.remove_unused()


class _Shown:
    """Shows the plan as text, then (on a terminal) a progress bar over tokens and checkpoints."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("looking at the checkpoints", total=None)
        self._keys: list[CheckpointKey] = []
        self._left: Counter[tuple[CheckpointKey, str]] = Counter()
        self._finished = 0

    def begin(self, plan: ExtractPlan) -> None:
        self._keys = list(dict.fromkeys(w.found.key for w in plan.work))
        self._bar.console.print(printable(_plan_text(plan)), highlight=False, soft_wrap=True, markup=False)
        self._bar.update(self._task, description="loading", total=plan.tokens, completed=0)

    def loading(self, key: CheckpointKey) -> None:
        place = self._keys.index(key) + 1
        self._bar.update(self._task, description=f"checkpoint {place} of {len(self._keys)}: {printable(str(key))}")

    def advance(self, tokens: int) -> None:
        self._bar.advance(self._task, tokens)

    def outcome(self, work: Work, outcome: ExtractOutcome) -> None:
        # Set, not advanced: a checkpoint that failed or existed already has run fewer tokens than planned.
        self._finished += work.tokens
        self._bar.update(self._task, completed=self._finished)


@contextmanager
def shown() -> Iterator[ExtractProgress]:
    """Show the progress of an extraction on stderr."""
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


def _plan_text(plan: ExtractPlan) -> str:
    from store.disk import readable

    lines: list[str] = []
    for corpus in plan.corpora.values():
        lines += corpus_lines(corpus)
    there = sum(o.status == "present" for o in plan.outcomes)
    what = "nothing to extract"
    if plan.work:
        where = _place(plan)
        what = f"{plan.checkpoints:,} checkpoints to extract on {where}: {plan.tokens:,} tokens, at most "
        what += f"{readable(plan.bytes)} of {readable(plan.free)} free"
    lines.append(what + (f"; {there:,} there already" if there else ""))
    folders = {work.found.key: work.found.folder for work in plan.work}
    for key, folder in list(folders.items())[:_FOLDERS]:
        lines.append(f"  {folder} is {_named(key)}")
    if len(folders) > _FOLDERS:
        lines.append(f"  and {len(folders) - _FOLDERS:,} more")
    return "\n".join([*lines, *plan.notes])


def _place(plan: ExtractPlan) -> str:
    """Return what runs the models: a device, and how many threads of a processor, or workers."""
    if plan.device is None:
        return "the workers of the scheduler"
    if plan.device.type != "cpu":
        return str(plan.device)
    import torch

    count = torch.get_num_threads()
    return f"{plan.device} with {count} thread{'s' if count > 1 else ''}"


def _named(key: CheckpointKey) -> str:
    from store.keys import PRETRAINED

    if key.task == PRETRAINED:
        return "the reference"
    variant = f", variant {key.variant}" if key.variant else ""
    return f"task {key.task}{variant}, seed {key.seed}, step {key.step}"
