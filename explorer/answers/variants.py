"""Show the variants of a task together: as places along the axes of a measure over variants. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.answers.rows import Rows, Share, row_order
from store.keys import task_and_variant

if TYPE_CHECKING:
    from explorer.selection import Cells


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


def variants_as_places(rows: Rows) -> Rows:
    """Return rows of variants as rows of their task: their coordinates tell them apart."""
    results = sorted((r._replace(variant="") for r in rows.results), key=row_order)
    wanted = tuple(dict.fromkeys(cell._replace(variant="") for cell in rows.wanted))
    return replace(rows, results=tuple(results), wanted=wanted)
