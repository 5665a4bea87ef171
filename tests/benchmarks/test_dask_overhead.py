"""What a dask cluster of two worker processes costs against the local pool of two, for the same tasks."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from explorer.compute.executors.base import MakeWorkers
from explorer.compute.executors.cluster import cluster_workers
from explorer.compute.executors.local import local_workers
from explorer.compute.protocol import Update
from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from store.store import Store
from tests.benchmarks.conftest import Report
from tests.clusters import started
from tests.synthetic import make_store, sample_corpus

pytest.importorskip("distributed")
pytestmark = pytest.mark.benchmark
WORKERS, ROUNDS = 2, 3
MOST = 2.0
"""Times the local pool's time: dask only hands out tasks, and a task is much longer than that."""


def timed(store: Store, executor: MakeWorkers) -> tuple[float, float]:
    """Compute SVCCA of a fresh store; return the seconds of all of it, and those between first and last finished value.

    The second leaves out what the local pool needs to start its processes, where the cluster's are there already.
    """
    finished: list[float] = []

    def progress(update: Update) -> None:
        if update.done:
            finished.append(time.perf_counter())

    begin = time.perf_counter()
    outcome = compute(store, [ask_store(store, Selection("svcca", "dev"))], progress, WORKERS, "cpu", executor)
    assert outcome.ok
    assert outcome.computed > 50
    return time.perf_counter() - begin, finished[-1] - finished[0]


def test_a_cluster_on_this_machine_against_the_local_pool(tmp_path: Path, report: Report) -> None:
    made = make_store(
        tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1", "2"), steps=tuple(range(0, 300, 20)), width=256,
        attentions=False, corpora=[sample_corpus(examples=300)],
    ).path  # fmt: skip
    spent: dict[str, list[tuple[float, float]]] = {"local": [], "dask": []}
    with started(WORKERS, folder=tmp_path / "dask") as cluster:
        for number in range(ROUNDS):
            for name, times in spent.items():
                path = shutil.copytree(made, tmp_path / f"{name}-{number}.bertdyn")
                executor = cluster_workers(cluster.address, path) if name == "dask" else local_workers
                times.append(timed(Store.open(path), executor))
                shutil.rmtree(path)
    whole, tasks = (
        min(each[part] for each in spent["dask"][1:]) / min(each[part] for each in spent["local"][1:])
        for part in (0, 1)
    )
    unit = f"the local pool's time (of {os.cpu_count()} cores)"
    report("dask, from the first finished value to the last", tasks, unit)
    report("dask, the whole computation, its workers running before", whole, unit)
    assert tasks < MOST
