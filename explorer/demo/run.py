"""Make the demo's store: write the texts, fine-tune, extract, compute. Existing parts are not made again.

    FOLDER/texts/topic.tsv, tags.conllu             the corpora
    FOLDER/runs/<task>/seed-<N>/checkpoint-<step>   as the Hugging Face Trainer writes them
    FOLDER/demo.bertdyn                             the store

Every file is one that a user could give to `bertdyn extract`.
"""

from __future__ import annotations

import os
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.demo import texts
from explorer.demo.recipe import SEEDS, TASKS, DemoTask, Recipe
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.compute.protocol import Update
    from store.extract.plan import ExtractOutcome, ExtractPlan, Work
    from store.keys import CheckpointKey
    from store.store import Store

STORE = "demo.bertdyn"
MEASURES = ("svcca", "js", "clusters")
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class DemoStage:
    """Progress of a stage: ``done`` of ``total`` ``unit``."""

    name: str
    done: int
    total: int
    unit: str


Progress = Callable[[DemoStage], None]


def make_demo(
    folder: Path,
    progress: Progress = lambda stage: None,
    *,
    tasks: Sequence[DemoTask] = TASKS,
    seeds: Sequence[int] = SEEDS,
    recipe: Recipe | None = None,
) -> Path:
    """Make the demo's store in ``folder``, or continue an interrupted call. Return the store's path.

    Raises:
        BertdynError: the folder is not writable, the store's name is taken, or a step failed.
    """
    recipe = recipe or Recipe()
    folder = Path(os.path.abspath(folder))
    path = folder / STORE
    if not _extracted(path, tasks, seeds, recipe):
        from safetensors import SafetensorError  # raised instead of OSError if the disk is full

        base = tiny_bert()
        try:
            _write_texts(folder / "texts", tasks)
            _fine_tune(base, folder, tasks, seeds, recipe, progress)
        except (OSError, SafetensorError) as error:
            said = (error.strerror if isinstance(error, OSError) else None) or error
            raise BertdynError(f"The demo cannot write '{folder}': {said}. Name another folder.") from None
        _extract(base, folder, tasks, progress)
    _compute(path, progress)
    return path


def tiny_bert() -> Path:
    """Return the folder of the tiny BERT: in an installed package, or under fixtures/ of a source checkout."""
    here = Path(__file__).resolve().parent
    for place in (here / "tiny-bert", here.parent.parent / "fixtures" / "tiny-bert"):
        if (place / "config.json").is_file():
            return place
    raise BertdynError("The demo's model (tiny-bert) is not in this installation: install bertdyn again.")


def _extracted(path: Path, tasks: Sequence[DemoTask], seeds: Sequence[int], recipe: Recipe) -> bool:
    """Return whether all checkpoints are in the store on all corpora."""
    from store.keys import PRETRAINED_KEY, CheckpointKey
    from store.store import Store

    if not path.exists():
        return False
    store = Store.open(path)
    wanted = {CheckpointKey.plain(t.name, str(s), n) for t in tasks for s in seeds for n in recipe.steps} | {
        PRETRAINED_KEY
    }
    corpora = {info.name for info in store.corpora()}
    return all(t.name in corpora and wanted <= _keys(store, t.name) for t in tasks)


def _keys(store: Store, corpus: str) -> set[CheckpointKey]:
    return {c.key for c in store.checkpoints(corpus)}


def _write_texts(folder: Path, tasks: Iterable[DemoTask]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for task in tasks:
        write = texts.to_tsv if task.kind == "sentence" else texts.to_conllu
        (folder / task.corpus_file).write_text(write(task.held_out()), encoding="utf-8")


def _fine_tune(
    base: Path, folder: Path, tasks: Sequence[DemoTask], seeds: Sequence[int], recipe: Recipe, progress: Progress
) -> None:
    """Train the missing runs in child processes, one per core. A run's folder exists only if the run is complete."""
    from explorer.compute.pool import cpus, local_pool

    runs, unfinished = folder / "runs", folder / "unfinished"
    wanted = [_Run(runs / t.name / f"seed-{s}", unfinished / uuid.uuid4().hex, t, s) for t in tasks for s in seeds]
    missing = [run for run in wanted if not run.folder.is_dir()]
    for run in missing:
        run.folder.parent.mkdir(parents=True, exist_ok=True)

    def tell() -> None:
        written = sum(1 for run in wanted for place in (run.folder, run.draft) for _ in place.glob("checkpoint-*"))
        progress(DemoStage("fine-tune", written, len(wanted) * len(recipe.steps), "checkpoints"))

    tell()
    if missing:
        with warnings.catch_warnings(), local_pool(min(len(missing), cpus())) as pool:
            warnings.filterwarnings("ignore", "A worker was restarted")  # torch's memory after a run; harmless
            waiting = {pool.submit(_train, base, run, recipe) for run in missing}
            while waiting:
                done, waiting = wait(waiting, timeout=POLL_SECONDS)
                tell()
                for future in done:
                    future.result()
    # When all runs are complete, drafts (of an interrupted call, or of another demo in this folder) are useless.
    shutil.rmtree(unfinished, ignore_errors=True)


@dataclass(frozen=True)
class _Run:
    folder: Path
    draft: Path
    task: DemoTask
    seed: int


def _train(base: Path, run: _Run, recipe: Recipe) -> None:
    from explorer.demo.train import fine_tune

    fine_tune(base, run.draft, run.task, run.seed, recipe)
    try:
        run.draft.rename(run.folder)
    except OSError:
        if not run.folder.is_dir():  # else another demo in this folder was first, with the same weights
            raise


def _extract(base: Path, folder: Path, tasks: Sequence[DemoTask], progress: Progress) -> None:
    from store.extract.plan import ExtractOptions
    from store.extract.run import extract

    files = {t.name: folder / "texts" / t.corpus_file for t in tasks}
    options = ExtractOptions(reference=str(base))
    report = extract(folder / STORE, [folder / "runs"], files, options, _Extraction(progress))
    failed = [o for o in report.outcomes if o.status == "failed"]
    if failed:
        raise BertdynError(f"The demo could not extract {failed[0].key}: {failed[0].reason}")


class _Extraction:
    """Reports the progress of an extraction in checkpoints, each counted once per corpus."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = self._total = 0

    def begin(self, plan: ExtractPlan) -> None:
        self._total = len(plan.work)
        self._tell()

    def loading(self, key: CheckpointKey) -> None: ...

    def advance(self, tokens: int) -> None: ...

    def outcome(self, work: Work, outcome: ExtractOutcome) -> None:
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        self._progress(DemoStage("extract", self._done, self._total, "checkpoints"))


def _compute(path: Path, progress: Progress) -> None:
    from explorer.compute.pool import cpus
    from explorer.compute.run import compute
    from explorer.measures.registry import get
    from explorer.selection import Selection, ask_store
    from explorer.selection.question import fitting
    from store.keys import PRETRAINED
    from store.store import Store

    store = Store.open(path)
    for name in MEASURES:
        measure = get(name)
        for info in store.corpora():
            if measure.labels is not None and not fitting(measure, info):
                continue
            # Labels are only interesting for the task that was trained on them; many pairs of labels use all cores.
            tasks, workers = ((info.name, PRETRAINED), cpus()) if measure.labels is not None else ((), None)
            question = ask_store(store, Selection(name, info.name, tasks=tasks))
            outcome = compute(store, [question], _computing(progress, f"{name} on {info.name}"), workers)
            if outcome.cancelled:
                raise KeyboardInterrupt
            if outcome.failures:
                first = outcome.failures[0]
                raise BertdynError(f"The demo could not compute {name} of {first.where}: {first.message}")


def _computing(progress: Progress, name: str) -> Callable[[Update], None]:
    return lambda update: progress(DemoStage(name, update.done, update.total, "values"))
