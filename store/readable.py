"""Read a store: list it, read corpora, layers and rows, query with SQL."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import layout
from store.attributes import checkpoint_attributes, corpus_info
from store.duck import GivenTable, Table
from store.errors import BertdynError
from store.keys import NO_CORPUS, Checkpoint, CheckpointKey, Corpus, CorpusInfo
from store.registered import newest, without_corpus
from store.results import COLUMNS, Result, row_reader
from store.rows import RowQuery
from store.staging import modified
from store.tables import NO_MEASURES, DeclaredMeasure, checkpoint_of, checkpoint_row, empty_shapes

if TYPE_CHECKING:
    import numpy as np

    from store.arrays import CheckpointArrays
    from store.outputs import Classes
    from store.reads import Reads

_OPEN_AT_ONCE = 64
ALL_ROWS = RowQuery()


class ReadableStore:
    """The reading side of a store on disk. Safe to use from several threads."""

    def __init__(self, path: Path, reads: Reads) -> None:
        self.path = path
        self._reads = reads
        self._lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, CheckpointKey, int | None], CheckpointArrays] = OrderedDict()

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

    def close(self) -> None:
        """Free what is kept for further questions; see ``Reads``."""
        self._reads.close()

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
