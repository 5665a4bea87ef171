"""Is the cluster's answer the local pool's, bit for bit, and is every trouble a sentence that loses nothing?"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.compute.executors import SCHEDULER, workers_of
from explorer.compute.executors.cluster import cluster_workers
from explorer.compute.executors.local import local_workers
from explorer.compute.executors.sight import Sight, difference
from explorer.compute.plan import LARGEST_TASK
from explorer.compute.protocol import Outcome, Update
from explorer.compute.requests import Compute, request_line
from explorer.compute.run import compute
from explorer.measures import registry
from explorer.selection import Selection, ask_store
from store.child import command
from store.errors import BertdynError
from store.results import Result
from store.store import Store
from tests.clusters import Cluster, free_port, started, with_group
from tests.parameters import later
from tests.pools import here
from tests.synthetic import Copied, make_store, sample_corpus

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(folder=tmp_path_factory.mktemp("dask")) as found:
        yield found


def make_small(path: Path) -> Store:
    """Two seeds of one task."""
    return make_store(path, tasks=("sst2",))


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(make_small, tmp_path / "s.bertdyn")


def on(store: Store, address: str, measure: str = "svcca", **how: object) -> Outcome:
    asked = [ask_store(store, Selection(measure, "dev"))]
    return compute(store, asked, device="cpu", executor=cluster_workers(address, store.path), **how)  # type: ignore[arg-type]


def kept(store: Store) -> list[Result]:
    return sorted((r._replace(computed_at="", input_set=None) for r in store.results()), key=str)


LATER = [later(name) for name in ("js", "clusters", "anisotropy")]


@pytest.mark.parametrize("measure", ["svcca", *LATER])
def test_rows_are_those_of_the_local_pool_bit_for_bit(
    cluster: Cluster, tmp_path: Path, copied: Copied, measure: str
) -> None:
    near, there = (copied(make_small, tmp_path / name / "s.bertdyn") for name in ("near", "there"))
    assert on(there, cluster.address, measure).ok
    asked = [ask_store(near, Selection(measure, "dev"))]
    assert compute(near, asked, workers=2, device="cpu", executor=local_workers).ok
    assert kept(there) == kept(near)
    assert kept(near)
    assert on(there, cluster.address, measure).computed == 0


def test_a_store_that_was_made_anew_is_read_anew(cluster: Cluster, tmp_path: Path) -> None:
    """Workers live longer than stores: other texts under the same path and name have other special tokens."""
    path, found = tmp_path / "s.bertdyn", []
    for examples in (5, 9):
        shutil.rmtree(path, ignore_errors=True)
        store = make_store(path, tasks=("sst2",), corpora=[sample_corpus(labels=(), examples=examples)])
        assert on(store, cluster.address, "js").ok
        there = kept(store)
        fresh = make_store(tmp_path / f"{examples}.bertdyn", tasks=("sst2",), corpora=[store.corpus("dev")])
        assert compute(fresh, [ask_store(fresh, Selection("js", "dev"))], device="cpu", executor=here).ok
        assert there == kept(fresh)
        found.append(there)
    assert found[0] != found[1]


def test_the_environment_can_name_the_scheduler(
    cluster: Cluster, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SCHEDULER, cluster.address)
    with workers_of(None, store.path)(1) as workers:
        assert workers.submit(os.getpid).result() != os.getpid()
        assert workers.count == 2
    monkeypatch.delenv(SCHEDULER)
    assert workers_of(None, store.path) is local_workers


def test_a_job_of_the_explorer_uses_it(
    cluster: Cluster, store: Store, copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, code in ((cluster.address, 0), (f"tcp://127.0.0.1:{free_port()}", 2)):
        monkeypatch.setenv(SCHEDULER, address)
        asked = request_line(Compute(Selection("js", "dev"), device="cpu")).encode() + b"\n"
        done = subprocess.run(command("explorer.compute.job", str(store.path)), input=asked, capture_output=True)
        assert done.returncode == code, done.stderr
        if code == 0:
            store = copied(make_small, store.path.with_name("other.bertdyn"))
    assert "no dask scheduler answers there" in done.stdout.decode()


def test_nothing_is_left_in_the_store_but_rows(cluster: Cluster, store: Store) -> None:
    before = {p.relative_to(store.path) for p in store.path.rglob("*")}
    on(store, cluster.address)
    new = {p.relative_to(store.path).parts[0] for p in store.path.rglob("*") if p.relative_to(store.path) not in before}
    assert new <= {"tables", "kept"}


def test_a_store_that_a_worker_does_not_see_is_refused(tmp_path: Path) -> None:
    own = Sight("a", 2, "mark", {"svcca": 1}, {"numpy": "2"})
    store = tmp_path / "s.bertdyn"
    assert difference(own, own, store) == ""
    unseen = Sight("b", 2, None, {"svcca": 1}, {"numpy": "2"})
    assert f"on b does not see the store: {store} must be on a file system" in difference(own, unseen, store)
    other = Sight("b", 2, "mark", {"svcca": 1}, {"numpy": "1"})
    assert "has numpy 1, but this process 2" in difference(own, other, store)
    older = Sight("b", 2, "mark", {"svcca": 0}, {"numpy": "2"})
    assert "version 0 of measure 'svcca', but this process version 1" in difference(own, older, store)


def test_a_worker_with_several_threads_is_refused(store: Store, tmp_path: Path) -> None:
    with started(workers=1, threads=2, folder=tmp_path / "dask") as several:
        with pytest.raises(BertdynError, match=r"has several threads.* --nthreads 1"):
            on(store, several.address)
        assert store.results() == []


def test_a_worker_without_this_processs_measures_is_refused(
    cluster: Cluster, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests import ridge

    monkeypatch.setitem(registry._MEASURES, "ridge", ridge.MEASURES[0])
    with pytest.raises(BertdynError, match=r"worker tcp.* has no measure 'ridge'.*BERTDYN_MEASURES"):
        on(store, cluster.address)


def test_no_scheduler_and_no_worker_are_sentences(store: Store) -> None:
    with pytest.raises(BertdynError, match="no dask scheduler answers there"):
        on(store, f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(BertdynError, match="no dask scheduler answers there"):
        on(store, "nonsense://x")


# The last two tests kill what the others share: a worker first, and then the scheduler with the worker that is left.


@pytest.fixture
def big(tmp_path: Path, copied: Copied) -> Store:
    return copied(make_big, tmp_path / "s.bertdyn")


def make_big(path: Path) -> Store:
    """A store with work for a while."""
    return make_store(path, tasks=("sst2", "pos"), seeds=("1", "2", "3"), steps=tuple(range(0, 200, 20)))


CELLS = 6 * 10 * 4


def killing(process: subprocess.Popen[bytes], cluster: Cluster, store: Store) -> Outcome:
    """Compute on a cluster of which a process is killed in the middle."""

    def progress(update: Update) -> None:
        if update.done > 2 * LARGEST_TASK:  # more than two workers can be at: a task is over
            with_group(process, signal.SIGKILL)

    asked = [ask_store(store, Selection("svcca", "dev"))]
    outcome = compute(store, asked, progress, device="cpu", executor=cluster_workers(cluster.address, store.path))
    assert process.wait(60) == -signal.SIGKILL
    return outcome


def test_a_worker_killed_in_the_middle_loses_nothing(cluster: Cluster, big: Store) -> None:
    outcome = killing(cluster.workers[0], cluster, big)
    assert outcome.ok
    assert outcome.computed == len(big.results()) == CELLS


@pytest.mark.on_demand
def test_a_scheduler_that_is_gone_ends_it_and_keeps_what_was_finished(cluster: Cluster, big: Store) -> None:
    outcome = killing(cluster.processes[0], cluster, big)
    (failure,) = outcome.failures
    assert "The scheduler at" in failure.message
    assert "is gone" in failure.message
    assert 0 < outcome.computed == len(big.results()) < CELLS
    assert compute(big, [ask_store(big, Selection("svcca", "dev"))], device="cpu", executor=here).ok
