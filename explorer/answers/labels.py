"""Read the values of labels and of their pairs: which layers of which checkpoints have any, and those of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from explorer.answers.fetching import fetch_labelled, fetch_labels
from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.selection import Question, at_or_before, seed_order
from store.keys import CheckpointKey
from store.results import Result

if TYPE_CHECKING:
    from store.store import Store


class Spot(NamedTuple):
    """One layer of one checkpoint."""

    key: CheckpointKey
    layer: int


def spots(there: Iterable[tuple[CheckpointKey, int]]) -> tuple[Spot, ...]:
    """Layers of checkpoints, by task, seed, step and layer."""
    found = {Spot(*one) for one in there}
    return tuple(sorted(found, key=lambda s: (s.key.recipe, seed_order(s.key.seed), s.key.step, s.layer)))


def labelled_in(data: Rows) -> tuple[Spot, ...]:
    """Every layer of every checkpoint that has values of pairs of labels."""
    return spots((r.key, r.layer) for r in data.results if r.label_b is not None and r.layer is not None)


def first_run(found: Sequence[Spot], tasks: Sequence[str]) -> tuple[Spot, ...]:
    """Those of the first task's first seed; empty where nothing is stored."""
    if not found:
        return ()
    task = next((t for t in tasks if any(s.key.recipe == t for s in found)), found[0].key.recipe)
    seed = next(s.key.seed for s in found if s.key.recipe == task)
    return tuple(s for s in found if (s.key.recipe, s.key.seed) == (task, seed))


def labelled(store: Store, question: Question, look: Look, found: Rows) -> tuple[Spot, ...]:
    """Layers of the first task's checkpoints that have values of labels."""
    return spots(fetch_labelled(store, found))


def labels_at(store: Store, question: Question, look: Look, found: Rows, there: tuple[Spot, ...]) -> tuple[Result, ...]:
    """Values of labels in the layer of the checkpoint that is looked at."""
    spot = spot_of(there, found, look)
    return () if spot is None else fetch_labels(store, found, spot.layer, spot.key)


def labels_in(store: Store, question: Question, look: Look, found: Rows, there: tuple[Spot, ...]) -> tuple[Result, ...]:
    """Values of labels in the layer that is looked at, of every checkpoint."""
    layer = label_layer(there, look)
    return () if layer is None else fetch_labels(store, found, layer)


def spot_of(there: Sequence[Spot], found: Rows, look: Look) -> Spot | None:
    """The step and layer that are looked at, or the nearest before them that have values; unset, the last."""
    run = first_run(there, found.tasks)
    if not run:
        return None
    steps = sorted({s.key.step for s in run})
    here = [s for s in run if s.key.step == steps[at_or_before(steps, look.step)]]
    layers = [s.layer for s in here]
    return here[-1 if look.layer is None else at_or_before(layers, look.layer)]


def label_layer(there: Sequence[Spot], look: Look) -> int | None:
    """The layer that is looked at, or the nearest below it that has values; unset, the highest."""
    layers = sorted({s.layer for s in there})
    if not layers:
        return None
    return layers[-1 if look.layer is None else at_or_before(layers, look.layer)]
