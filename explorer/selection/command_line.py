"""Spell a question as flags and commands. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.selection.ranges import Ranges

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.selection.question import Question


def flags_of(question: Question) -> list[str]:
    """Return the flags of a question, as ``bertdyn compute`` and ``bertdyn show`` take them.

    Choices along a measure's own axes have no flag.
    """
    measure = question.measure
    said: list[str] = []
    for name, text in (
        ("corpus", ",".join(question.corpora) if question.corpus else ""),
        ("annotation", question.annotation),
        ("task", ",".join(question.tasks)),
        ("seed", ",".join(question.seeds)),
        ("step", "" if question.steps is None else str(question.steps)),
        ("layer", "" if question.layers is None else str(question.layers)),
        ("against", "" if question.against is None else str(question.against)),
        ("against-layer", "" if question.ref_layers is None else str(question.ref_layers)),
        ("detail", question.detail),
    ):
        said += [f"--{name}", text] if text else []
    defaults = {p.name: p.default for p in measure.parameters}
    for name, value in question.parameters:
        said += [f"--{name.replace('_', '-')}", str(value)] if defaults[name] != value else []
    return said


def compute_command(store: Path, question: Question, steps: str = "", null: int = 0) -> str:
    """Return the command that computes a question.

    Args:
        steps: steps to compute, as ``--step`` takes them; empty: those of the question.
        null: number of null draws; 0: no chance level.
    """
    asked = replace(question, steps=Ranges.parse(steps, "--step")) if steps else question
    drawn = ["--null", str(null)] if null else []
    return shlex.join(["bertdyn", "compute", question.measure.name, str(store), *flags_of(asked), *drawn])
