"""Spell a question as commands that compute and draw it again. Pure."""

from __future__ import annotations

import shlex

from explorer.selection import Question


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


def commands_of(question: Question, view: str, store: str, figure: str, numbers: str) -> tuple[str, ...]:
    """Return the commands that compute a question's values, draw them, and write their figure and numbers."""
    flags = flags_of(question)
    show = ["bertdyn", "show", view, store, "--measure", question.measure.name, *flags]
    compute = ["bertdyn", "compute", question.measure.name, store, *flags]
    return (shlex.join(compute), *(shlex.join([*show, "-o", name]) for name in (figure, numbers)))
