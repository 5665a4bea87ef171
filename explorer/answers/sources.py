"""Read the numbers of most views from a store: the source functions that ``views.kinds`` names.

Imports that only some views need stand inside the functions: the first picture waits for its own imports alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.answers.fetching import fetch, fetch_first, fetch_heads
from explorer.answers.look import END, Look
from explorer.answers.rows import Rows
from explorer.answers.training import NONE, Training
from explorer.answers.training import training as logged
from explorer.selection import Question, Ranges, at_or_before, seed_order
from store.errors import BertdynError
from store.keys import PRETRAINED, CheckpointKey
from store.results import Result

if TYPE_CHECKING:
    from explorer.answers.centroids import Centroids
    from explorer.answers.data_map import DataMapData
    from store.store import Store

PATH_STEPS = 40
"""Checkpoints of a run whose centroids are read: each is a whole layer on disk."""


def first_task(store: Store, question: Question, look: Look) -> Rows:
    """The values of whole layers of the first task: most pictures show one."""
    return fetch_first(store, question)


def crossed(store: Store, question: Question, look: Look) -> Rows:
    """The values of whole layers of all tasks."""
    return fetch(store, question, whole=True)


def heads(store: Store, question: Question, look: Look, found: Rows, *others: object) -> tuple[Result, ...]:
    """The values of single heads in the layer that is looked at."""
    return fetch_heads(store, found, layer=layer_of(found, look))


def heads_at(store: Store, question: Question, look: Look, found: Rows) -> tuple[Result, ...]:
    """The values of single heads at the step that is looked at."""
    return fetch_heads(store, found, step=step_of(found, look))


def every_task_in(store: Store, question: Question, look: Look, found: Rows, *others: object) -> Rows:
    """Those in the layer that is looked at."""
    layer = layer_of(found, look)
    return fetch(store, replace(question, layers=Ranges.one(layer)), whole=True)


def every_task_at(store: Store, question: Question, look: Look, found: Rows, *others: object) -> Rows:
    """Those at the step that is looked at; of runs that were made on purpose, if none is, at all steps.

    Raises:
        BertdynError: as ``fetch``.
    """
    if question.measure.over_variants and look.step == END:
        return fetch(store, question, whole=True)
    step = step_of(found, look)
    return fetch(store, replace(question, steps=Ranges.one(step)), whole=True)


def second_task(store: Store, question: Question, look: Look, found: Rows, *others: object) -> Rows | None:
    """The values of whole layers of the second task that is chosen; None if one is."""
    second = [task for task in found.tasks if task in question.tasks][1:2]
    return fetch(store, replace(question, tasks=tuple(second)), whole=True) if second else None


def training(store: Store, question: Question, look: Look, found: Rows) -> Training:
    """How the runs that are shown were trained, as their checkpoints say."""
    if not found.tasks:
        return NONE
    task = found.tasks[0]
    return logged(store.checkpoints(question.corpus), task, found.seeds(task))


def layer_of(data: Rows, look: Look) -> int:
    """Return the layer that is looked at, or the one below it that has values; unset, the highest."""
    there = sorted({r.layer for r in data.main if r.layer is not None})
    there = there or sorted({cell.layer for cell in data.wanted if cell.layer is not None})
    wanted = there[-1] if look.layer is None and there else look.layer or 0
    return there[at_or_before(there, wanted)] if there else wanted


def step_of(data: Rows, look: Look) -> int:
    """Return the step of the first task that is looked at, or the one before it.

    Where values have places along axes of the measure, only the steps of such values count.
    """
    cells = [p for p in data.wanted if p.recipe in data.tasks[:1]]
    there = sorted({p.step for p in cells if p.layer is not None or p.more} or {p.step for p in cells})
    return there[at_or_before(there, look.step)] if there else 0


def centroids(store: Store, question: Question, look: Look) -> Centroids:
    """Return centroids of the first chosen run: of at most PATH_STEPS checkpoints, with the first and the last.

    Raises:
        BertdynError: no such run, no labels.
    """
    from explorer.answers.centroids import fetch_centroids

    run = chosen_run(store, question)
    keys = [k for k in run if question.steps is None or k.step in question.steps]
    if not keys:
        raise BertdynError(f"No step of {run[0].recipe}, seed {run[0].seed} is chosen.")
    shown = spread(keys, PATH_STEPS)
    found = fetch_centroids(
        store, question.corpus, question.annotation, shown, layer_at(store, question, look, keys[0], 0)
    )
    return replace(found, left_out=len(keys) - len(shown))


def data_map(store: Store, question: Question, look: Look) -> DataMapData:
    """Return the data map of the first chosen run, up to the last chosen step.

    Raises:
        BertdynError: no such run; as ``fetch_data_map``.
    """
    from explorer.answers.data_map import fetch_data_map

    run = chosen_run(store, question)
    last = max((k.step for k in run if question.steps is None or k.step in question.steps), default=run[-1].step)
    keys = tuple(k for k in run if k.step <= last)
    said = str(dict(question.parameters).get("map", ""))
    return fetch_data_map(store, question.corpus, question.annotation, keys, said)


def chosen_run(store: Store, question: Question) -> tuple[CheckpointKey, ...]:
    """Return all checkpoints of the first run that is chosen: of the first task its first seed.

    Raises:
        BertdynError: no run is chosen.
    """
    from explorer.answers.centroids import run_keys

    chosen = [
        c.key
        for c in store.checkpoints(question.corpus)
        if (not question.tasks or c.key.recipe in question.tasks)
        and (not question.seeds or c.key.seed in question.seeds)
    ]
    if not chosen:
        raise BertdynError(f"The selection matches no checkpoint of corpus '{question.corpus}'.")
    tasks = question.tasks or tuple(sorted({k.recipe for k in chosen}, key=lambda task: (task == PRETRAINED, task)))
    task = next(t for t in tasks if any(k.recipe == t for k in chosen))
    seed = min((k.seed for k in chosen if k.recipe == task), key=seed_order)
    return run_keys(store, question.corpus, task, seed)


def spread(keys: Sequence[CheckpointKey], most: int) -> tuple[CheckpointKey, ...]:
    """At most so many, evenly spaced, with the first and the last."""
    if len(keys) <= most:
        return tuple(keys)
    return tuple(keys[round(i * (len(keys) - 1) / (most - 1))] for i in range(most))


def layer_at(store: Store, question: Question, look: Look, key: CheckpointKey, lowest: int) -> int:
    """Return the layer to show: the look's, inside the model; unset, the highest chosen one."""
    most = store.checkpoint(question.corpus, key).layers
    if look.layer is not None:
        return min(max(look.layer, lowest), most)
    chosen = [n for n in range(lowest, most + 1) if question.layers is None or n in question.layers]
    return chosen[-1] if chosen else most
