"""The checkpoints of a store in order, each described once however often they are listed, and its corpora."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from store.attributes import corpus_info
from store.errors import BertdynError
from store.keys import Checkpoint, CorpusInfo
from store.layout import ACTIVATIONS
from store.places import Group, corpora_there
from store.tables import checkpoint_of


class CheckpointListing:
    """Lists checkpoints again and again. Its owner sees to it that one thread at a time does so."""

    def __init__(
        self, groups: Callable[[], list[Group]], rows: Callable[[Sequence[Group]], list[tuple[Any, ...]]]
    ) -> None:
        """
        Args:
            groups: tells where checkpoints are in place.
            rows: gives rows of the table ``checkpoints``, but for groups whose description is damaged.
        """
        self._groups, self._rows = groups, rows
        self._known: dict[Group, Checkpoint] = {}
        self._all_known: list[Group] | None = None
        """Groups of which each was described when they were last looked at."""
        self._sorted: list[tuple[str, Checkpoint]] = []
        """Folders and checkpoints of those groups, in order."""
        self._ordered: dict[str | None, tuple[Checkpoint, ...]] = {}
        """Checkpoints of those groups, by the corpus's folder that was asked for."""

    def checkpoints(self, corpus_folder: str | None = None) -> tuple[Checkpoint, ...]:
        """Return the checkpoints in place, by corpus, task, seed and step; with a folder, those of its corpus only."""
        groups = self._groups()
        if groups != self._all_known:
            unknown = [group for group in groups if group not in self._known]
            rows = self._rows(unknown) if unknown else []
            self._known.update({(row[0], row[1]): checkpoint_of(row) for row in rows})
            self._all_known = groups if all(group in self._known for group in groups) else None
            there = [(group[0], self._known[group]) for group in groups if group in self._known]
            self._sorted = sorted(there, key=lambda one: (one[1].corpus, one[1].key))
            self._ordered.clear()
        if corpus_folder not in self._ordered:
            start = f"{ACTIVATIONS}/{corpus_folder}/" if corpus_folder is not None else ""
            self._ordered[corpus_folder] = tuple(c for folder, c in self._sorted if folder.startswith(start))
        return self._ordered[corpus_folder]

    def forget(self) -> None:
        """Describe all of them anew the next time."""
        self._known.clear()
        self._all_known = None


def corpora_of(root: Path) -> list[CorpusInfo]:
    """Return the corpora in place, by name, but for those whose description is damaged."""
    found = []
    for folder, _ in corpora_there(root):
        with suppress(BertdynError):
            found.append(corpus_info(root / folder))
    return sorted(found, key=lambda info: info.name)
