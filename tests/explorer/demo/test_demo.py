"""Does the demo make a whole store, go on after an interruption, and show what training really did?"""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from explorer.demo import run
from explorer.demo.recipe import SEEDS, TASKS, Recipe
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.rows import RowQuery, rows_of
from store.store import Store

QUICK = Recipe(steps=(0, 2), batch=4, warm_up=1, sentences=32)
SMALL = tuple(dataclasses.replace(task, examples=30) for task in TASKS)


def _written(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*.safetensors")}


@pytest.mark.on_demand
def test_an_interrupted_demo_goes_on_and_a_whole_one_is_left_alone(tmp_path):
    """Checkpoints that are there are kept, missing ones are made again, the same, and what was extracted stays."""
    stages = []

    def interrupt(stage):
        stages.append(stage)
        if stage.name == "extract" and stage.done == 6:
            raise KeyboardInterrupt

    def make(progress):
        return run.make_demo(tmp_path, progress, tasks=SMALL, seeds=(1,), recipe=QUICK)

    with pytest.raises(KeyboardInterrupt):
        make(interrupt)
    trained = _written(tmp_path / "runs")
    lost = max(trained).parent
    shutil.rmtree(lost)
    stages.clear()
    path = make(stages.append)
    assert path == tmp_path / "demo.bertdyn"
    again = _written(tmp_path / "runs")
    assert len(again) == 4
    assert all(again[p] == trained[p] for p in trained if p.parent != lost)
    extracted = [s for s in stages if s.name == "extract"]
    assert extracted[0].done >= 4  # what was extracted stays, but the lost one cannot be looked at
    assert (extracted[-1].done, extracted[-1].total) == (10, 10)
    keys = {CheckpointKey.plain(t.name, "1", n) for t in TASKS for n in QUICK.steps} | {PRETRAINED_KEY}
    store = Store.open(path)
    for task in TASKS:
        assert {c.key for c in store.checkpoints(task.name)} == keys
        assert store.results(RowQuery(rows_of("svcca", task.name)))
        assert store.results(RowQuery(rows_of("js", task.name)))
        assert store.results(RowQuery(rows_of("clusters", task.name)))
    assert not (tmp_path / "unfinished").exists()

    stages.clear()
    assert make(stages.append) == path
    assert all(s.total == 0 for s in stages)  # nothing is made again


def test_a_place_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BertdynError, match="file"):
        run.make_demo(tmp_path / "file", tasks=SMALL, seeds=(1,), recipe=QUICK)
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "demo.bertdyn").mkdir()
    (tmp_path / "demo.bertdyn" / "letter.txt").write_text("mine")
    with pytest.raises(BertdynError, match=r"demo\.bertdyn"):
        run.make_demo(tmp_path, tasks=SMALL, seeds=(1,), recipe=QUICK)
    assert not (tmp_path / "runs").exists()


@pytest.mark.on_demand
def test_the_demo_shows_what_fine_tuning_does(tmp_path):
    """Findings of Hao et al. 2020 on a small scale: change grows with steps, and the upper layers change most.

    One seed per task: training takes most of the time, and other seeds tell the same.
    """
    seeds = SEEDS[:1]
    store = Store.open(run.make_demo(tmp_path, seeds=seeds))
    steps = Recipe().steps
    for task in (t.name for t in TASKS):
        for seed in map(str, seeds):
            accuracy = [
                store.checkpoint(task, CheckpointKey.plain(task, seed, n)).metrics["eval_accuracy"] for n in steps
            ]
            assert accuracy[-1] > 0.7
            assert accuracy[-1] > accuracy[0] + 0.3
            for measure in ("svcca", "js"):
                value = _values(store, measure, task, seed)
                upper = [sum(value[n, layer] for layer in (4, 5, 6)) for n in steps]
                lower = [sum(value[n, layer] for layer in (1, 2, 3)) for n in steps]
                assert upper[0] < 1e-6, measure  # step 0 is the pre-trained encoder
                assert upper[1] < upper[2] < upper[3] < upper[4], measure
                assert upper[-1] > 3 * upper[1], measure
                assert upper[-1] > 1.1 * lower[-1], measure
            distances = _values(store, "svcca", task, seed)
            last = [distances[steps[-1], layer] for layer in range(7)]
            assert last == sorted(last)
            assert last[1] < last[6] / 5
    for task in (t.name for t in TASKS):
        gaps = {(r.step, r.layer): r.value for r in _rows(store, "clusters", task, "1", "hull_mean")}
        assert gaps[steps[-1], 6] > 1.5 * gaps[0, 6]


def _rows(store, measure, task, seed, statistic=""):
    return [
        r
        for r in store.results(RowQuery(rows_of(measure, task)))
        if (r.task, r.seed, r.head, r.statistic, r.label_a) == (task, seed, None, statistic, None)
    ]


def _values(store, measure, task, seed):
    return {(r.step, r.layer): r.value for r in _rows(store, measure, task, seed)}
