"""Gather what the store knows of the geometry of labels: Zhou and Srikumar's table (ACL 2022, table 7) of any runs.

One row per corpus and labels, task, step and layer: the accuracy of a probe, clusters and whether one per label is
left (linearly separable), smallest distances, movement of centroids, and similarity of the layout to the reference and
between train and test. Values are means over the fine-tuning seeds.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

from explorer.answers.look import Look
from explorer.measures.registry import get
from explorer.selection import Question, default_against
from explorer.selection.comparisons import choose
from store.errors import BertdynError
from store.keys import PRETRAINED, PRETRAINED_KEY, Checkpoint, CheckpointKey
from store.results import Result
from store.rows import PAIRED_WITH_ITSELF, Condition, In, Is, RowQuery, rows_of

if TYPE_CHECKING:
    from store.store import Store


@dataclass(frozen=True)
class GeometryRow:
    """One task at one step in one layer, on one corpus with its labels; None: not computed."""

    corpus: str
    labels: str
    """Name of the annotation."""
    task: str
    step: int
    layer: int
    seeds: int
    """Number of fine-tuning seeds."""
    probe: float | None
    """Probe accuracy, a share."""
    probe_sd: float | None
    """Its standard deviation over probe seeds, mean over fine-tuning seeds."""
    seeds_sd: float | None
    """Its standard deviation (n - 1) over fine-tuning seeds; None for one seed."""
    clusters: float | None
    """Number of clusters that DirectProbe's merging leaves."""
    linear: float | None
    """Share of the seeds in which one cluster per label is left: labels are linearly separable."""
    label_min: float | None
    """Distance of a label to its nearest other label, mean over labels."""
    moved: float | None
    """Movement of the labels' centroids since the reference, mean over labels."""
    similarity: float | None
    """Similarity of the labels' layout to the reference's."""
    train_test: float | None
    """Similarity of the labels' layout in train and in test."""


COLUMNS = tuple(f.name for f in fields(GeometryRow))


class Part(NamedTuple):
    """The stored numbers behind some columns."""

    measure: str
    statistics: Mapping[str, str]
    """Statistic by column."""
    changed: Mapping[str, object] = {}
    """Parameters that differ from the measure's defaults."""
    of_labels: tuple[str, ...] = ()
    """Columns whose statistic has a row per label."""


PARTS = (
    Part("probe", {"probe": "accuracy", "probe_sd": "accuracy-sd"}),
    Part(
        "clusters",
        {"clusters": "clusters", "linear": "linear", "label_min": "label_min"},
        {"method": "directprobe"},
        ("label_min",),
    ),
    Part("centroid-movement", {"moved": "mean"}),
    Part("spatial-similarity", {"similarity": "pearson"}),
    Part("split-similarity", {"train_test": "pearson"}),
)


@dataclass(frozen=True)
class Geometry:
    """The rows of the table, and the commands that compute its missing values."""

    rows: tuple[GeometryRow, ...]
    absent: tuple[str, ...]
    """Commands that compute the missing values."""
    reasons: tuple[str, ...]
    """Reasons of computed rows that have no value or are unreliable, each once with its measure."""

    title = "Geometry of the labels"
    columns = COLUMNS

    @property
    def subtitle(self) -> str:
        """Meaning of the columns, in one line."""
        return (
            "means over seeds · sd: over probe seeds · seeds_sd: over fine-tuning seeds · linear: 1 = as many clusters "
            "as labels · moved, similarity: from the pre-trained model"
        )

    @property
    def cells(self) -> list[tuple[object, ...]]:
        """The values of the rows, in the order of the columns."""
        return [tuple(getattr(row, column) for column in COLUMNS) for row in self.rows]

    @property
    def notes(self) -> tuple[str, ...]:
        """Reasons of values, then the commands that compute the missing ones ('-')."""
        return (*(f"! {reason}" for reason in self.reasons), *(f"-: {command}" for command in self.absent))


class Place(NamedTuple):
    """A checkpoint's layer."""

    key: CheckpointKey
    layer: int


def geometry(store: Store, question: Question, look: Look) -> Geometry:
    """Return the table of a question of measure clusters, on every corpus of it.

    Without chosen steps it shows the pre-trained model and each run's last step; without chosen layers, the last one.

    Raises:
        BertdynError: the question matches no checkpoint, or the store cannot be read.
    """
    rows: list[GeometryRow] = []
    absent: list[str] = []
    reasons: dict[str, None] = {}
    for one in question.every:
        there = {c.key: c for c in store.checkpoints(one.corpus)}
        places = places_of(one, there)
        found: dict[str, dict[Place, float]] = {}
        for part in PARTS:
            compares = get(part.measure).compares
            results = _stored(store, one, part, tuple(there))
            values = values_of(part, results, places)
            found |= values
            reasons |= {f"{part.measure}: {r.reason}": None for r in results if r.reason and _place(r) in set(places)}
            computed = {_place(r) for r in results}
            lacking = [p for p in places if p not in computed and not (compares and p.key.task == PRETRAINED)]
            absent += [_command(store, one, part, lacking)] if lacking else []
        rows += table_of(one, places, found)
    return Geometry(tuple(rows), tuple(absent), tuple(reasons))


def places_of(question: Question, there: Mapping[CheckpointKey, Checkpoint]) -> tuple[Place, ...]:
    """Return the chosen checkpoints' layers, sorted: by default the last layer, before and at the end of each run.

    Raises:
        BertdynError: there is no such checkpoint or layer.
    """
    chosen = choose(question, there)
    if question.steps is None:
        last = {key[:3]: key for key in chosen}  # sorted by step: the last one stays
        chosen = (*last.values(), *({PRETRAINED_KEY} & there.keys() - {*chosen}))
    found = []
    for key in sorted(chosen, key=lambda k: (k.task != PRETRAINED, k)):
        layers = range(there[key].layers + 1)
        picked = layers[-1:] if question.layers is None else [n for n in layers if n in question.layers]
        found += [Place(key, layer) for layer in picked]
    if not found:
        raise BertdynError(f"--layer: {question.layers} matches none of the layers of the chosen checkpoints.")
    return tuple(found)


def values_of(part: Part, results: Iterable[Result], places: Sequence[Place]) -> dict[str, dict[Place, float]]:
    """Return the values of each column by place; of statistics per label, the mean over labels if all have a value."""
    found: dict[str, dict[Place, list[float | None]]] = {column: {} for column in part.statistics}
    wanted = set(places)
    for r in results:
        for column, statistic in part.statistics.items():
            of_label = r.label_a is not None
            if r.statistic == statistic and of_label == (column in part.of_labels) and _place(r) in wanted:
                found[column].setdefault(_place(r), []).append(r.value)
    return {
        column: {place: fmean(known) for place, every in at.items() if len(known := _numbers(every)) == len(every)}
        for column, at in found.items()
    }


def table_of(
    question: Question, places: Sequence[Place], found: Mapping[str, Mapping[Place, float]]
) -> list[GeometryRow]:
    """Return one row per task, step and layer, with means over seeds (pure)."""
    groups: dict[tuple[str, int, int], list[Place]] = {}
    for place in places:
        groups.setdefault((place.key.recipe, place.key.step, place.layer), []).append(place)
    rows = []
    for (task, step, layer), seeds in groups.items():
        means: dict[str, float | None] = {}
        for column, at in found.items():
            known = _numbers(at.get(place) for place in seeds)
            means[column] = fmean(known) if known else None
        accuracies = _numbers(found.get("probe", {}).get(place) for place in seeds)
        spread = stdev(accuracies) if len(accuracies) > 1 else None
        corpus, labels = question.corpus, question.annotation
        rows.append(GeometryRow(corpus, labels, task, step, layer, len(seeds), seeds_sd=spread, **means))
    return rows


def _stored(store: Store, question: Question, part: Part, keys: Sequence[CheckpointKey]) -> list[Result]:
    """Return the rows of a part at its settled parameters, against the measure's default reference."""
    measure = get(part.measure)
    where: list[Condition] = [
        *rows_of(measure.name, question.corpus, measure.key(dict(measure.settle(part.changed))), measure.version),
        Is("annotation", question.annotation),
        In("statistic", tuple(part.statistics.values())),
        Is("label_b", None),
        PAIRED_WITH_ITSELF,
    ]
    results = [r for r in store.results(RowQuery(tuple(where))) if _place(r).key in keys]
    if not measure.compares:
        return results
    against = default_against(keys, measure.default_reference)
    runs: dict[tuple[str, str], list[CheckpointKey]] = {}
    for key in sorted(keys):
        runs.setdefault((key.recipe, key.seed), []).append(key)
    return [r for r in results if _reference(r) == against.reference(_place(r).key, runs)]


def _place(r: Result) -> Place:
    return Place(CheckpointKey(r.task, r.variant, r.seed, r.step), -1 if r.layer is None else r.layer)


def _reference(r: Result) -> CheckpointKey | None:
    if r.ref_task is None or r.ref_seed is None or r.ref_step is None:
        return None
    return CheckpointKey(r.ref_task, r.ref_variant or "", r.ref_seed, r.ref_step)


def _command(store: Store, question: Question, part: Part, lacking: Sequence[Place]) -> str:
    """Return the command that computes a part at the places that lack it."""
    measure = get(part.measure)
    said = ["bertdyn", "compute", measure.name, str(store.path), "--corpus", question.corpus]
    said += ["--annotation", question.annotation, "--task", ",".join(dict.fromkeys(p.key.recipe for p in lacking))]
    said += ["--step", ",".join(map(str, sorted({p.key.step for p in lacking})))]
    said += ["--seed", ",".join(question.seeds)] if question.seeds else []
    if measure.layers is not None and not measure.layers.within:
        said += ["--layer", ",".join(map(str, sorted({p.layer for p in lacking})))]
    said += [word for name, value in part.changed.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return shlex.join(said)


def _numbers(values: Iterable[float | None]) -> list[float]:
    return [v for v in values if v is not None]
