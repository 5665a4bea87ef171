"""Two tasks with two seeds of three steps each, and the pre-trained model: names alone."""

from __future__ import annotations

from store.keys import PRETRAINED_KEY, CheckpointKey

RUNS = [
    CheckpointKey.plain(task, seed, step) for task in ("pos", "sst2") for seed in ("1", "2") for step in (0, 20, 100)
]
KEYS = [*RUNS, PRETRAINED_KEY]
VARIANT = [CheckpointKey("sst2", "freeze-6", seed, step) for seed in ("1", "2") for step in (20, 100)]
"""Another way to train one of the tasks."""
