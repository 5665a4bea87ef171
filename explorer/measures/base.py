"""Define a measure: its name, inputs, unit and definition, and a function from arrays to values.

A family of measures is one module with a tuple ``MEASURES``; registry.py lists the modules. The command line, the
explorer, the help and the SQL views are made from the registry. At the top, modules here import at most numpy; torch,
scipy and sklearn are imported inside the functions that use them, so that listing measures is quick.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from explorer.measures.declaration import (
    CHECKPOINT,
    COMPARED,
    EXAMPLE,
    HEAD,
    LABEL_A,
    LABEL_B,
    OTHER,
    QUERY,
    REF_LAYER,
    REFERENCE,
    At,
    Axis,
    Cells,
    Coordinate,
    Input,
    Known,
    Operand,
)
from explorer.measures.protocols import Corpus, Labels, Layer, NoShelf, Shelf

if TYPE_CHECKING:
    import numpy as np


_PARTS = {axis.name for axis in (REF_LAYER, HEAD, EXAMPLE, QUERY, LABEL_A, LABEL_B)}
"""Axes of rows that are parts of a value, or of what it is compared with."""


class MeasureError(ValueError):
    """The measure cannot be computed on this input (such as no labels); the message is one sentence for the user."""


@dataclass(frozen=True)
class Uncertainty:
    """Extras requested with each value: null draws, confidence interval, fitted models. Not part of its identity."""

    null: int = 0
    """Number of null draws (``Measure.null`` tells what is permuted); 0: no null."""
    interval: str = ""
    """Kind of interval over whole examples, one of INTERVALS; empty: no interval."""
    level: float = 0.95
    """Confidence level of the interval."""
    resamples: int = 200
    """Number of bootstrap resamples."""
    seed: int = 0
    """Random seed of null and bootstrap: the same seed gives the same permutations and resamples."""
    keep: bool = False
    """Whether to store fitted objects, such as probes (``Measure.keeps``)."""


INTERVALS = ("jackknife", "bootstrap")
PREDICTIONS = "predictions"
"""Name of the array of predicted labels (``Measure.predicts``)."""


def silent(what: str, share: float) -> None:
    """Ignore a progress report."""


@dataclass
class Context:
    """The device, the caches and the requested extras of a computation."""

    device: str = "cpu"
    kept: MutableMapping[tuple[object, ...], object] = field(default_factory=dict)
    """Cache in memory of intermediate results of one side, by (measure family, Layer.identity, parameters). The caller
    limits its size."""
    shelf: Shelf = field(default_factory=NoShelf)
    """Cache on disk of intermediate results that are costly to compute."""
    trust: Uncertainty = Uncertainty()
    detail: str = ""
    """Granularity of the rows: one of the measure's ``details``; empty: the coarsest."""
    progress: Callable[[str, float], None] = silent
    """Called from time to time during long work, with a description of the work and its finished share (0 to 1)."""


@dataclass(frozen=True)
class Value:
    """One number, or the reason why there is none."""

    value: float | None
    n: int
    statistic: str = ""
    unit: str | None = None
    """Unit of the value; None: the measure's unit."""
    head: int | None = None
    label_a: str | None = None
    label_b: str | None = None
    example: int | None = None
    """Example, from 0, as in the corpus's offsets."""
    query: int | None = None
    """Query token, from 0 within its example."""
    interval: tuple[float, float] | None = None
    """Interval of the level in Context.trust; None if none was requested or none is possible (see ``details``)."""
    null: float | None = None
    """Mean of the null draws; their standard deviation is ``null_sd`` in the details."""
    details: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    layer: int | None = None
    """Layer, for measures whose cells have values of many layers; otherwise it is in the cell."""
    axes: tuple[tuple[str, Coordinate], ...] = ()
    """Coordinates on the measure's own axes inside a cell, by name."""
    artefact: Mapping[str, np.ndarray] | None = field(default=None, compare=False)
    """Arrays to store with the row, such as probe weights, assignments or directions. Values that have the same object
    share what is stored."""


_KINDS: Mapping[type, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
"""Types of parameters in words."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a measure; the command line has a flag of the same name."""

    name: str
    default: str | int | float | bool
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    spelling: Callable[[str], str] | None = None
    """Function that returns the only spelling of a text, and raises MeasureError if the text means nothing; None: any
    text is taken as it is."""
    coordinates: bool = False
    """Whether it only chooses the coordinates of cells, such as the points of a grid. It is then no part of a value's
    key: the same point is stored once."""
    only: tuple[str, object] | None = None
    """Name and value of another parameter without which this one has no effect; None: it always has one."""

    def read(self, value: object) -> str | int | float | bool:
        """Return the value converted to the default's type.

        Raises:
            MeasureError: the value has another type, is not one of the choices, is out of range, or means nothing.
        """
        kind = type(self.default)
        try:
            got = str(value).lower() in ("1", "true", "yes") if kind is bool else kind(str(value))
        except (TypeError, ValueError):
            raise MeasureError(f"{self.name}: '{value}' is not {_KINDS[kind]}.") from None
        if self.choices and got not in self.choices:
            raise MeasureError(f"{self.name}: '{value}' is not one of {', '.join(self.choices)}.")
        if self.spelling is not None:
            got = self.spelling(str(got))
        if isinstance(got, (int, float)) and not (
            (self.low is None or got >= self.low) and (self.high is None or got <= self.high)
        ):
            raise MeasureError(f"{self.name}: {got} is outside {self.low} to {self.high}.")
        return got


NOWHERE = At()


def no_artefact(name: str) -> Mapping[str, np.ndarray]:
    """Return no arrays."""
    return {}


@dataclass(frozen=True, eq=False)
class Given:
    """The inputs of one cell."""

    texts: Corpus | None
    """Corpus; None if the measure does not depend on texts."""
    operands: Mapping[str, Mapping[str, object]]
    """Inputs of each operand, by role and kind of input."""
    annotation: Labels | None = None
    """Labels; None if the measure reads none."""
    others: Mapping[str, Labels] = field(default_factory=dict)
    """Further labels of the corpus: those that a parameter names, by that parameter, and the ``split``, if any."""
    at: At = NOWHERE
    known: Mapping[At, tuple[Known, ...]] = field(default_factory=dict)
    """Finished cells of the same operands, for summaries; empty if the measure has no rounds."""
    artefact: Callable[[str], Mapping[str, np.ndarray]] = no_artefact
    """Returns the arrays of a finished cell, by the name in ``Known``."""
    steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Steps of the checkpoints of each operand, by role: several for a path."""

    @property
    def layer(self) -> Layer:
        """Layer of the measured checkpoint."""
        return _layer(self.operands[CHECKPOINT.role])

    @property
    def reference(self) -> Layer | None:
        """Layer of the reference; None for a measure of one checkpoint."""
        found = self.operands.get(REFERENCE.role)
        return None if found is None else _layer(found)

    @property
    def corpus(self) -> Corpus:
        """Corpus of the inputs.

        Raises:
            MeasureError: there is none.
        """
        if self.texts is None:
            raise MeasureError("The measure reads checkpoints on texts, and no corpus was given.")
        return self.texts

    @property
    def labels(self) -> Labels:
        """Labels of sentences or words.

        Raises:
            MeasureError: there are none.
        """
        if self.annotation is None:
            raise MeasureError("The measure needs a label for each sentence or word, and the corpus has none.")
        return self.annotation

    @property
    def compared(self) -> tuple[Layer, Layer]:
        """Layers of the checkpoint and of the reference.

        Raises:
            MeasureError: there is no reference.
        """
        reference = self.reference
        if reference is None:
            raise MeasureError("The measure compares a checkpoint with a reference, and none was given.")
        return self.layer, reference

    @classmethod
    def layers(
        cls, corpus: Corpus, layer: Layer, reference: Layer | None = None, labels: Labels | None = None
    ) -> Given:
        """Return the inputs of a measure that reads one layer, and perhaps one of a reference."""
        read: dict[str, Mapping[str, object]] = {CHECKPOINT.role: {"layer": layer}}
        if reference is not None:
            read[REFERENCE.role] = {"layer": reference}
        return cls(corpus, read, labels)


def _layer(read: Mapping[str, object]) -> Layer:
    found: Any = next(iter(read.values()))
    layer: Layer = found
    return layer


Compute = Callable[[Given, Mapping[str, object], Context], "list[Value]"]
Restore = Callable[[Mapping[str, "np.ndarray"], int, Mapping[str, object], Sequence[str]], object]
"""Function of the arrays that a measure kept, a layer, the parameters, and the names of the labels by id. It returns
the fitted models of that layer."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One measure, declared once. Two measures are equal if they are the same object of the registry."""

    name: str
    title: str
    """Title for people, such as 'SVCCA distance'."""
    inputs: tuple[Input, ...]
    """Inputs from the operands and the corpus; the digest of each is kept with every row."""
    axes: tuple[Axis, ...]
    """Axes of its values, in the order in which rows are sorted."""
    unit: str
    low: float
    high: float
    direction: str
    """Meaning of small and large values: '0 = the same subspace, 1 = nothing in common'."""
    definition: str
    source: str
    cost: str
    counts: str
    """Name of the units that n counts: 'tokens', 'examples', 'points'."""
    compute: Compute
    summary: str
    """Short description for one line of a table."""
    topic: str = OTHER
    """What it is about, one of TOPICS: measures of one topic stand together in lists."""
    why: str = ""
    """Reason to look at it, in one line."""
    others: str = ""
    """What other programs compute under this name, and their results for our test pair."""
    operands: tuple[Operand, ...] = COMPARED
    default_reference: str = "pretrained"
    """Reference that checkpoints are compared with by default."""
    preposition: str = ""
    """Word before the reference in titles, such as ``toward`` for the end of a direction; empty: ``to`` for a
    similarity, else ``from``."""
    version: int = 1
    parameters: tuple[Parameter, ...] = ()
    main: str = ""
    """Statistic that curves and heat maps show."""
    companions: tuple[tuple[str, str], ...] = ()
    """Statistics that lines show beside the main one, and their names in pictures."""
    clusters: str = ""
    """Statistic that is the distance by which seeds are clustered; empty: the difference of the main one from
    ``same``."""
    symmetric: bool = False
    """Whether its values are the same when the checkpoint and its reference are exchanged: then a pair of seeds is
    compared once, and else in both directions."""
    same: float = 0.0
    """Value of a checkpoint against itself: 0 for a distance, 1 for a similarity."""
    floor: float = 0.0
    """Noise level of the stored float16: smaller differences from ``same`` mean nothing."""
    null: str = ""
    """Description of what the null permutes; empty: the measure has no null."""
    intervals: tuple[str, ...] = ()
    """Kinds of intervals that it can give, of INTERVALS, the one to choose first."""
    interval_notes: Mapping[str, str] = field(default_factory=dict)
    """What to know about its intervals of a kind."""
    details: tuple[str, ...] = ()
    """Possible granularities of its rows, coarsest first. They do not change the value itself."""
    keeps: str = ""
    """Description of what it stores on request (``Uncertainty.keep``), with its main statistic; empty: nothing."""
    restore: Restore | None = None
    """Makes what it stored on request usable again; None if it stores nothing."""
    confusion: str = ""
    """Statistic of its finer rows with the number of units of ``label_a`` that are given ``label_b``; empty: none."""
    predicts: bool = False
    """Whether the artefact of its main statistic has the array PREDICTIONS: the id of the label that each unit of the
    annotation is given, int [layers, units], by models that were not fitted to it; negative if there is none."""
    slow: bool = False
    """True if computing takes far longer than reading, so that several processes pay off even for little data."""
    cells: Cells | None = None
    """Function that proposes its cells in rounds; None: each layer of each tuple of operands."""
    final: bool = False
    """Whether only the last checkpoint of each run is measured, unless steps are chosen."""
    path: str = ""
    """Measure that gives the coordinates (statistics alpha and beta) of checkpoints in the plane of its first two axes;
    empty: none."""
    alone: bool = False
    """Whether values of different seeds have nothing in common but their coordinates: pictures show one seed, no
    mean."""

    def __reduce__(self) -> tuple[Callable[[str], Measure], tuple[str]]:
        from explorer.measures.registry import get

        return get, (self.name,)

    @property
    def compares(self) -> bool:
        """Whether it compares a checkpoint with another one."""
        return any(operand.by == "against" for operand in self.operands)

    def comparisons(self, seeds: int) -> int:
        """Return the number of comparisons between so many seeds, each with each other one."""
        return seeds * (seeds - 1) // (2 if self.symmetric else 1)

    @property
    def before_reference(self) -> str:
        """Word before the reference in titles and readings."""
        return self.preposition or ("to" if self.same else "from")

    @property
    def reads(self) -> tuple[Input, ...]:
        """Inputs that belong to checkpoints, each kind once."""
        return tuple({i.kind: i for i in self.inputs if i.role}.values())

    @cached_property
    def needs(self) -> tuple[frozenset[str], ...]:
        """Kinds of digests that the selected checkpoint must have and, for a comparison, those of the reference."""
        return tuple(
            frozenset(
                kind
                for operand in self.operands
                if operand.by == by
                for one in self.inputs
                if one.role == operand.role
                for kind in one.digests
            )
            for by in (("selection", "against") if self.compares else ("selection",))
        )

    @cached_property
    def kept(self) -> bool:
        """Whether workers keep one of its inputs from cell to cell."""
        return any(one.kept for one in self.inputs)

    @cached_property
    def on_corpus(self) -> bool:
        """Whether its values depend on a corpus."""
        return any(one.on_corpus for one in self.inputs)

    @cached_property
    def labels(self) -> Input | None:
        """Annotation that it reads from the corpus; None if it reads none."""
        return next((one for one in self.inputs if one.levels and not one.by), None)

    @cached_property
    def layers(self) -> Axis | None:
        """Axis of layers; None if values have no layer."""
        return self.axis("layer")

    @cached_property
    def own_axes(self) -> tuple[Axis, ...]:
        """The axes of its whole values: not those of heads, labels, examples and tokens, nor of the reference."""
        return tuple(axis for axis in self.axes if axis.name not in _PARTS)

    @cached_property
    def over_variants(self) -> bool:
        """Whether the variants of a task are places along its axes, and not tasks of their own."""
        return any(axis.of_run for axis in self.axes)

    @property
    def second_axis(self) -> Axis | None:
        """The second axis of its values, its own or that of heads; None where they have one axis or none."""
        return self.own_axes[1] if len(self.own_axes) > 1 else self.axis(HEAD.name)

    @property
    def plane(self) -> bool:
        """Whether its values lie in a plane: their first two axes are numbers with fractions."""
        return [axis.kind for axis in self.own_axes[:2]] == ["float", "float"]

    @property
    def cross_layers(self) -> bool:
        """Whether a layer may be compared with another layer of the reference."""
        return self.axis(REF_LAYER.name) is not None

    def axis(self, name: str) -> Axis | None:
        """Return the axis of that name; None if there is none."""
        return next((axis for axis in self.axes if axis.name == name), None)

    def settle(self, given: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
        """Return all parameters with their values, sorted by name, as a Question holds them.

        Raises:
            MeasureError: a parameter is unknown or its value is not valid.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                raise MeasureError(f"{self.name} has no parameter '{name}', only {', '.join(known) or 'none'}.")
        return tuple(sorted((n, p.read(given.get(n, p.default))) for n, p in known.items()))

    def effective(self, settled: Iterable[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
        """Return the parameters that have an effect with the values of the others, given all with their values."""
        values = dict(settled)
        without = {p.name for p in self.parameters if p.only is not None and values.get(p.only[0]) != p.only[1]}
        return tuple((name, value) for name, value in values.items() if name not in without)

    def key(self, settled: Mapping[str, object]) -> str:
        """Return the parameters that belong to a value's key as canonical JSON, given all with their values."""
        free = {p.name for p in self.parameters if p.coordinates}
        return canonical({name: value for name, value in settled.items() if name not in free})


def canonical(parameters: Mapping[str, object]) -> str:
    """Return parameters as canonical JSON: the same text for the same values."""
    return json.dumps(dict(parameters), sort_keys=True, separators=(",", ":"))
