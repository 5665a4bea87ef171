"""What is in a store, as rows: the folders say which groups there are, the tables remember what is in them.

A group without a row is read from its attributes, and its row written where that is allowed; a row without its group,
or of one that was replaced, is not shown.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from store import fragments, index, tables
from store.attributes import corpus_info, read_attributes
from store.duck import GivenTable, Table, all_rows, answered, connect, insert, relation_of, retried, unnested
from store.errors import BertdynError
from store.fragments import TableSpec
from store.keys import Checkpoint, CorpusInfo
from store.layout import ACTIVATIONS
from store.listing import CheckpointListing, corpora_of
from store.places import Group, Watch, corpora_there, scan
from store.results import AXIS, COLUMNS, Result, axis_columns, input_set_of, row_reader, stored_row
from store.rows import RowQuery, condition_sql, of_the_key, query_sql
from store.sound_fragments import Found, SoundFragments
from store.staging import modified
from store.user_sql import KEPT, Contents, answer

_T = TypeVar("_T")


class Catalog:
    """The rows of one store. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.RLock()
        self._open: Any = None
        self._checkpoints: dict[Group, tuple[Any, ...]] = {}
        self._corpora: dict[Group, tuple[Any, ...]] = {}
        self._unsaved: set[Group] = set()
        self._digested: object = None
        """What the tables of digests were made of."""
        self._inputs_written: set[str | None] = set()
        self._inputs_there: set[Path] = set()
        """Fragments that hold them, when they were last looked at."""
        self._places = Watch(root)
        self._listing = CheckpointListing(self._places.look, self.checkpoint_rows)
        self._sound = SoundFragments(root)
        self._left_out: set[Path] = set()
        self._crowded: set[str] = set()
        """Tables of too many fragments that were read once."""

    @property
    def writable(self) -> bool:
        """Whether tables can be written here."""
        return os.access(self._root, os.W_OK)

    def checkpoints(self, corpus_folder: str | None = None) -> tuple[Checkpoint, ...]:
        """See ``Reads``."""
        with self._lock:
            return self._listing.checkpoints(corpus_folder)

    def places(self, seen: int | None) -> tuple[int, list[Group] | None]:
        """Where checkpoints are in place, and a number that stands for it; None instead of what ``seen`` stands for."""
        groups = self._places.look()
        number = hash(tuple(groups))
        return number, None if number == seen else groups

    def checkpoint_rows(self, groups: Sequence[Group]) -> list[tuple[Any, ...]]:
        """Rows of ``checkpoints`` of groups in place, but for those whose description is damaged."""
        with self._lock:
            self._learn_checkpoints(groups)
            return [self._checkpoints[group] for group in groups if group in self._checkpoints]

    def corpora(self) -> list[CorpusInfo]:
        """See ``Reads``."""
        return corpora_of(self._root)

    def add_results(self, results: Sequence[Result], noise: Mapping[str, float] = tables.NO_NOISE) -> None:
        """Keep results as one fragment; what they were computed from is written down before.

        Args:
            noise: level of the noise by measure.
        """
        if not results:
            return
        axes = axis_columns(results)
        rows = [stored_row(result, tuple(axes)) for result in results]
        with self._lock:
            self._add_inputs(results)
            fragments.write(self._connection(), self._root, tables.RESULTS.wider(axes), rows)
            if self._noted() is not None:
                index.refresh(self._root, tables.shapes_of(results, noise))
            elif shapes := self._known_shapes():  # else the next process that opens the store makes the index
                index.refresh(self._root, shapes)
            self._compact(tables.INPUTS)
            self._compact(tables.RESULTS)

    def rows(self, query: RowQuery) -> list[tuple[Any, ...]]:
        """Answer a question about the newest result of each key, of those whose inputs are all as they were.

        Conditions on the key reach the fragments themselves: a question about one task costs little among millions of
        rows.

        Raises:
            BertdynError: the fragments cannot be read.
        """
        import duckdb

        inner, given = condition_sql([condition for condition in query.where if of_the_key(condition)])
        table = tables.RESULTS.wider({AXIS + name: kind for name, kind in query.axes})

        def ask() -> list[tuple[Any, ...]]:
            self._note_digests(self._places.look())
            stored = table.read(self._all_fragments(tables.RESULTS))
            current = tables.current_results(f"(select * from ({stored}) where {inner})")
            sql, bound = query_sql(query, current, given)
            return all_rows(self._connection().execute(sql, bound))

        # Asked for again and again while values are computed, so without the views and on the connection that is open.
        with self._lock:
            try:
                return retried(ask)
            except duckdb.Error as error:
                raise BertdynError(f"The results cannot be read. {str(error).strip()}") from None

    def artefacts_named(self) -> set[str]:
        """Names of the artefacts of all rows, also of those that are not current.

        Raises:
            BertdynError: a fragment is damaged.
        """
        with self._lock:
            stored = tables.RESULTS.read(self._all_fragments(tables.RESULTS))
            named = self._connection().execute(f"select distinct artefact from ({stored}) where artefact <> ''")
            return {name for (name,) in named.fetchall()}

    def query(
        self,
        sql: str,
        limit: int | None,
        shapes: Mapping[str, tables.MeasureShape],
        outside: bool = False,
        given: Sequence[GivenTable] = (),
    ) -> Table:
        """Answer one SELECT of the user's.

        Args:
            outside: whether it may also read files and URLs that are not the store's.
            given: further tables that the query may use.

        Raises:
            BertdynError: it is no single SELECT, it leaves the store, or DuckDB refuses it.
        """
        return self._answer(sql, shapes, lambda asked: answered(asked, sql, limit), outside, given)

    def fetch(
        self,
        sql: str,
        shapes: Mapping[str, tables.MeasureShape],
        convert: Callable[[Any], _T],
        outside: bool = False,
        given: Sequence[GivenTable] = (),
    ) -> _T:
        """Answer one SELECT of the user's in the form that a function makes of DuckDB's relation.

        Raises:
            BertdynError: as ``query``.
        """
        return self._answer(sql, shapes, lambda asked: convert(relation_of(asked, sql)), outside, given)

    def _answer(
        self,
        sql: str,
        shapes: Mapping[str, tables.MeasureShape],
        ask: Callable[[Any], _T],
        outside: bool,
        given: Sequence[GivenTable],
    ) -> _T:
        every = tables.with_axes(self._known_shapes(), shapes)
        return answer(self._contents(), self._root, every, sql, ask, outside, given)

    def remember(self, folder: Path) -> None:
        """Write the row of a checkpoint that was just put in place. Losing it loses nothing."""
        group = (folder.relative_to(self._root).as_posix(), modified(folder) or 0)
        with suppress(BertdynError), self._lock:
            self._learn_checkpoints([group], stored=False)
            self._compact(tables.CHECKPOINTS)

    def rebuild(self) -> None:
        """Make the derived tables and the index again from the groups."""
        with self._lock:
            self._forget()
            groups = scan(self._root, ACTIVATIONS, 4)
            self._checkpoints = self._described(groups)
            connection = self._connection()
            fragments.rewrite(connection, self._root, tables.CHECKPOINTS, list(self._checkpoints.values()))
            self._corpora = self._described_corpora(corpora_there(self._root))
            fragments.rewrite(connection, self._root, tables.CORPUS_TABLE, list(self._corpora.values()))
            self._compact(tables.INPUTS)
            self._compact(tables.RESULTS)
            self.prepare(again=True)

    def prepare(self, again: bool = False) -> None:
        """Make empty tables and the index, where they are missing or of another folder."""
        with self._lock:
            for table in tables.ALL:
                if not fragments.listed(self._root, table):
                    fragments.write(self._connection(), self._root, table, [])
            index.refresh(self._root, self._stored_shapes() if again or self._noted() is None else {}, again)

    def _noted(self) -> dict[str, tables.MeasureShape] | None:
        """What each measure's view must show, as the index's note says; None where it is missing or damaged."""
        root, shapes = index.noted(self._root)
        return shapes if root else None

    def _stored_shapes(self) -> dict[str, tables.MeasureShape]:
        """What each measure's view must show, from the fragments themselves."""
        axes = self._axes_there()
        rows = self.rows(RowQuery(axes=tuple(axes.items())))
        return tables.shapes_of(list(map(row_reader(tuple(COLUMNS), tuple(axes)), rows)))

    def _known_shapes(self) -> dict[str, tables.MeasureShape]:
        """What each measure's view must show; nothing while neither the index's note nor the fragments can say it."""
        shapes = self._noted()
        if shapes is None:
            with suppress(BertdynError):
                shapes = self._stored_shapes()
        return shapes or {}

    def _axes_there(self) -> dict[str, str]:
        """Further coordinates that any fragment has, without prefix, with their SQL types."""
        whole = tables.RESULTS.outline(self._all_fragments(tables.RESULTS))
        described = self._connection().execute(f"describe {whole}")
        return {name.removeprefix(AXIS): kind for name, kind, *_ in described.fetchall() if name.startswith(AXIS)}

    def settle(self) -> None:
        """Make the index where it is missing or was made for another folder; nothing where nothing can be written."""
        moved = index.noted(self._root)[0] != os.path.realpath(self._root) or index.missing(self._root)
        if moved and self.writable:
            with suppress(BertdynError):
                self.prepare()

    def rest(self) -> None:
        """Close the connection until the next question: DuckDB keeps tens of megabytes for its own convenience."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open, self._digested = None, None

    def close(self) -> None:
        """Give back all that is kept for further questions."""
        self.rest()

    def _connection(self) -> Any:
        if self._open is None:
            self._open = connect()
        return self._open

    def _fragments(self, table: TableSpec) -> Found:
        with self._lock:
            found = self._sound.find(table)
            if not self._left_out.issuperset(found.faults) and table.name not in KEPT:
                # Rows that were read from what is damaged now are no longer in any fragment.
                self._left_out.update(found.faults)
                self._forget()
            return found

    def _all_fragments(self, table: TableSpec) -> Sequence[Path]:
        """Raises BertdynError: one is damaged, so that rows may be missing or older ones shown."""
        found = self._fragments(table)
        if found.crowded:
            # Once costs less than merging them, with all their columns; twice costs more.
            if table.name in self._crowded and self.writable:
                self._compact(table)
                found = self._fragments(table)
            self._crowded.add(table.name)
        if (damage := found.complaint(self._root)) is not None:
            raise damage
        return found.paths

    def _forget(self) -> None:
        self._checkpoints.clear()
        self._corpora.clear()
        self._unsaved.clear()
        self._listing.forget()
        self._inputs_written.clear()
        self._digested = None

    def _compact(self, table: TableSpec) -> None:
        import duckdb

        # A reader's convenience: when a fragment went away under us or the disk is full, the next one will try.
        with suppress(duckdb.Error, BertdynError):
            fragments.compact(self._connection(), self._root, table, fault_of=self._sound.fault)

    def _add_inputs(self, results: Sequence[Result]) -> None:
        there = set(fragments.listed(self._root, tables.INPUTS))
        if not self._inputs_there <= there:
            self._inputs_written.clear()  # merged, or set aside by another process's repair: written again to be sure
        self._inputs_there = there
        sets = {input_set_of(result.inputs): result.inputs for result in results if result.inputs}
        rows = [(name, *one) for name, inputs in sets.items() if name not in self._inputs_written for one in inputs]
        if rows:
            self._inputs_there.add(fragments.write(self._connection(), self._root, tables.INPUTS, rows))
            self._inputs_written.update(name for name, *_ in rows)

    def _note_digests(self, groups: list[Group]) -> None:
        """Make the tables that say which inputs are in the store as they were, if anything has changed."""
        self._learn_checkpoints(groups)
        corpora = self.corpora()
        paths = self._all_fragments(tables.INPUTS)
        stamp = groups, corpora, paths
        if stamp == self._digested:
            return
        connection = self._connection()
        texts = ("corpus", "task", "variant", "seed", "created")
        kinds = {**dict.fromkeys(texts, "VARCHAR"), "step": "BIGINT"}
        columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        connection.execute(f"create or replace temp table live ({columns}, digests MAP(VARCHAR, VARCHAR))")
        connection.execute(
            "create or replace temp table annotations "
            "(corpus VARCHAR, annotation VARCHAR, digest VARCHAR, kind VARCHAR, place BIGINT)"
        )
        rows = [self._checkpoints[group] for group in groups if group in self._checkpoints]
        names = ", ".join(f"unnest(${n}::{kind}[])" for n, kind in enumerate(kinds.values(), 1))
        *key, digests = (list(tables.CHECKPOINTS.columns).index(name) for name in (*kinds, "digests"))
        live = [(*(row[place] for place in key), _json_text(row[digests])) for row in rows]
        insert(connection, "live", f"select {names}, unnest($7::JSON[])::MAP(VARCHAR, VARCHAR)", live)
        labels = [
            (info.name, one.name, one.digest, one.kind, one.place) for info in corpora for one in info.annotations
        ]
        insert(connection, "annotations", unnested("VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "BIGINT"), labels)
        connection.execute(f"create or replace temp table digests as {tables.LIVE_DIGESTS}")
        stored = tables.current_inputs(f"({tables.INPUTS.read(paths)})")
        connection.execute(f"create or replace temp table current_inputs as {stored}")
        self._digested = stamp

    def _learn_checkpoints(self, groups: Iterable[Group], stored: bool = True) -> None:
        unknown = [group for group in groups if group not in self._checkpoints]
        if not unknown:
            return
        if stored:
            self._checkpoints.update(self._stored_rows(set(unknown)))
            unknown = [group for group in unknown if group not in self._checkpoints]
        rows = self._described(unknown)
        self._checkpoints.update(rows)
        self._save(tables.CHECKPOINTS, rows)

    def _learn_corpora(self, groups: Sequence[Group]) -> None:
        """Describe the corpora in place, and save what the table does not say of them: other readers have no more."""
        rows = self._described_corpora(groups)
        if rows == self._corpora:
            return
        self._corpora = rows
        stored = {(f, when, len(said)) for f, when, said in self._stored(tables.CORPUS_TABLE, _CORPORA_KEY)}
        new = {group: row for group, row in rows.items() if (*group, _annotated(row)) not in stored}
        if new and self.writable:
            with suppress(BertdynError):
                fragments.write(self._connection(), self._root, tables.CORPUS_TABLE, list(new.values()))

    def _save(self, table: TableSpec, rows: Mapping[Group, tuple[Any, ...]]) -> None:
        if not rows:
            return
        if self.writable:
            with suppress(BertdynError):
                fragments.write(self._connection(), self._root, table, list(rows.values()))
                return
        self._unsaved.update(rows)

    def _described(self, groups: Iterable[Group]) -> dict[Group, tuple[Any, ...]]:
        found = {}
        for folder, when in groups:
            # A group whose description is damaged is not listed; `check` says so.
            with suppress(BertdynError, KeyError, TypeError, ValueError):
                found[folder, when] = tables.checkpoint_row(folder, when, read_attributes(self._root / folder))
        return found

    def _described_corpora(self, groups: Iterable[Group]) -> dict[Group, tuple[Any, ...]]:
        found = {}
        for folder, when in groups:
            with suppress(BertdynError):
                found[folder, when] = tables.corpus_row(folder, when, corpus_info(self._root / folder))
        return found

    def _stored_rows(self, wanted: set[Group]) -> dict[Group, tuple[Any, ...]]:
        # The training log is most of the bytes and a listing does not need it.
        columns = ", ".join(name for name in tables.CHECKPOINTS.columns if name != "training_log")
        rows = self._stored(tables.CHECKPOINTS, columns)
        return {(row[0], row[1]): row for row in rows if (row[0], row[1]) in wanted}

    def _stored(self, table: TableSpec, columns: str) -> list[tuple[Any, ...]]:
        import duckdb

        def ask() -> list[tuple[Any, ...]]:
            paths = self._fragments(table).paths
            return all_rows(self._connection().execute(f"select {columns} from ({table.read(paths)})"))

        # These rows only repeat the attributes: when they cannot be read, those can.
        with suppress(duckdb.Error):
            return retried(ask)
        return []

    def _contents(self) -> Contents:
        """Return what the views of users are made over."""
        with self._lock:
            for table in (tables.CHECKPOINTS, tables.CORPUS_TABLE):
                self._fragments(table)  # what must be left out is learnt from the groups again
            checkpoints, corpora = self._places.look(), corpora_there(self._root)
            self._learn_checkpoints(checkpoints)
            self._learn_corpora(corpora)
            unsaved: dict[TableSpec, list[tuple[Any, ...]]] = {
                tables.CHECKPOINTS: [self._checkpoints[g] for g in checkpoints if g in self._unsaved],
                tables.CORPUS_TABLE: list(self._corpora.values()),
            }
        return Contents(self._found, unsaved, {"live_checkpoints": checkpoints, "live_corpora": corpora})

    def _found(self) -> dict[str, Found]:
        # Corpora are few, and two annotations may be added within a second: they are read as they are now.
        found = {table.name: self._fragments(table) for table in tables.ALL}
        return {**found, tables.CORPUS_TABLE.name: Found((), {}, False)}


_CORPORA_KEY = "folder, modified, annotations"


def _annotated(row: Sequence[Any]) -> int:
    """Number of annotations in a row of ``corpora``."""
    return len(json.loads(row[list(tables.CORPUS_TABLE.columns).index("annotations")]))


def _json_text(nested: Any) -> str:
    """JSON of a mapping that DuckDB gave; of one that was just described it is there already."""
    return nested if isinstance(nested, str) else json.dumps(nested)
