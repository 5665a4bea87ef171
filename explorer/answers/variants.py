"""Show the variants of a task together: as places along the axes of a measure over variants. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.answers.rows import Rows, Share, row_order
from explorer.measures.declaration import Coordinate
from store.keys import task_and_variant

if TYPE_CHECKING:
    from explorer.selection import Cells

_Run = tuple[str, str, tuple[tuple[str, Coordinate], ...]]
"""Task, seed and the places along the axes of runs."""


def shown_together(wanted: Cells) -> list[tuple[str, ...]]:
    """Return the tasks of a question in groups that one picture shows: each alone, or with all of its variants."""
    if not wanted.question.measure.over_variants:
        return [(task,) for task in wanted.tasks]
    found: dict[str, list[str]] = {}
    for recipe in wanted.tasks:
        found.setdefault(task_and_variant(recipe)[0], []).append(recipe)
    return [tuple(recipes) for recipes in found.values()]


def by_task(wanted: Cells, shares: Mapping[str, Share]) -> Mapping[str, Share]:
    """Return how much is there of each task that a picture would show, given the same of each task with its variant."""
    if not wanted.question.measure.over_variants:
        return shares
    found: dict[str, Share] = {}
    for recipe, share in shares.items():
        task, _ = task_and_variant(recipe)
        before = found.get(task, Share(0, 0, 0))
        found[task] = Share(before.wanted + share.wanted, before.missing + share.missing, before.rows + share.rows)
    return found


def runs_end_apart(rows: Rows) -> bool:
    """Return whether runs that one picture shows have different last steps, as those made on purpose may have."""
    return rows.measure.over_variants and len(set(_last_steps(rows).values())) > 1


def at_last_steps(rows: Rows) -> Rows:
    """Return the values of each run at its own last step."""
    last = _last_steps(rows)
    results = tuple(r for r in rows.results if last.get(_run(rows, r.recipe, r.seed, r.axes)) == r.step)
    wanted = tuple(cell for cell in rows.wanted if last[_run(rows, cell.recipe, cell.seed, cell.more)] == cell.step)
    return replace(rows, results=results, wanted=wanted)


def _last_steps(rows: Rows) -> dict[_Run, int]:
    found: dict[_Run, int] = {}
    for cell in rows.wanted:
        run = _run(rows, cell.recipe, cell.seed, cell.more)
        found[run] = max(cell.step, found.get(run, cell.step))
    return found


def _run(rows: Rows, recipe: str, seed: str, places: Iterable[tuple[str, Coordinate]]) -> _Run:
    of_runs = {axis.name for axis in rows.measure.axes if axis.of_run}
    return recipe, seed, tuple((name, place) for name, place in places if name in of_runs)


def variants_as_places(rows: Rows) -> Rows:
    """Return rows of variants as rows of their task: their coordinates tell them apart."""
    results = sorted((r._replace(variant="") for r in rows.results), key=row_order)
    wanted = tuple(dict.fromkeys(cell._replace(variant="") for cell in rows.wanted))
    return replace(rows, results=tuple(results), wanted=wanted)
