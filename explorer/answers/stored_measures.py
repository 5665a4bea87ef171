"""Read which other measures have values, and the values themselves, in one query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from explorer.answers.rows import Rows
from explorer.measures.registry import all_measures
from explorer.selection import Against, Cell, Question, Selection, ask, list_store
from explorer.selection.comparisons import comparisons
from explorer.selection.stored import cell_of, further_axes
from store.errors import BertdynError
from store.keys import NO_CORPUS, CheckpointKey
from store.results import AXIS, COLUMNS, Result, row_reader
from store.rows import PAIRED_WITH_ITSELF, WHOLE, In, Is, Not, RowQuery, of_recipes

if TYPE_CHECKING:
    from store.store import Store


def stored_measures(
    store: Store, question: Question, tasks: Sequence[str], steps: tuple[int, ...], against: Against | None = None
) -> Iterator[Rows]:
    """Yield the values of whole layers of each other measure that has any, of some tasks at some steps.

    One query reads them all: a question for each measure and task would take seconds. They have their default
    parameters or, if none has values, the parameters that have most.

    Args:
        against: reference of the measures that compare; None: each measure's own.

    Raises:
        BertdynError: the store cannot be read.
    """
    listing, keys = list_store(store), [c.key for c in store.checkpoints(question.corpus)]
    grouped: dict[tuple[str, str, str], list[Result]] = {}
    for r in _whole_values(store, question, tasks, steps):
        grouped.setdefault((r.measure, r.annotation, r.parameters), []).append(r)
    for measure in all_measures():
        usual = measure.key(dict(measure.settle({})))
        found = {key[1:]: rows for key, rows in grouped.items() if key[0] == measure.name}
        for annotation in sorted({annotation for annotation, _ in found}):
            chosen = max(
                (parameters for of, parameters in found if of == annotation),
                key=lambda one: (one == usual, len(found[annotation, one]), one),
            )
            selection = Selection(
                measure.name,
                question.corpus if measure.on_corpus else NO_CORPUS,
                annotation=annotation,
                tasks=tuple(tasks),
                seeds=question.seeds,
                against=against if measure.compares else None,
                parameters=tuple(sorted(json.loads(chosen).items())),
            )
            with suppress(BertdynError):  # labels that were taken away since
                rows = _asked(ask(selection, measure, listing), keys, found[annotation, chosen])
                if rows.main:
                    yield rows


_UNREAD = ("input_set", "computed_at", "details", "artefact")
"""Columns that are half of a row and that no picture of several measures shows."""
_COLUMNS = tuple(name for name in COLUMNS if name not in _UNREAD)


def _whole_values(store: Store, question: Question, tasks: Sequence[str], steps: tuple[int, ...]) -> Iterator[Result]:
    """Yield the values of whole layers of all other measures, without places along axes of their own."""
    further = {name: kind for measure in all_measures() for name, kind in further_axes(measure)}
    where = (
        *(Not(Is("measure", question.measure.name)), In("corpus", (question.corpus, NO_CORPUS)), In("step", steps)),
        *(*of_recipes(tasks), WHOLE, PAIRED_WITH_ITSELF, *(Is(AXIS + name, None) for name in further)),
    )
    query = RowQuery(where, columns=_COLUMNS, axes=tuple(further.items()))
    return map(row_reader(_COLUMNS, ()), store.result_columns(query))


def _asked(question: Question, keys: Sequence[CheckpointKey], rows: Iterable[Result]) -> Rows:
    """Return those rows that a question with the usual reference asks for."""
    measure = question.measure
    pairs = frozenset(comparisons(question, keys))
    kept, cells = list[Result](), dict[Cell, None]()
    for r in rows:
        cell = cell_of(r, measure)
        if (r.statistic, r.version) == (measure.main, measure.version) and cell.pair in pairs:
            kept.append(r)
            cells[cell] = None
    return Rows(question, tuple(kept), tuple(cells), {})
