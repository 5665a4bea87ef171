"""What may be loaded before the first screen: in a process of its own, since this one has everything already."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("numpy", "zarr", "duckdb", "pyarrow", "torch", "transformers", "scipy", "sklearn", "click")


def test_the_explorer_starts_without_any_array_or_sql_library() -> None:
    code = (
        "import json, sys, time; t = time.process_time(); import explorer.ui.app; "
        f"print(json.dumps([[m for m in {HEAVY!r} if m in sys.modules], time.process_time() - t]))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded, seconds = json.loads(run.stdout)
    print(f"import explorer.ui.app: {1000 * seconds:.0f} ms CPU")
    assert loaded == []
