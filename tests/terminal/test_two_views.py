"""Two views side by side on a wide terminal: what they cost on the wire."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.terminal.conftest import Terminal


def both(text: str) -> bool:
    """Curves and the profile beside them."""
    return "Profile: SVCCA distance" in text and "L12" in text and "step 380" in text


@pytest.mark.on_demand
def test_a_cursor_key_in_two_views_is_sparing_and_idle_sends_nothing(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)], size="250x60")
    terminal.until(both)
    terminal.quiet()
    terminal.cost("Left")
    curves = max(terminal.cost(key) for key in ("Left", "Left", "Up", "k", "l"))
    terminal.press("3")
    terminal.until(lambda text: "Curves: SVCCA distance" in text)
    terminal.quiet()
    heat = max(terminal.cost(key) for key in ("Left", "Down"))
    print(f"bytes of a cursor key at 250x60: curves and profile {curves:,}, heat map and curves {heat:,}")
    assert 0 < curves < 16_000
    assert 0 < heat < 16_000
    before = terminal.quiet(1.0)
    time.sleep(3)  # only time can show that nothing comes
    assert terminal.count == before


def test_a_resize_folds_the_second_view_and_brings_it_back(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)], size="250x60")
    terminal.until(both)
    terminal.resize(120, 40)
    terminal.until(lambda text: "Profile: " not in text and "L12" in text)
    terminal.resize(220, 50)
    terminal.until(both)
