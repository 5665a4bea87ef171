"""Recognise files of a training run's state that are not a model's weights, and say how to convert them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_FSDP, _DEEPSPEED, _LIGHTNING = ".distcp", "global_step", ".ckpt"
_OPTIMIZER = "optimizer"
"""Beginning of the names of folders with the shards of an optimiser, not of a model."""


def is_sharded(name: str, files: Sequence[str]) -> bool:
    """Return whether a folder belongs to the state of a training run, judged by its name and its files' names."""
    if name.startswith(_OPTIMIZER):
        return False
    return (
        name.startswith(_DEEPSPEED) or name.endswith(_LIGHTNING) or any(f.endswith((_FSDP, _LIGHTNING)) for f in files)
    )


def training_format(folder: Path) -> str | None:
    """Return the predicate of a sentence about a folder without weights: the tool that wrote it, and how to convert it.

    None if no known tool wrote it.
    """
    files, folders = _listed(folder)
    lightning = [name for name in (*files, *folders) if name.endswith(_LIGHTNING)]
    if folder.name.endswith(_LIGHTNING) or lightning:
        first = folder / lightning[0] if lightning else folder
        return (
            f"holds a checkpoint of Lightning ({first.name}), not a model's weights: write them with "
            f"`YourModule.load_from_checkpoint('{first}').<the model>.save_pretrained('FOLDER')`; a sharded one needs "
            f"`python -m lightning.pytorch.utilities.consolidate_checkpoint {first}` before."
        )
    if folder.name.startswith(_DEEPSPEED) or any(name.startswith(_DEEPSPEED) for name in folders):
        top = folder.parent if folder.name.startswith(_DEEPSPEED) else folder
        step = next((name for name in folders if name.startswith(_DEEPSPEED)), folder.name)
        return (
            f"holds the sharded state of DeepSpeed ({step}/), not a model's weights: write them with "
            f"`python {top}/zero_to_fp32.py {top} {top} --safe_serialization`."
        )
    for place in (folder, *(folder / name for name in folders if not name.startswith(_OPTIMIZER))):
        if any(name.endswith(_FSDP) for name in _listed(place)[0]):
            return (
                f"holds sharded weights of FSDP (*{_FSDP}), not a model's weights in one place: merge them with "
                f"`accelerate merge-weights {place} {folder}`."
            )
    return None


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of files and of folders in a folder, sorted; nothing if it cannot be read."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
            return [e.name for e in entries if not e.is_dir()], [e.name for e in entries if e.is_dir()]
    except OSError:
        return [], []
