"""Use a store: open it, list it, read layers, write checkpoints, keep results, query with SQL."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from store import layout
from store.attributes import checkpoint_attributes, corpus_info
from store.duck import GivenTable, Table
from store.errors import BertdynError
from store.founding import collect_beside, make, recognised, remove_unused
from store.keys import NO_CORPUS, VARIANT_MARK, Annotation, Checkpoint, CheckpointKey, Corpus, CorpusInfo
from store.registered import newest, without_corpus
from store.results import COLUMNS, Result, row_reader
from store.rows import RowQuery
from store.staging import collect, modified, writing
from store.tables import NO_MEASURES, NO_NOISE, DeclaredMeasure, checkpoint_of, checkpoint_row, empty_shapes

if TYPE_CHECKING:
    import numpy as np

    from store.arrays import CheckpointArrays, CheckpointWriter
    from store.catalog import Catalog
    from store.check import CheckReport
    from store.outputs import Classes, Classifier
    from store.reads import Reads, ReadStore
    from store.shelf import Shelf

__all__ = ["Store", "Table"]

_OPEN_AT_ONCE = 64
_T = TypeVar("_T")
ALL_ROWS = RowQuery()


class Store:
    """One store on disk. Safe to read from several threads; several processes may write to one store at once."""

    def __init__(self, path: Path, reads: ReadStore | None = None) -> None:
        self.path = path
        self._writes: Catalog | None = None
        self._reads: Reads
        if reads is None:
            from store.catalog import Catalog

            self._reads = self._writes = Catalog(path)
        else:
            self._reads = reads(path)
        self._lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, CheckpointKey, int | None], CheckpointArrays] = OrderedDict()
        self._collected = False

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

    def corpora(self) -> tuple[CorpusInfo, ...]:
        """Return the corpora, sorted by name."""
        return tuple(self._reads.corpora())

    def corpus(self, name: str) -> Corpus:
        """Return one corpus with its arrays and texts.

        Raises:
            BertdynError: there is none of that name (the message lists the names), or it is damaged.
        """
        from store.corpora.stored import read_corpus

        self._need_corpus(name)
        return read_corpus(self.path, name)

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

    def checkpoints(self, corpus: str | None = None) -> tuple[Checkpoint, ...]:
        """Return the stored checkpoints, sorted by corpus, task, seed and step.

        Args:
            corpus: return only checkpoints on this corpus. NO_CORPUS: each checkpoint once, from its last extraction on
                any corpus or its registration, with only the digests of weights and metrics. None: the checkpoints on
                all corpora.

        Raises:
            BertdynError: no corpus of that name.
        """
        if corpus == NO_CORPUS:
            return tuple(map(without_corpus, newest(self._reads.checkpoints()).values()))
        if corpus is not None:
            self._need_corpus(corpus)
        return self._reads.checkpoints(None if corpus is None else layout.folder_name(corpus))

    def checkpoint(self, corpus: str, key: CheckpointKey) -> Checkpoint:
        """Return the listing entry of one checkpoint, from its attributes; with NO_CORPUS as in ``checkpoints``.

        Raises:
            BertdynError: it is not in the store.
        """
        if corpus == NO_CORPUS:
            return without_corpus(self._newest(key))
        return checkpoint_of(checkpoint_row("", 0, self.attributes(corpus, key)))

    def attributes(self, corpus: str, key: CheckpointKey) -> Mapping[str, Any]:
        """Return all attributes of a checkpoint's extraction; with NO_CORPUS, of the last one.

        Raises:
            BertdynError: it is not in the store.
        """
        if corpus == NO_CORPUS:
            corpus = self._newest(key).corpus
        self._need_checkpoint(corpus, key)
        return checkpoint_attributes(self.path, corpus, key)

    def hidden(
        self, corpus: str, key: CheckpointKey, layer: int, start: int = 0, stop: int | None = None
    ) -> np.ndarray:
        """Return hidden states [t, width] of tokens ``start`` to ``stop`` as stored; layer 0 is the embedding output.

        Raises:
            BertdynError: there is no such checkpoint or layer, or chunks are damaged.
        """
        from store.arrays import read_hidden

        return read_hidden(self.path, self._arrays(corpus, key), layer, start, stop)

    def attention(
        self, corpus: str, key: CheckpointKey, layer: int, head: int, start: int = 0, stop: int | None = None
    ) -> np.ndarray:
        """Return packed attention [p] of one head, entries ``start`` to ``stop``, as stored.

        Args:
            layer: from 1.
            head: from 1.

        Raises:
            BertdynError: there is no such checkpoint, layer or head, no attention was extracted, or chunks are damaged.
        """
        from store.arrays import read_attention

        return read_attention(self.path, self._arrays(corpus, key), layer, head, start, stop)

    def logits(self, corpus: str, key: CheckpointKey) -> tuple[np.ndarray, Classes]:
        """Return logits, float32 [examples or tokens, classes], of a checkpoint's own classifier, and its classes.

        Raises:
            BertdynError: there is no such checkpoint, it has no logits, or they are damaged.
        """
        from store.arrays import read_outputs

        self._need_checkpoint(corpus, key)
        return read_outputs(self.path, corpus, key)

    def classifier(self, corpus: str, key: CheckpointKey) -> dict[str, np.ndarray]:
        """Return the weights of a checkpoint's own classifier and of its pooler by name, float32.

        Raises:
            BertdynError: there is no such checkpoint, it has no classifier, or the weights are damaged.
        """
        from store.arrays import read_classifier

        self._need_checkpoint(corpus, key)
        return read_classifier(self.path, corpus, key)

    def chunks(self, corpus: str, key: CheckpointKey) -> tuple[int, int]:
        """Return the chunk lengths: tokens for hidden states, entries for attentions (0 without attentions).

        Reading in steps of these lengths is cheapest.

        Raises:
            BertdynError: there is no such checkpoint.
        """
        infos = self._arrays(corpus, key).infos
        attention = infos.get(layout.ATTENTION)
        return infos[layout.HIDDEN].chunks[1], attention.chunks[2] if attention else 0

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

    def results(self, query: RowQuery = ALL_ROWS) -> list[Result]:
        """Return stored values: the newest row per key, and only rows whose inputs have not changed since.

        Args:
            query: conditions, order and limit; its columns are ignored.

        Raises:
            BertdynError: the table cannot be read.
        """
        names = tuple(name for name, _ in query.axes)
        read = row_reader(tuple(COLUMNS), names)
        return list(map(read, self._reads.rows(replace(query, columns=()))))

    def result_columns(self, query: RowQuery) -> list[tuple[Any, ...]]:
        """Return some columns of the rows of ``results``; for many rows this takes a tenth of the time.

        Raises:
            BertdynError: as ``results``.
        """
        return self._reads.rows(query)

    def add_artefact(self, arrays: Mapping[str, np.ndarray]) -> str:
        """Store arrays for a row that will name them. Return their name.

        Raises:
            BertdynError: the disk is full or not writable.
        """
        from store.artefacts import write_artefact

        return write_artefact(self.path, arrays)

    def artefact(self, name: str, only: Collection[str] = ()) -> dict[str, np.ndarray]:
        """Return the arrays that a row names.

        Args:
            only: names of arrays; others are not read. Empty: all.

        Raises:
            BertdynError: there are no arrays of that name, or they are damaged.
        """
        from store.artefacts import read_artefact

        return read_artefact(self.path, name, only)

    def query(
        self,
        sql: str,
        limit: int | None = None,
        measures: Mapping[str, DeclaredMeasure] = NO_MEASURES,
        outside: bool = False,
        given: Sequence[GivenTable] = (),
    ) -> Table:
        """Answer one SELECT over the views runs, checkpoints, training_log, corpora, annotations, results, and one view
        per measure.

        Args:
            sql: DuckDB's SQL.
            limit: maximum number of rows; ``truncated`` tells whether there were more.
            measures: measures that have a view even if the store has no value of them, each with the SQL types of its
                further axes by name.
            outside: whether the query may also read files and URLs that are not the store's.
            given: further tables that the query may use.

        Raises:
            BertdynError: it is not one SELECT, it leaves the store, or DuckDB refuses it (with DuckDB's message).
        """
        return self._reads.query(sql, limit, empty_shapes(measures), outside, given)

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

    def close(self) -> None:
        """Free what is kept for further questions; see ``Reads``."""
        self._reads.close()

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

    def _need_corpus(self, name: str) -> CorpusInfo:
        folder = layout.corpus_path(self.path, name)
        if modified(folder) is not None:
            info = corpus_info(folder)
            if info.name == name:
                return info
        known = ", ".join(info.name for info in self.corpora())
        raise BertdynError(f"The store has no corpus '{name}'. It has {known or 'none yet'}.")

    def _newest(self, key: CheckpointKey) -> Checkpoint:
        found = newest(c for c in self._reads.checkpoints() if c.key == key).get(key)
        if found is None:
            raise BertdynError(f"The store has no checkpoint {key}.")
        return found

    def _need_checkpoint(self, corpus: str, key: CheckpointKey) -> int:
        when = modified(layout.checkpoint_path(self.path, corpus, key))
        if when is None:
            self._need_corpus(corpus)
            raise BertdynError(f"The store has no checkpoint {key} on corpus '{corpus}'.")
        return when

    def _arrays(self, corpus: str, key: CheckpointKey) -> CheckpointArrays:
        from store.arrays import open_checkpoint

        when = self._need_checkpoint(corpus, key)
        with self._lock:
            found = self._opened.get((corpus, key, when))
            if found is not None:
                self._opened.move_to_end((corpus, key, when))
                return found
        opened = open_checkpoint(self.path, corpus, key)
        with self._lock:
            self._opened[corpus, key, when] = opened
            while len(self._opened) > _OPEN_AT_ONCE:
                self._opened.popitem(last=False)
        return opened

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
