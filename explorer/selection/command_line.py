"""Write the command that computes a question."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.selection.question import Question


def compute_command(store: Path, question: Question, steps: str = "", null: int = 0) -> str:
    """Return the command that computes a question.

    Args:
        steps: steps to compute, as ``--step`` takes them; empty: those of the question.
        null: number of null draws; 0: no chance level.
    """
    steps = steps or str(question.steps or "")
    said = ["bertdyn", "compute", question.measure.name, str(store)]
    said += ["--corpus", question.corpus] if question.corpus else []
    said += ["--annotation", question.annotation] if question.annotation else []
    said += ["--task", ",".join(question.tasks)] if question.tasks else []
    said += ["--step", steps] if steps else []
    said += ["--seed", ",".join(question.seeds)] if question.seeds else []
    said += ["--against", str(question.against)] if question.against is not None else []
    said += ["--null", str(null)] if null else []
    changed = {p.name: p.default for p in question.measure.parameters}
    parameters = ((name, value) for name, value in question.parameters if changed[name] != value)
    said += [word for name, value in parameters for word in (f"--{name.replace('_', '-')}", str(value))]
    return shlex.join(said)
