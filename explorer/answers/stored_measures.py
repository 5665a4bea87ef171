"""Read which other measures have values, and the values themselves, in one query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from explorer.answers.rows import Rows
from explorer.measures.registry import all_measures
from explorer.selection import Against, Question, Selection, ask, list_store
from explorer.selection.cells import comparisons
from explorer.selection.stored import cell_of, further_axes
from store.errors import BertdynError
from store.keys import NO_CORPUS, CheckpointKey
from store.results import AXIS, COLUMNS, Result, row_reader
from store.rows import PAIRED_WITH_ITSELF, WHOLE, In, RowQuery, of_recipes

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
    for r in _whole_values(store, question.corpus, tasks, steps):
        grouped.setdefault((r.measure, r.annotation, r.parameters), []).append(r)
    for measure in all_measures():
        usual = measure.key(dict(measure.settle({})))
        found = {key[1:]: rows for key, rows in grouped.items() if key[0] == measure.name != question.measure.name}
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


def _whole_values(store: Store, corpus: str, tasks: Sequence[str], steps: tuple[int, ...]) -> Iterator[Result]:
    """Yield the values of whole layers of all measures, without places along axes of their own."""
    further = {name: kind for measure in all_measures() for name, kind in further_axes(measure)}
    where = (In("corpus", (corpus, NO_CORPUS)), In("step", steps), *of_recipes(tasks), WHOLE, PAIRED_WITH_ITSELF)
    names = tuple(further)
    columns = (*COLUMNS, *(AXIS + name for name in names))
    query = RowQuery(where, columns=columns, axes=tuple(further.items()))
    rows = map(row_reader(tuple(COLUMNS), names), store.result_columns(query))
    return (r for r in rows if not r.axes)


def _asked(question: Question, keys: Sequence[CheckpointKey], rows: Iterable[Result]) -> Rows:
    """Return those rows that a question with the usual reference asks for."""
    measure = question.measure
    pairs = {(pair.key, pair.reference) for pair in comparisons(question, keys)}
    kept = tuple(
        r
        for r in rows
        if r.statistic == measure.main
        and r.version == measure.version
        and (cell := cell_of(r, measure))
        and (cell.key, cell.reference) in pairs
    )
    return Rows(question, kept, tuple(dict.fromkeys(cell_of(r, measure) for r in kept)), {})
