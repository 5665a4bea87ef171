"""The stores that tests of devices measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.devices.measured import make_places


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with checkpoints, sentences, trees and a store of them that was extracted on the processor."""
    return make_places(tmp_path_factory.mktemp("devices"))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a text although pytest captures what tests print."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return printed
