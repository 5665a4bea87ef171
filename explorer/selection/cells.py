"""What a question asks for, cell by cell: one rule for the planner, the views and the count of what is missing."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from explorer.measures.declaration import At, Coordinate, Known, Scope
from explorer.selection.against import SEEDS
from explorer.selection.listing import seed_order
from store.errors import BertdynError
from store.keys import PRETRAINED, Checkpoint, CheckpointKey, recipe_of

if TYPE_CHECKING:
    from explorer.selection.question import Question


class Pair(NamedTuple):
    """A checkpoint and the one it is compared with (None for measures of one checkpoint)."""

    key: CheckpointKey
    reference: CheckpointKey | None


class Cell(NamedTuple):
    """What is computed in one go and known or missing as a whole, however many rows it has.

    Flat, because there may be a hundred thousand: operands first, then coordinates.
    """

    task: str
    variant: str
    seed: str
    step: int
    ref_task: str | None
    """None, as what follows, for a measure of one checkpoint."""
    ref_variant: str | None
    ref_seed: str | None
    ref_step: int | None
    layer: int | None
    ref_layer: int | None
    more: tuple[tuple[str, Coordinate], ...] = ()
    """Coordinates besides layers, by name."""

    @classmethod
    def of(cls, pair: Pair, at: At) -> Cell:
        """Return the cell of a comparison at some coordinates."""
        return cls._make((*pair.key, *(pair.reference or _NOBODY), *at))

    @property
    def key(self) -> CheckpointKey:
        """The checkpoint."""
        return CheckpointKey(self.task, self.variant, self.seed, self.step)

    @property
    def reference(self) -> CheckpointKey | None:
        """What it is compared with; None for a measure of one checkpoint."""
        if self.ref_task is None or self.ref_variant is None or self.ref_seed is None or self.ref_step is None:
            return None
        return CheckpointKey(self.ref_task, self.ref_variant, self.ref_seed, self.ref_step)

    @property
    def pair(self) -> Pair:
        """Both operands."""
        return Pair(self.key, self.reference)

    @property
    def at(self) -> At:
        """Its coordinates."""
        return At(self.layer, self.ref_layer, self.more)

    @property
    def recipe(self) -> str:
        """Task and variant of the checkpoint as one name."""
        return recipe_of(self.task, self.variant)

    def __str__(self) -> str:
        layer = [] if self.layer is None else [f"layer {self.layer}"]
        where = ", ".join(layer + [f"{name} {value}" for name, value in self.more])
        other = "" if self.ref_layer in (None, self.layer) else f"layer {self.ref_layer} of "
        against = "" if self.reference is None else f" against {other}{self.reference}"
        return f"{where}{' of ' if where else ''}{self.key}{against}"


_NOBODY = (None, None, None, None)
Finished = Mapping[Pair, Mapping[At, tuple[Known, ...]]]
"""Cells that are done, by their operands."""


class Cells(Collection[Cell]):
    """Every cell that a question asks for, computed or not; each is made when it is looked at."""

    def __init__(self, question: Question, checkpoints: Iterable[Checkpoint], finished: Finished | None = None) -> None:
        """
        Args:
            checkpoints: every checkpoint of the question's corpus.
            finished: the cells that are done, for a measure that proposes its cells in rounds.

        Raises:
            BertdynError: the question matches no checkpoint.
        """
        self.question = question
        self._finished = finished or {}
        self._checkpoints = {c.key: c for c in checkpoints}
        self._pairs: dict[str, list[Pair]] = {}
        pairs = comparisons(question, tuple(self._checkpoints))
        for (task, variant), each in groupby(pairs, key=lambda pair: pair.key[:2]):
            self._pairs.setdefault(recipe_of(task, variant), []).extend(each)
        self._shapes: dict[tuple[Shape, Pair | None], tuple[At, ...]] = {}
        self._at: dict[Pair, tuple[At, ...]] = {}

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks (with variants) that have any, in the order asked for, else by name, the pre-trained model last."""
        there = [task for task in self._pairs if next(self.of(task), None)]
        ranks = {task: i for i, task in enumerate(self.question.tasks)}
        return tuple(sorted(there, key=lambda task: (ranks.get(task, len(ranks)), task == PRETRAINED, task)))

    def of(self, task: str) -> Iterator[Cell]:
        """Return the cells of one task."""
        return (Cell.of(pair, at) for pair in self._pairs.get(task, ()) for at in self.at(pair))

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Tasks and seeds, by name."""
        found = {(task, pair.key.seed) for task, each in self._pairs.items() for pair in each}
        return sorted(found, key=lambda run: (run[0], seed_order(run[1])))

    @property
    def pairs(self) -> list[Pair]:
        """The comparisons, those with one reference beside each other."""
        return sorted(self._all, key=lambda p: (p.reference or p.key, p.key))

    def at(self, pair: Pair) -> tuple[At, ...]:
        """Return the coordinates at which a comparison is computed; few comparisons differ in them."""
        found = self._at.get(pair)
        if found is None:
            shape = shape_of(self._operands(pair))
            known = (shape, None if self.exact else pair)
            if known not in self._shapes:
                self._shapes[known] = coordinates(self.question, shape, self._finished.get(pair, {}))
            found = self._at[pair] = self._shapes[known]
        return found

    @property
    def exact(self) -> bool:
        """No more cells will be proposed once these are finished."""
        return self.question.measure.cells is None

    @cached_property
    def left_out(self) -> int:
        """Comparisons that lack what the measure reads."""
        return sum(not self._readable(pair) for pair in self._all)

    def require(self) -> None:
        """Make sure that there is a cell.

        Raises:
            BertdynError: there is none; says which input is missing or which layers there are.
        """
        measure = self.question.measure
        if self.left_out == len(self._all):
            lacking = " and ".join(i.title for i in measure.reads)
            raise BertdynError(
                f"{measure.name} reads {lacking}, and the chosen checkpoints{_on(self.question)} were stored without "
                "them: extract again, without --no-attentions and --no-logits."
            )
        if measure.layers is not None and next(iter(self), None) is None:
            last = max(c.layers for c in self._checkpoints.values())
            raise BertdynError(
                f"--layer: {self.question.layers} matches none of the layers that {measure.name} reads, "
                f"{measure.layers.low} to {last}."
            )

    def __iter__(self) -> Iterator[Cell]:
        return (cell for task in self._pairs for cell in self.of(task))

    def __len__(self) -> int:
        return sum(len(self.at(pair)) for each in self._pairs.values() for pair in each)

    def __contains__(self, cell: object) -> bool:
        return isinstance(cell, Cell) and cell.pair in self._all and cell.at in self.at(cell.pair)

    @cached_property
    def _all(self) -> frozenset[Pair]:
        return frozenset(pair for each in self._pairs.values() for pair in each)

    def _operands(self, pair: Pair) -> tuple[Checkpoint, ...]:
        return tuple(self._checkpoints[key] for key in pair if key is not None)

    def _readable(self, pair: Pair) -> bool:
        inputs = shape_of(self._operands(pair)).inputs
        return all(one.kind in inputs for one in self.question.measure.reads)


class Shape(NamedTuple):
    """All that the coordinates of a comparison depend on; few comparisons differ in it."""

    layers: tuple[int, ...]
    """Transformer layers of each operand."""
    inputs: frozenset[str]
    """Kinds of input that every operand has."""


def shape_of(operands: Sequence[Checkpoint]) -> Shape:
    """Return the shape of a comparison."""
    inputs = frozenset.intersection(*(frozenset(c.digests) for c in operands))
    return Shape(tuple(c.layers for c in operands), inputs)


def shapes_of(question: Question, checkpoints: Iterable[Checkpoint]) -> Counter[Shape]:
    """Return how many comparisons of each shape a question asks for, given all checkpoints of its corpus.

    Raises:
        BertdynError: as ``comparisons``.
    """
    by_key = {c.key: c for c in checkpoints}
    pairs = comparisons(question, tuple(by_key))
    return Counter(shape_of([by_key[key] for key in pair if key is not None]) for pair in pairs)


def count(question: Question, shapes: Mapping[Shape, int]) -> tuple[int, bool]:
    """Return how many cells a question has in comparisons of these shapes, without making them, and whether that is
    all: a measure that proposes its cells in rounds may add more."""
    cells = sum(many * len(coordinates(question, shape, {})) for shape, many in shapes.items())
    return cells, question.measure.cells is None


def coordinates(question: Question, shape: Shape, finished: Mapping[At, tuple[Known, ...]]) -> tuple[At, ...]:
    """Return the coordinates at which a comparison is computed; none where an operand lacks what the measure reads."""
    measure = question.measure
    if not all(one.kind in shape.inputs for one in measure.reads):
        return ()
    if measure.cells is None:
        return tuple(layers_of(question, shape.layers))
    proposed = measure.cells(Scope(dict(question.parameters), shape.layers), finished)
    return tuple(at for at in proposed if at.layer is None or question.layers is None or at.layer in question.layers)


def layers_of(question: Question, layers: Sequence[int]) -> Iterator[At]:
    """Yield the layers of a comparison, each with itself or with each chosen one of the reference.

    Args:
        layers: transformer layers of each operand.
    """
    axis = question.measure.layers
    if axis is None:
        yield At()
        return
    chosen = [n for n in range(axis.low, layers[0] + 1) if question.layers is None or n in question.layers]
    if axis.within:
        yield from [At()] if chosen else []  # all layers in one go, whichever of them are shown
        return
    if len(layers) == 1:
        yield from map(At, chosen)
        return
    others = range(axis.low, layers[1] + 1)
    for layer in chosen:
        if question.ref_layers is None:
            against: Iterable[int] = (layer,) if layer in others else ()
        else:
            against = (n for n in others if n in question.ref_layers)
        yield from (At(layer, other) for other in against)


def choose(question: Question, keys: Iterable[CheckpointKey]) -> tuple[CheckpointKey, ...]:
    """Return the checkpoints of a corpus that the question names, sorted by task, variant, seed and step.

    Raises:
        BertdynError: a task or seed that the store does not have, or nothing left; says what there is.
    """
    keys = sorted(keys)
    runs = {key[:3] for key in keys}
    tasks, seeds = sorted({recipe_of(*run[:2]) for run in runs}), sorted({seed for _, _, seed in runs})
    _known("--task", question.tasks, tasks)
    _known("--seed", question.seeds, seeds)
    meant = {
        (task, variant, seed)
        for task, variant, seed in runs
        if (not question.tasks or recipe_of(task, variant) in question.tasks)
        and (not question.seeds or seed in question.seeds)
    }
    chosen = tuple(k for k in keys if k[:3] in meant and (question.steps is None or k.step in question.steps))
    if not chosen:
        steps = sorted({k.step for k in keys})
        shown = ", ".join(map(str, steps[:12])) + (", ..." if len(steps) > 12 else "")
        raise BertdynError(
            f"The selection matches no checkpoint{_on(question)}. "
            f"There are tasks {', '.join(tasks) or 'none'}; seeds {', '.join(seeds) or 'none'}; "
            f"steps {shown or 'none'}."
        )
    return chosen


def comparisons(question: Question, keys: Sequence[CheckpointKey]) -> tuple[Pair, ...]:
    """Return the comparisons that a question asks for, given all checkpoints of its corpus.

    A checkpoint is never compared with itself, and one without a counterpart (the first under ``previous``, a task
    without seed N) is left out. The pre-trained model is measured only when named, or when the measure stands alone.
    Under ``seeds`` a checkpoint has several pairs, one with each other seed of its task at its step; of the two the
    smaller seed is the reference, so that no pair comes twice, and a pair is wanted when either seed is chosen.
    Where layers are compared with other layers, a checkpoint that is itself the reference that was named stays: its
    own layers with one another.

    Raises:
        BertdynError: nothing matches, or no comparison is left; says what there is.
    """
    chosen = choose(question, keys)
    if any(operand.path for operand in question.measure.operands):
        chosen = tuple({(k.recipe, k.seed): k for k in chosen}.values())  # the last of each run stands for its path
    against = question.against
    if against is None:
        return tuple(Pair(key, None) for key in chosen)
    runs: dict[tuple[str, str], list[CheckpointKey]] = {}
    for (task, variant, seed), each in groupby(sorted(keys), key=lambda key: key[:3]):
        runs[recipe_of(task, variant), seed] = list(each)
    measured = [k for k in chosen if k.task != PRETRAINED or PRETRAINED in question.tasks]
    if against.kind == SEEDS:
        found = _between_seeds(measured, keys)
    else:
        itself = question.ref_layers is not None and against.kind in (PRETRAINED, "key")
        found = []
        for key in measured:
            reference = against.reference(key, runs)
            if reference is not None and (itself or reference != key):
                found.append(Pair(key, reference))
    if not found:
        known = sorted({k.recipe for k in keys})
        raise BertdynError(
            f"Nothing to compare: no chosen checkpoint{_on(question)} has a counterpart '{against}'. "
            f"There are tasks {', '.join(known)}."
        )
    return tuple(found)


def _between_seeds(chosen: Iterable[CheckpointKey], keys: Iterable[CheckpointKey]) -> list[Pair]:
    """Every pair of seeds of one task and step that has a chosen checkpoint in it, once, sorted."""
    alike: dict[tuple[str, int], list[CheckpointKey]] = {}
    for key in keys:
        alike.setdefault((key.recipe, key.step), []).append(key)
    found = set()
    for key in chosen:
        for other in alike[key.recipe, key.step]:
            if other.seed != key.seed:
                smaller, larger = sorted((key, other), key=lambda k: seed_order(k.seed))
                found.add(Pair(larger, smaller))
    return sorted(found, key=lambda p: (p.key, p.reference or p.key))


def _on(question: Question) -> str:
    return f" of corpus '{question.corpus}'" if question.corpus else ""


def _known(flag: str, wanted: Sequence[str], there: Sequence[str]) -> None:
    for name in wanted:
        if name not in there:
            close = difflib.get_close_matches(name, there, 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise BertdynError(f"{flag}: the store has no '{name}', only {', '.join(there) or 'nothing'}.{hint}")
