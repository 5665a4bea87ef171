"""Commands that compute in this process."""

from __future__ import annotations

from functools import partial

import pytest

from explorer.compute.run import compute
from tests.pools import here


@pytest.fixture
def computed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``bertdyn compute`` start no child processes: each imports torch. ``test_compute.py`` does start them."""
    monkeypatch.setattr("explorer.compute.run.compute", partial(compute, pool=here))
