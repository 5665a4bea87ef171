"""Is what is missing computed, once, rightly, and kept whatever happens on the way?"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from explorer.compute.executors.base import Note, Workers
from explorer.compute.executors.local import local_workers
from explorer.compute.plan import Task, plan, rows
from explorer.compute.pool import local_pool
from explorer.compute.protocol import Outcome, Update
from explorer.compute.run import compute, warnings
from explorer.compute.worker import RunSetting, TaskReport
from explorer.measures import Context, Given, Uncertainty, Value, canonical
from explorer.measures.registry import get
from explorer.selection import Against, QuestionError, Ranges, Selection, ask, ask_store, list_store
from explorer.selection.question import NO_TRUST
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.layout import checkpoint_path
from store.results import Result, input_set_of
from store.rows import RowQuery, rows_of
from store.store import Store
from tests.oracle import svcca_distance
from tests.pools import here
from tests.store.results import inputs
from tests.synthetic import Copied, make_store, sample_corpus, write_checkpoint


def select(measure: str = "svcca", against: str = "", **fields: object) -> Selection:
    """A selection on ``dev``; against the measure's default unless something is named."""
    return Selection(measure, "dev", against=Against.parse(against) if against else None, **fields)  # type: ignore[arg-type]


def run(store: Store, selection: Selection, progress: Callable[[Update], None] = lambda update: None) -> Outcome:
    return compute(store, [ask_store(store, selection)], progress, workers=1, executor=here)


def two_seeds(path: Path) -> Store:
    return make_store(path, tasks=("sst2",), seeds=("1", "2"), steps=(0, 20, 40))


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(two_seeds, tmp_path / "s.bertdyn")


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A checkpoint with two labels of sentences."""
    corpus = sample_corpus("dev", labels=("a", "b"), examples=60)
    place = tmp_path_factory.mktemp("probed") / "s.bertdyn"
    return make_store(place, tasks=("sst2",), seeds=("1",), steps=(20,), pretrained=False, corpora=[corpus])


class TestOnce:
    def test_a_value_once_computed_is_read_back(self, store: Store) -> None:
        assert run(store, select()) == Outcome(24, 0)
        first = set(store.results())
        fragments = sorted(store.path.glob("tables/results/*"))
        assert run(store, select()) == Outcome(0, 24)
        assert set(store.results()) == first  # the times of computing too
        assert sorted(store.path.glob("tables/results/*")) == fragments

    def test_only_what_a_larger_selection_adds_is_computed(self, store: Store) -> None:
        run(store, select(layers=Ranges.parse("2-3", "--layer"), seeds=("1",)))
        before = {(r.seed, r.step, r.layer): r.computed_at for r in store.results()}
        assert run(store, select()) == Outcome(18, 6)
        after = {(r.seed, r.step, r.layer): r.computed_at for r in store.results()}
        assert {k: after[k] for k in before} == before
        assert len(after) == 24

    def test_other_parameters_are_other_values(self, store: Store) -> None:
        run(store, select(layers=Ranges.parse("3", "--layer")))
        half = select(layers=Ranges.parse("3", "--layer"), parameters=(("variance", 0.5),))
        assert run(store, half).computed == 6
        assert {json.loads(r.parameters)["variance"] for r in store.results()} == {0.5, 0.99}

    def test_a_checkpoint_that_was_extracted_anew_is_measured_anew(self, store: Store) -> None:
        run(store, select())
        write_checkpoint(store, store.corpus("dev"), CheckpointKey.plain("sst2", "1", 40), replace=True, shift=0.25)
        assert run(store, select()) == Outcome(4, 20)

    def test_rows_of_another_version_of_a_measure_do_not_count(self, store: Store) -> None:
        run(store, select(layers=Ranges.parse("3", "--layer"), steps=Ranges.parse("40", "--step"), seeds=("1",)))
        old = [r._replace(version=r.version - 1, step=20) for r in store.results()]
        read = [store.checkpoint("dev", key) for key in (CheckpointKey.plain("sst2", "1", 20), PRETRAINED_KEY)]
        store.add_results([r._replace(inputs=inputs(*read)) for r in old])
        assert len(store.results()) == 2
        assert run(store, select(layers=Ranges.parse("3", "--layer"), seeds=("1",))) == Outcome(2, 1)

    def test_heads_and_their_layer_are_known_together(self, store: Store) -> None:
        assert run(store, select("js")).computed == 18
        rows = [r for r in store.results(RowQuery(rows_of("js"))) if (r.seed, r.step, r.layer) == ("1", 40, 3)]
        heads = [r.value for r in rows if r.head is not None]
        assert len(heads) == 2
        assert [r.value for r in rows if r.head is None] == [pytest.approx(np.mean(heads), rel=1e-12)]
        assert run(store, select("js")) == Outcome(0, 18)


class TestTrust:
    """A null or an interval is more about the same value: it is added, and never lost again."""

    def ask(self, store: Store, **trust: object) -> tuple[Outcome, Result]:
        chosen = select(seeds=("1",), steps=Ranges.parse("40", "--step"), layers=Ranges.parse("3", "--layer"))
        asked = Uncertainty(**trust)  # type: ignore[arg-type]
        outcome = compute(store, [ask_store(store, chosen, asked)], workers=1, executor=here, trust=asked)
        (row,) = store.results()
        return outcome, row

    def test_what_lacks_the_null_is_computed_again_and_once(self, store: Store) -> None:
        _, plain = self.ask(store)
        assert plain.null_value is None
        outcome, row = self.ask(store, null=3)
        assert outcome == Outcome(1, 0)
        assert row.null_value is not None
        assert row.null_value > (row.value or 0)
        assert row.value == plain.value
        assert self.ask(store, null=3) == (Outcome(0, 1), row)
        assert self.ask(store) == (Outcome(0, 1), row)

    def test_another_number_of_draws_is_another_question(self, store: Store) -> None:
        self.ask(store, null=3)
        outcome, row = self.ask(store, null=4)
        assert outcome == Outcome(1, 0)
        assert json.loads(row.details)["trust"]["null"] == 4

    def test_asking_for_an_interval_keeps_the_null(self, store: Store) -> None:
        _, before = self.ask(store, null=3)
        outcome, row = self.ask(store, interval="jackknife", level=0.9)
        assert outcome == Outcome(1, 0)
        assert row.null_value == before.null_value
        assert row.interval_low is not None
        assert row.interval_high is not None
        assert row.interval_low <= (row.value or 0) <= row.interval_high
        said = json.loads(row.details)
        assert said["trust"] == {"null": 3, "seed": 0, "interval": "jackknife", "level": 0.9}
        assert said["null_sd"] == json.loads(before.details)["null_sd"]
        assert self.ask(store, null=3) == (Outcome(0, 1), row)

    def test_a_measure_without_one_says_so(self, store: Store) -> None:
        with pytest.raises(QuestionError, match="--null: attention-entropy has no null"):
            ask_store(store, select("attention-entropy"), Uncertainty(null=2))


class TestKept:
    """What was fitted is more about the same value: it is stored on request, and never lost again."""

    def ask(self, store: Store, **trust: object) -> tuple[Outcome, list[Result]]:
        asked = Uncertainty(**trust)  # type: ignore[arg-type]
        question = ask_store(store, Selection("probe", "dev", parameters=(("probe_seeds", 2),)), asked)
        outcome = compute(store, [question], workers=1, device="cpu", executor=here, trust=asked)
        found = [row for row in store.results() if row.statistic == "accuracy"]
        return outcome, sorted(found, key=lambda row: row.layer or 0)

    def test_it_is_stored_once_on_request_and_stays(self, probed: Store) -> None:
        outcome, plain = self.ask(probed)
        assert outcome == Outcome(1, 0)
        (name,) = {row.artefact for row in plain}  # all layers name one artefact
        assert list(probed.artefact(name)) == ["predictions"]
        outcome, kept = self.ask(probed, keep=True)
        assert outcome == Outcome(1, 0)
        assert [(row.value, row.parameters) for row in kept] == [(row.value, row.parameters) for row in plain]
        (name,) = {row.artefact for row in kept}
        assert {"predictions", "classes", "probe_weights"} <= set(probed.artefact(name))
        assert set(probed.artefact(name, only=("predictions",))) == {"predictions"}
        assert self.ask(probed) == (Outcome(0, 1), kept)  # known without it, too
        assert self.ask(probed, keep=True) == (Outcome(0, 1), kept)
        outcome, null = self.ask(probed, null=1)
        assert outcome == Outcome(1, 0)
        assert {row.artefact for row in null} == {name}
        assert all(row.null_value is not None for row in null)
        assert self.ask(probed, keep=True) == (Outcome(0, 1), null)

    def test_a_measure_that_fits_nothing_says_so(self, probed: Store) -> None:
        with pytest.raises(QuestionError, match="--keep: svcca has nothing to keep"):
            ask_store(probed, Selection("svcca", "dev"), Uncertainty(keep=True))


class TestDetail:
    """Rows of single examples are more about the same cell: no part of what identifies it."""

    def ask(self, store: Store, detail: str, **trust: object) -> tuple[Outcome, dict[str, list[Result]]]:
        """How it ended, and what is stored then, by how fine it is."""
        one = {"seeds": ("1",), "steps": Ranges.one(40), "layers": Ranges.one(3)}
        asked = Uncertainty(**trust)  # type: ignore[arg-type]
        chosen = [ask_store(store, select("js", detail=detail, **one), asked)]
        outcome = compute(store, chosen, workers=1, executor=here, trust=asked)
        found: dict[str, list[Result]] = {"layer": [], "example": [], "query": []}
        for row in sorted(store.results(), key=lambda r: (r.head or 0, r.example or 0, r.query or 0)):
            found["layer" if row.example is None else "example" if row.query is None else "query"].append(row)
        return outcome, found

    def missing(self, store: Store, detail: str, trust: Uncertainty = NO_TRUST) -> int:
        one = {"seeds": ("1",), "steps": Ranges.one(40), "layers": Ranges.one(3)}
        return len(plan(store, ask_store(store, select("js", detail=detail, **one), trust), trust).missing)

    def missing_each(self, store: Store, trust: Uncertainty = NO_TRUST) -> list[int]:
        return [self.missing(store, detail, trust) for detail in ("", "layer", "example", "query")]

    def test_finer_rows_are_added_to_what_is_there_and_cover_what_is_coarser(self, store: Store) -> None:
        examples, tokens = store.corpora()[0].examples, store.corpora()[0].tokens
        _, coarse = self.ask(store, "")
        assert [len(rows) for rows in coarse.values()] == [3, 0, 0]  # the layer and its two heads
        assert self.missing_each(store) == [0, 0, 1, 1]
        outcome, finer = self.ask(store, "example")
        assert outcome == Outcome(1, 0)
        assert [len(rows) for rows in finer.values()] == [3, 3 * examples, 0]
        assert [(r.head, r.value, r.parameters) for r in finer["layer"]] == [
            (r.head, r.value, r.parameters) for r in coarse["layer"]
        ]
        assert self.missing_each(store) == [0, 0, 0, 1]
        assert self.ask(store, "example") == (Outcome(0, 1), finer)
        assert self.ask(store, "") == (Outcome(0, 1), finer)
        outcome, finest = self.ask(store, "query")
        assert outcome == Outcome(1, 0)
        assert [len(rows) for rows in finest.values()] == [3, 3 * examples, 3 * tokens]
        assert self.missing_each(store) == [0, 0, 0, 0]

    def test_only_the_rows_that_were_asked_for_are_given_back(self, store: Store) -> None:
        self.ask(store, "query")
        one = {"seeds": ("1",), "steps": Ranges.one(40), "layers": Ranges.one(3)}
        given = rows(store, plan(store, ask_store(store, select("js", **one))))
        assert [row.head for row in given] == [None, 1, 2]
        assert all(row.example is None and row.query is None for row in given)

    def test_a_null_computed_afterwards_does_not_lose_it(self, store: Store) -> None:
        self.ask(store, "example")
        outcome, found = self.ask(store, "", null=2)
        assert outcome == Outcome(1, 0)
        assert all(row.null_value is not None for row in found["layer"])
        assert found["example"]
        assert self.missing_each(store) == [0, 0, 0, 1]
        assert self.missing_each(store, Uncertainty(null=2)) == [0, 0, 0, 1]
        assert self.ask(store, "example", null=2) == (Outcome(0, 1), found)

    def test_it_does_not_lose_a_null_that_was_computed_before(self, store: Store) -> None:
        self.ask(store, "", null=2)
        _, found = self.ask(store, "query")
        assert all(row.null_value is not None for row in found["layer"])
        assert self.missing_each(store, Uncertainty(null=2)) == [0, 0, 0, 0]

    def test_an_older_null_of_finer_rows_is_not_taken_for_the_values(self, store: Store) -> None:
        self.ask(store, "example", null=2)
        self.ask(store, "", null=3)
        assert self.missing_each(store, Uncertainty(null=3)) == [0, 0, 0, 1]
        assert self.missing_each(store, Uncertainty(null=2)) == [1, 1, 1, 1]


def partly_undefined(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    return [
        Value(0.5, 7),
        *(Value(bad, 7, f"bad {bad}") for bad in (math.nan, math.inf, -math.inf)),
        Value(0.25, 7, "good"),
    ]


def test_a_value_that_is_no_finite_number_has_a_reason_and_spares_the_others(store: Store) -> None:
    measure = replace(get("cka"), name="odd", compute=partly_undefined)
    question = ask(Selection("odd", "dev", seeds=("1",), steps=Ranges.one(40)), measure, list_store(store))
    outcome = compute(store, [question], workers=1, executor=here)
    assert (outcome.computed, outcome.failures) == (4, ())
    assert outcome.notes == ("odd is not a finite number (12 rows)",)
    found = {(r.layer, r.statistic): (r.value, r.n, r.reason) for r in store.results()}
    undefined = (None, 7, "odd is not a finite number")
    for layer in range(4):
        assert {statistic: got for (at, statistic), got in found.items() if at == layer} == {
            "": (0.5, 7, ""),
            "good": (0.25, 7, ""),
            **{f"bad {bad}": undefined for bad in ("nan", "inf", "-inf")},
        }
    assert compute(store, [question], workers=1, executor=here) == Outcome(0, 4)


def test_measures_of_the_same_checkpoints_are_computed_in_one_run(store: Store) -> None:
    both = [ask_store(store, select(measure)) for measure in ("svcca", "cka", "clusters")]
    assert compute(store, both, workers=1, executor=here).computed == 24 + 24 + 28
    assert {r.measure for r in store.results()} == {"svcca", "cka", "clusters"}
    assert compute(store, both, workers=1, executor=here) == Outcome(0, 76)


def test_layers_are_compared_with_other_layers_as_a_matrix(store: Store) -> None:
    chosen = select(seeds=("1",), steps=Ranges.parse("40", "--step"), ref_layers=Ranges.parse("0-", "--against-layer"))
    assert run(store, chosen) == Outcome(16, 0)
    found = {(r.layer, r.ref_layer): r.value for r in store.results()}
    assert set(found) == {(n, m) for n in range(4) for m in range(4)}
    x, y = store.hidden("dev", CheckpointKey.plain("sst2", "1", 40), 3), store.hidden("dev", PRETRAINED_KEY, 1)
    assert found[3, 1] == pytest.approx(svcca_distance(x, y), abs=1e-6)
    same = select(seeds=("1",), steps=Ranges.parse("40", "--step"))
    assert run(store, same) == Outcome(0, 4)


def test_long_work_says_how_far_it_is_before_it_ends(store: Store) -> None:
    said: list[str] = []
    chosen = select(layers=Ranges.parse("0", "--layer"), seeds=("1",), steps=Ranges.parse("20", "--step"))
    compute(
        store,
        [ask_store(store, chosen)],
        lambda update: said.append(update.current),
        workers=1,
        executor=noting_workers,
    )
    assert "layer 0 of sst2/1/20: merging, 43%" in said
    assert "a task of another run" not in said


class _Through:
    """Workers whose tasks are done by another function."""

    def __init__(self, inner: Workers, call: Callable[..., TaskReport]) -> None:
        self._inner, self._call = inner, call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def submit(self, function: Callable[..., TaskReport], /, *args: object) -> Future[TaskReport]:
        return self._inner.submit(self._call, function, *args)


@contextmanager
def noting_workers(count: int) -> Iterator[Workers]:
    with here(count) as inner:
        yield _Through(inner, note_first)  # type: ignore[misc]


def note_first(call: Callable[..., TaskReport], setting: RunSetting, number: int, task: object) -> TaskReport:
    setting.notes.write(Note(number, 1, "layer 0 of sst2/1/20: merging, 43%"))
    setting.notes.write(Note(number + 1, 1, "a task of another run"))
    deadline = time.monotonic() + 60
    while not setting.notes.heard:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return call(setting, number, task)


@pytest.mark.parametrize(
    ("against", "expected"),
    [
        ("pretrained", {20: "pretrained/0/0", 40: "pretrained/0/0", 0: "pretrained/0/0"}),
        ("first", {20: "sst2/1/0", 40: "sst2/1/0"}),
        ("previous", {20: "sst2/1/0", 40: "sst2/1/20"}),
        ("final", {0: "sst2/1/40", 20: "sst2/1/40"}),
        ("seed:2", {0: "sst2/2/0", 20: "sst2/2/20", 40: "sst2/2/40"}),
        ("sst2/2/40", {0: "sst2/2/40", 20: "sst2/2/40", 40: "sst2/2/40"}),
    ],
)
def test_each_checkpoint_is_compared_with_its_reference(store: Store, against: str, expected: dict[int, str]) -> None:
    run(store, select(against=against, seeds=("1",), layers=Ranges.parse("2", "--layer")))
    rows = store.results()
    assert {r.step: f"{r.ref_task}/{r.ref_seed}/{r.ref_step}" for r in rows} == expected
    for r in rows:
        assert r.ref_task is not None
        assert r.ref_seed is not None
        assert r.ref_step is not None
        x = store.hidden("dev", CheckpointKey.plain(r.task, r.seed, r.step), 2)
        y = store.hidden("dev", CheckpointKey.plain(r.ref_task, r.ref_seed, r.ref_step), 2)
        assert r.value == pytest.approx(svcca_distance(x, y), abs=1e-6)


def test_a_row_says_all_that_defines_it(store: Store) -> None:
    run(store, select(seeds=("2",), steps=Ranges.parse("40", "--step"), layers=Ranges.parse("3", "--layer")))
    (row,) = store.results()
    key = CheckpointKey.plain("sst2", "2", 40)
    assert (row.measure, row.corpus, row.task, row.seed, row.step, row.layer) == ("svcca", "dev", "sst2", "2", 40, 3)
    assert (row.ref_task, row.ref_seed, row.ref_step, row.ref_layer) == ("pretrained", "0", 0, 3)
    assert row.parameters == canonical(dict(get("svcca").settle({})))
    assert row.n == store.corpora()[0].tokens
    assert row.version == get("svcca").version
    assert row.unit == get("svcca").unit
    assert row.computed_at.endswith("+00:00")
    assert row.input_set == input_set_of(inputs(*(store.checkpoint("dev", k) for k in (key, PRETRAINED_KEY))))


def test_progress_counts_values_and_says_what_was_done(store: Store) -> None:
    run(store, select(layers=Ranges.parse("0", "--layer")))
    said: list[Update] = []
    run(store, select(), said.append)
    assert said[0] == Update(0, 18, 6, "")
    assert [u.done for u in said] == sorted(u.done for u in said)
    assert said[-1].done == said[-1].total == 18
    assert all("layer" in u.current for u in said[1:])


class TestTrouble:
    def test_an_interrupt_keeps_what_was_finished_and_the_rest_can_follow(self, store: Store) -> None:
        def once(update: Update) -> None:
            if update.done:
                raise KeyboardInterrupt

        outcome = run(store, select(), once)
        kept = len(store.results())
        assert outcome.cancelled
        assert 0 < kept < 24
        assert outcome.computed == kept
        assert run(store, select()) == Outcome(24 - kept, kept)

    @pytest.mark.parametrize("measure", ["svcca", "js", "clusters"])
    def test_nan_in_one_checkpoint_is_named_and_spares_the_others(self, tmp_path: Path, measure: str) -> None:
        store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20, 40))
        key = CheckpointKey.plain("sst2", "1", 20)
        name = "attention" if measure == "js" else "hidden"
        array = zarr.open_group(checkpoint_path(store.path, "dev", key), mode="r+")[name]
        array[2, 0, 5] = np.nan  # type: ignore[index]
        outcome = run(store, select(measure, layers=Ranges.parse("1-3", "--layer")))
        layer = 3 if measure == "js" else 2  # attention of layer l is at l - 1
        (failure,) = outcome.failures
        assert f"layer {layer} of sst2/1/20" in failure.where
        assert "NaN" in failure.message
        assert {(r.step, r.layer) for r in store.results() if r.step == 20} == {(20, n) for n in {1, 2, 3} - {layer}}
        assert {r.step for r in store.results()} == {0, 20, 40}

    def test_a_device_that_is_not_there_is_one_sentence(self, store: Store) -> None:
        with pytest.raises(BertdynError, match="--device: torch cannot use 'cuda:77' here"):
            compute(store, [ask_store(store, select())], workers=1, executor=here, device="cuda:77")
        assert store.results() == []

    def test_a_worker_that_dies_is_a_message_with_its_task_and_what_came_before_is_kept(self, store: Store) -> None:
        asked = [ask_store(store, select())]
        outcome = compute(store, asked, workers=1, executor=dying_workers)
        (failure,) = outcome.failures
        assert failure.where == "layer 2 of sst2/1/0 to sst2/2/40 against pretrained/0/0"
        assert "A worker process died (SIGSEGV" in failure.message
        assert {r.layer for r in store.results()} == {0, 1}
        assert outcome.computed == 12
        assert compute(store, asked, workers=1) == Outcome(12, 12)

    def test_no_child_process_is_left(self, store: Store) -> None:
        with local_pool(2) as executor:
            pids = {executor.submit(os.getpid).result() for _ in range(8)}
        assert os.getpid() not in pids
        assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_warnings_are_said_once_a_kind_with_a_count(store: Store) -> None:
    run(store, select(layers=Ranges.parse("3", "--layer")))
    row = store.results()[0]
    reasons = ["few tokens: 7 for 9", "few tokens: 8 for 9", "", "one class", "one class"]
    assert warnings([row._replace(reason=reason) for reason in reasons]) == (
        "few tokens: 7 for 9 (2 rows, this is the first)",
        "one class (2 rows)",
    )


def test_too_few_tokens_is_kept_as_an_answer_with_its_reason(tmp_path: Path) -> None:
    store = make_store(
        tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(20,), corpora=[sample_corpus(examples=2)]
    )
    outcome = run(store, select())
    assert outcome.computed == 4
    assert {r.value for r in store.results()} == {None}
    assert len(outcome.notes) == 1
    assert "few tokens" in outcome.notes[0]
    assert run(store, select()) == Outcome(0, 4)


def test_children_share_the_cores() -> None:
    with local_pool(2) as executor:
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result() == str(max(1, (os.cpu_count() or 1) // 2))


def test_a_worker_that_keeps_much_is_not_taken_for_a_leak() -> None:
    with local_pool(1) as executor:
        pids = {executor.submit(grow, 30 * 2**20).result() for _ in range(20)}
    assert len(pids) == 1


_kept: list[bytes] = []


def grow(size: int) -> int:
    time.sleep(0.1)  # loky looks once a second
    _kept.append(b"x" * size)
    return os.getpid()


@contextmanager
def dying_workers(count: int) -> Iterator[Workers]:
    with local_workers(count) as inner:
        yield _Through(inner, die_at_layer_2)  # type: ignore[misc]


def die_at_layer_2(call: Callable[..., TaskReport], setting: RunSetting, number: int, task: Task) -> TaskReport:
    if task.jobs[0].cell.layer == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return call(setting, number, task)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 12. GiB for an array"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore words"),
    ],
    ids=str,
)
def test_memory_that_does_not_suffice_fails_one_cell_in_a_sentence(store: Store, error: Exception) -> None:
    real = get("anisotropy")

    def compute_some(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
        if given.at.layer == 2:
            raise error
        return real.compute(given, parameters, context)

    question = ask(Selection("anisotropy", "dev"), replace(real, compute=compute_some), list_store(store))
    outcome = compute(store, [question], workers=1, device="cpu", executor=here)
    said = {failure.message for failure in outcome.failures}
    assert len(said) == 1
    assert re.fullmatch(r"Not enough memory on cpu: [^\n]+", said.pop())
    assert len(outcome.failures) == len(store.checkpoints("dev"))
    assert {row.layer for row in store.results()} == {0, 1, 3}
    assert not store.check().problems
    assert compute(store, [ask_store(store, Selection("anisotropy", "dev"))], workers=1, device="cpu", executor=here).ok
