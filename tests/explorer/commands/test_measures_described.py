"""Does a measure's description say how many checkpoints it reads, and what?"""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from explorer.commands.measures import command


@pytest.mark.parametrize(
    ("measure", "reads"),
    [
        ("clusters", "hidden states and labels of one checkpoint"),
        ("svcca", "hidden states of two checkpoints"),
        ("early-exit", "hidden states, classifiers, logits and labels of one checkpoint"),
        ("confidence", "logits and labels of all checkpoints of one run"),
        ("loss-surface", "classifiers, weights and labels of three checkpoints"),
        ("trajectory", "weights of all checkpoints of two runs and one checkpoint"),
    ],
)
def test_what_a_measure_reads(measure: str, reads: str) -> None:
    said = CliRunner().invoke(command, [measure]).output
    (line,) = [line for line in said.splitlines() if line.startswith("  reads ")]
    assert line.split(maxsplit=1)[1] == reads
