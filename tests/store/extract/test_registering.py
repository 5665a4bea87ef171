"""Checkpoints that are registered: listed, measured by their weights, and extracted later, without any array before."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from explorer.answers.coverage import REGISTERED, fetch_coverage
from explorer.commands.register import command
from explorer.compute.run import compute
from explorer.measures.registry import get
from explorer.selection import Selection, ask_store
from explorer.selection.stored import further_axes
from store.errors import BertdynError
from store.extract.plan import ExtractOptions
from store.extract.registering import register
from store.extract.run import extract
from store.keys import NO_CORPUS, CheckpointKey
from store.results import Result
from store.rows import Is, RowQuery
from store.store import Store
from tests.store.extract import models


@pytest.fixture
def place(tmp_path: Path) -> Path:
    models.runs(tmp_path / "runs", steps=(0, 10))
    models.save(tmp_path / "base", head=False, seed=99)
    models.corpus_file(tmp_path)
    return tmp_path


def weight_changes(store: Store) -> list[Result]:
    outcome = compute(store, [ask_store(store, Selection("weight-change"))], workers=1, device="cpu")
    assert outcome.ok
    return rows(store)


def rows(store: Store) -> list[Result]:
    query = RowQuery((Is("measure", "weight-change"),), axes=further_axes(get("weight-change")))
    return sorted(store.results(query), key=str)


def test_registered_checkpoints_are_listed_and_take_no_space(place: Path) -> None:
    report = register(place / "x.bertdyn", [place / "runs"], base=str(place / "base"))
    assert {o.status for o in report.outcomes} == {"added"}
    store = Store.open(place / "x.bertdyn")
    found = store.checkpoints()
    assert {c.corpus for c in found} == {NO_CORPUS}
    assert CheckpointKey.plain("sst", "1", 10) in {c.key for c in found}
    assert {(c.layers, c.bytes, "weights" in c.digests) for c in found} == {(3, 0, True)}
    assert store.corpora() == ()
    assert store.check().problems == ()
    assert {state for run in fetch_coverage(store).runs for state in run.states} == {REGISTERED}
    assert store.query("select distinct corpora from runs").rows == [([],)]


def test_registering_again_does_nothing_and_other_weights_need_replace(place: Path) -> None:
    register(place / "x.bertdyn", [place / "runs"])
    again = register(place / "x.bertdyn", [place / "runs"])
    assert {o.status for o in again.outcomes} == {"present"}
    models.save(place / "runs" / "sst" / "seed-1" / "checkpoint-10", seed=5)
    changed = register(place / "x.bertdyn", [place / "runs"])
    assert changed.exit_code == 1
    assert [o.key.step for o in changed.outcomes if "Use --replace" in o.reason] == [10]
    replaced = register(place / "x.bertdyn", [place / "runs"], replace=True)
    assert {o.status for o in replaced.outcomes} == {"replaced"}
    assert Store.open(place / "x.bertdyn").check().problems == ()


def test_weights_are_measured_once_whatever_the_corpora(place: Path) -> None:
    register(place / "x.bertdyn", [place / "runs"], base=str(place / "base"))
    store = Store.open(place / "x.bertdyn")
    before = weight_changes(store)
    assert {r.corpus for r in before} == {NO_CORPUS}
    assert any(r.value for r in before)
    options = ExtractOptions(reference=str(place / "base"), device="cpu")
    text = place / "dev.tsv"
    extract(place / "x.bertdyn", [place / "runs"], {"dev": text, "again": text}, options)
    opened = Store.open(place / "x.bertdyn")
    assert len(opened.checkpoints()) == 3 * len(opened.checkpoints(NO_CORPUS))
    question = ask_store(opened, Selection("weight-change"))
    assert compute(opened, [question], workers=1, device="cpu").computed == 0
    assert rows(opened) == before
    assert len(opened.query("from weight_change").rows) == len(before)


def test_values_of_weights_that_were_replaced_are_gone(place: Path) -> None:
    register(place / "x.bertdyn", [place / "runs"], base=str(place / "base"))
    store = Store.open(place / "x.bertdyn")
    weight_changes(store)
    models.save(place / "runs" / "sst" / "seed-1" / "checkpoint-10", seed=5)
    register(place / "x.bertdyn", [place / "runs"], base=str(place / "base"), replace=True)
    opened = Store.open(place / "x.bertdyn")
    left = {(r.task, r.seed, r.step) for r in rows(opened)}
    assert ("sst", "1", 10) not in left
    assert ("sst", "1", 0) in left
    asked = opened.query("select distinct task, seed, step from weight_change").rows
    assert set(asked) == left


def test_the_newest_extraction_says_which_weights_a_checkpoint_has(place: Path) -> None:
    options = ExtractOptions(reference=str(place / "base"), device="cpu")
    extract(place / "x.bertdyn", [place / "runs"], {"dev": place / "dev.tsv"}, options)
    store = Store.open(place / "x.bertdyn")
    weight_changes(store)
    models.save(place / "runs" / "sst" / "seed-1" / "checkpoint-10", seed=5)
    extract(place / "x.bertdyn", [place / "runs"], {"later": place / "dev.tsv"}, options)
    opened = Store.open(place / "x.bertdyn")
    key = CheckpointKey.plain("sst", "1", 10)
    later, first = opened.checkpoint("later", key), opened.checkpoint("dev", key)
    assert later.weights_sha256 != first.weights_sha256
    assert opened.checkpoint(NO_CORPUS, key).digests["weights"] == later.weights_sha256
    assert key.step not in {r.step for r in rows(opened) if (r.task, r.seed) == ("sst", "1")}


def test_a_named_corpus_has_no_meaning_for_weights(place: Path) -> None:
    register(place / "x.bertdyn", [place / "runs"])
    with pytest.raises(BertdynError, match="--corpus has no meaning"):
        ask_store(Store.open(place / "x.bertdyn"), Selection("weight-change", "dev"))


def test_the_command_says_what_became_of_each_run(place: Path) -> None:
    said = CliRunner().invoke(command, [str(place / "x.bertdyn"), str(place / "runs")], standalone_mode=False)
    assert said.return_value == 0
    assert "(none)" in said.output
    assert "0,10" in said.output


def test_nothing_that_can_be_read_leaves_no_store(tmp_path: Path) -> None:
    (tmp_path / "runs" / "sst" / "seed-1" / "checkpoint-10").mkdir(parents=True)
    with pytest.raises(BertdynError):
        register(tmp_path / "x.bertdyn", [tmp_path / "runs"])
    assert not (tmp_path / "x.bertdyn").exists()


def test_nothing_to_register_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match=r"^Which checkpoints\? Name a folder of runs, or a --reference\."):
        register(tmp_path / "x.bertdyn", [])


def test_a_broken_checkpoint_and_an_odd_history_do_not_stop_the_others(place: Path) -> None:
    folder = place / "runs" / "sst" / "seed-1"
    (folder / "checkpoint-0" / "config.json").write_text("{")
    (folder / "checkpoint-10" / "trainer_state.json").write_text("{")
    report = register(place / "x.bertdyn", [place / "runs"])
    assert {(o.key.step, o.status) for o in report.outcomes} == {(0, "failed"), (10, "added")}
    assert [note for note in report.notes if "trainer_state.json" in note]


def test_a_checkpoint_that_another_command_registers_meanwhile_is_there(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_one = Store.register

    def late(store: Store, *arguments: object, **more: object) -> bool:
        assert register_one(Store.open(store.path), *arguments, **more)  # type: ignore[arg-type]
        return register_one(store, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "register", late)
    report = register(place / "x.bertdyn", [place / "runs"])
    assert {o.status for o in report.outcomes} == {"present"}
    assert {o.reason for o in report.outcomes} == {"another command registered it meanwhile"}
    assert len(Store.open(place / "x.bertdyn").checkpoints()) == 2


def test_nothing_to_register_is_said(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match="Name a folder of runs, or a --reference"):
        register(tmp_path / "s.bertdyn", [])
