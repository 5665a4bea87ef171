"""List a store's corpora and the keys of their checkpoints, as far as questions need them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from explorer.selection.against import Against
from store.keys import NO_CORPUS, PRETRAINED, Checkpoint, CheckpointKey, CorpusInfo, recipe_of

if TYPE_CHECKING:
    from store.store import Store


class Run(NamedTuple):
    """The names that the checkpoints of a fine-tuning run share."""

    task: str
    variant: str
    seed: str

    @property
    def recipe(self) -> str:
        """Task and variant as one name."""
        return recipe_of(self.task, self.variant)


@dataclass(frozen=True)
class Listing:
    """The corpora of a store and the sorted keys of the checkpoints on each."""

    corpora: tuple[CorpusInfo, ...]
    keys: tuple[tuple[CheckpointKey, ...], ...]
    """Keys of the checkpoints on each corpus, in the order of ``corpora``."""
    registered: tuple[CheckpointKey, ...] = field(default=(), kw_only=True)
    """Keys of registered checkpoints, which have no corpus."""

    @cached_property
    def everywhere(self) -> tuple[CheckpointKey, ...]:
        """Keys of all checkpoints, on any corpus or registered, sorted."""
        return tuple(sorted({*self.registered, *(key for keys in self.keys for key in keys)}))

    def of(self, corpus: str) -> tuple[CheckpointKey, ...]:
        """Return the checkpoints on a corpus; all for NO_CORPUS, none if there is no such corpus."""
        if corpus == NO_CORPUS:
            return self.everywhere
        return next((k for info, k in zip(self.corpora, self.keys, strict=True) if info.name == corpus), ())

    def runs(self, corpus: str) -> Mapping[Run, tuple[int, ...]]:
        """Return the steps of each run with checkpoints on a corpus; empty if there is no such corpus."""
        if corpus not in self._runs:
            by_run = groupby(self.of(corpus), lambda key: key[:3])
            self._runs[corpus] = {Run(*names): tuple(key.step for key in each) for names, each in by_run}
        return self._runs[corpus]

    @cached_property
    def _runs(self) -> dict[str, Mapping[Run, tuple[int, ...]]]:
        """Cached runs by corpus: a store may list ten thousand checkpoints, and the screen needs their runs at every
        key press."""
        return {}

    def info(self, corpus: str) -> CorpusInfo | None:
        """Return the listing entry of a corpus; None if there is no such corpus."""
        return next((info for info in self.corpora if info.name == corpus), None)


def list_store(store: Store) -> Listing:
    """List a store.

    Raises:
        BertdynError: the store cannot be read.
    """
    return listing_of(store.corpora(), store.checkpoints())


def listing_of(corpora: Iterable[CorpusInfo], checkpoints: Iterable[Checkpoint]) -> Listing:
    """Return the listing of corpora and all checkpoints."""
    found: dict[str, list[CheckpointKey]] = {}
    for one in checkpoints:
        found.setdefault(one.corpus, []).append(one.key)
    named = tuple(corpora)
    keys = tuple(tuple(sorted(found.get(info.name, ()))) for info in named)
    return Listing(named, keys, registered=tuple(sorted(found.get(NO_CORPUS, ()))))


def default_against(keys: Iterable[CheckpointKey], preferred: str = PRETRAINED) -> Against:
    """Return the measure's preferred reference, or ``first`` if that is the pre-trained model and it is absent."""
    absent = preferred == PRETRAINED and not any(k.task == PRETRAINED for k in keys)
    return Against("first" if absent else preferred)


def at_or_before(there: Sequence[int], wanted: int) -> int:
    """Return the index of a number in an ascending list, else of the next smaller number, else 0."""
    return max(0, bisect_right(there, wanted) - 1)
