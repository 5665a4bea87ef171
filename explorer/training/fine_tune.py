"""Fine-tune one run with the Hugging Face Trainer, and go on with an interrupted one. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from explorer.training.base import Base
from explorer.training.examples import IGNORED, Row
from explorer.training.runs import Run
from explorer.training.settings import Settings
from store.extract.find import TRAINER_STATE
from store.models.quiet import quiet

_EPSILON = 1e-6
"""Adam's epsilon of Devlin et al. 2019."""
_EVALUATED = 2
"""Size of a batch in evaluation, as a multiple of the size in training."""


@quiet()
def fine_tune(
    run: Run,
    base: Base,
    tokenizer: Any,
    train: Sequence[Row],
    evaluation: Sequence[Row],
    settings: Settings,
    *,
    cpu: bool = False,
    progress: Callable[[int], None] = lambda step: None,
) -> None:
    """Train a run, from its last checkpoint if it was interrupted, and publish its checkpoints.

    The same seed gives the same weights, interrupted or not, on the same machine with the same number of threads.

    Args:
        cpu: train on the CPU even if there is a GPU.
        progress: receives the number of finished steps.

    Raises:
        BertdynError: the base cannot be loaded.
        OSError: the disk is full or not writable.
    """
    set_seed(run.seed)
    model = run.variant.model(base, settings)
    total = settings.total(len(train))
    steps = settings.saved(total)
    schedule = _Schedule(run, steps, progress)
    padded = DataCollatorWithPadding if base.level == "sentence" else DataCollatorForTokenClassification
    trainer = Trainer(
        model=model,
        args=_arguments(run, settings, total, cpu),
        train_dataset=list(train),
        eval_dataset=list(evaluation),
        processing_class=tokenizer,
        data_collator=padded(tokenizer),
        compute_metrics=lambda told: metrics(np.asarray(told.predictions), np.asarray(told.label_ids)),
        preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1),
        callbacks=[schedule],
    )
    trainer.remove_callback(PrinterCallback)
    begun = run.last_draft()
    if begun is None and 0 in steps:
        # Evaluation draws from the generator, which must not change the training.
        with torch.random.fork_rng():
            schedule.log = [{"step": 0, "epoch": 0.0, **trainer.evaluate()}]
        run.publish(0, lambda folder: _write_start(trainer, folder, schedule.log, total))
    trainer.train(resume_from_checkpoint=None if begun is None else str(begun))
    run.finish()


def metrics(predicted: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return accuracy and macro-F1 over the points with labels; F1 is over the classes of labels and predictions.

    Args:
        predicted: integers, classes.
        labels: integers of the same shape; IGNORED where there is no label.
    """
    there = labels != IGNORED
    guess, gold = predicted[there], labels[there]
    scores = []
    for one in np.union1d(gold, guess):
        both = np.count_nonzero((guess == one) & (gold == one))
        scores.append(2 * both / (np.count_nonzero(guess == one) + np.count_nonzero(gold == one)))
    return {"accuracy": float((guess == gold).mean()), "f1": float(np.mean(scores))}


def _arguments(run: Run, settings: Settings, total: int, cpu: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(run.draft),
        max_steps=total,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=_EVALUATED * settings.batch_size,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        adam_epsilon=_EPSILON,
        lr_scheduler_type="linear",
        warmup_steps=math.ceil(settings.warmup * total),
        seed=run.seed,
        use_cpu=cpu,
        save_strategy="no",  # the schedule says when
        eval_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def _write_start(trainer: Trainer, folder: Path, log: Sequence[Mapping[str, float]], total: int) -> None:
    trainer.save_model(str(folder))
    state = TrainerState(epoch=0.0, max_steps=total, log_history=[dict(entry) for entry in log])
    state.save_to_json(str(folder / TRAINER_STATE))


class _Schedule(TrainerCallback):
    """Log, evaluate and save at stated steps, and publish what is saved."""

    def __init__(self, run: Run, steps: Sequence[int], progress: Callable[[int], None]) -> None:
        self._run, self._steps, self._progress = run, frozenset(steps), progress
        self.log: list[dict[str, float]] = []
        """Log before the first step, of a run that begins."""

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        state.log_history[:0] = self.log

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        if state.global_step in self._steps:
            control.should_log = control.should_evaluate = control.should_save = True
        self._progress(state.global_step)

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        self._run.publish_draft(state.global_step)
