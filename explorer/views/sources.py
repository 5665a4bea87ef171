"""What views are made of, read from a store: the functions that ``views.base`` names, and views made with a Look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.render.axes import count, number
from explorer.render.cells import clean
from explorer.selection import Question, Ranges, at_or_before, seed_order
from explorer.selection.cells import comparisons
from explorer.views.base import ANYWHERE, Look
from explorer.views.by import LinesBy, layer_of, step_of
from explorer.views.centroids import Centroids, fetch_centroids, run_keys
from explorer.views.clusters import Clusters, Spot, first_run, spots
from explorer.views.coverage import Coverage, fetch_coverage
from explorer.views.curves import Curves
from explorer.views.data_map_data import DataMapData, fetch_data_map
from explorer.views.example import Example, ExampleData, Focus, fetch_example
from explorer.views.examples import find, most_changed
from explorer.views.fetching import fetch, fetch_each, fetch_first, fetch_heads, fetch_labelled, fetch_labels
from explorer.views.fitting import DOT
from explorer.views.label_lines import LabelLines
from explorer.views.profile import Profile
from explorer.views.rows import Rows
from explorer.views.seeds import Seeds
from explorer.views.table import Table
from explorer.views.table_rows import Counts, fetch_counts, fetch_table
from explorer.views.tasks import Task, Tasks, task_of
from explorer.views.training import NONE, Training
from explorer.views.training import training as logged
from store.errors import BertdynError
from store.keys import PRETRAINED, CheckpointKey
from store.results import Result

if TYPE_CHECKING:
    from store.store import Store

PATH_STEPS = 40
"""Checkpoints of a run whose centroids are read: each is a whole layer on disk."""
_STATISTICS = {"": "hull_distance", "hulls": "hull_distance", "centroids": "centroid_distance"}


def first_task(store: Store, question: Question, look: Look) -> Rows:
    """The values of whole layers of the first task: most pictures show one."""
    return fetch_first(store, question)


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


def crossed(store: Store, question: Question, look: Look) -> Rows:
    """The values of whole layers of all tasks."""
    return fetch(store, question, whole=True)


def heads(store: Store, question: Question, look: Look, found: Rows, *others: object) -> tuple[Result, ...]:
    """The values of single heads in the layer that is looked at."""
    return fetch_heads(store, found, layer=layer_of(found, look))


def heads_at(store: Store, question: Question, look: Look, found: Rows) -> tuple[Result, ...]:
    """The values of single heads at the step that is looked at."""
    return fetch_heads(store, found, step=step_of(found, look))


def every_task(store: Store, question: Question, look: Look, *others: object) -> tuple[Task, ...]:
    """What is shown of each task's whole layers."""
    return tuple(task_of(rows) for rows in fetch_each(store, question))


def every_task_in(store: Store, question: Question, look: Look, found: Rows, *others: object) -> Rows:
    """Those in the layer that is looked at."""
    layer = layer_of(found, look)
    return fetch(store, replace(question, layers=Ranges.one(layer)), whole=True)


def every_task_at(store: Store, question: Question, look: Look, found: Rows) -> Rows:
    """Those at the step that is looked at.

    Raises:
        BertdynError: as ``fetch``.
    """
    step = step_of(found, look)
    return fetch(store, replace(question, steps=Ranges.one(step)), whole=True)


def counts(store: Store, question: Question, look: Look) -> Counts:
    """How many rows there are."""
    return fetch_counts(store, question, look.statistic)


def rows_and_parts(store: Store, question: Question, look: Look, counted: Counts) -> Rows:
    """Every row, those of single examples and query tokens too."""
    return fetch_table(store, question, counted, look.most, (look.sort, look.descending))


def training(store: Store, question: Question, look: Look, found: Rows) -> Training:
    """How the runs that are shown were trained, as their checkpoints say."""
    if not found.tasks:
        return NONE
    task = found.tasks[0]
    return logged(store.checkpoints(question.corpus), task, found.seeds(task))


def curves(
    data: Rows,
    training: Training = NONE,
    heads: Sequence[Result] | None = None,
    tasks: Rows | None = None,
    look: Look = ANYWHERE,
) -> Curves | LinesBy:
    """A line a layer, or a seed, task or head in the layer that is looked at."""
    if look.part in ("", "layer"):
        return Curves(data, training)
    return LinesBy(data, training, look, heads=heads or (), tasks=tasks)


def profile(data: Rows, tasks: Rows | None = None, look: Look = ANYWHERE) -> Profile | LinesBy:
    """A line a step, or a seed or task at the step that is looked at."""
    return Profile(data) if look.part in ("", "step") else LinesBy(data, look=look, along="layer", tasks=tasks)


def seeds(data: Rows, tasks: Sequence[Task] | None = None, look: Look = ANYWHERE) -> Seeds | Tasks:
    """Seeds side by side, or tasks."""
    return Seeds(data) if tasks is None else Tasks(data, tasks)


def table(*read: Counts | Rows) -> Table:
    """Every row; how many there are was only needed to read them."""
    data = read[-1]
    assert isinstance(data, Rows)
    return Table(data)


def coverage(store: Store, question: Question | None, look: Look) -> Coverage:
    """What the store holds; the question does not matter."""
    return fetch_coverage(store)


def centroids(store: Store, question: Question, look: Look) -> Centroids:
    """Of the first chosen run that there is, at most PATH_STEPS checkpoints; the first and the last among them.

    Raises:
        BertdynError: no such run, no labels.
    """
    run = chosen_run(store, question)
    keys = [k for k in run if question.steps is None or k.step in question.steps]
    if not keys:
        raise BertdynError(f"No step of {run[0].recipe}, seed {run[0].seed} is chosen.")
    shown = spread(keys, PATH_STEPS)
    found = fetch_centroids(
        store, question.corpus, question.annotation, shown, _layer(store, question, look, keys[0], 0)
    )
    return replace(found, left_out=len(keys) - len(shown))


def data_map(store: Store, question: Question, look: Look) -> DataMapData:
    """What all checkpoints of the first chosen run say of its examples, up to the last step that is chosen.

    Raises:
        BertdynError: no such run; as ``fetch_data_map``.
    """
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


@dataclass(frozen=True)
class Found:
    """Examples to walk through, in their order, and how far each moved where that was asked."""

    examples: tuple[int, ...]
    moved: dict[int, float]


def examples(store: Store, question: Question, look: Look) -> Found:
    """The examples that hold what is looked for; in the order of how far they moved, when that is asked.

    Raises:
        BertdynError: there is none, or what is asked cannot be read.
    """
    label, text = None, look.find.strip()
    if text.startswith("label:"):
        name, _, text = text[6:].partition(" ")
        label = name or None
    found = find(store, question.corpus, text.strip(), label)
    if not found:
        raise BertdynError(f"No example of corpus '{question.corpus}' holds '{look.find}': / looks for another.")
    if not look.changed:
        return Found(found, {})
    wanted = set(found)
    moved = most_changed(store, focus_of(store, question, look, found[0]), store.corpus(question.corpus).info.examples)
    return Found(tuple(i for i, _ in moved if i in wanted), {i: value for i, value in moved if i in wanted})


def attention(store: Store, question: Question, look: Look, found: Found) -> ExampleData:
    """Both maps of the example that is looked at.

    Raises:
        BertdynError: no attention, or it cannot be read.
    """
    example = look.example if look.example >= 0 else found.examples[0]
    return fetch_example(store, focus_of(store, question, look, example))


def focus_of(store: Store, question: Question, look: Look, example: int) -> Focus:
    """The one comparison, layer and head that are looked at; of several comparisons the last one."""
    pair = comparisons(question, [c.key for c in store.checkpoints(question.corpus)])[-1]
    if pair.reference is None:
        raise BertdynError("An example is shown in two checkpoints: choose what to compare with (--against).")
    there = store.checkpoint(question.corpus, pair.key)
    layer = _layer(store, question, look, pair.key, 1)
    return Focus(question.corpus, pair.key, pair.reference, layer, min(look.head, there.heads), example)


def _layer(store: Store, question: Question, look: Look, key: CheckpointKey, lowest: int) -> int:
    """The layer that is looked at: one that is there; unset, the highest of those that are chosen."""
    most = store.checkpoint(question.corpus, key).layers
    if look.layer is not None:
        return min(max(look.layer, lowest), most)
    chosen = [n for n in range(lowest, most + 1) if question.layers is None or n in question.layers]
    return chosen[-1] if chosen else most


class Sentence(Example):
    """An example, and those that were found beside it."""

    def __init__(self, found: Found, data: ExampleData, look: Look) -> None:
        super().__init__(data, "" if look.part == "auto" else look.part)
        self.found = found.examples
        """Examples to walk through, in their order."""
        example = data.focus.example
        place = self.found.index(example) + 1 if example in self.found else 0
        what = [f"holding '{look.find}'"] if look.find else []
        what += ["by how far they moved"] if look.changed else []
        if what and place:
            moved = f" ({number(found.moved[example])} bits)" if example in found.moved else ""
            place_in = f"{count(place)} of {count(len(self.found))} {', '.join(what)}{moved}"
            self.subtitle = clean(place_in) + DOT + self.subtitle


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
