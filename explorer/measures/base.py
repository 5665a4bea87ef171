"""Define a measure: its name, inputs, unit and definition, and a function from arrays to values.

A family of measures is one module with a tuple ``MEASURES``; registry.py lists the modules. The command line, the
explorer, the help and the SQL views are made from the registry. At the top, modules here import at most numpy; torch,
scipy and sklearn are imported inside the functions that use them, so that listing measures is quick.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from explorer.measures.computation import Context, Given, MeasureError, Value
from explorer.measures.declaration import (
    COMPARED,
    EXAMPLE,
    HEAD,
    LABEL_A,
    LABEL_B,
    OTHER,
    QUERY,
    REF_LAYER,
    Axis,
    Cells,
    Input,
    Operand,
)

if TYPE_CHECKING:
    import numpy as np


_PARTS = {axis.name for axis in (REF_LAYER, HEAD, EXAMPLE, QUERY, LABEL_A, LABEL_B)}
"""Axes of rows that are parts of a value, or of what it is compared with."""
PREDICTIONS = "predictions"
"""Name of the array of predicted labels (``Measure.predicts``)."""
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
