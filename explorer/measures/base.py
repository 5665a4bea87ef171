"""What a measure is: a name, what it reads, its unit and definition, and a function from arrays to values.

A family is one module; it lists its measures in ``MEASURES`` and registry.py names the module. The command line,
the explorer, the help and the SQL views are made from the registry. Modules here import numpy at most; torch, scipy
and sklearn are imported by the functions that use them, so that a listing of measures costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping
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
    """The question makes no sense for this input (no labels, another number of heads); one sentence, for the user."""


@dataclass(frozen=True)
class Trust:
    """What shall come with a value, so that a reader knows what it is worth. No part of the value's definition."""

    null: int = 0
    """Draws of the null (``Measure.null`` says what is permuted); 0: none wanted."""
    interval: str = ""
    """One of INTERVALS, over whole examples, or empty for none."""
    level: float = 0.95
    """Of the interval."""
    resamples: int = 200
    """Of the bootstrap."""
    seed: int = 0
    """Of both: the same seed draws the same permutations and resamples."""


INTERVALS = ("jackknife", "bootstrap")


def silent(what: str, share: float) -> None:
    """Progress that nobody asked for."""


@dataclass
class Context:
    """Where to compute, what is kept between calls, and what shall come with a value."""

    device: str = "cpu"
    kept: MutableMapping[tuple[object, ...], object] = field(default_factory=dict)
    """What belongs to one side alone, by (measure family, Layer.identity, parameters): the caller bounds its size."""
    shelf: Shelf = field(default_factory=NoShelf)
    """The same, for what is worth a file: it outlives the process."""
    trust: Trust = Trust()
    detail: str = ""
    """How fine the rows shall be: one of the measure's ``details``; empty: the coarsest."""
    progress: Callable[[str, float], None] = silent
    """Called now and then during long work: what is being done, and which share of it (0 to 1) is."""


@dataclass(frozen=True)
class Value:
    """One number, or the reason why there is none."""

    value: float | None
    n: int
    statistic: str = ""
    unit: str | None = None
    """None: the measure's own."""
    head: int | None = None
    label_a: str | None = None
    label_b: str | None = None
    example: int | None = None
    """Counted from 0, as the corpus's offsets are."""
    query: int | None = None
    """Query token, counted from 0 within its example."""
    interval: tuple[float, float] | None = None
    """Of the level that Context.trust asked for; None where none was asked for or none can be had (details say why)."""
    null: float | None = None
    """Mean of the null's draws; their standard deviation is ``null_sd`` in the details."""
    details: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    layer: int | None = None
    """For a measure whose cells have values of many layers; else the cell says it."""
    axes: tuple[tuple[str, Coordinate], ...] = ()
    """Coordinates on the measure's own axes inside a cell, by name."""
    artefact: Mapping[str, np.ndarray] | None = None
    """Arrays to keep beside the row: probe weights, assignments, directions."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a measure; also the command line's flag of that name."""

    name: str
    default: str | int | float | bool
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def read(self, value: object) -> str | int | float | bool:
        """The value in the default's type.

        Raises:
            MeasureError: not of that type, not one of the choices, or out of range.
        """
        kind = type(self.default)
        try:
            got = str(value).lower() in ("1", "true", "yes") if kind is bool else kind(str(value))
        except (TypeError, ValueError):
            raise MeasureError(f"{self.name}: '{value}' is no {kind.__name__}.") from None
        if self.choices and got not in self.choices:
            raise MeasureError(f"{self.name}: '{value}' is not one of {', '.join(self.choices)}.")
        if isinstance(got, (int, float)) and not (
            (self.low is None or got >= self.low) and (self.high is None or got <= self.high)
        ):
            raise MeasureError(f"{self.name}: {got} is outside {self.low} to {self.high}.")
        return got


NOWHERE = At()


def no_artefact(name: str) -> Mapping[str, np.ndarray]:
    """Give no arrays: nothing was kept."""
    return {}


@dataclass(frozen=True, eq=False)
class Given:
    """What one cell is computed from."""

    texts: Corpus | None
    """None where the measure reads nothing of any texts."""
    operands: Mapping[str, Mapping[str, object]]
    """What was read of each operand, by role and kind of input."""
    annotation: Labels | None = None
    """The annotation that was asked for; None where the measure reads none."""
    at: At = NOWHERE
    known: Mapping[At, tuple[Known, ...]] = field(default_factory=dict)
    """Finished cells of the same operands, for summaries; empty where the measure has no rounds."""
    artefact: Callable[[str], Mapping[str, np.ndarray]] = no_artefact
    """Gives the arrays that a finished cell left, by the name that ``Known`` has."""

    @property
    def layer(self) -> Layer:
        """The layer of the checkpoint that is measured."""
        return _layer(self.operands[CHECKPOINT.role])

    @property
    def reference(self) -> Layer | None:
        """The layer that it is compared with; None for a measure of one checkpoint."""
        found = self.operands.get(REFERENCE.role)
        return None if found is None else _layer(found)

    @property
    def corpus(self) -> Corpus:
        """The corpus that everything was read on.

        Raises:
            MeasureError: none was given.
        """
        if self.texts is None:
            raise MeasureError("The measure reads checkpoints on texts, and no corpus was given.")
        return self.texts

    @property
    def labels(self) -> Labels:
        """The labels of sentences or words.

        Raises:
            MeasureError: none were given.
        """
        if self.annotation is None:
            raise MeasureError("The measure needs a label for each sentence or word, and the corpus has none.")
        return self.annotation

    @property
    def compared(self) -> tuple[Layer, Layer]:
        """Both layers of a measure that compares two.

        Raises:
            MeasureError: no reference was given.
        """
        reference = self.reference
        if reference is None:
            raise MeasureError("The measure compares a checkpoint with a reference, and none was given.")
        return self.layer, reference

    @classmethod
    def layers(
        cls, corpus: Corpus, layer: Layer, reference: Layer | None = None, labels: Labels | None = None
    ) -> Given:
        """Put together a layer, and one that it is compared with, as they are read of a checkpoint."""
        read: dict[str, Mapping[str, object]] = {CHECKPOINT.role: {"layer": layer}}
        if reference is not None:
            read[REFERENCE.role] = {"layer": reference}
        return cls(corpus, read, labels)


def _layer(read: Mapping[str, object]) -> Layer:
    found: Any = next(iter(read.values()))
    layer: Layer = found
    return layer


Compute = Callable[[Given, Mapping[str, object], Context], "list[Value]"]


@dataclass(frozen=True, eq=False)
class Measure:
    """One measure, declared once. Two are equal if they are the same object of the registry."""

    name: str
    title: str
    """In words, for a title line: 'SVCCA distance'."""
    inputs: tuple[Input, ...]
    """What is read of the operands and of the corpus; the digest of each is kept with every row."""
    axes: tuple[Axis, ...]
    """The coordinates of its values, in the order in which rows are listed."""
    unit: str
    low: float
    high: float
    direction: str
    """What a large value means: '0 = the same subspace, 1 = nothing in common'."""
    definition: str
    source: str
    cost: str
    counts: str
    """What n counts: 'tokens', 'examples', 'points'."""
    compute: Compute
    summary: str
    """What it is, in a line of a table."""
    others: str = ""
    """What other programs compute under this name, and what they give for our test pair."""
    operands: tuple[Operand, ...] = COMPARED
    default_reference: str = "pretrained"
    """What checkpoints are compared with unless the user says."""
    version: int = 1
    parameters: tuple[Parameter, ...] = ()
    main: str = ""
    """The statistic that curves and heat maps show."""
    same: float = 0.0
    """The value of a checkpoint against itself: 0 for a distance, 1 for a similarity."""
    floor: float = 0.0
    """Values nearer to ``same`` than this are noise of the stored float16."""
    null: str = ""
    """What the null permutes, in words; empty: the measure has none."""
    intervals: tuple[str, ...] = ()
    """Those of INTERVALS that it can give."""
    details: tuple[str, ...] = ()
    """How fine its rows can be, coarsest first: part of what is kept with a value, not of what the value is."""
    slow: bool = False
    """Computing takes far longer than reading: several processes are worth while however few bytes there are."""
    cells: Cells | None = None
    """Proposes its cells in rounds; None: each layer of each tuple of operands."""

    def __reduce__(self) -> tuple[Callable[[str], Measure], tuple[str]]:
        from explorer.measures.registry import get

        return get, (self.name,)

    @property
    def compares(self) -> bool:
        """A checkpoint is measured against another one."""
        return any(operand.by == "against" for operand in self.operands)

    @property
    def reads(self) -> tuple[Input, ...]:
        """The inputs that belong to checkpoints, each kind once."""
        return tuple({i.kind: i for i in self.inputs if i.role}.values())

    @cached_property
    def on_corpus(self) -> bool:
        """Its values are of checkpoints on a corpus; else of checkpoints alone."""
        return any(one.on_corpus for one in self.inputs)

    @cached_property
    def labels(self) -> Input | None:
        """The annotation of the corpus that it reads; None where it reads none."""
        return next((one for one in self.inputs if not one.role), None)

    @cached_property
    def layers(self) -> Axis | None:
        """The axis of layers; None where values have no layer."""
        return self.axis("layer")

    @cached_property
    def own_axes(self) -> tuple[Axis, ...]:
        """The axes of its whole values: not those of heads, labels, examples and tokens, nor of the reference."""
        return tuple(axis for axis in self.axes if axis.name not in _PARTS)

    @property
    def second_axis(self) -> Axis | None:
        """The second axis of its values, its own or that of heads; None where they have one axis or none."""
        return self.own_axes[1] if len(self.own_axes) > 1 else self.axis(HEAD.name)

    @property
    def cross_layers(self) -> bool:
        """One layer may be compared with another layer of the reference."""
        return self.axis(REF_LAYER.name) is not None

    def axis(self, name: str) -> Axis | None:
        """Return the axis of that name; None when there is none."""
        return next((axis for axis in self.axes if axis.name == name), None)

    def settle(self, given: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
        """Return every parameter with its value, sorted by name: what a Question holds.

        Raises:
            MeasureError: an unknown parameter or an unusable value.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                raise MeasureError(f"{self.name} has no parameter '{name}', only {', '.join(known) or 'none'}.")
        return tuple(sorted((n, p.read(given.get(n, p.default))) for n, p in known.items()))


def canonical(parameters: Mapping[str, object]) -> str:
    """Parameters as canonical JSON: the same text for the same values."""
    return json.dumps(dict(parameters), sort_keys=True, separators=(",", ":"))
