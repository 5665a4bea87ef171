"""Commands that compute in this process."""

from __future__ import annotations

import pytest

from tests.pools import here


@pytest.fixture
def computed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``bertdyn compute`` start no child processes: each imports torch. ``test_compute.py`` does start them."""
    monkeypatch.setattr("explorer.compute.executors.workers_of", lambda scheduler, store: here)
