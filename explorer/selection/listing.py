"""What a store holds, as far as a question must know it: corpora and the names of their checkpoints."""

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
    """A fine-tuning run: what its checkpoints share."""

    task: str
    variant: str
    seed: str

    @property
    def recipe(self) -> str:
        """Task and variant as one name."""
        return recipe_of(self.task, self.variant)


@dataclass(frozen=True)
class Listing:
    """The corpora of a store and the sorted keys of the checkpoints that were extracted on each."""

    corpora: tuple[CorpusInfo, ...]
    keys: tuple[tuple[CheckpointKey, ...], ...]
    """In the order of ``corpora``."""
    registered: tuple[CheckpointKey, ...] = field(default=(), kw_only=True)
    """Checkpoints that were registered, on no corpus."""

    @cached_property
    def everywhere(self) -> tuple[CheckpointKey, ...]:
        """The checkpoints on any corpus or none, sorted."""
        return tuple(sorted({*self.registered, *(key for keys in self.keys for key in keys)}))

    def of(self, corpus: str) -> tuple[CheckpointKey, ...]:
        """Return the checkpoints on a corpus, all for NO_CORPUS; none when there is no such corpus."""
        if corpus == NO_CORPUS:
            return self.everywhere
        return next((k for info, k in zip(self.corpora, self.keys, strict=True) if info.name == corpus), ())

    def runs(self, corpus: str) -> Mapping[Run, tuple[int, ...]]:
        """Return the steps of each run that has checkpoints on a corpus; none when there is no such corpus."""
        if corpus not in self._runs:
            by_run = groupby(self.of(corpus), lambda key: key[:3])
            self._runs[corpus] = {Run(*names): tuple(key.step for key in each) for names, each in by_run}
        return self._runs[corpus]

    @cached_property
    def _runs(self) -> dict[str, Mapping[Run, tuple[int, ...]]]:
        """By corpus. A store may list ten thousand checkpoints, and the screen asks for their runs at every key."""
        return {}

    def info(self, corpus: str) -> CorpusInfo | None:
        """Return what the store says of a corpus."""
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
    """Return the measure's preferred comparison, or ``first`` where that is the pre-trained model and it is absent."""
    absent = preferred == PRETRAINED and not any(k.task == PRETRAINED for k in keys)
    return Against("first" if absent else preferred)


def at_or_before(there: Sequence[int], wanted: int) -> int:
    """Return the place of a number in an ascending list: its own, else that of the nearest below it, else the first."""
    return max(0, bisect_right(there, wanted) - 1)


def seed_order(seed: str) -> tuple[int, int, str]:
    """Sorts seeds: numbers by their size, then words."""
    return (0, int(seed), seed) if seed.isascii() and seed.isdigit() else (1, 0, seed)
