"""Several processes at one store, and processes that are killed: nothing half-written is ever seen, nothing is lost."""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from pathlib import Path

import numpy as np
import pytest

from store.staging import collect
from store.store import Store
from tests.store import writers

# Children start from a process that has imported everything, so that a kill meets work and not an import.
START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(["tests.store.writers", "zarr", "zarr.codecs", "duckdb", "google_crc32c", "store.arrays"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "s.bertdyn")
    store.add_corpus(writers.CORPUS)
    return store


def whole(store: Store) -> int:
    """Read every checkpoint that is to be seen and compare all its values; how many there are."""
    seen = store.checkpoints()
    for checkpoint in seen:
        hidden, attention = writers.arrays(checkpoint.key)
        for layer in range(writers.LAYERS + 1):
            np.testing.assert_array_equal(store.hidden("dev", checkpoint.key, layer), hidden[layer])
        for layer in range(1, writers.LAYERS + 1):
            for head in range(1, writers.HEADS + 1):
                got = store.attention("dev", checkpoint.key, layer, head)
                np.testing.assert_array_equal(got, attention[layer - 1, head - 1])
    return len(seen)


def finish(process: multiprocessing.process.BaseProcess) -> None:
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.slow
def test_twenty_kills_never_leave_an_incomplete_checkpoint_and_the_next_run_completes(store: Store) -> None:
    rng, met_work, latest = random.Random(4), 0, 0.35
    for _ in range(20):
        process = START.Process(target=writers.extract, args=(str(store.path), "", 0.02))
        process.start()
        time.sleep(rng.uniform(0.05, latest))
        process.kill()
        process.join()
        met = sum(path.is_dir() for path in (store.path / "staging").iterdir())
        met_work += met
        if not whole(Store.open(store.path)) and not met:
            latest *= 1.5  # on a slow machine it had not begun
    assert met_work > 3, "the kills came too early or too late to test anything"
    last = START.Process(target=writers.extract, args=(str(store.path),))
    last.start()
    finish(last)
    collect(store.path)
    assert whole(Store.open(store.path)) == len(writers.KEYS)
    assert not list((store.path / "staging").iterdir())
    report = store.check()
    assert report.sound, report.problems
    assert store.query("select count(*) from checkpoints").rows == [(len(writers.KEYS),)]


@pytest.mark.slow
@pytest.mark.parametrize("replace", [False, True])
def test_two_extractions_of_the_same_runs_do_not_harm_each_other(store: Store, tmp_path: Path, replace: bool) -> None:
    outs = [tmp_path / "one.json", tmp_path / "two.json"]
    racers = [START.Process(target=writers.extract, args=(str(store.path), str(o), 0.0, replace)) for o in outs]
    for racer in racers:
        racer.start()
    while any(racer.is_alive() for racer in racers):
        if not replace:  # a checkpoint that is being replaced may go from under a reader, who is told so
            whole(Store.open(store.path))
    for racer in racers:
        finish(racer)
    assert whole(Store.open(store.path)) == len(writers.KEYS)
    ours = [key for out in outs for key in json.loads(out.read_text())]
    assert len(ours) == (2 if replace else 1) * len(writers.KEYS)
    assert set(ours) == {str(key) for key in writers.KEYS}
    assert not list((store.path / "staging").iterdir())
    assert not list((store.path / "trash").iterdir())
    assert store.check().sound


def test_work_in_progress_is_not_collected(store: Store) -> None:
    key = writers.KEYS[0]
    hidden, attention = writers.arrays(key)
    with store.writer(
        "dev", key, layers=writers.LAYERS, heads=writers.HEADS, width=writers.WIDTH, dtype="float16", attentions=True,
        attributes={},
    ) as writer:  # fmt: skip
        assert collect(store.path) == 0
        assert store.check(repair=True).sound
        writer.append(hidden, attention)
        assert writer.commit()
    assert whole(store) == 1


@pytest.mark.slow
def test_values_kept_by_three_processes_all_arrive_while_others_read(store: Store) -> None:
    key = writers.KEYS[0]
    with store.writer(
        "dev", key, layers=writers.LAYERS, heads=writers.HEADS, width=writers.WIDTH, dtype="float16", attentions=True,
        attributes={},
    ) as writer:  # fmt: skip
        writer.append(*writers.arrays(key))
        writer.commit()
    count = 90  # three times as many fragments are enough to be compacted once
    crowd = [START.Process(target=writers.compute, args=(str(store.path), number, count)) for number in range(3)]
    for process in crowd:
        process.start()
    seen = [0]
    while any(process.is_alive() for process in crowd):
        seen.append(len(store.results()))
    for process in crowd:
        finish(process)
    assert seen == sorted(seen), "a value that was there went away"
    assert {(r.head, r.layer) for r in store.results()} == {(n, layer) for n in range(3) for layer in range(count)}
    assert store.query("select count(*) from svcca").rows == [(3 * count,)]
    assert list((store.path / "tables" / "results").glob("*.replaces.json"))
