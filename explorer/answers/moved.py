"""Gather, per layer of one checkpoint, how far the layer moved and how much it matters, as means over seeds.

Moved: weight change, SVCCA distance, and JS divergence of the attentions. Matters: the rollback damage of the single
layer. Spearman's rank correlation over layers says how well each orders the layers as the damage does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.answers.fetching import fetch
from explorer.answers.look import Look
from explorer.answers.profiles import Profile, command, first_task
from explorer.answers.rows import Rows
from explorer.answers.sources import step_of
from explorer.measures import Measure
from explorer.measures.registry import get
from explorer.selection import Question, Ranges, Selection, ask_store
from explorer.selection.stored import cell_of
from store.errors import BertdynError
from store.keys import NO_CORPUS

if TYPE_CHECKING:
    from store.store import Store

MOVED = ("weight-change", "svcca", "js")
"""Measures of how far a layer moved; each shows its main statistic of whole layers."""


@dataclass(frozen=True, eq=False)
class MovedLayers:
    """How far the layers of a task's checkpoints at one step moved, and how much they matter."""

    rows: Rows
    """Stored values of the rollback."""
    task: str
    step: int
    seeds: tuple[str, ...]
    moved: tuple[Profile, ...]
    damage: Profile

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """All quantities, the damage last."""
        return (*self.moved, self.damage)


def moved(store: Store, question: Question, look: Look, found: Rows) -> MovedLayers:
    """Return the layers of the first task at the step that is looked at.

    Args:
        found: rollback of that task.

    Raises:
        BertdynError: the store cannot be read, or no chosen checkpoint has what the rollback reads.
    """
    task, step = first_task(found), step_of(found, look)
    found = at_step(found, task, step)
    return MovedLayers(
        found,
        task,
        step,
        found.seeds(task),
        tuple(_profile(store, question, get(name), task, step) for name in MOVED),
        Profile(question.measure, per_layer(found), command(store, question, found, str(step))),
    )


def at_step(rows: Rows, task: str, step: int) -> Rows:
    """Return the rows of single layers of a task at a step."""
    wanted = tuple(c for c in rows.wanted if (c.recipe, c.step) == (task, step) and c.layer is not None and not c.more)
    results = tuple(r for r in rows.results if cell_of(r, rows.measure) in wanted)
    return replace(rows, wanted=wanted, results=results, unshown={})


def per_layer(rows: Rows) -> dict[int, tuple[float, ...]]:
    """Return the values of whole layers, those of all seeds by layer."""
    found: dict[int, list[float]] = {}
    for r in rows.main:
        if r.layer is not None and not r.axes and r.value is not None:
            found.setdefault(r.layer, []).append(r.value)
    return {layer: tuple(found[layer]) for layer in sorted(found)}


def _profile(store: Store, question: Question, measure: Measure, task: str, step: int) -> Profile:
    """Return a measure of the same checkpoints against the same reference, at its default parameters."""
    selection = Selection(
        measure.name,
        question.corpus if measure.on_corpus else NO_CORPUS,
        tasks=(task,),
        seeds=question.seeds,
        steps=Ranges.one(step),
        layers=question.layers,
        against=question.against,
    )
    try:
        asked = ask_store(store, selection)
        rows = at_step(fetch(store, asked, whole=True), task, step)
    except BertdynError as error:
        return Profile(measure, {}, str(error))
    values = per_layer(rows)
    nothing = "" if values or rows.missing else f"{measure.name} has no values of these checkpoints"
    return Profile(measure, values, command(store, asked, rows, str(step)) or nothing)
