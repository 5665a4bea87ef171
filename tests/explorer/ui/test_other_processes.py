"""What other processes write shows without a key: the extraction and the computing that run beside the explorer. How
soon is a benchmark."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from tests.explorer.ui.conftest import changed, main, opened, text_of, until

REPOSITORY = Path(__file__).resolve().parents[3]
COMMIT = """
import sys
from pathlib import Path
from store.keys import CheckpointKey
from store.store import Store
from tests.synthetic import write_checkpoint
store = Store.open(Path(sys.argv[1]))
write_checkpoint(store, store.corpus("dev"), CheckpointKey.plain("pos", "1", int(sys.argv[2])))
"""
BERTDYN = "import sys; from explorer.cli import main; main(sys.argv[1:])"


async def beside(*arguments: str) -> asyncio.subprocess.Process:
    """Another process, of Python code and its arguments."""
    return await asyncio.create_subprocess_exec(sys.executable, "-c", *arguments, cwd=REPOSITORY, stdout=-3, stderr=-3)


async def test_checkpoints_and_values_of_others_show_without_a_key(tmp_path: Path, computed: Path) -> None:
    path = tmp_path / "growing.bertdyn"
    shutil.copytree(computed, path)
    async with opened(path, config=changed(compute=False)) as pilot:
        process = await beside(COMMIT, str(path), "60")
        await until(pilot, lambda: "x 4 steps" in text_of(pilot, "title"))
        await until(pilot, lambda: main(pilot).missing > 0)
        assert await process.wait() == 0
        process = await beside(BERTDYN, "compute", "svcca", str(path), "--corpus", "dev", "--task", "pos")
        await until(pilot, lambda: not main(pilot).missing, 120)
        assert await process.wait() == 0
        assert "60" in text_of(pilot, "chart")
