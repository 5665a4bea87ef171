"""The stored values of a selection, as one frozen table and as arrays [seeds, layers, steps] of a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.measures import Measure, get
from explorer.measures.base import canonical
from explorer.selection import Selection, pairs, seed_order
from explorer.views.cells import Place, Yardstick, merged, place_at, place_of, summaries, yardsticks
from explorer.views.statistics import Statistics, chosen
from store.keys import PRETRAINED, Checkpoint, Result

if TYPE_CHECKING:
    from store.store import Store

Spot = tuple[str, str, int, int]
"""Task, seed, layer and step."""
MOST_PARTS = 100_000
"""Rows of single examples and query tokens that a table takes; a probe set can have millions of them."""


@dataclass(frozen=True, eq=False)
class Cube:
    """One task's values of a measure's main statistic: float64 [seeds, layers, steps], NaN where there is none."""

    task: str
    seeds: tuple[str, ...]
    layers: tuple[int, ...]
    steps: tuple[int, ...]
    values: np.ndarray
    low: np.ndarray
    """Lower edge of each value's interval."""
    high: np.ndarray
    nulls: np.ndarray
    yardstick: np.ndarray
    """Distance between seeds, [layers, steps]; NaN where the store has none, or where it is the value itself."""

    def of(self, seed: str) -> np.ndarray:
        """One seed's values [layers, steps]."""
        return np.asarray(self.values[self.seeds.index(seed)])

    @cached_property
    def count(self) -> np.ndarray:
        """Seeds that have a value, [layers, steps]."""
        return np.isfinite(self.values).sum(axis=0)

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean over the seeds that have a value, [layers, steps]."""
        return _mean(self.values)

    @cached_property
    def spread(self) -> np.ndarray:
        """Standard deviation over seeds (n - 1), [layers, steps]; NaN below two seeds."""
        square = np.where(np.isfinite(self.values), self.values - self.mean, 0.0) ** 2
        return np.where(self.count > 1, np.sqrt(square.sum(axis=0) / np.maximum(self.count - 1, 1)), np.nan)

    @cached_property
    def null(self) -> np.ndarray:
        """Mean over seeds of what chance gives, [layers, steps]."""
        return _mean(self.nulls)


@dataclass(frozen=True, eq=False)
class Rows:
    """Everything stored of a selection."""

    measure: Measure
    selection: Selection
    results: tuple[Result, ...]
    """All rows, heads and label pairs included; sorted by task, seed, step, layer."""
    wanted: tuple[Place, ...]
    """Every value that the selection asks for, computed or not."""
    yardstick: Mapping[tuple[str, int, int], Yardstick]
    """What two seeds of a (task, layer, step) differ by; empty where that is what the selection compares."""
    left_out: int = 0
    """Rows that are too many for a table."""
    beyond: frozenset[Place] = frozenset()
    """Where rows are that are not here: too many for a table, or of other statistics."""
    statistics: Statistics | None = None
    """Those that were asked for; None: all."""
    order: tuple[str, bool] = ("", False)
    """Where some rows are left out: of all of them these come first by this column, descending or not."""

    @cached_property
    def cells(self) -> tuple[Result, ...]:
        """One row a value of a layer: the measure's main statistic; layers against other layers included."""
        return tuple(summaries(self.measure, self.results))

    @cached_property
    def main(self) -> tuple[Result, ...]:
        """The rows that curves and heat maps show: of ``cells`` those that compare a layer with itself."""
        return tuple(r for r in self.cells if r.ref_layer in (None, r.layer))

    @cached_property
    def missing(self) -> int:
        """Values of the selection that were not computed yet."""
        return len(set(self.wanted) - {place_of(r) for r in self.results} - self.beyond)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the order of the selection, else by name, the pre-trained model last; also those without a value."""
        there = {place.task for place in self.wanted}
        chosen = [t for t in self.selection.tasks if t in there]
        return tuple(chosen or sorted(there, key=lambda task: (task == PRETRAINED, task)))

    def seeds(self, task: str) -> tuple[str, ...]:
        """Seeds of a task, numbers by their size; also those without a value."""
        there = {seed for place in self.wanted for of, seed, _, _ in self._spots(place) if of == task}
        chosen = there & set(self.selection.seeds) if self.selection.seeds else there
        return tuple(sorted(chosen or there, key=seed_order))

    @property
    def between_seeds(self) -> bool:
        """The values themselves compare seeds: there is no other yardstick."""
        against = self.selection.against
        return against is not None and against.kind in ("seed", "seeds")

    def _spots(self, place: Place) -> tuple[Spot, ...]:
        """Under ``seeds`` a pair is a value of both its seeds; else of the checkpoint alone."""
        own = (place.task, place.seed, place.layer, place.step)
        if not self._both or place.ref_task is None or place.ref_seed is None or place.ref_step is None:
            return (own,)
        return own, (place.ref_task, place.ref_seed, place.layer, place.ref_step)

    @cached_property
    def _both(self) -> bool:
        against = self.selection.against
        return against is not None and against.kind == "seeds"

    @cached_property
    def _by_spot(self) -> dict[Spot, Result]:
        found: dict[Spot, list[Result]] = {}
        for r in self.main:
            for spot in self._spots(place_of(r)):
                found.setdefault(spot, []).append(r)
        return {spot: merged(rs) for spot, rs in found.items()}

    def at(self, task: str, seed: str, layer: int, step: int) -> Result | None:
        """The main row of one layer of one checkpoint; the mean of several when it is compared with several seeds."""
        return self._by_spot.get((task, seed, layer, step))

    def cube(self, task: str, seeds: Sequence[str]) -> Cube:
        """The values of a task and some of its seeds, with every layer and step that the selection asks for."""
        spots = (spot for place in self.wanted for spot in self._spots(place))
        wanted = {(layer, step) for of, seed, layer, step in spots if of == task and seed in seeds}
        layers, steps = (sorted({spot[axis] for spot in wanted}) for axis in (0, 1))
        values, low, high, nulls = (np.full((len(seeds), len(layers), len(steps)), np.nan) for _ in range(4))
        seed_at, layer_at, step_at = ({v: i for i, v in enumerate(axis)} for axis in (seeds, layers, steps))
        for (of, seed, layer, step), r in self._by_spot.items():
            if of != task or seed not in seed_at or r.value is None:
                continue
            at = seed_at[seed], layer_at[layer], step_at[step]
            values[at] = r.value
            nulls[at] = np.nan if r.null_value is None else r.null_value
            if r.interval_low is not None and r.interval_high is not None:
                low[at], high[at] = r.interval_low, r.interval_high
        beside = np.full((len(layers), len(steps)), np.nan)
        for (of, layer, step), one in self.yardstick.items():
            if of == task and layer in layer_at and step in step_at:
                beside[layer_at[layer], step_at[step]] = one.value
        return Cube(task, tuple(seeds), tuple(layers), tuple(steps), values, low, high, nulls, beside)


def fetch(
    store: Store,
    selection: Selection,
    parts: bool = False,
    whole: bool = False,
    most: int | None = None,
    statistic: str = "",
    order: tuple[str, bool] = ("", False),
) -> Rows:
    """Read a selection's stored values.

    Args:
        parts: rows of single examples and query tokens too, as long as they are not more than MOST_PARTS.
        whole: only what stands for a whole layer (see ``summaries``): of heads and labels a hundred times less to read.
        most: at most so many rows, the first ones in the order.
        order: column and whether descending, of which the first rows are taken; without a column, run by run.
        statistic: rows of these statistics alone (see ``Look``).

    Raises:
        BertdynError: the selection matches nothing, or the store cannot be read.
        MeasureError: there is no such measure.
    """
    measure = get(selection.measure)
    checkpoints = {c.key: c for c in store.checkpoints(selection.probe)}
    wanted = [
        place
        for pair in pairs(selection, tuple(checkpoints))
        for place in _places(
            measure, selection, checkpoints[pair.key], checkpoints[pair.reference] if pair.reference else None
        )
    ]
    if not wanted:
        return choose_rows(measure, selection, [], wanted)
    here = f"version = {measure.version} and example is null and query is null"
    if selection.ref_layers is None:
        here += " and (ref_layer is null or ref_layer = layer)"
    asked = _Asked(store, measure, selection, tuple(sorted({place.task for place in wanted})))
    if whole:
        return choose_rows(measure, selection, asked.whole_layers(here, wanted), wanted)
    each = f"version = {measure.version} and (example is not null or query is not null)"
    shown, known = None, frozenset[Place]()
    if statistic:
        shown, known = chosen(asked.statistics(), statistic, measure.main), asked.places(here)
        named = ", ".join("'" + name.replace("'", "''") + "'" for name in shown.shown)
        here, each = (f"{where} and {f'statistic in ({named})' if named else 'false'}" for where in (here, each))
    stored, beyond = asked.some(here, set(wanted), most, order) if most is not None else (asked.all(here), {})
    left_out = sum(beyond.values())
    if parts:
        many = asked.count(each)
        if many > (MOST_PARTS if most is None else most - len(stored)):
            left_out += many
        elif many:
            stored += asked.all(each)
    found = choose_rows(measure, selection, stored, wanted, left_out, known.union(beyond))
    whole = left_out == sum(beyond.values())  # else rows of single examples are not here at all
    return replace(found, statistics=shown, order=order if beyond and whole and order[0] in _SORTED else ("", False))


@dataclass(frozen=True)
class _Asked:
    """Rows of a measure under a selection's parameters, of some tasks."""

    store: Store
    measure: Measure
    selection: Selection
    tasks: tuple[str, ...]

    def all(self, where: str) -> list[Result]:
        return self.store.results(*self._key, where=where, tasks=self.tasks)

    def count(self, where: str) -> int:
        return int(self._columns(("count(*)",), where)[0][0])

    def statistics(self) -> list[str]:
        return [name for (name,) in self._columns(("distinct statistic",), f"version = {self.measure.version}")]

    def places(self, where: str) -> frozenset[Place]:
        return frozenset(place_at(row) for row in self._columns(Place._fields, f"{where} group by all"))

    def whole_layers(self, where: str, wanted: Iterable[Place]) -> list[Result]:
        """Of each place the rows that ``summaries`` takes; where there are others, one that says that it is there."""
        main = f"statistic = '{self.measure.main}'"
        alone = f"{main} and head is null and label_a is null and label_b is null"
        found = self._lean(f"{where} and {alone}")
        covered = {place_of(r) for r in found}
        if covered.issuperset(wanted):
            return found
        others = self.places(f"{where} and not ({alone})")
        if others <= covered:
            return found
        rank = f"case when {alone} then 0 when {main} then 1 + (label_a is not null or label_b is not null)::int "
        rank += "when value is null then 3 else 4 end"
        of_place = f"partition by {', '.join(Place._fields)}"
        first = f"({rank} < 3 or row_number() over ({of_place} order by {rank}) = 1)"
        return self._lean(f"{where} qualify {rank} = min({rank}) over ({of_place}) and {first}")

    def some(
        self, where: str, there: set[Place], most: int, order: tuple[str, bool]
    ) -> tuple[list[Result], dict[Place, int]]:
        """At most so many rows that belong ``there``, the first ones in the order; and how many rows of which places
        are left out."""
        counted = self._columns((*Place._fields, "count(*)"), f"{where} group by all")
        many = {place: n for place, n in ((place_at(row[:-1]), row[-1]) for row in counted) if place in there}
        if sum(many.values()) <= most:
            return self.all(where), {}
        stored = self._first(where, set(many), most, order) if order[0] in _SORTED else self._by_run(where, many, most)
        for place in map(place_of, stored):
            many[place] -= 1
        return stored, {place: n for place, n in many.items() if n}

    def _first(self, where: str, there: set[Place], most: int, order: tuple[str, bool]) -> list[Result]:
        """The first rows by a column; rows without a value of it come last, equal ones by their place."""
        column, descending = _SORTED[order[0]], "desc" if order[1] else "asc"
        equal = ", ".join((*Place._fields, "head", "statistic", "label_a", "label_b"))
        near = f"{where}{_near(there)} order by {column} {descending} nulls last, {equal}"
        found: list[Result] = []
        for start in range(0, _ASKED * most, most):
            page = self.all(f"{near} limit {most} offset {start}")
            found += [r for r in page if place_of(r) in there]
            if len(found) >= most or len(page) < most:
                break
        return found[:most]

    def _by_run(self, where: str, there: Iterable[Place], most: int) -> list[Result]:
        stored: list[Result] = []
        runs = sorted({(p.task, p.seed) for p in there}, key=lambda run: (run[0], seed_order(run[1])))
        for task, seed in runs:
            if len(stored) >= most:
                break
            run = "' and seed = '".join(name.replace("'", "''") for name in (task, seed))
            stored += sorted((r for r in self.all(f"{where} and task = '{run}'") if place_of(r) in there), key=_order)
        return stored[:most]

    def _lean(self, where: str) -> list[Result]:
        """Without digests and times: they are half of a row, and no picture shows them."""
        names = tuple("''" if f.name in _UNREAD else f.name for f in fields(Result))
        return [Result(*row) for row in self._columns(names, where)]

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.measure.name, self.selection.probe, canonical(dict(self.selection.parameters))

    def _columns(self, names: Sequence[str], where: str) -> list[tuple[Any, ...]]:
        return self.store.result_columns(names, *self._key, where=where, tasks=self.tasks)


def _near(there: set[Place]) -> str:
    """A condition that holds for all of these places and, where they are not too many kinds, for few others."""
    said = ""
    for i, name in enumerate(Place._fields):
        kinds = {place[i] for place in there}
        if None not in kinds and len(kinds) <= _KINDS:
            listed = ", ".join(str(v) if isinstance(v, int) else "'" + str(v).replace("'", "''") + "'" for v in kinds)
            said += f" and {name} in ({listed})"
    return said


_KINDS = 200
_ASKED = 100
"""Pages of an order that are looked through for rows that belong to a selection."""
_SORTED = {f.name: f.name for f in fields(Result)} | {"null": "null_value"}
"""Columns of a table that the store can sort by, and what it calls them."""
_UNREAD = ("digest", "ref_digest", "computed_at")


def choose_rows(
    measure: Measure,
    selection: Selection,
    stored: Sequence[Result],
    wanted: Sequence[Place],
    left_out: int = 0,
    beyond: frozenset[Place] = frozenset(),
) -> Rows:
    """Of stored rows those that the selection asks for, and what seeds differ by (pure)."""
    there = set(wanted)
    current = [r for r in stored if r.version == measure.version]
    kept = sorted((r for r in current if place_of(r) in there), key=_order)
    found = Rows(measure, selection, tuple(kept), tuple(wanted), {}, left_out, beyond)
    if measure.sides == 1 or found.between_seeds:
        return found
    tasks = set(found.tasks)
    beside = yardsticks(measure, (r for r in current if r.task in tasks))
    return Rows(measure, selection, tuple(kept), tuple(wanted), beside, left_out, beyond)


def _places(
    measure: Measure, selection: Selection, checkpoint: Checkpoint, reference: Checkpoint | None
) -> Iterator[Place]:
    """Every layer that the selection wants of a comparison, with itself or with each of the reference's."""
    sides = [checkpoint] if reference is None else [checkpoint, reference]
    if measure.reads == "attention" and not all(c.has_attention for c in sides):
        return
    layers = range(measure.first_layer, checkpoint.layers + 1)
    chosen = [n for n in layers if selection.layers is None or n in selection.layers]
    if reference is None:
        yield from (Place.of(checkpoint.key, n, None, None) for n in chosen)
        return
    others = range(measure.first_layer, reference.layers + 1)
    for layer in chosen:
        if selection.ref_layers is None:
            against: Iterable[int] = (layer,) if layer in others else ()
        else:
            against = (n for n in others if n in selection.ref_layers) if measure.cross_layers else ()
        yield from (Place.of(checkpoint.key, layer, reference.key, other) for other in against)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is finite; NaN where nothing is."""
    finite = np.isfinite(values)
    many = finite.sum(axis=0)
    return np.where(many > 0, np.where(finite, values, 0.0).sum(axis=0) / np.maximum(many, 1), np.nan)


def _order(r: Result) -> tuple[object, ...]:
    place = (r.task, seed_order(r.seed), r.step, r.ref_task or "", r.ref_seed or "", r.ref_step or 0, r.layer)
    parts = (-1 if r.example is None else r.example, -1 if r.query is None else r.query)
    return (*place, r.ref_layer or 0, r.head or 0, r.statistic, r.label_a or "", r.label_b or "", *parts)
