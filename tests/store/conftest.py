from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Real sentences, which lie beside the checkout and are no part of it."""
    place = Path(__file__).resolve().parents[3] / "shared" / "realdata"
    if not place.is_dir():
        pytest.skip(f"no real data in {place}")
    return place


@pytest.fixture(scope="session")
def cases() -> Path:
    """Files that once failed, which lie beside the checkout and are no part of it."""
    place = Path(__file__).resolve().parents[3] / "shared" / "cases"
    if not place.is_dir():
        pytest.skip(f"no files of cases in {place}")
    return place
