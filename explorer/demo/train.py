"""Fine-tune the tiny BERT on one task with one seed, and write checkpoints as the Hugging Face Trainer does.

A plain loop: AdamW, linear warm-up and decay, cross entropy. Imports torch; run.py calls it in child processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertForSequenceClassification, BertForTokenClassification

from explorer.demo.recipe import DemoTask, Recipe
from explorer.demo.texts import Sentence
from explorer.training.examples import IGNORED, encode
from store.models.quiet import quiet

Batch = dict[str, torch.Tensor]


@quiet()
def fine_tune(base: Path, folder: Path, task: DemoTask, seed: int, recipe: Recipe, draft: Path) -> None:
    """Train one run and write FOLDER/checkpoint-STEP for each of the recipe's steps, unless it is there.

    A checkpoint is written to ``draft`` and renamed when it is whole: what stands in FOLDER can be read at once.
    Training uses one thread, so that a run always gives the same weights, and since two runs on one core each are
    faster than two runs on two cores.

    Raises:
        OSError: the folder is not writable.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    kind = BertForSequenceClassification if task.kind == "sentence" else BertForTokenClassification
    names = dict(enumerate(task.labels))
    model = kind.from_pretrained(base, id2label=names, label2id={v: k for k, v in names.items()})
    evaluation = _encode(tokenizer, task.held_out(), task)
    training = _encode(tokenizer, task.training(recipe.sentences), task)
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.rate, weight_decay=0.01)
    last, epoch_steps = recipe.steps[-1], len(training) // recipe.batch
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / recipe.warm_up, (last - step) / (last - recipe.warm_up))
    )
    log: list[dict[str, float]] = []
    losses: list[float] = []
    batches = _batches(training, recipe.batch, seed)
    for step in range(last + 1):
        if step:
            model.train()
            loss = model(**next(batches)).loss
            optimizer.zero_grad()
            loss.backward()
            norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0))
            rate = float(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if step in recipe.steps:
            at = {"epoch": step / epoch_steps, "step": step}
            if losses:
                log.append(at | {"loss": sum(losses) / len(losses), "grad_norm": norm, "learning_rate": rate})
                losses.clear()
            log.append(at | _evaluate(model, evaluation))
            checkpoint = folder / f"checkpoint-{step}"
            if checkpoint.is_dir():
                continue
            model.save_pretrained(draft)
            tokenizer.save_pretrained(draft)
            state = {"epoch": at["epoch"], "global_step": step, "max_steps": last, "train_batch_size": recipe.batch}
            text = json.dumps(state | {"log_history": log}, indent=2, sort_keys=True)
            (draft / "trainer_state.json").write_text(text, encoding="utf-8")
            folder.mkdir(parents=True, exist_ok=True)
            try:
                draft.rename(checkpoint)
            except OSError:
                if not checkpoint.is_dir():  # else another demo in this folder was first, with the same weights
                    raise


def _encode(tokenizer: Any, sentences: Sequence[Sentence], task: DemoTask) -> list[tuple[list[int], list[int]]]:
    """Return token ids and labels of each sentence."""
    if task.kind == "sentence":
        rows = encode(tokenizer, [s.text for s in sentences], [s.topic for s in sentences], task.labels)
        return [(row["input_ids"], [row["labels"]]) for row in rows]
    rows = encode(tokenizer, [s.words for s in sentences], [s.tags for s in sentences], task.labels)
    return [(row["input_ids"], row["labels"]) for row in rows]


def _batches(rows: Sequence[tuple[list[int], list[int]]], size: int, seed: int) -> Iterator[Batch]:
    """Yield shuffled batches endlessly."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(rows), generator=generator).tolist()
        for start in range(0, len(rows) - size + 1, size):
            yield _batch([rows[i] for i in order[start : start + size]])


def _batch(rows: Sequence[tuple[list[int], list[int]]]) -> Batch:
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r, _ in rows], batch_first=True)
    labels = [torch.tensor(r) for _, r in rows]
    lengths = torch.tensor([len(r) for r, _ in rows])
    padded = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=IGNORED)
    mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": padded.squeeze(1) if padded.shape[1] == 1 else padded}


@torch.no_grad()
def _evaluate(model: torch.nn.Module, rows: Sequence[tuple[list[int], list[int]]]) -> dict[str, float]:
    """Return accuracy and loss over all labels that count."""
    model.eval()
    right = counted = 0
    total = 0.0
    for start in range(0, len(rows), 100):
        batch = _batch(rows[start : start + 100])
        output, labels = model(**batch), batch["labels"]
        known = labels != IGNORED
        n = int(known.sum())
        right += int((output.logits.argmax(-1) == labels)[known].sum())
        total += float(output.loss) * n
        counted += n
    return {"eval_accuracy": right / counted, "eval_loss": total / counted}
