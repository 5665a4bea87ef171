"""Gather what happens along the steps of a task's runs: weight change, sharpness, and the course of the path.

Weight change is the mean over layers. Length, tortuosity and turns of the path are those up to each checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.answers.fetching import fetch
from explorer.answers.look import Look
from explorer.answers.profiles import Profile, command, first_task
from explorer.answers.rows import Rows
from explorer.measures import Measure
from explorer.measures.landscapes.paths import LENGTH, POINT, SIDE, TORTUOSITY, TURN
from explorer.measures.registry import get
from explorer.measures.trajectory import OWN
from explorer.selection import Against, Question, Selection, ask_store
from explorer.selection.against import NEXT_SEED
from store.errors import BertdynError
from store.keys import NO_CORPUS
from store.results import Result

if TYPE_CHECKING:
    from store.store import Store

WEIGHT_CHANGE, TRAJECTORY = "weight-change", "trajectory"
PATH = {LENGTH: "Path length", TORTUOSITY: "Path tortuosity", TURN: "Step cosine"}
"""Statistics of a trajectory that are shown, and their names in pictures."""


@dataclass(frozen=True, eq=False)
class Dynamics:
    """Quantities along the steps of a task's runs."""

    rows: Rows
    """Stored values of the sharpness."""
    task: str
    seeds: tuple[str, ...]
    profiles: tuple[Profile, ...]


def dynamics(store: Store, question: Question, look: Look, found: Rows) -> Dynamics:
    """Return the quantities along the steps of the first task.

    Args:
        found: sharpness of that task.

    Raises:
        BertdynError: the store cannot be read, or no chosen checkpoint has what the sharpness reads.
    """
    task = first_task(found)
    found = replace(found, unshown={})
    seeds = found.seeds(task)
    steps = "" if question.steps is None else str(question.steps)
    sharp = Profile(question.measure, by_step(found.main), command(store, question, found, steps))
    several = len({c.key.seed for c in store.checkpoints(question.corpus) if c.key.recipe == task}) > 1
    return Dynamics(
        found,
        task,
        seeds,
        (_weight_change(store, question, task, steps), sharp, *_path(store, question, task, several)),
    )


def by_step(rows: Iterable[Result]) -> dict[int, tuple[float, ...]]:
    """Return the values at each step: of each seed the mean over its rows there, such as those of its layers."""
    found: dict[int, dict[str, list[float]]] = {}
    for r in rows:
        if r.value is not None:
            found.setdefault(r.step, {}).setdefault(r.seed, []).append(r.value)
    return {step: tuple(float(np.mean(of)) for of in found[step].values()) for step in sorted(found)}


def _weight_change(store: Store, question: Question, task: str, steps: str) -> Profile:
    measure, label = get(WEIGHT_CHANGE), "Mean weight change"
    try:
        asked, rows = _fetched(store, question, measure, task)
    except BertdynError as error:
        return Profile(measure, {}, str(error), label=label)
    whole = (r for r in rows.main if r.layer is not None and not r.axes)
    return Profile(measure, by_step(whole), command(store, asked, rows, steps), label=label)


def _path(store: Store, question: Question, task: str, several: bool) -> tuple[Profile, ...]:
    """Return the quantities of the runs' paths.

    A path does not depend on what it is compared with: the next seed or, of a single seed, the checkpoint before.
    """
    measure, against = get(TRAJECTORY), Against(NEXT_SEED if several else "previous")
    values: Mapping[str, dict[int, tuple[float, ...]]] = {name: {} for name in PATH}
    try:
        asked, rows = _fetched(store, question, measure, task, against)
        own = [(dict(r.axes), r) for r in rows.results if r.statistic in PATH]
        at = [r._replace(step=int(p[POINT.name])) for p, r in own if p[SIDE.name] == OWN and POINT.name in p]
        there = [r for r in at if question.steps is None or r.step in question.steps]
        values = {name: by_step(r for r in there if r.statistic == name) for name in PATH}
        absent = command(store, asked, rows)
    except BertdynError as error:
        absent = str(error)
    found = [Profile(measure, values[name], "", name, label) for name, label in PATH.items()]
    return (replace(found[0], absent=absent), *found[1:])


def _fetched(
    store: Store, question: Question, measure: Measure, task: str, against: Against | None = None
) -> tuple[Question, Rows]:
    """Read the rows of another measure of the same runs, at its default parameters.

    Raises:
        BertdynError: there is nothing to compare.
    """
    corpus = question.corpus if measure.on_corpus else NO_CORPUS
    chosen = Selection(measure.name, corpus, tasks=(task,), seeds=question.seeds, steps=question.steps, against=against)
    asked = ask_store(store, chosen)
    return asked, fetch(store, asked)
