"""What other processes write shows within two seconds, without a key: the extraction and the computing that run beside
the explorer."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
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
SECONDS = 2.0


async def beside(*arguments: str) -> asyncio.subprocess.Process:
    """Another process, of Python code and its arguments."""
    return await asyncio.create_subprocess_exec(sys.executable, "-c", *arguments, cwd=REPOSITORY, stdout=-3, stderr=-3)


async def test_checkpoints_and_values_of_others_show_within_two_seconds(tmp_path: Path, computed: Path) -> None:
    path = tmp_path / "growing.bertdyn"
    shutil.copytree(computed, path)
    late = {"checkpoint": [], "values": []}
    async with opened(path, config=changed(compute=False)) as pilot:
        for steps, step in ((4, 60), (5, 80)):
            process = await beside(COMMIT, str(path), str(step))
            await until(pilot, lambda steps=steps: f"x {steps} steps" in text_of(pilot, "title"), 60)
            late["checkpoint"].append(time.time() - (path / "activations/dev/pos/1").stat().st_mtime)
            await until(pilot, lambda: main(pilot).missing > 0)
            assert await process.wait() == 0
            process = await beside(BERTDYN, "compute", "svcca", str(path), "--corpus", "dev", "--task", "pos")
            await until(pilot, lambda: not main(pilot).missing, 90)
            newest = max(p.stat().st_mtime for p in (path / "tables/results").glob("*.parquet"))
            late["values"].append(time.time() - newest)
            assert await process.wait() == 0
            assert f"{step}" in text_of(pilot, "chart")
    print("\n" + "; ".join(f"{what} after {', '.join(f'{s:.2f}' for s in late[what])} s" for what in late))
    # The better of two: a machine that is busy with other things says nothing about the explorer.
    assert max(min(seconds) for seconds in late.values()) < SECONDS
