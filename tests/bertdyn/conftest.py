"""A store as README's examples have it: `runs.bertdyn`, task sst2, two seeds, and what SVCCA says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import bertdyn
from bertdyn.runs import Runs
from explorer.selection import Against, Selection
from tests.computed import compute_here
from tests.synthetic import make_store


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the store."""
    place = tmp_path_factory.mktemp("notebook")
    store = make_store(
        place / "runs.bertdyn", tasks=("sst2",), steps=(0, 20, 40, 80), layers=6, classes=("negative", "positive")
    )
    compute_here(
        store, *(Selection("svcca", "dev", against=Against(one)) for one in ("pretrained", "seeds", "previous"))
    )
    return place


@pytest.fixture(scope="session")
def runs(folder: Path) -> Runs:
    """The store, opened as a notebook does."""
    return bertdyn.open(folder / "runs.bertdyn")
