"""What a selection asks for, what of it the store knows already, and how the rest is cut into tasks. Pure but for
the functions that take a Store, which only read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.compute.trust import covers
from explorer.measures import Measure, MeasureError, Trust, canonical, get
from explorer.selection import Pair, Selection, default_against, pairs
from store.errors import BertdynError
from store.keys import Checkpoint, CheckpointKey, Result

if TYPE_CHECKING:
    from store.store import Store

LARGEST_TASK = 8
"""Comparisons of a task: making the reference's side costs about one, so an eighth at most is done twice."""
NO_TRUST = Trust()


@dataclass(frozen=True, order=True)
class Cell:
    """One layer of one pair: what is computed in one go and known or missing as a whole, however many rows it has."""

    pair: Pair
    layer: int
    ref_layer: int | None = None
    """Layer of the reference; None for measures of one checkpoint."""

    def __str__(self) -> str:
        other = "" if self.ref_layer in (None, self.layer) else f"layer {self.ref_layer} of "
        against = "" if self.pair.reference is None else f" against {other}{self.pair.reference}"
        return f"layer {self.layer} of {self.pair.key}{against}"


@dataclass(frozen=True, order=True)
class Job:
    """A cell and those of a run's measures (by number) that it lacks: they share what is read."""

    cell: Cell
    measures: tuple[int, ...] = (0,)


@dataclass(frozen=True, order=True)
class Task:
    """One layer of a few pairs whose neighbours share a side, so that a worker keeps it between them."""

    jobs: tuple[Job, ...]

    @property
    def values(self) -> int:
        """Values of a layer that it makes."""
        return sum(len(job.measures) for job in self.jobs)

    def __str__(self) -> str:
        first, last = self.jobs[0].cell, self.jobs[-1].cell
        if first == last:
            return str(first)
        what = str(first.pair.key) if first.pair.key == last.pair.key else f"{first.pair.key} to {last.pair.key}"
        references = {str(job.cell.pair.reference) for job in self.jobs if job.cell.pair.reference is not None}
        against = f" against {references.pop()}" if len(references) == 1 else ""
        return f"layer {first.layer} of {what}{against}"


@dataclass(frozen=True)
class Fingerprint:
    """What says that a cell's rows are still true: its names and the digests of the arrays that were read."""

    cell: Cell
    digest: str
    ref_digest: str | None


@dataclass(frozen=True)
class Plan:
    """All cells of a selection in order, those that the store lacks, and what the user should be told."""

    selection: Selection
    """With every parameter and the comparison spelled out."""
    cells: tuple[Cell, ...]
    missing: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> int:
        """Cells that are read back."""
        return len(self.cells) - len(self.missing)


@dataclass(frozen=True)
class Coverage:
    """How much of a selection is in the store, counted in values of a layer."""

    known: int
    missing: int

    def __str__(self) -> str:
        total = self.known + self.missing
        return (
            f"not computed: {self.missing:,} of {total:,} values" if self.missing else f"all {total:,} values computed"
        )


def plan(store: Store, selection: Selection, trust: Trust = NO_TRUST) -> Plan:
    """Compare the selection with what the store holds; reads listings only, no array.

    Args:
        trust: what shall come with the values; one that lacks it is missing.

    Raises:
        BertdynError: an unknown measure, corpus or parameter, no labels where the measure needs them, no
            attentions where it reads them, a null or interval that the measure does not have, or a selection that
            matches nothing.
    """
    try:
        measure = get(selection.measure)
        parameters = measure.settle(dict(selection.parameters))
    except MeasureError as error:
        raise BertdynError(str(error)) from None
    infos = {info.name: info for info in store.corpora()}
    if selection.corpus not in infos:
        raise BertdynError(f"--corpus: the store has no '{selection.corpus}', only {', '.join(infos) or 'none'}.")
    if measure.needs_labels and not infos[selection.corpus].labels:
        raise BertdynError(
            f"{measure.name} needs labels, and corpus '{selection.corpus}' has none: extract one with --label."
        )
    if trust.null and not measure.null:
        raise BertdynError(f"--null: {measure.name} has no null.")
    if trust.interval and trust.interval not in measure.intervals:
        has = f"only {' and '.join(measure.intervals)}" if measure.intervals else "none"
        raise BertdynError(f"--interval: {measure.name} has no {trust.interval} interval, {has}.")
    selection = replace(selection, parameters=parameters)
    return make_plan(selection, measure, store.checkpoints(selection.corpus), _stored(store, selection, measure, trust))


def coverage(store: Store, selection: Selection) -> Coverage:
    """How many of the selection's values are known and missing.

    Raises:
        BertdynError: as plan().
    """
    made = plan(store, selection)
    return Coverage(made.known, len(made.missing))


def rows(store: Store, planned: Plan) -> list[Result]:
    """The stored rows of a plan's cells, in the plan's order (cell by cell, then head, statistic and labels)."""
    selection = planned.selection
    measure = get(selection.measure)
    place = {cell: i for i, cell in enumerate(planned.cells)}
    found = [
        (place[cell], row)
        for row in store.results(
            selection.measure, selection.corpus, canonical(dict(selection.parameters)), tasks=selection.tasks
        )
        if row.version == measure.version and (cell := _cell(row)) in place
    ]
    found.sort(key=lambda f: (f[0], f[1].head or 0, f[1].statistic, f[1].label_a or "", f[1].label_b or ""))
    return [row for _, row in found]


def make_plan(
    selection: Selection, measure: Measure, checkpoints: Sequence[Checkpoint], stored: AbstractSet[Fingerprint]
) -> Plan:
    """The plan, from listings alone.

    Args:
        checkpoints: every checkpoint of the selection's corpus.
        stored: fingerprints of the cells with rows of this measure, its parameters and its version.

    Raises:
        BertdynError: nothing matches the selection, or no checkpoint has what the measure reads.
    """
    by_key = {c.key: c for c in checkpoints}
    if measure.sides == 2 and selection.against is None:
        selection = replace(selection, against=default_against(by_key))
    wanted = pairs(selection, tuple(by_key))
    usable = [p for p in wanted if measure.reads == "hidden" or all(by_key[k].has_attention for k in _sides(p))]
    if not usable:
        raise BertdynError(
            f"{measure.name} reads attentions, and the chosen checkpoints of corpus '{selection.corpus}' were "
            "extracted without them (--no-attentions)."
        )
    usable.sort(key=lambda p: (p.reference or p.key, p.key))
    if selection.ref_layers is not None and not measure.cross_layers:
        raise BertdynError(f"--against-layer: {measure.name} compares a layer with itself only.")
    cells = tuple(
        Cell(pair, layer, other)
        for pair in usable
        for layer in _layers(pair, by_key, measure, selection)
        for other in _others(pair, by_key, measure, selection, layer)
    )
    if not cells:
        last = max(c.layers for c in checkpoints)
        raise BertdynError(
            f"--layer: {selection.layers} matches none of the layers that {measure.name} reads, "
            f"{measure.first_layer} to {last}."
        )
    missing = tuple(c for c in cells if _fingerprint(c, by_key, measure) not in stored)
    left_out = len(wanted) - len(usable)
    notes = (
        (f"{left_out:,} of {len(wanted):,} comparisons left out: extracted without attentions.",) if left_out else ()
    )
    return Plan(selection, cells, missing, notes)


def jobs_of(plans: Sequence[Plan]) -> tuple[Job, ...]:
    """The missing cells of several measures' plans, each once, with the numbers of the plans that lack it."""
    wanted: dict[Cell, list[int]] = {}
    for number, planned in enumerate(plans):
        for cell in planned.missing:
            wanted.setdefault(cell, []).append(number)
    return tuple(Job(cell, tuple(wanted[cell])) for cell in sorted(wanted, key=_order))


def group(jobs: Iterable[Job], workers: int) -> tuple[Task, ...]:
    """Cut jobs into tasks: big enough to share the reference's side, enough of them to keep every worker busy.

    All layers of a few pairs come before the next few, so that what is kept when the user cancels has every layer.
    """
    layers: dict[int, list[Job]] = {}
    for job in jobs:
        layers.setdefault(job.cell.layer, []).append(job)
    if not layers:
        return ()
    longest = max(map(len, layers.values()))
    # A checkpoint measured alone shares nothing with the next: one a task, so that a cancel loses least.
    largest = LARGEST_TASK if any(j.cell.pair.reference for of_layer in layers.values() for j in of_layer) else 1
    # Three tasks a worker keep the last ones from waiting long for each other.
    pieces = max(math.ceil(longest / largest), math.ceil(3 * workers / len(layers)))
    size = math.ceil(longest / min(pieces, longest))
    return tuple(
        Task(tuple(of_layer[start : start + size]))
        for start in range(0, longest, size)
        for layer, of_layer in sorted(layers.items())
        if start < len(of_layer)
    )


def _order(cell: Cell) -> tuple[CheckpointKey, CheckpointKey, int, int]:
    return cell.pair.reference or cell.pair.key, cell.pair.key, cell.layer, cell.ref_layer or 0


def _sides(pair: Pair) -> tuple[CheckpointKey, ...]:
    return (pair.key,) if pair.reference is None else (pair.key, pair.reference)


def _layers(
    pair: Pair, by_key: dict[CheckpointKey, Checkpoint], measure: Measure, selection: Selection
) -> Iterable[int]:
    alone = pair.reference is None or selection.ref_layers is not None
    last = by_key[pair.key].layers if alone else min(by_key[k].layers for k in _sides(pair))
    return (n for n in range(measure.first_layer, last + 1) if selection.layers is None or n in selection.layers)


def _others(
    pair: Pair, by_key: dict[CheckpointKey, Checkpoint], measure: Measure, selection: Selection, layer: int
) -> Iterable[int | None]:
    """Layers of the reference that a layer is compared with."""
    if pair.reference is None:
        return (None,)
    if selection.ref_layers is None:
        return (layer,)
    chosen, last = selection.ref_layers, by_key[pair.reference].layers
    return (n for n in range(measure.first_layer, last + 1) if n in chosen)


def _fingerprint(cell: Cell, by_key: dict[CheckpointKey, Checkpoint], measure: Measure) -> Fingerprint:
    digests = [
        by_key[k].hidden_digest if measure.reads == "hidden" else by_key[k].attention_digest for k in _sides(cell.pair)
    ]
    return Fingerprint(cell, digests[0], digests[1] if len(digests) > 1 else None)


def _cell(row: Result) -> Cell:
    return Cell(_pair(row.task, row.seed, row.step, row.ref_task, row.ref_seed, row.ref_step), row.layer, row.ref_layer)


def _pair(task: str, seed: str, step: int, ref_task: str | None, ref_seed: str | None, ref_step: int | None) -> Pair:
    key = CheckpointKey(task, seed, step)
    if ref_task is None or ref_seed is None or ref_step is None:
        return Pair(key, None)
    return Pair(key, CheckpointKey(ref_task, ref_seed, ref_step))


def _stored(store: Store, selection: Selection, measure: Measure, trust: Trust) -> set[Fingerprint]:
    """Fingerprints of the cells whose rows have all that ``trust`` asks for."""
    stamp = "coalesce(json_extract(details, '$.trust')::VARCHAR, '{}')" if trust != NO_TRUST else "'{}'"
    columns = ("task", "seed", "step", "ref_task", "ref_seed", "ref_step", "layer", "ref_layer", "digest", "ref_digest")
    rows = store.result_columns(
        ("distinct " + columns[0], *columns[1:], stamp),
        measure.name,
        selection.corpus,
        canonical(dict(selection.parameters)),
        f"version = {measure.version}",
        selection.tasks,
    )
    return {
        Fingerprint(Cell(_pair(*row[:6]), row[6], row[7]), row[8], row[9])
        for row in rows
        if covers(json.loads(row[10]), trust)
    }
