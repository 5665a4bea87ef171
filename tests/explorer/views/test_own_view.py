"""A new row of the table of views is all that a view of a field needs."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from tests.pools import here
from tests.synthetic import make_store

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.own_view", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_row_of_the_table_makes_a_view_with_picture_numbers_and_help(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1", "2"), steps=(0, 20), layers=2)
    assert compute(store, [ask_store(store, Selection("cka", "dev"))], device="cpu", executor=here).ok
    stored = {(r.seed, r.layer): r.value for r in store.results() if (r.measure, r.task, r.step) == ("cka", "sst2", 20)}
    picture = run("show", "seeds-by-layer", str(store.path), "--measure", "cka", "--task", "sst2")
    assert "step 20, seed by layer" in picture.splitlines()[0]
    printed = run("show", "seeds-by-layer", str(store.path), "--measure", "cka", "--task", "sst2", "--format", "csv")
    shown = {(r["seed"], int(r["layer"])): float(r["value"]) for r in csv.DictReader(io.StringIO(printed))}
    assert shown == pytest.approx(stored)
    assert "seed by layer as a map, of one step" in run("show", "--help")
