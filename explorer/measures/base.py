"""What a measure is: a name, what it reads, its unit and definition, and a function from arrays to values.

A family is one module; it lists its measures in ``MEASURES`` and registry.py names the module. The command line,
the explorer, the help and the SQL views are made from the registry. Modules here import numpy at most; torch, scipy
and sklearn are imported by the functions that use them, so that a listing of measures costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np


class MeasureError(ValueError):
    """The question makes no sense for this input (no labels, another number of heads); one sentence, for the user."""


class Stimuli(Protocol):
    """The probe set as measures see it; packed, without padding (``store.keys.ProbeSet`` fits)."""

    @property
    def offsets(self) -> np.ndarray:
        """int64 [E + 1], tokens."""
        ...

    @property
    def special(self) -> np.ndarray:
        """bool [T]."""
        ...

    @property
    def word_first(self) -> np.ndarray:
        """int64 [W], token of the packed axis."""
        ...

    @property
    def word_length(self) -> np.ndarray:
        """int32 [W], sub-words."""
        ...

    @property
    def word_offsets(self) -> np.ndarray:
        """int64 [E + 1], words."""
        ...

    @property
    def label_ids(self) -> np.ndarray | None:
        """int32 [E] (labels of sentences) or [W] (of words)."""
        ...

    @property
    def label_names(self) -> tuple[str, ...]: ...

    @property
    def kind(self) -> str:
        """``sentence`` or ``word``: what a label belongs to."""
        ...


class Layer(Protocol):
    """One layer of one checkpoint on one probe set."""

    identity: str
    """Equal for equal arrays: what belongs to this side alone may be kept under it."""
    width: int
    heads: int
    hidden_chunk: int
    """Tokens of a stored chunk: reads along its multiples cost no byte twice."""
    attention_chunk: int
    """Likewise entries of one head's packed maps."""

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Hidden states of tokens start..stop of the packed axis, [stop - start, width], in the stored dtype."""
        ...

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        """Attention entries start..stop of one head (from 1), packed example after example, row after row."""
        ...


@dataclass
class Context:
    """Where to compute, and what is kept between calls of one process."""

    device: str = "cpu"
    kept: MutableMapping[tuple[object, ...], object] = field(default_factory=dict)
    """What belongs to one side alone, by (measure family, Layer.identity, parameters): the caller bounds its size."""


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
    details: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""


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


Compute = Callable[["Layer", "Layer | None", "Stimuli", Mapping[str, object], Context], "list[Value]"]


@dataclass(frozen=True)
class Measure:
    """One measure, declared once."""

    name: str
    title: str
    """In words, for a title line: 'SVCCA distance'."""
    reads: Literal["hidden", "attention"]
    sides: Literal[1, 2]
    """2: a checkpoint against a reference; 1: a checkpoint alone."""
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
    version: int = 1
    parameters: tuple[Parameter, ...] = ()
    needs_labels: bool = False
    main: str = ""
    """The statistic that curves and heat maps show."""
    floor: float = 0.0
    """Values below it are noise of the stored float16."""

    @property
    def first_layer(self) -> int:
        """0 for hidden states (the embedding output), 1 for attention."""
        return 0 if self.reads == "hidden" else 1

    def settle(self, given: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
        """Every parameter with its value, sorted by name: what a Selection holds.

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
