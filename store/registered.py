"""Checkpoints that are listed without any array, and checkpoints as such, whatever texts they were extracted on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.keys import NO_CORPUS, Checkpoint, CheckpointKey
from store.layout import checkpoint_path
from store.staging import Stage, writing

WEIGHTS = "weights"


def register(
    root: Path,
    key: CheckpointKey,
    *,
    layers: int,
    heads: int,
    width: int,
    attributes: Mapping[str, Any],
    replace: bool = False,
) -> Path | None:
    """List a checkpoint without any array; returns its folder, or None where it is registered already.

    Args:
        attributes: provenance, ``weights_sha256`` among them.

    Raises:
        BertdynError: the disk is full or not writable.
    """
    from store.groups import make_group  # numpy comes with it

    stage = Stage(root)
    try:
        with writing(root):
            about = {
                **attributes,
                "corpus": NO_CORPUS, **key._asdict(),
                "layers": layers, "heads": heads, "width": width, "dtype": "",
                "digests": {}, "bytes": 0, "created": datetime.now(UTC).isoformat(timespec="microseconds"),
            }  # fmt: skip
            make_group(stage.path, about)
        target = checkpoint_path(root, NO_CORPUS, key)
        return target if stage.publish(target, replace) else None
    finally:
        stage.discard()


def newest(checkpoints: Iterable[Checkpoint]) -> dict[CheckpointKey, Checkpoint]:
    """Return each checkpoint as it was stored last, on any corpus or registered, sorted by key."""
    found: dict[CheckpointKey, Checkpoint] = {}
    for one in sorted(checkpoints, key=lambda c: (c.key, c.created)):
        found[one.key] = one
    return found


def without_corpus(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint as such: what is known of it whatever the texts, which leaves the digest of its weights."""
    weights = checkpoint.digests.get(WEIGHTS)
    return checkpoint._replace(corpus=NO_CORPUS, digests={} if weights is None else {WEIGHTS: weights})
