"""Read the stored values of a question: of all tasks, the first task, each task in turn, or single heads.

A store can hold a million values: only those that are shown are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from explorer.answers.asked import Asked
from explorer.answers.rows import Rows, choose_rows, row_order
from explorer.answers.shares import shares
from explorer.answers.variants import by_task, shown_together, variants_as_places
from explorer.selection import Cell, Cells, Question
from explorer.selection.stored import cell_of, finished_cells
from store.keys import CheckpointKey
from store.results import Result
from store.rows import AnyOf, Is, Not

if TYPE_CHECKING:
    from store.store import Store


def fetch(store: Store, question: Question, whole: bool = False) -> Rows:
    """Read all stored values of a question, but for those of single examples and query tokens.

    Args:
        whole: read only the rows that stand for whole layers (see ``summaries``), which may be a hundred times fewer.

    Raises:
        BertdynError: the question matches nothing, or the store cannot be read.
    """
    wanted = wanted_of(store, question)
    return _of_tasks(store, wanted, wanted.tasks, whole)


def fetch_first(store: Store, question: Question) -> Rows:
    """Read the whole layers of the first task; of the others, how many there are and how many are missing.

    Raises:
        BertdynError: as ``fetch``.
    """
    wanted = wanted_of(store, question)
    first, others = next(iter(shown_together(wanted)), ()), shown_together(wanted)[1:]
    found = _of_tasks(store, wanted, first, True)
    return replace(found, unshown=by_task(wanted, shares(store, wanted, chain(*others))))


def fetch_each(store: Store, question: Question) -> Iterator[Rows]:
    """Read the whole layers of one task after the other.

    Raises:
        BertdynError: as ``fetch``.
    """
    wanted = wanted_of(store, question)
    return (_of_tasks(store, wanted, tasks, True) for tasks in shown_together(wanted))


def fetch_heads(store: Store, found: Rows, layer: int | None = None, step: int | None = None) -> tuple[Result, ...]:
    """Read the values of single heads of the task that rows were read of, in one layer or at one step.

    Raises:
        BertdynError: the store cannot be read.
    """
    asked = Asked(store, found.question, found.tasks[:1])
    heads = (Not(Is("head", None)), Is("label_a", None), Is("statistic", found.measure.main))
    at = tuple(Is(name, n) for name, n in (("layer", layer), ("step", step)) if n is not None)
    return _of(found, asked.lean(asked.query((*asked.here, *heads, *at))))


def fetch_labelled(store: Store, found: Rows) -> frozenset[tuple[CheckpointKey, int]]:
    """Return the checkpoints and layers with values of pairs of labels, of the task that rows were read of.

    Raises:
        BertdynError: the store cannot be read.
    """
    asked = Asked(store, found.question, found.tasks[:1])
    where = (*asked.here, Not(Is("label_b", None)), Not(Is("layer", None)))
    query = asked.query(where, columns=("task", "variant", "seed", "step", "layer"), distinct=True)
    wanted = {(cell.key, cell.layer) for cell in found.wanted}
    stored = ((CheckpointKey(*key), layer) for *key, layer in store.result_columns(query))
    return frozenset((key, layer) for key, layer in stored if (key, layer) in wanted or (key, None) in wanted)


def fetch_labels(store: Store, found: Rows, layer: int, key: CheckpointKey | None = None) -> tuple[Result, ...]:
    """Read the values of labels and their pairs in one layer: of one checkpoint, or of all of that task.

    Raises:
        BertdynError: the store cannot be read.
    """
    asked = Asked(store, found.question, found.tasks[:1])
    labelled = AnyOf((Not(Is("label_a", None)), Is("statistic", "clusters")))
    at = () if key is None else (Is("variant", key.variant), Is("seed", key.seed), Is("step", key.step))
    return _of(found, asked.lean(asked.query((*asked.here, Is("layer", layer), labelled, *at))))


def wanted_of(store: Store, question: Question) -> Cells:
    """Return every cell that a question asks for, computed or not.

    Raises:
        BertdynError: the question matches nothing, or the store cannot be read.
    """
    return Cells(question, store.checkpoints(question.corpus), finished_cells(store, question))


def _of(found: Rows, rows: Iterable[Result]) -> tuple[Result, ...]:
    """Rows of the cells that are shown, sorted."""
    there = set(found.wanted)
    return tuple(sorted((r for r in rows if cell_of(r, found.measure) in there), key=row_order))


def _of_tasks(store: Store, wanted: Cells, tasks: Iterable[str], whole: bool) -> Rows:
    cells, stored = list[Cell](), list[Result]()
    for task in tasks:
        asked, there = Asked(store, wanted.question, (task,)), tuple(wanted.of(task))
        stored += asked.whole_layers(asked.here, there) if whole else asked.all(asked.query(asked.here))
        stored += asked.companions(asked.here) if whole else []
        cells += there
    found = choose_rows(wanted.question, stored, tuple(cells))
    return variants_as_places(found) if whole and found.measure.over_variants else found
