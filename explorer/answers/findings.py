"""What the overview says: sentences with their numbers, and the picture that shows each. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.selection.command_line import compute_command

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.measures.computation import Uncertainty
    from explorer.selection import Question

COLUMNS = ("topic", "finding", "corpus", "measure", "task", "step", "layer", "quantity", "value")
"""Columns of the rows of an overview: one row per number, and one per finding without any."""


@dataclass(frozen=True)
class Door:
    """The picture that shows a finding. What is unset stays as it is."""

    view: str
    """Name of a view, such as ``curves``, or of a mode that draws its own rows, such as ``jobs``."""
    part: str = ""
    """One of the view's parts; empty: its first picture."""
    measure: str = ""
    annotation: str = ""
    tasks: tuple[str, ...] = ()
    against: str = ""
    """Reference, as ``--against`` writes it."""
    step: int | None = None
    layer: int | None = None
    head: int = 0
    """Counted from 1."""
    changed: bool = False
    """Examples in the order of how far their attention moved."""


@dataclass(frozen=True)
class Number:
    """One number of a finding."""

    quantity: str
    """'value', 'half of the change by', 'standard deviation over seeds', ..."""
    value: float | None
    measure: str = ""
    task: str = ""
    step: int | None = None
    layer: int | None = None


@dataclass(frozen=True)
class Price:
    """What is computed to complete a finding."""

    question: Question
    values: int = 0
    """Number of values."""
    trust: Uncertainty | None = None
    """Chance level or interval to compute with the values."""

    def command(self, store: Path) -> str:
        """Return the command that computes it."""
        return compute_command(store, self.question, null=self.trust.null if self.trust else 0)


@dataclass(frozen=True)
class Finding:
    """One row of the overview."""

    topic: str
    """Heading that it stands under: a question of the reader's, or the topic of a measure."""
    subject: str
    """What it is about, in a few words: a task with its seeds, a measure."""
    text: str
    """The sentence."""
    door: Door | None = None
    """None: there is no picture of it."""
    layers: tuple[tuple[int, float], ...] = ()
    """Sizes by layer, to draw as a row of bars; empty: none."""
    numbers: tuple[Number, ...] = ()
    price: Price | None = None
    """What enter computes first; None: everything is there."""
    warning: bool = False
    """Whether it says that a number means little."""
    only_opens: bool = False
    """Whether it tells nothing without the picture that it opens."""


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is known of a selection, in the order in which it is read."""

    question: Question
    tasks: tuple[str, ...]
    """Tasks that are described."""
    left_out: int
    """Tasks of the selection that are not described: too many."""
    findings: tuple[Finding, ...]
    missing: int = 0
    """Values of the measure that are not computed."""
    whole: bool = True
    """Whether other measures and the training have been looked at; if not, they are being read."""

    def rows(self) -> list[tuple[object, ...]]:
        """Return one row per number, in the order of COLUMNS; a finding without numbers has one row."""
        corpus = self.question.corpus
        return [
            (f.topic, said(f), corpus, n.measure or None, n.task or None, n.step, n.layer, n.quantity or None, n.value)
            for f in self.findings
            for n in (f.numbers or (Number("", None),))
        ]


def said(finding: Finding) -> str:
    """Return subject and sentence as one text."""
    return ": ".join(filter(None, (finding.subject, finding.text)))


def figure(value: float) -> str:
    """Return a number for a sentence: three places, or three digits where it is large or small."""
    size = abs(value)
    return f"{value:.3f}" if 0.001 <= size < 100 or not size else f"{value:.3g}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """'a, b and c', 'a, b, c, d and 3 more'."""
    shown, more = list(names[:most]), len(names) - most
    if more > 0:
        return ", ".join(shown) + f" and {more} more"
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else "".join(shown)
