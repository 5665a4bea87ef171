"""Spell a question as commands that compute and draw it again. Pure."""

from __future__ import annotations

import shlex

from explorer.answers.look import Look
from explorer.selection import Question
from explorer.selection.command_line import flags_of
from explorer.views.base import LINEAR, DrawOptions


def commands_of(
    question: Question, view: str, look: Look, options: DrawOptions, store: str, *files: str
) -> tuple[str, ...]:
    """Return the commands that compute a question's values, draw them, and write them into files."""
    flags = flags_of(question)
    drawn = ["--scale", options.scale] * (options.scale != LINEAR) + ["--digits"] * options.digits
    show = ["bertdyn", "show", view, store, "--measure", question.measure.name, *flags, *_looking(look), *drawn]
    compute = ["bertdyn", "compute", question.measure.name, store, *flags]
    return (shlex.join(compute), *(shlex.join([*show, "-o", name]) for name in files))


def _looking(look: Look) -> list[str]:
    """Return the flags of ``bertdyn show`` for what a view shows of a question, without its step and its layer."""
    said = [("part", look.part), ("head", look.head), ("find", look.find)]
    flags = [word for name, value in said if value for word in (f"--{name}", str(value))]
    flags += ["--example", str(look.example)] if look.example >= 0 else []
    return flags + ["--changed"] * look.changed
