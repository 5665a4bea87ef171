"""Describe the origin of a checkpoint, for the attributes that the store keeps with it."""

from __future__ import annotations

import platform
from typing import Any

from store.extract.find import Found, TrainingHistory, run_kind
from store.extract.tokens import versions
from store.models.files import weights_digest, weights_stamp
from store.models.load import ModelFiles


def provenance(model: ModelFiles, found: Found, past: TrainingHistory, model_class: str) -> dict[str, Any]:
    """Return the source of a checkpoint, the kind of its run, the digest of its weights, and its training log."""
    total, changed = weights_stamp(model.files)
    run = run_kind(found.folder)
    return {
        "model_class": model_class,
        "source": found.source,
        "folder": str(found.folder.absolute()),
        "base_folder": "" if model.base is None else str(model.base.absolute()),
        "weights_prefix": model.prefix,
        "weights_sha256": weights_digest(model.files),
        "weights_size": total,
        "weights_mtime_ns": changed,
        "kind": run.kind,
        "k": run.k,
        "epoch": past.epoch,
        "loss": past.loss,
        "metrics": dict(past.metrics),
        "training_log": [dict(entry) for entry in past.log],
        "versions": {"python": platform.python_version(), **versions("torch", "transformers", "tokenizers", "zarr")},
    }
