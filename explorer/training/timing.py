"""Estimate the time of an ablation from a few timed steps. Imports torch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from transformers import DataCollatorForTokenClassification, DataCollatorWithPadding

from explorer.training.ablation import Ablation
from explorer.training.examples import Row
from explorer.training.variants import Variant
from store.models.quiet import quiet

TIMED = 3
"""Number of timed steps; one more comes before them."""


@quiet()
def seconds(plan: Ablation) -> float:
    """Return about how many seconds the missing runs take, without writing checkpoints.

    Steps are timed with the smallest and the largest number of layers; in between, time is linear in it. Steps that an
    interrupted run has done are not counted again.
    """
    if not plan.missing:
        return 0.0
    variants = sorted({run.variant for run in plan.missing}, key=lambda variant: variant.k)
    ends = tuple(dict.fromkeys((variants[0], variants[-1])))
    places, took = [variant.k for variant in ends], [_timed(plan, variant) for variant in ends]
    total = 0.0
    for run in plan.missing:
        written = run.written()
        step, evaluation = (float(np.interp(run.variant.k, places, [each[i] for each in took])) for i in range(2))
        total += step * (plan.total - max(written, default=0))
        total += evaluation * sum(at not in written for at in plan.steps)
    return total


def _timed(plan: Ablation, variant: Variant) -> tuple[float, float]:
    """Return the seconds of a step of training, and of an evaluation on all examples."""
    device = torch.device("cuda" if torch.cuda.is_available() and not plan.cpu else "cpu")
    with torch.random.fork_rng():
        model = variant.model(plan.base, plan.settings).to(device)
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=plan.settings.learning_rate)
        size = plan.settings.batch_size
        model.train()
        took = []
        for batch in _batches(plan, plan.train, size):
            begin = time.perf_counter()
            model(**batch.to(device)).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            _wait(device)
            took.append(time.perf_counter() - begin)
        model.eval()
        passed = []
        for batch in _batches(plan, plan.evaluation, size):
            begin = time.perf_counter()
            with torch.no_grad():
                model(**batch.to(device))
            _wait(device)
            passed.append(time.perf_counter() - begin)
    batches = len(plan.evaluation) / min(size, len(plan.evaluation))
    return float(np.median(took[1:] or took)), float(np.median(passed[1:] or passed)) * batches


def _batches(plan: Ablation, rows: list[Row], size: int) -> Iterator[Any]:
    """Yield a few padded batches of examples chosen at random."""
    padded = DataCollatorWithPadding if plan.base.level == "sentence" else DataCollatorForTokenClassification
    collate = padded(plan.tokenizer)
    generator = np.random.default_rng(0)
    for _ in range(TIMED + 1):
        yield collate([rows[i] for i in generator.choice(len(rows), min(size, len(rows)), replace=False)])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
