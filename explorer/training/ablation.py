"""Plan the runs of an ablation, estimate their time, and train those that are missing.

Everything that can be checked without training is checked by the plan, so that bad input changes nothing on disk.
"""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from explorer.training.base import Base
from explorer.training.examples import Row, TaskData, encoded
from explorer.training.runs import Run
from explorer.training.settings import Settings
from explorer.training.variants import Kind, Variant
from store.disk import readable
from store.errors import BertdynError
from store.extract.find import history
from store.extract.plan import free_bytes
from store.extract.tokens import load_tokenizer
from store.keys import PRETRAINED, VARIANT_MARK
from store.models.quiet import first_line
from store.staging import refused

_OPTIMISER = 3
"""Size of a checkpoint with the optimiser's state, as a multiple of the size of the model."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one run."""

    run: Run
    status: Literal["trained", "present", "failed"]
    reason: str = ""
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Evaluation metrics of the last checkpoint."""


class Progress(Protocol):
    """Callbacks that report progress."""

    def begin(self, steps: int) -> None:
        """The runs that are missing have so many steps together."""

    def running(self, run: Run) -> None:
        """A run begins or goes on."""

    def step(self, done: int) -> None:
        """So many steps of the current run are done."""

    def outcome(self, outcome: Outcome) -> None:
        """A run has ended."""


@dataclass(frozen=True)
class Ablation:
    """The runs of an ablation, with everything that they need."""

    base: Base
    data: TaskData
    settings: Settings
    runs: tuple[Run, ...]
    tokenizer: Any
    """The base's fast tokenizer."""
    cpu: bool = False
    """Whether to train on the CPU even if there is a GPU."""

    @cached_property
    def train(self) -> list[Row]:
        """The training examples, tokenised."""
        return encoded(self.tokenizer, self.data.train, self.data.classes, self.settings.max_length)

    @cached_property
    def evaluation(self) -> list[Row]:
        """The examples to evaluate on, tokenised."""
        return encoded(self.tokenizer, self.data.evaluation, self.data.classes, self.settings.max_length)

    @property
    def total(self) -> int:
        """Number of optimiser steps of a run."""
        return self.settings.total(len(self.data.train))

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps of the checkpoints of each run."""
        return self.settings.saved(self.total)

    @property
    def missing(self) -> tuple[Run, ...]:
        """Runs whose last checkpoint is not there."""
        return tuple(run for run in self.runs if not set(self.steps) <= set(run.written()))

    @cached_property
    def note(self) -> dict[str, Any]:
        """How each run is made, as provenance."""
        return {
            **dataclasses.asdict(self.settings),
            "checkpoints": list(self.steps),
            "max_steps": self.total,
            "pooler": self.base.pooler(self.settings.pooler),
            "base": str(self.base.folder),
            "label": self.data.train.labels.name,
            "classes": list(self.base.classes),
            "train": self.data.train.text.sha256,
            "train_examples": len(self.data.train),
            "evaluation": self.data.evaluation.text.sha256,
            "evaluation_examples": len(self.data.evaluation),
        }


def require_trainer() -> None:
    """Check that the packages of training are installed.

    Raises:
        BertdynError: the extra ``train`` is missing.
    """
    if find_spec("accelerate") is None:
        raise BertdynError("Training needs the extra 'train': pip install 'bertdyn[train]'.")


def make_plan(
    base: Path,
    data: TaskData,
    settings: Settings,
    kind: Kind,
    *,
    task: str,
    numbers: Sequence[int] | None,
    seeds: Sequence[int],
    out: Path,
    cpu: bool = False,
) -> Ablation:
    """Return the runs of an ablation: every number of layers with every seed. Writes nothing.

    Args:
        base: folder of the pre-trained model.
        numbers: numbers of layers; None: all that make sense.

    Raises:
        BertdynError: the task cannot be a folder's name; the base cannot be used; a
            number is beyond its layers; an example is longer than its positions; a run's folder was made in another
            way; or the disk has no room.
    """
    if not task or task == PRETRAINED or "/" in task or VARIANT_MARK in task:
        raise BertdynError(f"--task '{task}': a name without / and {VARIANT_MARK}, and not {PRETRAINED}.")
    start = Base(base, data.level, data.classes)
    start.check()
    chosen = _numbers(kind, numbers, start.layers) if kind.counted else [0]
    runs = tuple(Run(out, task, Variant(kind, k), seed) for k in chosen for seed in seeds)
    made = Ablation(start, data, settings, runs, load_tokenizer(base).fast, cpu)
    _check_length(made)
    for run in runs:
        run.check(made.note)
    needed = start.bytes * (len(made.steps) * len(made.missing) + _OPTIMISER * bool(made.missing))
    if needed > (free := free_bytes(out)):
        raise BertdynError(
            f"The checkpoints take {readable(needed)} and the disk of {out} has {readable(free)} free: state fewer "
            "--checkpoints, or name another --out."
        )
    return made


def train(plan: Ablation, progress: Progress) -> list[Outcome]:
    """Train the missing runs of a plan one after the other; a failing run does not stop the others."""
    outcomes = []
    missing = plan.missing
    progress.begin(plan.total * len(missing))
    for run in plan.runs:
        if run in missing:
            progress.running(run)
            outcome = _trained(plan, run, progress)
        else:
            run.finish()  # of a run that was interrupted after its last checkpoint
            outcome = Outcome(run, "present", "", _last_metrics(plan, run))
        progress.outcome(outcome)
        outcomes.append(outcome)
    return outcomes


def _trained(plan: Ablation, run: Run, progress: Progress) -> Outcome:
    from explorer.training.fine_tune import fine_tune

    try:
        run.begin(plan.note)
        fine_tune(
            run,
            plan.base,
            plan.tokenizer,
            plan.train,
            plan.evaluation,
            plan.settings,
            cpu=plan.cpu,
            progress=progress.step,
        )
    except Exception as error:  # any error of torch, transformers or the disk: the other runs go on
        return Outcome(run, "failed", _in_words(error, run))
    return Outcome(run, "trained", "", _last_metrics(plan, run))


def _in_words(error: Exception, run: Run) -> str:
    """Return why a run failed as one sentence."""
    if isinstance(error, BertdynError):
        return str(error)
    said = first_line(error)
    if isinstance(error, OSError) and error.errno:
        return str(refused(Path(error.filename or run.out), error.strerror or said))
    if os.strerror(errno.ENOSPC) in said:  # safetensors has an error of its own
        return str(refused(run.out, said))
    return f"{type(error).__name__}: {said}"


def _last_metrics(plan: Ablation, run: Run) -> Mapping[str, float]:
    return history(run.checkpoint(plan.total)).metrics


def _numbers(kind: Kind, numbers: Sequence[int] | None, layers: int) -> list[int]:
    if numbers is None:
        return list(range(kind.lowest, layers + 1))
    for k in numbers:
        if not kind.lowest <= k <= layers:
            raise BertdynError(f"--k {k}: {kind.name} takes {kind.lowest} to {layers} layers of this model.")
    return list(numbers)


def _check_length(plan: Ablation) -> None:
    positions = getattr(plan.base.config.parsed, "max_position_embeddings", None)
    longest = max(len(row["input_ids"]) for row in (*plan.train, *plan.evaluation))
    if positions is not None and longest > positions:
        raise BertdynError(f"An example has {longest} tokens and the model {positions} positions: use --max-length.")
