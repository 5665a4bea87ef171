"""Read what stands on a loss surface: the paths of runs in its plane, and how surfaces of several corpora agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from explorer.answers.fetching import fetch_each
from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.answers.sources import step_of
from explorer.measures.base import Measure
from explorer.measures.probes.trees import spearman
from explorer.measures.registry import get
from explorer.selection import Question
from explorer.selection.stored import further_axes
from store.keys import NO_CORPUS, recipe_of
from store.results import Result
from store.rows import Is, RowQuery, rows_of

if TYPE_CHECKING:
    from store.store import Store

ALPHA, BETA, SHARE = "alpha", "beta", "share"
ERROR = "error"


@dataclass(frozen=True, eq=False)
class PlanePath:
    """The checkpoints of one run in a plane."""

    name: str
    """Task and seed: 'sst2/1'."""
    steps: tuple[int, ...]
    alpha: np.ndarray
    """Coordinates along the first direction, float64 [steps]."""
    beta: np.ndarray
    share: np.ndarray
    """Share of each squared displacement that the plane holds, float64 [steps]; NaN at the origin."""


@dataclass(frozen=True, eq=False)
class PlaneData:
    """What stands on a surface."""

    seed: str = ""
    """Seed whose surface is shown."""
    paths: tuple[PlanePath, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    """Values of the whole plane by statistic: cosine of its directions, or variance that it holds."""
    command: str = ""
    """Command that computes the paths, if they are missing."""
    errors: tuple[Result, ...] = ()
    """Errors at the points of every corpus."""


def plane_data(store: Store, question: Question, look: Look, found: Rows, corpora: Rows | None = None) -> PlaneData:
    """Return what stands on the surface of the first task and seed that are chosen.

    Args:
        found: the points on the first corpus.
        corpora: the points on every corpus; None if one is shown.

    Raises:
        BertdynError: the store cannot be read.
    """
    if not found.tasks:
        return PlaneData()
    task, step = found.tasks[0], step_of(found, look)
    seeds = found.seeds(task)
    here = [r for r in found.of(task) if r.step == step and r.seed == next(iter(seeds), "")]
    if not here:
        return PlaneData(next(iter(seeds), ""))
    one = here[0]
    errors = _errors(store, question, one)
    if not found.measure.path:
        return PlaneData(one.seed, errors=errors)
    measure = get(found.measure.path)
    there = _of_path(store, measure, question, one)
    paths = tuple(_paths(there, one))
    facts = {r.statistic: r.value for r in there if not r.axes and r.value is not None}
    return PlaneData(one.seed, paths, facts, "" if paths else _command(measure, one), errors)


def every_task(store: Store, question: Question, look: Look, *others: object) -> tuple[tuple[Rows, PlaneData], ...]:
    """Return the losses of every task on the first corpus, each with the runs that are drawn on its surface.

    Raises:
        BertdynError: the store cannot be read.
    """
    each = (rows for rows in fetch_each(store, question) if rows.tasks)
    return tuple((rows, plane_data(store, question, look, rows)) for rows in each)


def _of_path(store: Store, measure: Measure, question: Question, one: Result) -> tuple[Result, ...]:
    shared = {p.name for p in measure.parameters}
    settled = measure.settle({name: value for name, value in question.parameters if name in shared})
    corpus = question.corpus if measure.on_corpus else NO_CORPUS
    where = (
        *rows_of(measure.name, corpus, measure.key(dict(settled)), measure.version, (one.recipe,)),
        *(Is(name, getattr(one, name)) for name in ("seed", "step", "ref_task", "ref_variant", "ref_seed", "ref_step")),
    )
    return tuple(store.results(RowQuery(where, axes=further_axes(measure))))


def _paths(rows: Iterable[Result], one: Result) -> Iterable[PlanePath]:
    names = {
        "": f"{one.recipe}/{one.seed}",
        "checkpoint": f"{one.recipe}/{one.seed}",
        "reference": f"{recipe_of(one.ref_task or '', one.ref_variant or '')}/{one.ref_seed}",
    }
    found: dict[str, dict[int, dict[str, float]]] = {}
    for r in rows:
        at = dict(r.axes)
        if "point" in at and r.value is not None:
            found.setdefault(str(at.get("side", "")), {}).setdefault(int(at["point"]), {})[r.statistic] = r.value
    for side, points in sorted(found.items()):
        steps = tuple(sorted(step for step, values in points.items() if {ALPHA, BETA} <= values.keys()))
        columns = ([points[step].get(name, np.nan) for step in steps] for name in (ALPHA, BETA, SHARE))
        alpha, beta, share = map(np.array, columns)
        yield PlanePath(names[side], steps, alpha, beta, share)


def _command(measure: Measure, one: Result) -> str:
    reference = (
        f"{recipe_of(one.ref_task, one.ref_variant or '')}/{one.ref_seed}/{one.ref_step}" if one.ref_task else ""
    )
    against = f" --against {reference}" if reference else ""
    return f"bertdyn compute {measure.name} STORE --task {one.recipe} --seed {one.seed}{against}"


def _errors(store: Store, question: Question, one: Result) -> tuple[Result, ...]:
    measure = question.measure
    found: list[Result] = []
    for asked in question.every:
        where = (
            *rows_of(measure.name, asked.corpus, measure.key(dict(asked.parameters)), measure.version, (one.recipe,)),
            *(Is(n, getattr(one, n)) for n in ("seed", "step", "ref_task", "ref_variant", "ref_seed", "ref_step")),
            Is("statistic", ERROR),
        )
        found += store.results(RowQuery(where, axes=further_axes(measure)))
    return tuple(found)


def agreement(one: Iterable[Result], other: Iterable[Result]) -> tuple[float, int] | None:
    """Return Spearman's correlation of two surfaces over the points that both have, and the number of these points.

    None if there are fewer than three, or one surface is flat.
    """
    first, second = ({r.axes: r.value for r in rows if r.axes and r.value is not None} for rows in (one, other))
    both = sorted(first.keys() & second.keys())
    if len(both) < 3:
        return None
    pair = (np.array([values[at] for at in both], np.float64) for values in (first, second))
    a, b = pair
    if not np.ptp(a) or not np.ptp(b):
        return None
    return float(spearman(a[None], b[None])[0]), len(both)


def low_share(values: np.ndarray, margin: float) -> float:
    """Return the share of the points of an even grid whose value is at most a margin above the lowest one.

    Points without a value do not count; NaN if there is none.
    """
    there = values[np.isfinite(values)]
    return float((there <= there.min() + margin).mean()) if len(there) else np.nan


def shares(paths: Sequence[PlanePath]) -> tuple[float, float]:
    """Return the smallest and the largest share of a displacement that the plane holds, over all paths."""
    found = np.concatenate([path.share for path in paths])
    there = found[np.isfinite(found)]
    return (float(there.min()), float(there.max())) if len(there) else (np.nan, np.nan)
