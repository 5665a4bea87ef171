"""Names and texts that a terminal would obey: does any of them reach the screen as it is, in any mode?"""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.ui.modes import MODES
from tests.explorer.ui.conftest import changed, fill, opened, screen_text
from tests.hostile_names import HOSTILE, OBEYED, hostile_store


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = hostile_store(tmp_path_factory.mktemp("hostile") / f"{HOSTILE}.bertdyn")
    for measure in ("svcca", "js", "clusters"):
        fill(store, measure, HOSTILE)
    return store.path


async def test_no_mode_shows_what_a_terminal_would_obey(path: Path) -> None:
    async with opened(path, config=changed(compute=False)) as pilot:
        for mode in MODES.values():
            await pilot.press(mode.key)
            for keys in (("down", "right"), ("o",), ("c",), ("question_mark",), ("escape",), ("t",), ("escape",)):
                await pilot.press(*keys)
                await pilot.pause()
                text = screen_text(pilot)
                assert OBEYED.search(text) is None, (mode.key, keys, text)
        assert pilot.app._exception is None
        assert "a?]52;c;" in text  # the names are there, without what a terminal obeys
        assert OBEYED.search(str(pilot.app.title)) is None
