"""Parameters of tests of which some run on demand only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def later(*values: Any) -> Any:
    """Return a parameter, or several of one test, that run on demand."""
    return pytest.param(*values, marks=pytest.mark.on_demand)


def first(many: int, values: Iterable[Any]) -> list[Any]:
    """Return parameters of which those beyond the first ``many`` run on demand."""
    every = list(values)
    return [*every[:many], *(later(*v) if isinstance(v, tuple) else later(v) for v in every[many:])]
