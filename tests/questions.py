"""Questions that need no store: names of checkpoints are all that a listing must hold."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.measures.registry import get
from explorer.selection import Listing, Question, Selection, ask
from explorer.selection.question import NO_TRUST
from store.keys import Checkpoint, CheckpointKey
from tests.synthetic import sample_corpus


def listed(keys: Iterable[CheckpointKey], labels: tuple[str, ...] = ("negative", "positive")) -> Listing:
    """One corpus, ``dev``, on which these checkpoints were extracted."""
    return Listing((sample_corpus("dev", labels=labels).info,), (tuple(sorted(keys)),))


def checkpoint(key: CheckpointKey, layers: int = 3, attentions: bool = True) -> Checkpoint:
    """What a listing says of one, as far as plans and cells look."""
    return Checkpoint(
        corpus="dev",
        key=key,
        layers=layers,
        heads=2,
        width=16,
        dtype="float16",
        digests={"hidden": f"h-{key}", **({"attention": f"a-{key}"} if attentions else {})},
        epoch=None,
        loss=None,
        metrics={},
        model_class="M",
        source="",
        weights_sha256="",
        bytes=1,
        created="",
    )


def question(measure: str, keys: Iterable[CheckpointKey], **fields: object) -> Question:
    """What a selection on ``dev`` asks for; any field of the selection can be given."""
    selection = Selection(measure, "dev", **fields)  # type: ignore[arg-type]
    return ask(selection, get(measure), listed(keys), NO_TRUST)
