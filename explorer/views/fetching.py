"""Reads a selection's stored values: whole layers of one task, of all, or as many rows as a table takes.

A store can hold a million values: what is read is no more than is shown, task by task where all of them are looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from explorer.measures import Measure, get
from explorer.measures.base import canonical
from explorer.selection import Pair, Selection, pairs, seed_order
from explorer.views.cells import Place, place_at, place_of
from explorer.views.rows import Rows, Share, choose_rows, row_order
from explorer.views.statistics import chosen
from store.keys import PRETRAINED, Checkpoint, Result

if TYPE_CHECKING:
    from store.store import Store

MOST_PARTS = 100_000
"""Rows of single examples and query tokens that a table takes; a probe set can have millions of them."""
_KINDS = 200
_ASKED = 100
"""Pages of an order that are looked through for rows that belong to a selection."""
_SORTED = {f.name: f.name for f in fields(Result)} | {"null": "null_value"}
"""Columns of a table that the store can sort by, and what it calls them."""
_UNREAD = ("digest", "ref_digest", "computed_at")


class Wanted(Collection[Place]):
    """Every value that a selection asks for, computed or not; each is made when it is looked at."""

    def __init__(self, store: Store, selection: Selection) -> None:
        """Raises BertdynError: the selection matches nothing; MeasureError: there is no such measure."""
        self.measure, self.selection = get(selection.measure), selection
        self._checkpoints = {c.key: c for c in store.checkpoints(selection.probe)}
        self._pairs: dict[str, list[Pair]] = {}
        for pair in pairs(selection, tuple(self._checkpoints)):
            self._pairs.setdefault(pair.key.task, []).append(pair)
        self._layers: dict[tuple[object, ...], tuple[tuple[int, int | None], ...]] = {}

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Those that have any, in the order of the selection, else by name, the pre-trained model last."""
        there = [task for task in self._pairs if next(self.of(task), None)]
        ranks = {task: i for i, task in enumerate(self.selection.tasks)}
        return tuple(sorted(there, key=lambda task: (ranks.get(task, len(ranks)), task == PRETRAINED, task)))

    def of(self, task: str) -> Iterator[Place]:
        """Those of one task."""
        for pair in self._pairs.get(task, ()):
            for layer, other in self._compared(pair):
                yield Place.of(pair.key, layer, pair.reference, other)

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Tasks and seeds, by name."""
        found = {(task, pair.key.seed) for task, each in self._pairs.items() for pair in each}
        return sorted(found, key=lambda run: (run[0], seed_order(run[1])))

    def __iter__(self) -> Iterator[Place]:
        return (place for task in self._pairs for place in self.of(task))

    def __len__(self) -> int:
        return sum(len(self._compared(pair)) for each in self._pairs.values() for pair in each)

    def __contains__(self, place: object) -> bool:
        if not isinstance(place, Place) or Pair(place.key, place.reference) not in self._all:
            return False
        return (place.layer, place.ref_layer) in self._compared(Pair(place.key, place.reference))

    @cached_property
    def _all(self) -> frozenset[Pair]:
        return frozenset(pair for each in self._pairs.values() for pair in each)

    def _compared(self, pair: Pair) -> tuple[tuple[int, int | None], ...]:
        """The layers of a comparison, each with itself or with each of the reference's; few pairs differ in them."""
        sides = [self._checkpoints[key] for key in (pair.key, pair.reference) if key is not None]
        shape = tuple((c.layers, c.has_attention) for c in sides)
        if shape not in self._layers:
            self._layers[shape] = tuple(_layers(self.measure, self.selection, sides))
        return self._layers[shape]


def _layers(measure: Measure, selection: Selection, sides: Sequence[Checkpoint]) -> Iterator[tuple[int, int | None]]:
    if measure.reads == "attention" and not all(c.has_attention for c in sides):
        return
    layers = range(measure.first_layer, sides[0].layers + 1)
    chosen = [n for n in layers if selection.layers is None or n in selection.layers]
    if len(sides) == 1:
        yield from ((n, None) for n in chosen)
        return
    others = range(measure.first_layer, sides[1].layers + 1)
    for layer in chosen:
        if selection.ref_layers is None:
            against: Iterable[int] = (layer,) if layer in others else ()
        else:
            against = (n for n in others if n in selection.ref_layers) if measure.cross_layers else ()
        yield from ((layer, other) for other in against)


def fetch(store: Store, selection: Selection, whole: bool = False) -> Rows:
    """Read all stored values of a selection, but for those of single examples and query tokens.

    Args:
        whole: only what stands for a whole layer (see ``summaries``): of heads and labels a hundred times less to read.

    Raises:
        BertdynError: the selection matches nothing, or the store cannot be read.
        MeasureError: there is no such measure.
    """
    wanted = Wanted(store, selection)
    return _of_tasks(store, wanted, wanted.tasks, whole)


def fetch_first(store: Store, selection: Selection, whole: bool = True) -> Rows:
    """Read those of the first task; of the others, how many there are and how many are missing.

    Raises:
        BertdynError, MeasureError: as ``fetch``.
    """
    wanted = Wanted(store, selection)
    found = _of_tasks(store, wanted, wanted.tasks[:1], whole)
    counted = _Counted(store, wanted)
    return replace(found, unshown={task: counted.share(task) for task in wanted.tasks[1:]})


def fetch_each(store: Store, selection: Selection) -> Iterator[Rows]:
    """Read the whole layers of one task after the other.

    Raises:
        BertdynError, MeasureError: as ``fetch``.
    """
    wanted = Wanted(store, selection)
    return (_of_tasks(store, wanted, (task,), True) for task in wanted.tasks)


def fetch_heads(store: Store, found: Rows, layer: int | None = None, step: int | None = None) -> tuple[Result, ...]:
    """Read the values of single heads of the task that rows were read of, in one layer or at one step.

    Raises:
        BertdynError: the store cannot be read.
    """
    where = f"{_here(found.measure, found.selection)} and head is not null and label_a is null"
    where += f" and statistic = '{found.measure.main}'"
    where += "".join(f" and {name} = {n}" for name, n in (("layer", layer), ("step", step)) if n is not None)
    there = set(found.wanted)
    rows = _Asked(store, found.measure, found.selection, found.tasks[:1]).lean(where)
    return tuple(sorted((r for r in rows if place_of(r) in there), key=row_order))


def fetch_table(
    store: Store,
    selection: Selection,
    most: int | None = None,
    statistic: str = "",
    order: tuple[str, bool] = ("", False),
) -> Rows:
    """Read every row of a selection, those of single examples and query tokens too as long as these are not more than
    MOST_PARTS.

    Args:
        most: at most so many rows, the first ones in the order.
        statistic: rows of these statistics alone (see ``Look``).
        order: column and whether descending, of which the first rows are taken; without a column, run by run.

    Raises:
        BertdynError, MeasureError: as ``fetch``.
    """
    wanted = Wanted(store, selection)
    measure, here = wanted.measure, _here(wanted.measure, selection)
    asked = _Asked(store, measure, selection, wanted.tasks)
    each, shown = f"version = {measure.version} and (example is not null or query is not null)", None
    everything = _Counted(store, wanted)
    counted = everything
    if statistic:
        shown = chosen(asked.statistics(), statistic, measure.main)
        named = ", ".join("'" + name.replace("'", "''") + "'" for name in shown.shown)
        here, each = (f"{where} and {f'statistic in ({named})' if named else 'false'}" for where in (here, each))
        counted = _Counted(store, wanted, here)
    many = sum(counted.share(task).rows for task in wanted.tasks)
    stored = asked.some(here, wanted, many, most, order) if many else []
    left_out, parts = many - len(stored), asked.count(each)
    fits = parts <= (MOST_PARTS if most is None else most - len(stored))
    if fits and parts:
        stored += asked.all(each)
    places = {place_of(r) for r in stored if r.example is None and r.query is None}
    known = sum(share.wanted - share.missing for share in map(everything.share, wanted.tasks))
    sorted_by = order if left_out and fits and order[0] in _SORTED else ("", False)
    found = choose_rows(measure, selection, stored, wanted)
    return replace(
        found,
        left_out=left_out + (0 if fits else parts),
        unseen=known - len(places & set(map(place_of, found.results))),
        statistics=shown,
        order=sorted_by,
    )


class _Counted:
    """How many of a task's values there are, task by task: what is counted of one is forgotten with it."""

    def __init__(self, store: Store, wanted: Wanted, where: str = "") -> None:
        self._store, self._wanted = store, wanted
        self._where = where or _here(wanted.measure, wanted.selection)
        self._known: dict[str, Share] = {}

    def share(self, task: str) -> Share:
        """Of one task."""
        if task not in self._known:
            there = set(self._wanted.of(task))
            asked = _Asked(self._store, self._wanted.measure, self._wanted.selection, (task,))
            found = (
                asked.columns((*Place._fields, "count(*)"), f"{self._where} group by all")
                if task in self._stored
                else []
            )
            known = [row[-1] for row in found if place_at(row[:-1]) in there]
            self._known[task] = Share(len(there), len(there) - len(known), sum(known))
        return self._known[task]

    @cached_property
    def _stored(self) -> frozenset[str]:
        asked = _Asked(self._store, self._wanted.measure, self._wanted.selection, self._wanted.tasks)
        return frozenset(task for (task,) in asked.columns(("distinct task",), self._where))


def _of_tasks(store: Store, wanted: Wanted, tasks: Iterable[str], whole: bool) -> Rows:
    places, stored = list[Place](), list[Result]()
    here = _here(wanted.measure, wanted.selection)
    for task in tasks:
        asked, there = _Asked(store, wanted.measure, wanted.selection, (task,)), tuple(wanted.of(task))
        stored += asked.whole_layers(here, there) if whole else asked.all(here)
        places += there
    return choose_rows(wanted.measure, wanted.selection, stored, tuple(places))


def _here(measure: Measure, selection: Selection) -> str:
    """A condition: of the measure as it is defined now, of all examples, and of a layer with itself unless others are
    asked for."""
    where = f"version = {measure.version} and example is null and query is null"
    return where if selection.ref_layers is not None else f"{where} and (ref_layer is null or ref_layer = layer)"


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
        return int(self.columns(("count(*)",), where)[0][0])

    def statistics(self) -> list[str]:
        return [name for (name,) in self.columns(("distinct statistic",), f"version = {self.measure.version}")]

    def places(self, where: str) -> frozenset[Place]:
        return frozenset(place_at(row) for row in self.columns(Place._fields, f"{where} group by all"))

    def whole_layers(self, where: str, wanted: Iterable[Place]) -> list[Result]:
        """Of each place the rows that ``summaries`` takes; where there are others, one that says that it is there."""
        main = f"statistic = '{self.measure.main}'"
        alone = f"{main} and head is null and label_a is null and label_b is null"
        found = self.lean(f"{where} and {alone}")
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
        return self.lean(f"{where} qualify {rank} = min({rank}) over ({of_place}) and {first}")

    def some(self, where: str, there: Wanted, many: int, most: int | None, order: tuple[str, bool]) -> list[Result]:
        """At most so many of ``many`` rows that belong ``there``, the first ones in the order."""
        if most is None or many <= most:
            return [r for r in self.all(where) if place_of(r) in there]
        return self._first(where, there, most, order) if order[0] in _SORTED else self._by_run(where, there, most)

    def _first(self, where: str, there: Wanted, most: int, order: tuple[str, bool]) -> list[Result]:
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

    def _by_run(self, where: str, there: Wanted, most: int) -> list[Result]:
        stored: list[Result] = []
        for task, seed in there.runs:
            if len(stored) >= most:
                break
            run = "' and seed = '".join(name.replace("'", "''") for name in (task, seed))
            rows = self.all(f"{where} and task = '{run}'")
            stored += sorted((r for r in rows if place_of(r) in there), key=row_order)
        return stored[:most]

    def lean(self, where: str) -> list[Result]:
        """Without digests and times: they are half of a row, and no picture shows them."""
        names = tuple("''" if f.name in _UNREAD else f.name for f in fields(Result))
        return [Result(*row) for row in self.columns(names, where)]

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.measure.name, self.selection.probe, canonical(dict(self.selection.parameters))

    def columns(self, names: Sequence[str], where: str) -> list[tuple[Any, ...]]:
        return self.store.result_columns(names, *self._key, where=where, tasks=self.tasks)


def _near(there: Collection[Place]) -> str:
    """A condition that holds for all of these places and, where they are not too many kinds, for few others."""
    said = ""
    for i, name in enumerate(Place._fields):
        kinds = {place[i] for place in there}
        if None not in kinds and len(kinds) <= _KINDS:
            listed = ", ".join(str(v) if isinstance(v, int) else "'" + str(v).replace("'", "''") + "'" for v in kinds)
            said += f" and {name} in ({listed})"
    return said
