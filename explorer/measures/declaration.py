"""Declare the inputs of a measure and the axes of its values.

Pure data without numpy, since listing measures, asking questions and drawing the first screen need nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Coordinate = int | float | str

CHANGE = "change of the representations"
ATTENTION = "attention"
LABELLED = "labels: clusters and probes"
MATTERS = "layers that matter"
LANDSCAPE = "weights and loss landscape"
PREDICTIONS = "predictions"
SPREAD = "spread of the representations"
OTHER = "other measures"
TOPICS = (CHANGE, ATTENTION, LABELLED, MATTERS, LANDSCAPE, PREDICTIONS, SPREAD, OTHER)
"""Topics of measures, in the order in which the overview and lists of measures name them."""


@dataclass(frozen=True)
class Operand:
    """A role that is filled by a checkpoint or, for a path, by all checkpoints of a run up to one."""

    role: Literal["checkpoint", "reference", "origin", "path", "reference-path"]
    by: Literal["selection", "against", "parameter"] = "selection"
    """Source of the checkpoint: the selected checkpoints; those that they are compared with; or the parameter with the
    role's name, which takes what ``--against`` takes."""
    path: bool = False
    """Whether it is filled by all checkpoints of a run up to one, in order."""


CHECKPOINT = Operand("checkpoint")
REFERENCE = Operand("reference", by="against")
ORIGIN = Operand("origin", by="parameter")
PATH = Operand("path", path=True)
REFERENCE_PATH = Operand("reference-path", by="against", path=True)
ALONE = (CHECKPOINT,)
COMPARED = (CHECKPOINT, REFERENCE)


@dataclass(frozen=True)
class Input:
    """An input that a measure reads from one of its operands or from the corpus."""

    kind: str
    """Kind of input, a key of ``compute.inputs.INPUTS``: ``hidden``, ``attention``, ``logits``, ``weights``, ..."""
    title: str
    """Name for sentences, such as 'hidden states'."""
    role: str = ""
    """Role of the operand that it is read from; empty for labels and splits of the corpus."""
    levels: tuple[str, ...] = ()
    """Units that may have the labels of an annotation: sentences, words, arcs, spans, pairs."""
    of: str = ""
    """Kind of labels of an annotation."""
    by: str = ""
    """Parameter that names the annotation; empty: the question does, or there is only one."""
    on_corpus: bool = True
    """Whether it depends on a corpus, not only on a checkpoint."""
    parts: tuple[str, ...] = ()
    """Kinds of digests that change whenever it does; empty: its own kind has one."""
    remedy: str = "extract again, without --no-attentions and --no-logits"
    """Advice for checkpoints that were stored without it."""
    kept: bool = False
    """Whether reading it takes long and workers keep the last one: cells of one checkpoint then stay together."""

    @property
    def digests(self) -> tuple[str, ...]:
        """Kinds of digests that a checkpoint must have for this input, and that are stored with every row."""
        return self.parts or (self.kind,)


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
    """Declare that the logits of each operand's own classifier are read."""
    return tuple(Input("logits", "logits", operand.role) for operand in operands)


def classifier(*operands: Operand) -> tuple[Input, ...]:
    """Declare that the stored classifier of each operand is applied to vectors."""
    return tuple(Input("classifier", "classifiers", operand.role) for operand in operands)


def metrics(*operands: Operand) -> tuple[Input, ...]:
    """Declare that the evaluation metrics are read that each operand's run logged at its step."""
    remedy = "their folders need a trainer_state.json with an evaluation at the checkpoint's step"
    return tuple(Input("metrics", "logged metrics", one.role, on_corpus=False, remedy=remedy) for one in operands)


def model(*operands: Operand) -> tuple[Input, ...]:
    """Declare that each operand's model is run on the corpus, with its own classifier and with changed weights."""
    parts = ("weights", "classifier", "logits")  # the logits depend on the tokens of the corpus
    return tuple(Input("model", "classifiers", operand.role, parts=parts, kept=True) for operand in operands)


LABELS = Input("annotation", "labels", levels=("sentence", "word"), of="class")
"""Classes of sentences or words of the corpus."""
POINTS = Input("annotation", "labels", levels=("sentence", "word", "span", "arc", "pair"), of="class")
"""Classes of sentences, words, spans, arcs or pairs of spans of the corpus."""
SPLITS = Input("split", "splits")
"""The split of each example of the corpus into train, dev and test, if the corpus has one."""


@dataclass(frozen=True)
class Axis:
    """A named coordinate of a measure's values."""

    name: str
    title: str
    """Name for the axis of a picture."""
    kind: Literal["int", "float", "text"] = "int"
    within: bool = False
    """True if one cell has values at many coordinates of the axis; False if each coordinate is a separate cell."""
    low: int = 0
    """First coordinate of an axis of layers: 0 is the embedding output, 1 the first layer with attention."""
    of_run: bool = False
    """Whether the coordinate belongs to the run (``Scope.run``): then values of all variants of a task lie along the
    axis, and pictures show them together."""
    whole: str = ""
    """Name of values without a coordinate, which lines along the axis show beside them; empty: they are not shown."""


LAYER = Axis("layer", "layer")
ATTENTION_LAYER = Axis("layer", "layer", low=1)
EVERY_LAYER = Axis("layer", "layer", within=True)
"""Layers of a measure that gives values of all of them at once."""
REF_LAYER = Axis("ref_layer", "layer of the reference")
HEAD = Axis("head", "attention head", within=True)
K = Axis("k", "k", of_run=True, whole="whole model")
KIND = Axis("kind", "kind of variant", "text", of_run=True)
EXAMPLE = Axis("example", "example", within=True)
QUERY = Axis("query", "query token", within=True)
LABEL_A = Axis("label_a", "label", "text", within=True)
LABEL_B = Axis("label_b", "other label", "text", within=True)


class At(NamedTuple):
    """The coordinates of a cell; flat, since there may be a hundred thousand cells."""

    layer: int | None = None
    """Layer; None if the cell has values of all layers or of none."""
    ref_layer: int | None = None
    more: tuple[tuple[str, Coordinate], ...] = ()
    """Further coordinates by name, in the order in which the measure declares its axes."""


class Known(NamedTuple):
    """One stored number of a finished cell, for later rounds of cells."""

    statistic: str
    value: float | None
    artefact: str = ""
    """Name of the arrays that belong to it (``Given.artefact``)."""


class Scope(NamedTuple):
    """One tuple of operands for which cells are proposed."""

    parameters: Mapping[str, object]
    layers: tuple[int, ...]
    """Number of transformer layers of each operand."""
    run: tuple[tuple[str, Coordinate], ...] = ()
    """Coordinates of the first operand's run, by the names of axes: the number of layers ``k`` and the ``kind`` of its
    variant, as far as it has them. A plain run has none."""


Cells = Callable[[Scope, Mapping[At, tuple[Known, ...]]], Iterable[At]]
"""Function that proposes the cells of one tuple of operands, given the finished ones. It is pure and is called again
after each round, so that grids can be refined and summaries can follow their points. Its proposals do not depend on the
order in which cells were finished."""


def once(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterable[At]:
    """Propose one cell for each tuple of operands."""
    return (At(),)
