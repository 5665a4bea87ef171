"""The parts of a measure's declaration: what it is computed from, and which coordinates its values have.

Pure data, free of numpy: a listing of measures, a question and a screen's first frame need no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Coordinate = int | float | str


@dataclass(frozen=True)
class Operand:
    """A role that a checkpoint fills, or with ``path`` all checkpoints of a run up to one."""

    role: Literal["checkpoint", "reference", "origin", "target", "target2", "path"]
    by: Literal["selection", "against"] = "selection"
    """How the role is filled: by the checkpoints that are chosen, or by what these are compared with."""

    @property
    def path(self) -> bool:
        """All checkpoints of a run up to one, in order, fill it."""
        return self.role == "path"


CHECKPOINT = Operand("checkpoint")
REFERENCE = Operand("reference", by="against")
PATH = Operand("path")
ALONE = (CHECKPOINT,)
COMPARED = (CHECKPOINT, REFERENCE)


@dataclass(frozen=True)
class Input:
    """Something that a measure reads of one of its operands, or of the corpus."""

    kind: str
    """A key of ``compute.inputs.INPUTS``: ``hidden``, ``attention``, ``logits``, ``weights``, ``annotation``."""
    title: str
    """In words, for sentences: 'hidden states'."""
    role: str = ""
    """The operand that it is read of; empty: it is an annotation of the corpus."""
    levels: tuple[str, ...] = ()
    """Of annotations: what a label may belong to."""
    of: str = ""
    """Of annotations: the kind of the labels."""
    on_corpus: bool = True
    """It is of texts, or of a checkpoint on texts; else of the checkpoint alone."""


def hidden(*operands: Operand) -> tuple[Input, ...]:
    """Declare that the hidden states of one layer of each operand are read."""
    return tuple(Input("hidden", "hidden states", operand.role) for operand in operands)


def attention(*operands: Operand) -> tuple[Input, ...]:
    """Declare that the attentions of one layer of each operand are read."""
    return tuple(Input("attention", "attentions", operand.role) for operand in operands)


def weights(*operands: Operand) -> tuple[Input, ...]:
    """Declare that the weights of each operand are read, from the folder that it was extracted from."""
    return tuple(Input("weights", "weights", operand.role, on_corpus=False) for operand in operands)


def logits(*operands: Operand) -> tuple[Input, ...]:
    """Declare that what each operand's own classifier says is read."""
    return tuple(Input("logits", "logits", operand.role) for operand in operands)


LABELS = Input("annotation", "labels", levels=("sentence", "word"), of="class")
"""Classes of sentences or words of the corpus."""


@dataclass(frozen=True)
class Axis:
    """A named coordinate of a measure's values."""

    name: str
    title: str
    """In words, for the axis of a picture."""
    kind: Literal["int", "float", "text"] = "int"
    within: bool = False
    """Coordinate of the values inside one cell; else each of its places is a cell of its own."""
    low: int = 0
    """First place of an axis of layers: 0 is the embedding output, 1 the first layer with attention."""


LAYER = Axis("layer", "layer")
ATTENTION_LAYER = Axis("layer", "layer", low=1)
REF_LAYER = Axis("ref_layer", "layer of the reference")
HEAD = Axis("head", "attention head", within=True)
EXAMPLE = Axis("example", "example", within=True)
QUERY = Axis("query", "query token", within=True)
LABEL_A = Axis("label_a", "label", "text", within=True)
LABEL_B = Axis("label_b", "other label", "text", within=True)


class At(NamedTuple):
    """The coordinates of a cell: flat, since there may be a hundred thousand."""

    layer: int | None = None
    """None: the cell has values of all layers, or its values have none."""
    ref_layer: int | None = None
    more: tuple[tuple[str, Coordinate], ...] = ()
    """Further coordinates by name, in the order in which the measure declares its axes."""


class Known(NamedTuple):
    """One stored number of a finished cell, as later rounds of cells see it."""

    statistic: str
    value: float | None
    artefact: str = ""
    """Name of the arrays that belong to it (``Given.artefact``)."""


class Scope(NamedTuple):
    """One tuple of operands for which cells are proposed."""

    parameters: Mapping[str, object]
    layers: tuple[int, ...]
    """Transformer layers of each operand."""


Cells = Callable[[Scope, Mapping[At, tuple[Known, ...]]], Iterable[At]]
"""Proposes the cells of one tuple of operands, given all that are finished: a pure function, asked again after each
round, so that grids can be refined and summaries follow their points. It proposes the same cells whatever the order in
which others were finished."""
