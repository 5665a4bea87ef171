"""Checkpoints extracted by a cluster, or in parts: the arrays of one process, and no trouble loses any."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from explorer.cli import main
from explorer.compute.executors.cluster import cluster_workers
from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from store.extract.plan import ExtractOptions, make_plan
from store.extract.run import execute, extract
from store.keys import CheckpointKey
from store.part import WHOLE, Part
from store.store import Store
from tests.explorer.compute.test_cluster import Cluster, started, with_group
from tests.pools import here
from tests.store.extract import models

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """The last bits of float32 sums depend on the number of threads, and each of two workers on two cores has one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(folder=tmp_path_factory.mktemp("dask")) as found:
        yield found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    models.runs(folder / "runs", steps=(0, 10, 20), seeds=("1", "2"))
    models.save(folder / "base", head=False, seed=99)
    models.corpus_file(folder)
    alone = options(folder)
    assert extract(folder / "alone.bertdyn", [folder / "runs"], {"dev": folder / "dev.tsv"}, alone).exit_code == 0
    return folder


def options(place: Path, **more: object) -> ExtractOptions:
    return ExtractOptions(reference=str(place / "base"), device="cpu", **more)  # type: ignore[arg-type]


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    return int(stopped.value.code or 0)


def same_arrays(one: Store, other: Store) -> None:
    digests = [{c.key: dict(c.digests) for c in store.checkpoints("dev")} for store in (one, other)]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 7
    key = CheckpointKey.plain("sst", "2", 20)
    np.testing.assert_array_equal(one.hidden("dev", key, 3), other.hidden("dev", key, 3))
    np.testing.assert_array_equal(one.logits("dev", key)[0], other.logits("dev", key)[0])


@pytest.mark.on_demand
def test_a_cluster_gives_the_same_arrays(cluster: Cluster, place: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.bertdyn"
    given = ("--reference", place / "base", "--corpus", f"dev={place / 'dev.tsv'}", "--scheduler", cluster.address)
    assert call("extract", store, place / "runs", *given, "--device", "cpu") == 0
    same_arrays(Store.open(store), Store.open(place / "alone.bertdyn"))
    assert Store.open(store).check().problems == ()
    assert call("extract", store, place / "runs", *given) == 0  # nothing is left to do


def test_no_scheduler_leaves_no_store(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--corpus", f"dev={place / 'dev.tsv'}", "--scheduler", "tcp://127.0.0.1:9")
    assert call("extract", tmp_path / "s.bertdyn", place / "runs", *given) == 2
    assert "no dask scheduler answers there" in capsys.readouterr().err
    assert not (tmp_path / "s.bertdyn").exists()


@pytest.mark.on_demand
def test_a_worker_killed_in_the_middle_loses_no_checkpoint(place: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.bertdyn"
    plan = make_plan(store, [place / "runs"], {"dev": place / "dev.tsv"}, options(place, elsewhere=True))
    with started(folder=tmp_path / "dask") as fragile:
        Store.create(store)

        class Killing:
            def begin(self, plan: object) -> None: ...
            def advance(self, tokens: int) -> None: ...
            def outcome(self, work: object, outcome: object) -> None: ...

            def loading(self, key: CheckpointKey) -> None:
                if key.step == 10 and key.seed == "1":
                    with_group(fragile.workers[0], signal.SIGKILL)

        with cluster_workers(fragile.address, store)(7) as workers:
            report = execute(plan, Killing(), workers)
    assert report.exit_code == 0
    same_arrays(Store.open(store), Store.open(place / "alone.bertdyn"))
    assert Store.open(store).check().problems == ()


@pytest.mark.on_demand
def test_a_scheduler_that_is_gone_ends_it_and_keeps_what_was_finished(place: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.bertdyn"
    plan = make_plan(store, [place / "runs"], {"dev": place / "dev.tsv"}, options(place, elsewhere=True))
    with started(folder=tmp_path / "dask") as fragile:
        Store.create(store)

        class Killing:
            def begin(self, plan: object) -> None: ...
            def advance(self, tokens: int) -> None: ...
            def outcome(self, work: object, outcome: object) -> None: ...

            def loading(self, key: CheckpointKey) -> None:
                if key.step == 20 and key.seed == "1":
                    with_group(fragile.processes[0], signal.SIGKILL)

        with cluster_workers(fragile.address, store)(7) as workers:
            report = execute(plan, Killing(), workers)
    lost = [o for o in report.outcomes if o.status == "failed"]
    assert len(report.outcomes) == 7
    assert lost
    assert all("is gone" in o.reason for o in lost)
    assert len(Store.open(store).checkpoints("dev")) >= 7 - len(lost) > 0
    again = extract(store, [place / "runs"], {"dev": place / "dev.tsv"}, options(place))
    assert again.exit_code == 0
    same_arrays(Store.open(store), Store.open(place / "alone.bertdyn"))


def test_parts_make_one_whole_whatever_order_they_come_in(place: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.bertdyn"
    done = []
    for number in (3, 1, 2):
        share = options(place, part=Part(number, 3))
        report = extract(store, [place / "runs"], {"dev": place / "dev.tsv"}, share)
        done.append({o.key for o in report.outcomes if o.status == "added"})
    assert sum(map(len, done)) == len(set.union(*done)) == 7
    same_arrays(Store.open(store), Store.open(place / "alone.bertdyn"))
    opened = Store.open(store)
    asked = [ask_store(opened, Selection("svcca", "dev"))]
    counts = [compute(opened, asked, device="cpu", executor=here, part=Part(n, 3)).computed for n in (1, 2, 3)]
    assert min(counts) > 0
    assert sum(counts) == len(opened.results()) == 6 * 4
    assert compute(opened, asked, device="cpu", executor=here, part=WHOLE).computed == 0


ANYWHERE = textwrap.dedent("""
    import fcntl, os, sys, types
    fcntl.flock = lambda *a: None                      # locks that exclude nobody
    import store.ownership as ownership
    ownership.this_machine = lambda: ownership.Machine(sys.argv[1] * 8, sys.argv[1] * 8)
    from explorer.cli import main
    main(sys.argv[2:])
""")


@pytest.mark.on_demand
def test_two_parts_at_once_on_hosts_whose_locks_exclude_nobody(place: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.bertdyn"
    given = ["--reference", place / "base", "--corpus", f"dev={place / 'dev.tsv'}", "--device", "cpu"]

    def on_hosts(*command: object, parts: Sequence[str] = ("1/2", "2/2")) -> None:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", ANYWHERE, host, *map(str, command), *([f"--part={part}"] if part else [])],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            for part, host in zip(parts, "ab", strict=False)
        ]  # fmt: skip
        for process in processes:
            _, said = process.communicate(timeout=300)
            assert process.returncode == 0, said.decode()

    on_hosts("extract", store, place / "runs", *given)
    on_hosts("compute", "svcca", store, "--workers", "1")
    opened, alone = Store.open(store), Store.open(place / "alone.bertdyn")
    same_arrays(opened, alone)
    # In a process like the two others: last digits depend on the number of arithmetic threads.
    on_hosts("compute", "svcca", alone.path, "--workers", "1", parts=[""])
    kept = [sorted((r._replace(computed_at="", input_set=None) for r in s.results()), key=str) for s in (opened, alone)]
    assert kept[0] == kept[1]
    assert opened.check().problems == ()


@pytest.mark.parametrize("text", ["0/3", "4/3", "a/b", "1", "1/", "-1/3", "1/0"])
def test_a_part_that_is_none_is_a_sentence(
    text: str, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("compute", "svcca", place / "alone.bertdyn", f"--part={text}") == 2
    assert "is not I/N" in capsys.readouterr().err
