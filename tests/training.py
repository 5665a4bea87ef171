"""Small fine-tuning runs of the tiny BERT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.demo import texts
from explorer.demo.recipe import DemoTask
from explorer.demo.run import tiny_bert
from explorer.training.ablation import Ablation, Outcome, make_plan, train
from explorer.training.examples import read_data
from explorer.training.runs import Run
from explorer.training.settings import Settings
from explorer.training.variants import KINDS

QUICK = Settings(max_steps=4, batch_size=4, learning_rate=1e-3, checkpoints=(0, 2))


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread: the models are tiny, and other tests want the other cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Silent:
    """Reports no progress."""

    def begin(self, steps: int) -> None: ...

    def running(self, run: Run) -> None: ...

    def step(self, done: int) -> None: ...

    def outcome(self, outcome: Outcome) -> None: ...


@dataclass(frozen=True)
class Files:
    """The files of a task."""

    train: Path
    evaluation: Path

    def plan(
        self,
        kind: str,
        numbers: Sequence[int] | None,
        out: Path,
        settings: Settings = QUICK,
        *,
        base: Path | None = None,
        seeds: Sequence[int] = (1,),
        task: str = "t",
        label: str | None = None,
    ) -> Ablation:
        """The runs of a kind of variants, not trained yet."""
        data = read_data(self.train, self.evaluation, label=label)
        return make_plan(
            base or tiny_bert(), data, settings, KINDS[kind], task=task, numbers=numbers, seeds=seeds, out=out
        )


def files(folder: Path, task: DemoTask) -> Files:
    """Write a few sentences of one of the demo's tasks."""
    write, ending = (texts.to_tsv, "tsv") if task.kind == "sentence" else (texts.to_conllu, "conllu")
    made = Files(folder / f"train.{ending}", folder / f"dev.{ending}")
    made.train.write_text(write(task.training(60)), encoding="utf-8")
    made.evaluation.write_text(write(task.held_out()[:16]), encoding="utf-8")
    return made


def finished(plan: Ablation) -> Run:
    """Train the only run of a plan."""
    (outcome,) = train(plan, Silent())
    assert outcome.status == "trained", outcome.reason
    return outcome.run


def weights(folder: Path) -> dict[str, Any]:
    """The weights of a checkpoint by name."""
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def differing(one: Path, other: Path) -> set[str]:
    """Names of weights that two checkpoints do not have with the same bits."""
    ours, theirs = weights(one), weights(other)
    return {
        name
        for name in ours.keys() | theirs.keys()
        if name not in ours or name not in theirs or not torch.equal(ours[name], theirs[name])
    }
