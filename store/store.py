"""Use a store: create or open it, write checkpoints, keep results, check it. ``store.readable`` reads it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from store import layout
from store.duck import GivenTable, Table
from store.errors import BertdynError
from store.founding import collect_beside, make, recognised, remove_unused
from store.keys import VARIANT_MARK, Annotation, CheckpointKey, Corpus
from store.readable import ReadableStore
from store.results import Result
from store.staging import collect, writing
from store.tables import NO_MEASURES, NO_NOISE, DeclaredMeasure, empty_shapes

if TYPE_CHECKING:
    import numpy as np

    from store.arrays import CheckpointWriter
    from store.catalog import Catalog
    from store.check import CheckReport
    from store.outputs import Classifier
    from store.reads import ReadStore
    from store.shelf import Shelf

__all__ = ["Store", "Table"]

_T = TypeVar("_T")


class Store(ReadableStore):
    """One store on disk. Safe to read from several threads; several processes may write to one store at once."""

    def __init__(self, path: Path, reads: ReadStore | None = None) -> None:
        self._writes: Catalog | None = None
        self._collected = False
        if reads is None:
            from store.catalog import Catalog

            self._writes = Catalog(path)
            super().__init__(path, self._writes)
        else:
            super().__init__(path, reads(path))

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Store:
        """Create a new store.

        Raises:
            BertdynError: the path is taken or not writable.
        """
        store = cls(make(path))
        store._catalog.prepare()
        return store

    @classmethod
    def open(cls, path: str | os.PathLike[str], reads: ReadStore | None = None) -> Store:
        """Open a store; it may be one that cannot be written.

        Args:
            reads: makes what answers questions about the tables, such as ``CatalogProcess``; then the store can be
                read, and its tables cannot be written. None: this process does both.

        Raises:
            BertdynError: no such folder, not a store, or a store of a newer format.
        """
        store = cls(recognised(path), reads)
        if store._writes is not None:
            store._writes.settle()
        return store

    @classmethod
    def open_or_create(cls, path: str | os.PathLike[str]) -> Store:
        """Open the store, or create it if there is none.

        Raises:
            BertdynError: as ``open`` and ``create``.
        """
        if not (Path(path) / layout.MARKER).is_file():
            try:
                return cls.create(path)
            except BertdynError:
                if not (Path(path) / layout.MARKER).is_file():
                    raise
        return cls.open(path)

    def add_corpus(self, corpus: Corpus) -> None:
        """Add a corpus, completely or not at all. If it is stored already, only its new annotations are added.

        A stored corpus of that name without checkpoints (after a failed extraction) is replaced.

        Raises:
            BertdynError: a different corpus with checkpoints has that name; the disk is full or not writable.
        """
        from store.corpora.stored import add_corpus

        name = corpus.info.name
        if not name:
            raise BertdynError("A corpus needs a name.")
        _need_text(name)
        self._collect_once()
        add_corpus(self.path, corpus, lambda: bool(self._reads.checkpoints(layout.folder_name(name))))

    def annotate(self, corpus: str, annotation: Annotation, replace: bool = False) -> bool:
        """Add labels to a corpus, completely or not at all. Return False if the corpus already has them.

        Raises:
            BertdynError: different labels have that name and ``replace`` is False; there is no such corpus; the disk is
                full or not writable.
        """
        from store.corpora.annotations import add_annotation

        _need_text(annotation.info.name)
        self._need_corpus(corpus)
        self._collect_once()
        return add_annotation(self.path, corpus, annotation, replace)

    def writer(
        self,
        corpus: str,
        key: CheckpointKey,
        *,
        layers: int,
        heads: int,
        width: int,
        dtype: str,
        attentions: bool,
        attributes: Mapping[str, Any],
        classifier: Classifier | None = None,
        replace: bool = False,
    ) -> CheckpointWriter:
        """Start writing one checkpoint on a corpus; it is not visible before ``commit``.

        Raises:
            BertdynError: there is no such corpus, the step is negative, the task's name contains a variant, or the
                store is not writable.
        """
        from store.arrays import CheckpointWriter

        _need_key(key)
        info = self._need_corpus(corpus)
        self._collect_once()
        return CheckpointWriter(
            self.path,
            info,
            key,
            layers=layers,
            heads=heads,
            width=width,
            dtype=dtype,
            attentions=attentions,
            classifier=classifier,
            attributes=attributes,
            replace=replace,
            done=self._catalog.remember,
        )

    def register(
        self,
        key: CheckpointKey,
        *,
        layers: int,
        heads: int,
        width: int,
        attributes: Mapping[str, Any],
        replace: bool = False,
    ) -> bool:
        """Register a checkpoint without arrays. Return False if it is registered already.

        Raises:
            BertdynError: the step is negative, the task's name contains a variant, or the store is not writable.
        """
        from store.registered import register

        _need_key(key)
        self._collect_once()
        folder = register(
            self.path, key, layers=layers, heads=heads, width=width, attributes=attributes, replace=replace
        )
        if folder is not None:
            self._catalog.remember(folder)
        return folder is not None

    def add_results(self, results: Sequence[Result], noise: Mapping[str, float] = NO_NOISE) -> None:
        """Store computed values, all of them or none.

        Args:
            noise: level of the noise by measure, for the SQL view ``onsets``.

        Raises:
            BertdynError: the disk is full or not writable.
        """
        if results:
            self._collect_once()
        self._catalog.add_results(results, noise)

    def add_artefact(self, arrays: Mapping[str, np.ndarray]) -> str:
        """Store arrays for a row that will name them. Return their name.

        Raises:
            BertdynError: the disk is full or not writable.
        """
        from store.artefacts import write_artefact

        return write_artefact(self.path, arrays)

    def fetch(
        self,
        sql: str,
        convert: Callable[[Any], _T],
        measures: Mapping[str, DeclaredMeasure] = NO_MEASURES,
        outside: bool = False,
        given: Sequence[GivenTable] = (),
    ) -> _T:
        """Answer one SELECT as ``query`` does, and convert DuckDB's relation with a function.

        Args:
            convert: called with the relation (``lambda relation: relation.df()``), possibly more than once; its result
                must not depend on the relation any more.

        Raises:
            BertdynError: as ``query``.
        """
        return self._catalog.fetch(sql, empty_shapes(measures), convert, outside, given)

    def shelf(self) -> Shelf:
        """Return the store's cache of arrays of single layers that are costly to compute."""
        from store.shelf import Shelf

        return Shelf(self.path)

    def remove_unused(self) -> bool:
        """Remove the store if it has no checkpoint and no process is writing to it. Return whether it was removed.

        Raises:
            BertdynError: the folder around it is not writable.
        """
        return remove_unused(self.path)

    def check(self, repair: bool = False) -> CheckReport:
        """Read everything and compare it with its checksums and descriptions.

        With ``repair``, damaged groups and damaged fragments of tables are moved to ``trash/``, where they stay until
        ``empty_trash``; tables and index are rebuilt from the groups; and leftovers of dead processes are removed.

        Raises:
            BertdynError: the store is to be repaired, but is not writable.
        """
        from store.check import check

        return check(self.path, self._catalog, repair)

    def empty_trash(self) -> int:
        """Remove everything that repairs set aside. Return the number of folders and files.

        Raises:
            BertdynError: the store is not writable.
        """
        from store.check import empty_trash

        return empty_trash(self.path)

    @property
    def _catalog(self) -> Catalog:
        """The tables, to be written.

        Raises:
            BertdynError: the store was opened to be read.
        """
        if self._writes is None:
            raise BertdynError(f"{self.path} was opened to be read: its tables cannot be written here.")
        return self._writes

    def _collect_once(self) -> None:
        if not self._collected:
            with writing(self.path):
                collect(self.path)
            with suppress(OSError):  # the folder around the store belongs to somebody else
                collect_beside(self.path)
            self._collected = True


def _need_key(key: CheckpointKey) -> None:
    for name in (key.task, key.variant, key.seed):
        _need_text(name)
    if VARIANT_MARK in key.task:
        raise BertdynError(f"Checkpoint {key}: a task's name cannot contain '{VARIANT_MARK}', which begins a variant.")
    if key.step < 0:
        raise BertdynError(f"Checkpoint {key}: a step cannot be negative.")


def _need_text(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BertdynError(f"The name {name!a} is not valid text (it holds half a character). Rename it.") from None
