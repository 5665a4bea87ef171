"""The one door to a store: open it, list it, read a layer, write a checkpoint, keep results, ask in SQL."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from store import layout
from store.attributes import checkpoint_attributes, corpus_info
from store.duck import Table
from store.errors import BertdynError
from store.founding import make, recognised, remove_unused
from store.keys import NO_CORPUS, VARIANT_MARK, Annotation, Checkpoint, CheckpointKey, Corpus, CorpusInfo
from store.registered import newest, without_corpus
from store.results import COLUMNS, Result, row_reader
from store.rows import RowQuery
from store.staging import collect, modified, writing
from store.tables import MeasureShape, checkpoint_of, checkpoint_row

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
        """Make a new store.

        Raises:
            BertdynError: something else is there, or the place cannot be written.
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
        """Open the store, or make it when there is none.

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
        """The corpora, by name."""
        return tuple(self._reads.corpora())

    def corpus(self, name: str) -> Corpus:
        """One corpus with its arrays and texts.

        Raises:
            BertdynError: there is none of that name (says which there are), or it is damaged.
        """
        from store.corpora.stored import read_corpus

        self._need_corpus(name)
        return read_corpus(self.path, name)

    def add_corpus(self, corpus: Corpus) -> None:
        """Add a corpus, whole or not at all; adding the same one again does nothing but add annotations that are new.

        One that no checkpoint was extracted on yet (an extraction that failed) gives way to another of its name.

        Raises:
            BertdynError: another one with checkpoints has that name; the disk is full or not writable.
        """
        from store.corpora.stored import add_corpus

        name = corpus.info.name
        if not name:
            raise BertdynError("A corpus needs a name.")
        _need_text(name)
        self._collect_once()
        add_corpus(self.path, corpus, lambda: bool(self._reads.checkpoints(layout.folder_name(name))))

    def annotate(self, corpus: str, annotation: Annotation, replace: bool = False) -> bool:
        """Add labels to a corpus, whole or not at all; False where the same ones are there already.

        Raises:
            BertdynError: other labels of that name are there and ``replace`` is False; there is no such corpus; the
                disk is full or not writable.
        """
        from store.corpora.annotations import add_annotation

        _need_text(annotation.info.name)
        self._need_corpus(corpus)
        self._collect_once()
        return add_annotation(self.path, corpus, annotation, replace)

    def checkpoints(self, corpus: str | None = None) -> tuple[Checkpoint, ...]:
        """Checkpoints that are in place, by corpus, task, seed and step.

        Args:
            corpus: only those on a corpus. NO_CORPUS: each one once, as it was extracted last on any corpus or
                registered, with the digest of its weights alone. None: all of all corpora.

        Raises:
            BertdynError: no corpus of that name.
        """
        if corpus == NO_CORPUS:
            return tuple(map(without_corpus, newest(self._reads.checkpoints()).values()))
        if corpus is not None:
            self._need_corpus(corpus)
        return self._reads.checkpoints(None if corpus is None else layout.folder_name(corpus))

    def checkpoint(self, corpus: str, key: CheckpointKey) -> Checkpoint:
        """What is known of one checkpoint, from its own attributes; with NO_CORPUS as ``checkpoints`` gives it.

        Raises:
            BertdynError: it is not in the store.
        """
        if corpus == NO_CORPUS:
            return without_corpus(self._newest(key))
        return checkpoint_of(checkpoint_row("", 0, self.attributes(corpus, key)))

    def attributes(self, corpus: str, key: CheckpointKey) -> Mapping[str, Any]:
        """All that was noted when the checkpoint was extracted; with NO_CORPUS, when that was done last.

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
        """Hidden states [t, width] of tokens ``start`` to ``stop``, stored dtype; layer 0 is the embedding output.

        Raises:
            BertdynError: no such checkpoint or layer, or its chunks are damaged.
        """
        from store.arrays import read_hidden

        return read_hidden(self.path, self._arrays(corpus, key), layer, start, stop)

    def attention(
        self, corpus: str, key: CheckpointKey, layer: int, head: int, start: int = 0, stop: int | None = None
    ) -> np.ndarray:
        """Packed attention [p] of one head, entries ``start`` to ``stop``, in the stored dtype; both count from 1.

        Raises:
            BertdynError: no such checkpoint, layer or head, none extracted, or its chunks are damaged.
        """
        from store.arrays import read_attention

        return read_attention(self.path, self._arrays(corpus, key), layer, head, start, stop)

    def logits(self, corpus: str, key: CheckpointKey) -> tuple[np.ndarray, Classes]:
        """Logits float32 [examples or tokens, classes] of a checkpoint's own classifier, and what their columns are.

        Raises:
            BertdynError: no such checkpoint, it has no logits, or they are damaged.
        """
        from store.arrays import read_outputs

        self._need_checkpoint(corpus, key)
        return read_outputs(self.path, corpus, key)

    def classifier(self, corpus: str, key: CheckpointKey) -> dict[str, np.ndarray]:
        """Weights of a checkpoint's own classifier and of its pooler by name, float32.

        Raises:
            BertdynError: no such checkpoint, it has no classifier, or its weights are damaged.
        """
        from store.arrays import read_classifier

        self._need_checkpoint(corpus, key)
        return read_classifier(self.path, corpus, key)

    def chunks(self, corpus: str, key: CheckpointKey) -> tuple[int, int]:
        """Chunk lengths (tokens of the hidden states, entries of the attentions; 0 without): the cheap reading steps.

        Raises:
            BertdynError: no such checkpoint.
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
        """Start to write one checkpoint on a corpus; nobody sees it before ``commit``.

        Raises:
            BertdynError: no such corpus, a negative step, a task that names a variant, or the store cannot be written.
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
        """List a checkpoint without any array; False where it is registered already.

        Raises:
            BertdynError: a negative step, a task that names a variant, or the store cannot be written.
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

    def add_results(self, results: Sequence[Result]) -> None:
        """Keep computed values; all of them are there, or none.

        Raises:
            BertdynError: the disk is full or not writable.
        """
        if results:
            self._collect_once()
        self._catalog.add_results(results)

    def results(self, query: RowQuery = ALL_ROWS) -> list[Result]:
        """Kept values: the newest of each, and only those whose inputs are all still what was read.

        Args:
            query: conditions, order and limit; its columns are not used.

        Raises:
            BertdynError: the table cannot be read.
        """
        names = tuple(name for name, _ in query.axes)
        read = row_reader(tuple(COLUMNS), names)
        return list(map(read, self._reads.rows(replace(query, columns=()))))

    def result_columns(self, query: RowQuery) -> list[tuple[Any, ...]]:
        """Some columns of what ``results`` gives: many rows cost a tenth of the time.

        Raises:
            BertdynError: as ``results``.
        """
        return self._reads.rows(query)

    def add_artefact(self, arrays: Mapping[str, np.ndarray]) -> str:
        """Keep arrays that a row will name; returns their name.

        Raises:
            BertdynError: the disk is full or not writable.
        """
        from store.artefacts import write_artefact

        return write_artefact(self.path, arrays)

    def artefact(self, name: str) -> dict[str, np.ndarray]:
        """Read the arrays that a row names.

        Raises:
            BertdynError: there are none of that name, or they are damaged.
        """
        from store.artefacts import read_artefact

        return read_artefact(self.path, name)

    def query(
        self,
        sql: str,
        limit: int | None = None,
        measures: Iterable[str] = (),
    ) -> Table:
        """Answer one SELECT over the views runs, checkpoints, training_log, corpora, results and one view a measure.

        Args:
            sql: DuckDB's SQL.
            limit: most rows to give; ``truncated`` says whether there were more.
            measures: names that have a view even while the store holds no value of them.

        Raises:
            BertdynError: not one SELECT, or DuckDB refuses it (in its own words).
        """
        return self._reads.query(sql, limit, {name: MeasureShape() for name in measures})

    def fetch(self, sql: str, convert: Callable[[Any], _T], measures: Iterable[str] = ()) -> _T:
        """Answer one SELECT as ``query`` does, in the form that a function makes of DuckDB's relation.

        Args:
            convert: called with the relation (``lambda relation: relation.df()``), perhaps more than once; what it
                returns must not need the relation any more.

        Raises:
            BertdynError: as ``query``.
        """
        return self._catalog.fetch(sql, {name: MeasureShape() for name in measures}, convert)

    def close(self) -> None:
        """Free what is kept for further questions; see ``Reads``."""
        self._reads.close()

    def shelf(self) -> Shelf:
        """The store's cache of arrays that belong to one layer of one checkpoint and are dear to compute again."""
        from store.shelf import Shelf

        return Shelf(self.path)

    def remove_unused(self) -> bool:
        """Remove a store that holds no checkpoint and that nobody is writing to; whether it is gone.

        Raises:
            BertdynError: the folder around it cannot be written.
        """
        return remove_unused(self.path)

    def check(self, repair: bool = False) -> CheckReport:
        """Read everything and compare it with its checksums and descriptions.

        With ``repair``, damaged groups and damaged fragments of tables are moved to ``trash/``, where they stay until
        ``empty_trash``, tables and index made again from the groups, and what dead processes left removed.

        Raises:
            BertdynError: to repair, the store must be writable.
        """
        from store.check import check

        return check(self.path, self._catalog, repair)

    def empty_trash(self) -> int:
        """Remove what repairs set aside; returns how much there was.

        Raises:
            BertdynError: the store cannot be written.
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
            self._collected = True


def _need_key(key: CheckpointKey) -> None:
    for name in (key.task, key.variant, key.seed):
        _need_text(name)
    if VARIANT_MARK in key.task:
        raise BertdynError(f"Checkpoint {key}: what follows '{VARIANT_MARK}' in a task's name is its variant.")
    if key.step < 0:
        raise BertdynError(f"Checkpoint {key}: a step cannot be negative.")


def _need_text(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BertdynError(f"The name {name!a} is not valid text (it holds half a character). Rename it.") from None
