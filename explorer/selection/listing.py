"""What a store holds, as far as a question must know it: corpora and the names of their checkpoints."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.selection.against import Against
from store.keys import PRETRAINED, CheckpointKey, CorpusInfo

if TYPE_CHECKING:
    from store.store import Store


@dataclass(frozen=True)
class Listing:
    """The corpora of a store and the sorted keys of the checkpoints that were extracted on each."""

    corpora: tuple[CorpusInfo, ...]
    keys: tuple[tuple[CheckpointKey, ...], ...]
    """In the order of ``corpora``."""

    def of(self, corpus: str) -> tuple[CheckpointKey, ...]:
        """Return the checkpoints on a corpus; none when there is no such corpus."""
        return next((k for info, k in zip(self.corpora, self.keys, strict=True) if info.name == corpus), ())

    def info(self, corpus: str) -> CorpusInfo | None:
        """Return what the store says of a corpus."""
        return next((info for info in self.corpora if info.name == corpus), None)


def list_store(store: Store, corpus: str | None = None) -> Listing:
    """List a store; the checkpoints of one corpus only when it is given.

    Raises:
        BertdynError: the store cannot be read.
    """
    corpora = store.corpora()
    keys = tuple(
        tuple(sorted(c.key for c in store.checkpoints(info.name))) if corpus in (None, info.name) else ()
        for info in corpora
    )
    return Listing(corpora, keys)


def default_against(keys: Iterable[CheckpointKey], preferred: str = PRETRAINED) -> Against:
    """Return the measure's preferred comparison, or ``first`` where that is the pre-trained model and it is absent."""
    absent = preferred == PRETRAINED and not any(k.task == PRETRAINED for k in keys)
    return Against("first" if absent else preferred)


def at_or_before(there: Sequence[int], wanted: int) -> int:
    """Return the place of a number in an ascending list: its own, else that of the nearest below it, else the first."""
    return max(0, bisect_right(there, wanted) - 1)


def seed_order(seed: str) -> tuple[int, int, str]:
    """Sorts seeds: numbers by their size, then words."""
    return (0, int(seed), seed) if seed.isascii() and seed.isdigit() else (1, 0, seed)
