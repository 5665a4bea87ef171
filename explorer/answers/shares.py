"""Count the finished values of tasks without reading them: there can be a million."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from explorer.answers.asked import Asked
from explorer.answers.rows import Share
from explorer.selection import Cells
from explorer.selection.stored import OPERANDS, cell_columns, cell_reader, chosen_layers
from store.keys import recipe_of
from store.rows import Condition

if TYPE_CHECKING:
    from store.store import Store


def shares(store: Store, wanted: Cells, tasks: Iterable[str], narrower: tuple[Condition, ...] = ()) -> dict[str, Share]:
    """Return how many values of each task are wanted, missing and stored.

    Args:
        narrower: further conditions on the rows.
    """
    asked = Asked(store, wanted.question, tuple(tasks))
    if not asked.tasks:
        return {}
    return _of_comparisons(asked, wanted, narrower) if wanted.exact else _of_cells(asked, wanted, narrower)


def _of_comparisons(asked: Asked, wanted: Cells, narrower: tuple[Condition, ...]) -> dict[str, Share]:
    """Let the store count the cells of each comparison: every stored layer that is chosen belongs to a cell."""
    where = (*asked.here, *chosen_layers(asked.question), *narrower)
    query = asked.query(where, columns=OPERANDS, count=True, count_distinct=cell_columns(asked.measure))
    stored: dict[str, list[tuple[object, int, int]]] = {task: [] for task in asked.tasks}
    for *place, rows, cells in asked.store.result_columns(query):
        pair = tuple(place[:4]), None if place[4] is None else tuple(place[4:])
        stored[recipe_of(*place[:2])].append((pair, rows, cells))
    found = {}
    for task in asked.tasks:
        there = frozenset[object](wanted.pairs_of(task))
        known = [(rows, cells) for pair, rows, cells in stored[task] if pair in there]
        many = sum(len(wanted.at(pair)) for pair in wanted.pairs_of(task))
        found[task] = Share(many, many - sum(cells for _, cells in known), sum(rows for rows, _ in known))
    return found


def _of_cells(asked: Asked, wanted: Cells, narrower: tuple[Condition, ...]) -> dict[str, Share]:
    """Compare the stored cells with those that a measure has proposed so far."""
    query = asked.query((*asked.here, *narrower), columns=cell_columns(asked.measure), count=True)
    read = cell_reader(asked.measure)
    stored = {read(row[:-1]): row[-1] for row in asked.store.result_columns(query)}
    found = {}
    for task in asked.tasks:
        there = frozenset(wanted.of(task))
        known = [stored[cell] for cell in there if cell in stored]
        found[task] = Share(len(there), len(there) - len(known), sum(known))
    return found
