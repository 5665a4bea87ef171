"""Measure how much memory the computation of a measure takes, in a process of its own."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import explorer.compute.worker as worker
from explorer.compute.memory_cache import MemoryCache
from explorer.compute.run import compute
from explorer.measures.probes import logistic, mlp, online_code, parts, vectors
from explorer.selection import Selection, ask_store
from store.evaluation.lower import LowerLayers
from store.layout import KEPT
from store.store import Store
from tests.pools import here

CACHE = 1 << 20
"""Bytes of each cache: caches have a limit, and would hide what else grows."""


def peak(path: str, selection: Selection) -> int:
    """Return by how many bytes the resident memory of this process rises at most while it computes a measure."""
    worker.MemoryCache = functools.partial(MemoryCache, CACHE)  # type: ignore[assignment, misc]
    LowerLayers.__init__.__defaults__ = (CACHE,)  # type: ignore[misc]
    vectors.HELD = parts.AT_ONCE = CACHE
    for module in (logistic, mlp, online_code):
        module.ROWS = 256
    store = Store.open(Path(path))
    shutil.rmtree(store.path / KEPT, ignore_errors=True)  # arrays that another measure has computed
    question = ask_store(store, selection)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _resident("VmRSS")
    outcome = compute(store, [question], workers=1, device="cpu", executor=here)
    assert outcome.ok, outcome
    assert outcome.computed, outcome
    return _resident("VmHWM") - before


def _resident(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
