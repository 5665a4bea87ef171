"""Register checkpoints without arrays, and describe checkpoints independently of corpora."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.keys import METRICS, NO_CORPUS, WEIGHTS, Checkpoint, CheckpointKey
from store.layout import checkpoint_path
from store.staging import Stage, writing


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
    """Register a checkpoint without arrays. Return its folder, or None if it is registered already.

    Args:
        attributes: provenance, including ``weights_sha256``.

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
    """Return the newest entry of each checkpoint, on any corpus or registered, sorted by key."""
    found: dict[CheckpointKey, Checkpoint] = {}
    for one in sorted(checkpoints, key=lambda c: (c.key, c.created)):
        found[one.key] = one
    return found


def without_corpus(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint's entry without its corpus; of its digests, those of weights and metrics remain."""
    kept = {name: digest for name, digest in checkpoint.digests.items() if name in (WEIGHTS, METRICS)}
    return checkpoint._replace(corpus=NO_CORPUS, digests=kept)
