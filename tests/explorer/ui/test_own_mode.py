"""A mode is its own module and a place in the list of modes: keys, help, footer, palette and session follow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from explorer.ui import modes
from tests.own_mode import MODE
modes.MODES = {**modes.MODES, MODE.name: MODE}  # the list of modes, before anything is made from it

from explorer.ui.session import Session
from tests.explorer.ui.conftest import main, opened, screen_text, text_of, until

async def look(path):
    said = {}
    async with opened(path, size=(160, 40), session=Session(path)) as pilot:
        await pilot.press("f7")
        said["elsewhere"] = text_of(pilot, "notes")
        await pilot.press("f6")
        await until(pilot, lambda: "Your words: none yet" in screen_text(pilot))
        said["footer"], said["hint"] = text_of(pilot, "footer"), text_of(pilot, "notes")
        await pilot.press("f7")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"cab", "enter", "o")
        await until(pilot, lambda: "Your words: abc" in screen_text(pilot))
        await pilot.press("question_mark")
        await until(pilot, lambda: "Keys of Notes" in screen_text(pilot))
        said["help"] = screen_text(pilot)
        await pilot.press("escape")
        said["palette"] = [c.title for c in pilot.app.get_system_commands(pilot.app.screen)]
        await pilot.press("7")
        await until(pilot, lambda: main(pilot).picture is not None and main(pilot).chart.view.name == "table")
        pilot.app.save()
    async with opened(path, size=(160, 40), session=Session(path)) as pilot:
        await pilot.press("f6")
        await until(pilot, lambda: "Your words: abc" in screen_text(pilot))
    return said

print(json.dumps(asyncio.run(look(Path(sys.argv[1])))))
"""


def test_a_mode_of_its_own_touches_nothing_else(computed: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(computed)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr[-3000:]
    said = json.loads(run.stdout.splitlines()[-1])
    assert "That key belongs to Notes: press f6 first." in said["elsewhere"]
    assert "f6 Notes" in said["footer"]
    assert "f7: write words" in said["hint"]
    assert "words of one's own" in said["help"]
    assert {"Notes  (f6)", "Write words  (f7)"} <= set(said["palette"])
