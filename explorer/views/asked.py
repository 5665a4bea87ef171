"""Questions to the store about the rows of one measure, under one selection's parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from explorer.measures import Measure
from explorer.measures.base import canonical
from explorer.selection import Selection
from explorer.views.cells import Place, place_at, place_of
from explorer.views.rows import Share
from explorer.views.wanted import Wanted
from store.keys import Result

if TYPE_CHECKING:
    from store.store import Store

_UNREAD = ("digest", "ref_digest", "computed_at")


@dataclass(frozen=True)
class Asked:
    """Rows of a measure under a selection's parameters, of some tasks."""

    store: Store
    measure: Measure
    selection: Selection
    tasks: tuple[str, ...]

    @classmethod
    def of(cls, store: Store, wanted: Wanted, tasks: Iterable[str]) -> Asked:
        """What a selection asks of some of its tasks."""
        return cls(store, wanted.measure, wanted.selection, tuple(tasks))

    @property
    def here(self) -> str:
        """A condition: of the measure as it is defined now, of all examples, and of a layer with itself unless others
        are asked for."""
        where = f"version = {self.measure.version} and example is null and query is null"
        crossed = self.selection.ref_layers is not None
        return where if crossed else f"{where} and (ref_layer is null or ref_layer = layer)"

    def all(self, where: str) -> list[Result]:
        """Whole rows."""
        return self.store.results(*self._key, where=where, tasks=self.tasks)

    def count(self, where: str) -> int:
        """How many rows."""
        return int(self.columns(("count(*)",), where)[0][0])

    def statistics(self) -> list[str]:
        """Names of those that there are rows of."""
        return [name for (name,) in self.columns(("distinct statistic",), f"version = {self.measure.version}")]

    def places(self, where: str) -> frozenset[Place]:
        """Where there are rows."""
        return frozenset(place_at(row) for row in self.columns(Place._fields, f"{where} group by all"))

    def whole_layers(self, where: str, wanted: Iterable[Place] | None = None) -> list[Result]:
        """Of each place the rows that ``summaries`` takes; where there are others, one that says that it is there.

        Args:
            wanted: places that are shown: no other row is looked for where each of them has one of its own.
        """
        main = f"statistic = '{self.measure.main}'"
        alone = f"{main} and head is null and label_a is null and label_b is null"
        found = self.lean(f"{where} and {alone}")
        covered = {place_of(r) for r in found}
        if wanted is not None and covered.issuperset(wanted):
            return found
        others = self.places(f"{where} and not ({alone})")
        if others <= covered:
            return found
        rank = f"case when {alone} then 0 when {main} then 1 + (label_a is not null or label_b is not null)::int "
        rank += "when value is null then 3 else 4 end"
        of_place = f"partition by {', '.join(Place._fields)}"
        first = f"({rank} < 3 or row_number() over ({of_place} order by {rank}) = 1)"
        return self.lean(f"{where} qualify {rank} = min({rank}) over ({of_place}) and {first}")

    def lean(self, where: str) -> list[Result]:
        """Without digests and times: they are half of a row, and no picture shows them."""
        names = tuple("''" if f.name in _UNREAD else f.name for f in fields(Result))
        return [Result(*row) for row in self.columns(names, where)]

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.measure.name, self.selection.corpus, canonical(dict(self.selection.parameters))

    def columns(self, names: Sequence[str], where: str) -> list[tuple[Any, ...]]:
        """Some columns of the rows."""
        return self.store.result_columns(names, *self._key, where=where, tasks=self.tasks)


def shares(store: Store, wanted: Wanted, tasks: Iterable[str], narrower: str = "") -> dict[str, Share]:
    """How many of some tasks' values there are, counted task by task: there can be a million.

    Args:
        narrower: a further condition on the rows.
    """
    tasks = tuple(tasks)
    asked = Asked.of(store, wanted, tasks)
    stored = {task for (task,) in asked.columns(("distinct task",), asked.here + narrower)} if tasks else set()
    return {task: _share(Asked.of(store, wanted, (task,)), wanted, narrower, task in stored) for task in tasks}


def _share(asked: Asked, wanted: Wanted, narrower: str, stored: bool) -> Share:
    there = set(wanted.of(asked.tasks[0]))
    where = f"{asked.here}{narrower} group by all"
    found = asked.columns((*Place._fields, "count(*)"), where) if stored else []
    known = [row[-1] for row in found if place_at(row[:-1]) in there]
    return Share(len(there), len(there) - len(known), sum(known))
