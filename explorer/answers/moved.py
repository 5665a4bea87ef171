"""Gather, per layer of one checkpoint, how far the layer moved and how much it matters, as means over seeds.

Moved: weight change, SVCCA distance, and JS divergence of the attentions. Matters: the rollback damage of the single
layer. Spearman's rank correlation over layers says how well each orders the layers as the damage does.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.answers.fetching import fetch
from explorer.answers.look import Look
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
_FEWEST = 3
"""Minimum number of layers for a rank correlation."""


@dataclass(frozen=True, eq=False)
class Profile:
    """One quantity per layer of a checkpoint."""

    measure: Measure
    values: Mapping[int, tuple[float, ...]]
    """Values of the seeds that have one, by layer."""
    absent: str = ""
    """Command that computes missing values, or the reason why there are none; empty if all are there."""

    @property
    def means(self) -> dict[int, float]:
        """Mean over seeds by layer."""
        return {layer: float(np.mean(values)) for layer, values in self.values.items()}

    @property
    def spreads(self) -> dict[int, float]:
        """Standard deviation (n - 1) over seeds by layer, of layers with several."""
        return {layer: float(np.std(v, ddof=1)) for layer, v in self.values.items() if len(v) > 1}

    @property
    def largest(self) -> float:
        """Largest size of a mean, by which pictures scale it; 1 if there is none."""
        return max(map(abs, self.means.values()), default=0.0) or 1.0

    def correlation(self, other: Profile) -> tuple[float | None, int]:
        """Return Spearman's rank correlation of the means with another profile's, and the number of layers of both.

        It is None with fewer than three layers, or if one of the profiles is constant.
        """
        ours, theirs = self.means, other.means
        both = sorted(ours.keys() & theirs.keys())
        if len(both) < _FEWEST:
            return None, len(both)
        a, b = (_ranks(np.array([of[layer] for layer in both])) for of in (ours, theirs))
        return (float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 < b.std() else None), len(both)


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

    @property
    def layers(self) -> tuple[int, ...]:
        """Layers of which a quantity is there."""
        return tuple(sorted({layer for profile in self.profiles for layer in profile.values}))


def moved(store: Store, question: Question, look: Look, found: Rows) -> MovedLayers:
    """Return the layers of the first task at the step that is looked at.

    Args:
        found: rollback of that task.

    Raises:
        BertdynError: the store cannot be read, or no chosen checkpoint has what the rollback reads.
    """
    if not found.tasks:
        corpus = f" of corpus '{question.corpus}'" if question.corpus else ""
        raise BertdynError(
            f"No chosen checkpoint{corpus} has what {found.measure.name} reads: extract checkpoints with a classifier."
        )
    task, step = found.tasks[0], step_of(found, look)
    found = at_step(found, task, step)
    return MovedLayers(
        found,
        task,
        step,
        found.seeds(task),
        tuple(_profile(store, question, get(name), task, step) for name in MOVED),
        Profile(question.measure, per_layer(found), _command(store, question, found, step)),
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
    return Profile(measure, values, _command(store, asked, rows, step) or nothing)


def _command(store: Store, question: Question, rows: Rows, step: int) -> str:
    """Return the command that computes the missing values of a question at a step; empty if there are none."""
    if not rows.missing:
        return ""
    said = ["bertdyn", "compute", question.measure.name, str(store.path)]
    said += ["--corpus", question.corpus] if question.corpus else []
    said += ["--annotation", question.annotation] if question.annotation else []
    said += ["--task", rows.tasks[0], "--step", str(step)]
    said += ["--seed", ",".join(question.seeds)] if question.seeds else []
    said += ["--against", str(question.against)] if question.against is not None else []
    changed = {p.name: p.default for p in question.measure.parameters}
    parameters = ((name, value) for name, value in question.parameters if changed[name] != value)
    said += [word for name, value in parameters for word in (f"--{name.replace('_', '-')}", str(value))]
    return shlex.join(said)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each of n values, from 1; equal ones have the mean of their ranks."""
    below, up_to = (values[:, None] > values).sum(1), (values[:, None] >= values).sum(1)
    return np.asarray((below + 1 + up_to) / 2)
