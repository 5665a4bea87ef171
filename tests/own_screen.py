"""What the explorer's table shows of tests/ridge.py; run in a process that has BERTDYN_MEASURES."""

from __future__ import annotations

from pathlib import Path

from tests.explorer.ui.conftest import opened, screen_text, until


async def shown(path: Path) -> str:
    """Return the screen after choosing the measure by its name and going to the table."""
    async with opened(path, size=(160, 40)) as pilot:
        await pilot.press("7", "slash", *"measure:ridge", "enter")
        await until(pilot, lambda: all(word in screen_text(pilot) for word in ("Ridge height", " top ")))
        return screen_text(pilot)
