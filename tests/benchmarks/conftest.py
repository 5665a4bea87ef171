"""What benchmarks share: how they report a ratio, and units and stores that are dear to make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from tests.benchmarks.large_store import make_large_store
from tests.benchmarks.screen import bare_first_frame
from tests.benchmarks.timing import FAR_OFF


class Report(Protocol):
    """How a benchmark reports a ratio."""

    def __call__(self, what: str, ratio: float, unit: str, budget: float | None = None, note: str = "") -> None:
        """Print a ratio and its unit; with a budget, fail where the ratio is far off it."""


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line although pytest captures what tests print."""

    def printed(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="", flush=True)

    return printed


@pytest.fixture
def report(say: Callable[[str], None]) -> Report:
    """Print ratios, and fail where one is far off its budget."""

    def reported(what: str, ratio: float, unit: str, budget: float | None = None, note: str = "") -> None:
        held = "" if budget is None else f" (budget {budget:g})"
        say(f"{what}: {ratio:.2f} x {unit}{held}{note and '; '}{note}")
        assert budget is None or ratio < FAR_OFF * budget, (
            f"{what}: {ratio:.2f} x {unit} where {budget:g} is the budget"
        )

    return reported


@pytest.fixture(scope="session")
def bare_frame() -> float:
    """CPU seconds of a bare Textual app's first frame: the unit of what the explorer's screen costs."""
    return min(bare_first_frame() for _ in range(4))


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 10,000 checkpoints and a million values."""
    path = tmp_path_factory.mktemp("large") / "runs.bertdyn"
    make_large_store(path)
    return path
