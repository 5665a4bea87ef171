"""Make the demo's store: write the texts, fine-tune, extract, compute. Existing parts are not made again.

    FOLDER/texts/topic.tsv, tags.conllu             the corpora
    FOLDER/runs/<task>/seed-<N>/checkpoint-<step>   as the Hugging Face Trainer writes them
    FOLDER/demo.bertdyn                             the store

Every file is one that a user could give to `bertdyn extract`. Checkpoints are extracted while the runs go on, and the
values that the explorer shows first are computed with them: who looks at the store sees it fill.
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
from explorer.demo.request import STEPS, STORE
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.compute.protocol import Update
    from store.extract.plan import ExtractOutcome, ExtractPlan, Work
    from store.keys import CheckpointKey
    from store.store import Store

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
        runs = [_Run(folder, t, s, recipe.steps) for t in sorted(tasks, key=lambda t: t.name) for s in seeds]
        extraction = _Extraction(progress, (len(runs) * len(recipe.steps) + 1) * len(tasks))

        def follow() -> None:
            _extract(base, folder, tasks, extraction)
            _compute(path, progress, MEASURES[:1], most=1)

        try:
            _write_texts(folder / "texts", tasks)
            _fine_tune(base, folder, runs, recipe, progress, follow)
        except (OSError, SafetensorError) as error:
            said = (error.strerror if isinstance(error, OSError) else None) or error
            raise BertdynError(f"The demo cannot write '{folder}': {said}. Name another folder.") from None
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
    base: Path, folder: Path, runs: Sequence[_Run], recipe: Recipe, progress: Progress, follow: Callable[[], None]
) -> None:
    """Train the missing runs in child processes, one per core.

    Args:
        follow: called at the beginning, after new checkpoints, and at the end.
    """
    from explorer.compute.pool import cpus, local_pool

    drafts = folder / "unfinished"
    missing = [run for run in runs if run.missing]

    def tell() -> None:
        progress(DemoStage("fine-tune", sum(run.step for run in runs), len(runs) * recipe.steps[-1], STEPS))

    def written() -> int:
        return sum(len(run.steps) - len(run.missing) for run in runs)

    tell()
    followed = -1
    if missing:
        with warnings.catch_warnings(), local_pool(min(len(missing), cpus())) as pool:
            warnings.filterwarnings("ignore", "A worker was restarted")  # torch's memory after a run; harmless
            waiting = {pool.submit(_train, base, run, recipe, drafts) for run in missing}
            while waiting:
                done, waiting = wait(waiting, timeout=POLL_SECONDS)
                tell()
                for future in done:
                    future.result()
                if waiting and (now := written()) > followed:
                    followed = now
                    follow()
    follow()
    # When all runs are complete, drafts (of an interrupted call, or of another demo in this folder) are useless.
    shutil.rmtree(drafts, ignore_errors=True)


@dataclass(frozen=True)
class _Run:
    """One run of the demo. It is complete when the last of its checkpoints is written: a run whose training was
    interrupted begins again, with the same weights, and writes the checkpoints that are missing."""

    demo: Path
    task: DemoTask
    seed: int
    steps: tuple[int, ...]

    @property
    def folder(self) -> Path:
        """Folder of its checkpoints."""
        return self.demo / "runs" / self.task.name / f"seed-{self.seed}"

    @property
    def missing(self) -> tuple[int, ...]:
        """Steps whose checkpoints are not written yet."""
        return tuple(n for n in self.steps if not (self.folder / f"checkpoint-{n}").is_dir())

    @property
    def step(self) -> int:
        """The last step with a checkpoint; 0 if there is none."""
        return max({*self.steps} - {*self.missing}, default=0)


def _train(base: Path, run: _Run, recipe: Recipe, drafts: Path) -> None:
    from explorer.demo.train import fine_tune

    fine_tune(base, run.folder, run.task, run.seed, recipe, drafts / uuid.uuid4().hex)


def _extract(base: Path, folder: Path, tasks: Sequence[DemoTask], progress: _Extraction) -> None:
    """Extract the reference and all checkpoints that are written and not in the store yet."""
    from store.extract.plan import ExtractOptions
    from store.extract.run import extract

    # In the order of the runs: the explorer shows the first corpus that has checkpoints.
    files = {t.name: folder / "texts" / t.corpus_file for t in sorted(tasks, key=lambda t: t.name)}
    runs = folder / "runs"
    report = extract(
        folder / STORE, [runs] if runs.is_dir() else [], files, ExtractOptions(reference=str(base)), progress
    )
    failed = [o for o in report.outcomes if o.status == "failed"]
    if failed:
        raise BertdynError(f"The demo could not extract {failed[0].key}: {failed[0].reason}")


class _Extraction:
    """Reports the progress of an extraction in checkpoints, each counted once per corpus."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._done = 0

    def begin(self, plan: ExtractPlan) -> None:
        self._done = sum(outcome.status == "present" for outcome in plan.outcomes)
        self._tell()

    def loading(self, key: CheckpointKey) -> None: ...

    def advance(self, tokens: int) -> None: ...

    def outcome(self, work: Work, outcome: ExtractOutcome) -> None:
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        self._progress(DemoStage("extract", self._done, self._total, "checkpoints"))


def _compute(path: Path, progress: Progress, measures: Sequence[str] = MEASURES, most: int | None = None) -> None:
    """Compute the missing values of measures, on the first ``most`` corpora (None: on all)."""
    from explorer.compute.pool import cpus
    from explorer.compute.run import compute
    from explorer.measures.registry import get
    from explorer.selection import Selection, ask_store
    from explorer.selection.question import fitting
    from store.keys import PRETRAINED, PRETRAINED_KEY
    from store.store import Store

    store = Store.open(path)
    for name in measures:
        measure = get(name)
        for info in store.corpora()[:most]:
            if measure.labels is not None and not fitting(measure, info):
                continue
            if _keys(store, info.name) <= {PRETRAINED_KEY}:  # nothing to compare it with yet
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
