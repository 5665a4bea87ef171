"""Spell a question as commands that compute and draw it again. Pure."""

from __future__ import annotations

import shlex

from explorer.selection import Question
from explorer.selection.command_line import flags_of


def commands_of(question: Question, view: str, store: str, figure: str, numbers: str) -> tuple[str, ...]:
    """Return the commands that compute a question's values, draw them, and write their figure and numbers."""
    flags = flags_of(question)
    show = ["bertdyn", "show", view, store, "--measure", question.measure.name, *flags]
    compute = ["bertdyn", "compute", question.measure.name, store, *flags]
    return (shlex.join(compute), *(shlex.join([*show, "-o", name]) for name in (figure, numbers)))
