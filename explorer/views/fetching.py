"""Reads a selection's stored values: of all tasks, of the first one or of one after the other, of single heads.

A store can hold a million values: what is read is no more than is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.selection import Selection
from explorer.views.asked import Asked, shares
from explorer.views.cells import Place, place_of
from explorer.views.rows import Rows, choose_rows, row_order
from explorer.views.wanted import Wanted
from store.keys import CheckpointKey, Result

if TYPE_CHECKING:
    from store.store import Store


def fetch(store: Store, selection: Selection, whole: bool = False) -> Rows:
    """Read all stored values of a selection, but for those of single examples and query tokens.

    Args:
        whole: only what stands for a whole layer (see ``summaries``): of heads and labels a hundred times less to read.

    Raises:
        BertdynError: the selection matches nothing, or the store cannot be read.
        MeasureError: there is no such measure.
    """
    wanted = Wanted(store, selection)
    return _of_tasks(store, wanted, wanted.tasks, whole)


def fetch_first(store: Store, selection: Selection) -> Rows:
    """Read the whole layers of the first task; of the others, how many there are and how many are missing.

    Raises:
        BertdynError, MeasureError: as ``fetch``.
    """
    wanted = Wanted(store, selection)
    found = _of_tasks(store, wanted, wanted.tasks[:1], True)
    return replace(found, unshown=shares(store, wanted, wanted.tasks[1:]))


def fetch_each(store: Store, selection: Selection) -> Iterator[Rows]:
    """Read the whole layers of one task after the other.

    Raises:
        BertdynError, MeasureError: as ``fetch``.
    """
    wanted = Wanted(store, selection)
    return (_of_tasks(store, wanted, (task,), True) for task in wanted.tasks)


def fetch_heads(store: Store, found: Rows, layer: int | None = None, step: int | None = None) -> tuple[Result, ...]:
    """Read the values of single heads of the task that rows were read of, in one layer or at one step.

    Raises:
        BertdynError: the store cannot be read.
    """
    asked = Asked(store, found.measure, found.selection, found.tasks[:1])
    where = f"{asked.here} and head is not null and label_a is null and statistic = '{found.measure.main}'"
    where += "".join(f" and {name} = {n}" for name, n in (("layer", layer), ("step", step)) if n is not None)
    there = set(found.wanted)
    return tuple(sorted((r for r in asked.lean(where) if place_of(r) in there), key=row_order))


def fetch_labelled(store: Store, found: Rows) -> frozenset[Place]:
    """Where there are values of pairs of labels, of the task that rows were read of.

    Raises:
        BertdynError: the store cannot be read.
    """
    asked = Asked(store, found.measure, found.selection, found.tasks[:1])
    return asked.places(f"{asked.here} and label_b is not null").intersection(found.wanted)


def fetch_labels(store: Store, found: Rows, layer: int, key: CheckpointKey | None = None) -> tuple[Result, ...]:
    """Read the values of labels and their pairs in one layer: of one checkpoint, or of all of that task.

    Raises:
        BertdynError: the store cannot be read.
    """
    asked = Asked(store, found.measure, found.selection, found.tasks[:1])
    where = f"{asked.here} and layer = {layer} and (label_a is not null or statistic = 'clusters')"
    if key is not None:
        seed = key.seed.replace("'", "''")
        where += f" and seed = '{seed}' and step = {key.step}"
    there = set(found.wanted)
    return tuple(sorted((r for r in asked.lean(where) if place_of(r) in there), key=row_order))


def _of_tasks(store: Store, wanted: Wanted, tasks: Iterable[str], whole: bool) -> Rows:
    places, stored = list[Place](), list[Result]()
    for task in tasks:
        asked, there = Asked.of(store, wanted, (task,)), tuple(wanted.of(task))
        stored += asked.whole_layers(asked.here, there) if whole else asked.all(asked.here)
        places += there
    return choose_rows(wanted.measure, wanted.selection, stored, tuple(places))
