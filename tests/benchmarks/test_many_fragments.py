"""`bertdyn sql` and `bertdyn ls` on 3,000 fragments, before and after they are merged, against importing DuckDB and one
`select 1` (CPU time of whole processes). BERTDYN_FRAGMENTS takes fewer fragments.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from store.duck import connect
from store.fragments import compact
from store.store import Store
from store.tables import RESULTS
from tests.benchmarks.conftest import Report
from tests.benchmarks.large_store import make_fragmented_store
from tests.benchmarks.timing import cpu_of_python

pytestmark = pytest.mark.benchmark
FRAGMENTS = int(os.environ.get("BERTDYN_FRAGMENTS", "3000"))
BERTDYN = "import sys; from explorer.cli import main; main(sys.argv[1:])"
COMMANDS = (("sql", "SELECT task, layer, max(value) FROM js GROUP BY ALL ORDER BY ALL"), ("ls",))
UNIT = "import duckdb, select 1"
BEFORE, AFTER = 16.0, 8.0
"""Budgets: 2 s and 1 s where the unit takes 0.125 s."""


def unit() -> float:
    """CPU seconds of a process that imports DuckDB and asks for nothing."""
    return cpu_of_python("import duckdb; duckdb.sql('select 1').fetchall()")


def merge(store: Store) -> None:
    """Merge the fragments, as whoever adds values does when there are too many."""
    with connect() as connection:
        assert compact(connection, store.path, RESULTS)


def test_sql_and_ls_before_and_after_the_fragments_are_merged(tmp_path: Path, report: Report) -> None:
    store = make_fragmented_store(tmp_path / "runs.bertdyn", FRAGMENTS)
    for when, wanted in (("before", BEFORE), ("after", AFTER)):
        for command, *rest in COMMANDS:
            taken = [(unit(), cpu_of_python(BERTDYN, command, str(store.path), *rest)) for _ in range(3)]
            bare, spent = (min(times) for times in zip(*taken, strict=True))
            what = f"{command}, {FRAGMENTS:,} fragments, {when} they are merged"
            report(what, spent / bare, UNIT, wanted, f"{spent:.2f} s CPU")
        if when == "before":
            merge(store)
