"""Read the values of labels from a store, and build the views of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.selection import Question, at_or_before
from explorer.views.base import Look
from explorer.views.clusters import Clusters, Spot, first_run, spots
from explorer.views.fetching import fetch_labelled, fetch_labels
from explorer.views.label_lines import LabelLines
from explorer.views.rows import Rows
from store.results import Result

if TYPE_CHECKING:
    from store.store import Store

_STATISTICS = {"": "hull_distance", "hulls": "hull_distance", "centroids": "centroid_distance"}


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


def clusters(data: Rows, there: tuple[Spot, ...], rows: tuple[Result, ...], look: Look) -> Clusters:
    """Label by label at the step and layer that are looked at."""
    both = replace(data, results=(*data.results, *rows))
    return Clusters(both, spot_of(there, data, look), _STATISTICS[look.part], there)


def labels(data: Rows, there: tuple[Spot, ...], rows: tuple[Result, ...], look: Look) -> LabelLines:
    """Labels along the steps in the layer that is looked at."""
    both = replace(data, results=(*data.results, *rows))
    layers = tuple({s.layer for s in there})
    return LabelLines(both, label_layer(there, look), _STATISTICS[look.part], layers)
