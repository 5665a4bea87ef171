"""List the cells of a question: one rule for the planner, the views and the count of missing cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from explorer.measures.declaration import KIND, At, Coordinate, K, Known, Scope
from explorer.selection.against import seed_order
from explorer.selection.axes import holds
from explorer.selection.comparisons import Pair, comparisons, of_corpus
from store.errors import BertdynError
from store.keys import PRETRAINED, Checkpoint, CheckpointKey, recipe_of

if TYPE_CHECKING:
    from explorer.measures.base import Measure
    from explorer.selection.question import Question


class Cell(NamedTuple):
    """A unit of computation: it is computed, known or missing as a whole, whatever its number of rows.

    Its fields are flat (first operands, then coordinates), since there may be a hundred thousand cells.
    """

    task: str
    variant: str
    seed: str
    step: int
    ref_task: str | None
    """Task of the reference; like the next three fields, None for a measure of one checkpoint."""
    ref_variant: str | None
    ref_seed: str | None
    ref_step: int | None
    layer: int | None
    ref_layer: int | None
    more: tuple[tuple[str, Coordinate], ...] = ()
    """Coordinates besides layers, by name."""

    @classmethod
    def of(cls, pair: Pair, at: At) -> Cell:
        """Return the cell of a comparison at the given coordinates."""
        return cls._make((*pair.key, *(pair.reference or _NOBODY), *at))

    @property
    def key(self) -> CheckpointKey:
        """Key of the measured checkpoint."""
        return CheckpointKey(self.task, self.variant, self.seed, self.step)

    @property
    def reference(self) -> CheckpointKey | None:
        """Key of the reference; None for a measure of one checkpoint."""
        if self.ref_task is None or self.ref_variant is None or self.ref_seed is None or self.ref_step is None:
            return None
        return CheckpointKey(self.ref_task, self.ref_variant, self.ref_seed, self.ref_step)

    @property
    def pair(self) -> Pair:
        """Both operands."""
        return Pair(self.key, self.reference)

    @property
    def at(self) -> At:
        """Coordinates of the cell."""
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
"""Numbers of the finished cells, by operands and coordinates."""


class Cells(Collection[Cell]):
    """All cells of a question, computed or not; each object is made only when it is needed."""

    def __init__(self, question: Question, checkpoints: Iterable[Checkpoint], finished: Finished | None = None) -> None:
        """
        Args:
            checkpoints: every checkpoint of the question's corpus.
            finished: the finished cells, for a measure that proposes its cells in rounds.

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
        self._kinds: dict[tuple[object, ...], int] = {}
        """Numbers of the kinds of checkpoints: those of one kind give comparisons of one shape."""
        self._kind_of: dict[CheckpointKey | None, int] = {None: -1}
        self._shapes: dict[tuple[int, int, Pair | None], tuple[At, ...]] = {}
        """Coordinates by the kinds of both operands (with rounds, also by comparison)."""
        self._at: dict[Pair, tuple[At, ...]] = {}

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks (with variants) that have cells, in the question's order, else by name, the pre-trained model last."""
        there = [task for task in self._pairs if next(self.of(task), None)]
        ranks = {task: i for i, task in enumerate(self.question.tasks)}
        return tuple(sorted(there, key=lambda task: (ranks.get(task, len(ranks)), task == PRETRAINED, task)))

    def of(self, task: str) -> Iterator[Cell]:
        """Return the cells of one task."""
        return (Cell.of(pair, at) for pair in self.pairs_of(task) for at in self.at(pair))

    def pairs_of(self, task: str) -> Sequence[Pair]:
        """Return the comparisons of one task."""
        return self._pairs.get(task, ())

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Pairs of task and seed, sorted by name."""
        found = {(task, pair.key.seed) for task, each in self._pairs.items() for pair in each}
        return sorted(found, key=lambda run: (run[0], seed_order(run[1])))

    @property
    def pairs(self) -> list[Pair]:
        """Comparisons, sorted so that those with the same reference follow each other."""
        return sorted(self._all, key=lambda p: (p.reference or p.key, p.key))

    def at(self, pair: Pair) -> tuple[At, ...]:
        """Return the coordinates at which a comparison is computed; they are the same for most comparisons."""
        found = self._at.get(pair)
        if found is None:
            known = (self._kind(pair.key), self._kind(pair.reference), None if self.exact else pair)
            if known not in self._shapes:
                shape = shape_of(self._operands(pair))
                self._shapes[known] = coordinates(self.question, shape, self._finished.get(pair, {}))
            found = self._at[pair] = self._shapes[known]
        return found

    @property
    def exact(self) -> bool:
        """Whether the cells are final; otherwise, more may be proposed when these are finished."""
        return self.question.measure.cells is None

    @cached_property
    def left_out(self) -> int:
        """Number of comparisons that lack an input of the measure."""
        return sum(not self._readable(pair) for pair in self._all)

    def require(self) -> None:
        """Check that there is at least one cell.

        Raises:
            BertdynError: there is none (the message names the missing input or the possible layers).
        """
        measure = self.question.measure
        if self.left_out == len(self._all):
            lacking = " and ".join(i.title for i in measure.reads)
            raise BertdynError(
                f"{measure.name} reads {lacking}, but the chosen checkpoints{of_corpus(self.question)} were stored "
                f"without them: {' and '.join(dict.fromkeys(i.remedy for i in measure.reads))}."
            )
        if measure.layers is not None and next(iter(self), None) is None:
            last = max(c.layers for c in self._checkpoints.values())
            flag, given = "--layer", self.question.layers
            if given is None or any(layer in given for layer in range(measure.layers.low, last + 1)):
                flag, given = "--against-layer", self.question.ref_layers
            raise BertdynError(
                f"{flag}: {given} matches none of the layers that {measure.name} reads, {measure.layers.low} to {last}."
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

    def _kind(self, key: CheckpointKey | None) -> int:
        found = self._kind_of.get(key)
        if found is None and key is not None:
            one = self._checkpoints[key]
            traits = one.layers, tuple(one.digests), run_of(one)
            found = self._kind_of[key] = self._kinds.setdefault(traits, len(self._kinds))
        assert found is not None
        return found

    def _operands(self, pair: Pair) -> tuple[Checkpoint, ...]:
        return tuple(self._checkpoints[key] for key in pair if key is not None)

    def _readable(self, pair: Pair) -> bool:
        return readable(self.question.measure, shape_of(self._operands(pair)))


class Shape(NamedTuple):
    """The facts on which the coordinates of a comparison depend; most comparisons share them."""

    layers: tuple[int, ...]
    """Number of transformer layers of each operand."""
    inputs: tuple[frozenset[str], ...]
    """Kinds of digests of each operand."""
    run: tuple[tuple[str, Coordinate], ...] = ()
    """Coordinates of the measured checkpoint's run (``Scope.run``)."""


def shape_of(operands: Sequence[Checkpoint]) -> Shape:
    """Return the shape of a comparison."""
    layers, inputs = tuple(c.layers for c in operands), tuple(frozenset(c.digests) for c in operands)
    return Shape(layers, inputs, run_of(operands[0]))


def run_of(checkpoint: Checkpoint) -> tuple[tuple[str, Coordinate], ...]:
    """Return the coordinates of a checkpoint's run; a variant whose kind is unknown is a kind of its own."""
    kind = checkpoint.kind or checkpoint.key.variant
    if not kind:
        return ()
    return ((KIND.name, kind),) if checkpoint.k is None else ((K.name, checkpoint.k), (KIND.name, kind))


def readable(measure: Measure, shape: Shape) -> bool:
    """Return whether each operand has the inputs that a measure reads from it."""
    return all(needed <= there for needed, there in zip(measure.needs, shape.inputs, strict=True))


def shapes_of(question: Question, checkpoints: Iterable[Checkpoint]) -> Counter[Shape]:
    """Return the number of a question's comparisons per shape, given all checkpoints of its corpus.

    Raises:
        BertdynError: as ``comparisons``.
    """
    by_key = {c.key: c for c in checkpoints}
    pairs = comparisons(question, tuple(by_key))
    return Counter(shape_of([by_key[key] for key in pair if key is not None]) for pair in pairs)


def count(question: Question, shapes: Mapping[Shape, int]) -> tuple[int, bool]:
    """Return the number of a question's cells, and whether it is final, without making the cells.

    It is not final for a measure that proposes its cells in rounds.

    Args:
        shapes: number of comparisons per shape.
    """
    cells = sum(many * len(coordinates(question, shape, {})) for shape, many in shapes.items())
    return cells, question.measure.cells is None


def coordinates(question: Question, shape: Shape, finished: Mapping[At, tuple[Known, ...]]) -> tuple[At, ...]:
    """Return the coordinates at which a comparison is computed; none if an operand lacks an input of the measure."""
    measure = question.measure
    if not readable(measure, shape):
        return ()
    if measure.cells is None:
        return tuple(layers_of(question, shape.layers))
    proposed = measure.cells(Scope(dict(question.parameters), shape.layers, shape.run), finished)
    return tuple(at for at in proposed if _chosen(question, at))


def _chosen(question: Question, at: At) -> bool:
    """Whether a proposed cell lies on a chosen layer and at chosen places of the measure's own axes. Plain runs, which
    have no place along axes of runs, are always chosen beside their variants."""
    if not (at.layer is None or question.layers is None or at.layer in question.layers):
        return False
    where = dict(at.more)
    axes = ((question.measure.axis(name), text) for name, text in question.axes)
    return all(
        axis is None or axis.within or (axis.of_run and not where) or holds(axis, text, where.get(axis.name))
        for axis, text in axes
    )


def layers_of(question: Question, layers: Sequence[int]) -> Iterator[At]:
    """Yield the layers of a comparison, each with itself or with each chosen layer of the reference.

    Args:
        layers: number of transformer layers of each operand.
    """
    axis = question.measure.layers
    if axis is None:
        yield At()
        return
    chosen = [n for n in range(axis.low, layers[0] + 1) if question.layers is None or n in question.layers]
    if axis.within:
        yield from [At()] if chosen else []  # one cell computes all layers, whichever are shown
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
