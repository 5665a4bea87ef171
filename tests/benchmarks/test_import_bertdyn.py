"""What `import bertdyn` costs a notebook that does not use it yet."""

from __future__ import annotations

import pytest

from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import cpu_of_python

pytestmark = pytest.mark.benchmark
BUDGET = 0.5


def test_importing_costs_little_beside_numpy(report: Report) -> None:
    programs = ("pass", "import numpy", "import bertdyn")
    spent = [[cpu_of_python(code) for code in programs] for _ in range(7)]
    bare, numpy, ours = (min(times) for times in zip(*spent, strict=True))
    note = f"{1000 * (ours - bare):.0f} ms CPU"
    report("import bertdyn", (ours - bare) / (numpy - bare), "import numpy", BUDGET, note)
