"""Hold the stored values of a question in one frozen table. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from explorer.answers.cells import YardstickKey, by_place, summaries, yardsticks
from explorer.answers.coordinates import SEED, STEP, TASK
from explorer.answers.statistics import Statistics
from explorer.measures import Measure
from explorer.measures.declaration import LAYER, Coordinate
from explorer.selection import Cell, Question, seed_order
from explorer.selection.against import SEEDS
from explorer.selection.stored import cell_of
from store.keys import PRETRAINED, recipe_of
from store.results import Result


@dataclass(frozen=True)
class Share:
    """How much of a task is there."""

    wanted: int
    """Values that the selection asks for."""
    missing: int
    """Those that were not computed yet."""
    rows: int
    """Rows of those that were."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Everything stored of a selection."""

    question: Question
    results: tuple[Result, ...]
    """All rows, heads and label pairs included; sorted by task, seed, step, layer."""
    wanted: Collection[Cell]
    """Every value that the selection asks for, computed or not; without those of unshown tasks."""
    yardsticks: Mapping[YardstickKey, float]
    """Mean distance between two seeds; empty where that is what the question compares."""
    left_out: int = 0
    """Rows that are too many for a table."""
    unseen: int = 0
    """Values that are stored, but whose rows are not here: too many for a table, or of other statistics."""
    unshown: Mapping[str, Share] = field(default_factory=dict)
    """Tasks of the selection that were not read."""
    statistics: Statistics | None = None
    """Those that were asked for; None: all."""
    gaps: tuple[Result, ...] = ()
    """Differences between the main rows of the first corpus and of each further one (``answers.corpora``)."""
    order: tuple[str, bool] = ("", False)
    """Where some rows are left out: of all of them these come first by this column, descending or not."""

    @property
    def measure(self) -> Measure:
        """The measure that is shown."""
        return self.question.measure

    @cached_property
    def cells(self) -> tuple[Result, ...]:
        """One row per place of the measure's axes: its main statistic; layers against other layers included."""
        return tuple(summaries(self.measure, by_place(self.results)))

    @cached_property
    def main(self) -> tuple[Result, ...]:
        """The rows that lines and maps show: those of ``cells`` that compare a layer with itself."""
        return (*(r for r in self.cells if r.ref_layer in (None, r.layer)), *self.gaps)

    @property
    def asked(self) -> int:
        """Values that the selection asks for, of all its tasks."""
        return len(self.wanted) + sum(share.wanted for share in self.unshown.values())

    @property
    def missing(self) -> int:
        """Those that were not computed yet."""
        return self.missing_here + sum(share.missing for share in self.unshown.values())

    @cached_property
    def missing_here(self) -> int:
        """Those of the tasks that were read."""
        known = len({(r.corpus, cell_of(r, self.measure)) for r in self.results}) + self.unseen
        return len(self.wanted) - known

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the order of the selection, else by name, the pre-trained model last; also those without a value."""
        there = {recipe_of(*names) for names in {place[:2] for place in self.wanted}} | set(self.unshown)
        chosen = [t for t in self.question.tasks if t in there]
        return tuple(chosen or sorted(there, key=lambda task: (task == PRETRAINED, task)))

    @property
    def corpora(self) -> tuple[str, ...]:
        """Names of the corpora in the order of the question, then those of the gaps between them."""
        return tuple(dict.fromkeys((*self.question.corpora, *(r.corpus for r in self.gaps))))

    def seeds(self, task: str) -> tuple[str, ...]:
        """Return the seeds of a task, numbers by their size; also those without a value."""
        there = self.places(task, SEED)
        chosen = there & set(self.question.seeds) if self.question.seeds else there
        return tuple(sorted(map(str, chosen or there), key=seed_order))

    @property
    def between_seeds(self) -> bool:
        """The values themselves compare seeds: there is no other yardstick."""
        return self.question.between_seeds

    @property
    def _mutual(self) -> bool:
        """Whether every pair of seeds is compared once, and so is a value of both."""
        against = self.question.against
        return self.measure.symmetric and against is not None and against.kind == SEEDS

    def of(self, task: str, statistic: str = "") -> tuple[Result, ...]:
        """Return the main rows of a task, or those of another statistic; a pair of seeds is a value of each of the
        two."""
        if not statistic:
            return self._main_of.get(task, ())
        return self._by_task(r for r in self.results if r.statistic == statistic).get(task, ())

    @cached_property
    def _main_of(self) -> dict[str, tuple[Result, ...]]:
        return self._by_task(self.main)

    def _by_task(self, rows: Iterable[Result]) -> dict[str, tuple[Result, ...]]:
        rows, found = tuple(rows), dict[str, list[Result]]()
        for r in (*rows, *map(mirrored, rows)) if self._mutual else rows:
            found.setdefault(r.recipe, []).append(r)
        return {task: tuple(there) for task, there in found.items()}

    def yardstick(self, r: Result) -> float | None:
        """Return the distance between seeds that a row can be compared with."""
        return self.yardsticks.get((r.recipe, r.layer, r.step, r.axes)) if r.ref_layer in (None, r.layer) else None

    def places(self, task: str, axis: str) -> set[Coordinate]:
        """Return the places of a task along an axis whose places are separate cells, computed or not."""
        return self._wanted_places.get(task, {}).get(axis, set())

    def asked_at(
        self, names: Sequence[str], fixed: Mapping[str, Coordinate | None]
    ) -> set[tuple[Coordinate | None, ...]]:
        """Return the places along some axes that the question asks for, computed or not.

        Args:
            names: axes; along one that is no coordinate of cells, such as heads, the place is None.
            fixed: the one place along other axes.
        """
        own = {axis.name for axis in self.measure.own_axes if not axis.within} | {TASK, SEED, STEP}
        at = {name: place for name, place in fixed.items() if name in own}
        named = own.intersection(names)
        found = set()
        for cell in self.wanted:
            other = cell.reference if self._mutual else None
            for key in (cell.key,) if other is None else (cell.key, other):
                there = {TASK: key.recipe, SEED: key.seed, STEP: key.step, LAYER.name: cell.layer, **dict(cell.more)}
                if all(there.get(name) == place for name, place in at.items()) and named <= there.keys():
                    found.add(tuple(there.get(name) if name in named else None for name in names))
        return found

    @cached_property
    def _wanted_places(self) -> dict[str, dict[str, set[Coordinate]]]:
        """By task and axis: the places of every value that the question asks for."""
        found: dict[str, dict[str, set[Coordinate]]] = {}
        for cell in self.wanted:
            self._note(found, cell.recipe, cell.seed, cell.step, cell)
            other = cell.reference if self._mutual else None
            if other is not None:
                self._note(found, other.recipe, other.seed, other.step, cell)
        return found

    @staticmethod
    def _note(found: dict[str, dict[str, set[Coordinate]]], task: str, seed: str, step: int, cell: Cell) -> None:
        places = found.setdefault(task, {SEED: set(), STEP: set(), LAYER.name: set()})
        places[SEED].add(seed)
        places[STEP].add(step)
        if cell.layer is not None:
            places[LAYER.name].add(cell.layer)
        for name, place in cell.more:
            places.setdefault(name, set()).add(place)


def mirrored(r: Result) -> Result:
    """Return a row of a symmetric measure with its checkpoint and its reference exchanged."""
    if r.ref_task is None or r.ref_seed is None or r.ref_step is None:
        return r
    return r._replace(
        task=r.ref_task, variant=r.ref_variant or "", seed=r.ref_seed, step=r.ref_step,
        ref_task=r.task, ref_variant=r.variant, ref_seed=r.seed, ref_step=r.step,
    )  # fmt: skip


def layers_of(rows: Iterable[Cell | Result]) -> set[int]:
    """Return the layers of cells or rows that have one."""
    return {row.layer for row in rows if row.layer is not None}


def choose_rows(question: Question, stored: Sequence[Result], wanted: Collection[Cell]) -> Rows:
    """Of stored rows those that the question asks for, and what seeds differ by (pure)."""
    measure = question.measure
    there = frozenset(wanted) if isinstance(wanted, Sequence) else wanted
    current = [r for r in stored if r.version == measure.version]
    kept = tuple(sorted((r for r in current if cell_of(r, measure) in there), key=row_order))
    found = Rows(question, kept, wanted, {})
    if not measure.compares or found.between_seeds:
        return found
    tasks = set(found.tasks)
    return replace(found, yardsticks=yardsticks(measure, (r for r in current if r.recipe in tasks)))


def row_order(r: Result) -> tuple[object, ...]:
    """Sorts rows: by task, seed, step, what they are compared with, layer and what is within one."""
    place = (r.recipe, seed_order(r.seed), r.step, r.ref_recipe or "", r.ref_seed or "", r.ref_step or 0, r.layer or 0)
    parts = (-1 if r.example is None else r.example, -1 if r.query is None else r.query)
    return (*place, r.ref_layer or 0, r.axes, r.head or 0, r.statistic, r.label_a or "", r.label_b or "", *parts)
