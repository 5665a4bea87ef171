"""Do claims read from a store what it holds, and name the commands for the rest?"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from explorer.claims.fetching import Judgement, judged
from explorer.claims.registry import CLAIMS
from explorer.claims.scopes import Contents, named_after, own_labels, scopes
from explorer.claims.table import COLUMNS
from explorer.claims.verdict import HOLDS, OPEN
from explorer.commands.claims import command as claims
from explorer.commands.compute import command as compute
from explorer.measures.registry import get
from explorer.selection import Cell, Cells, Ranges, Selection, ask_store
from store.keys import CheckpointKey
from store.outputs import Classes
from store.results import Result
from store.store import Store
from tests.explorer.claims.made import run
from tests.store.results import result
from tests.synthetic import Copied, make_store, sample_corpus, write_checkpoint

LABELS = ("negative", "positive")


def made(path: Path) -> Store:
    """Two tasks of two seeds on a corpus with labels and one without; JS of the first grows with layer and seed."""
    corpora = [sample_corpus("dev", labels=LABELS, examples=12), sample_corpus("wiki", labels=(), examples=12, seed=1)]
    store = make_store(path, steps=(0, 40), corpora=corpora, classes=LABELS)
    asked = ask_store(store, Selection("js", "dev"))
    cells = list(Cells(asked, store.checkpoints("dev")))
    store.add_results([value_of(store, c, "js", c.layer**2 * int(c.seed) * c.step) for c in cells])
    return store


def value_of(store: Store, cell: Cell, measure: str = "rsa", value: float = 0.5) -> Result:
    """A made value of a cell."""
    declared = get(measure)
    given = {"measure": measure, "parameters": declared.key(dict(declared.settle({}))), "version": declared.version}
    of, reference = (store.checkpoint("dev", key) for key in cell.pair)
    return result(of, reference, **given, layer=cell.layer, ref_layer=cell.ref_layer, value=value)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return made(tmp_path_factory.mktemp("claims") / "a.bertdyn")


@pytest.fixture(scope="module")
def found(store: Store) -> list[Judgement]:
    return judged(store)


def of(found: list[Judgement], id: str, task: str = "sst2", corpus: str = "dev") -> Judgement:
    return next(one for one in found if one.claim.id == id and (one.scope.task, one.scope.texts) == (task, corpus))


def test_every_claim_has_a_verdict(found: list[Judgement]):
    assert list(dict.fromkeys(one.claim.id for one in found)) == [claim.id for claim in CLAIMS]
    assert all(one.verdict.why or one.verdict.verdict != OPEN for one in found)


def test_a_number_is_that_of_the_stored_rows_at_the_last_step(found: list[Judgement]):
    said = of(found, "A1").verdict  # layers 1, 4 and 9 times 40: the smaller rise is 3 x 40, of seed 2 twice that
    assert (said.verdict, said.low, said.value, said.high, said.n) == (HOLDS, 120, 180, 240, 2)


def test_one_verdict_per_task_and_corpus(found: list[Judgement]):
    places = [(one.scope.task, one.scope.corpus) for one in found if one.claim.id == "A1"]
    assert places == [("pos", "dev"), ("pos", "wiki"), ("sst2", "dev"), ("sst2", "wiki")]


def test_own_labels_are_on_the_corpus_that_has_the_classes(found: list[Judgement]):
    assert {one.scope.corpus for one in found if one.claim.id in ("B5", "D1", "D6")} == {"dev"}
    assert {one.scope.texts for one in found if one.claim.id == "C4"} == {"dev - wiki"}


def test_tasks_are_compared_on_texts_that_are_not_their_own(found: list[Judgement]):
    assert {one.scope.corpus for one in found if one.claim.id == "C3"} == {"wiki"}


def test_a_comparison_on_other_texts_says_that_they_are_needed(tmp_path: Path):
    store = make_store(
        tmp_path / "own.bertdyn",
        seeds=("1",),
        corpora=[sample_corpus("dev", labels=LABELS, examples=12)],
        classes=LABELS,
    )
    said = of(judged(store), "C3", "", "")
    assert (said.verdict.verdict, said.commands) == (
        OPEN,
        (f"bertdyn extract {shlex.quote(str(store.path))} RUNS_FOLDER --corpus other=FILE",),
    )
    assert "a corpus without own labels" in said.verdict.why


def test_mnli_is_measured_on_other_texts_than_its_own():
    classes = Classes("sequence", ("entailment", "neutral", "contradiction"), "single_label_classification")
    labelled = {"mnli-dev": classes.labels, "wiki": ()}
    infos = tuple(sample_corpus(name, labels=labels, examples=3).info for name, labels in labelled.items())
    about = Contents(
        (run(task="mnli", layers=12, classes=classes),), infos, {name: frozenset(["mnli"]) for name in labelled}
    )
    claim = next(one for one in CLAIMS if one.id == "C6")
    assert [(one.task, one.corpus) for one in scopes(claim, about)] == [("mnli", "wiki")]


def test_the_commands_compute_what_is_missing(tmp_path: Path, copied: Copied):
    store = copied(made, tmp_path / "b.bertdyn")
    before = of(judged(store), "C2")
    assert before.verdict.verdict == OPEN
    (line,) = before.commands
    program, name, *arguments = shlex.split(line)
    assert (program, name) == ("bertdyn", "compute")
    given = compute.make_context(name, arguments).params
    assert given["store"] == store.path
    seeds, steps = tuple(given["seed"].split(",")), Ranges.parse(given["step"], "--step")
    asked = ask_store(store, Selection(given["measures"], given["corpus"], (given["task"],), seeds, steps))
    store.add_results([value_of(store, cell) for cell in Cells(asked, store.checkpoints("dev"))])
    after = of(judged(Store.open(store.path)), "C2")
    assert after.commands == ()
    assert "not computed" not in after.verdict.why


def test_what_cannot_be_computed_says_why(tmp_path: Path):
    store = make_store(tmp_path / "bare.bertdyn", seeds=("1",), attentions=False)
    said = of(judged(store), "A1")
    assert said.verdict.verdict == OPEN
    assert "attention" in said.verdict.why
    assert said.commands == ()


def test_a_last_step_that_a_corpus_lacks_is_not_asked_for(tmp_path: Path):
    corpora = [sample_corpus("dev", examples=12), sample_corpus("wiki", labels=(), examples=12, seed=1)]
    store = make_store(tmp_path / "late.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20), corpora=corpora)
    write_checkpoint(store, corpora[1], CheckpointKey.plain("sst2", "1", 40))
    found = judged(store)
    assert [("--step 40" in line, "--step 20" in line) for line in of(found, "C2").commands] == [(False, True)]
    assert [("--step 40" in line, "--step 20" in line) for line in of(found, "C2", corpus="wiki").commands] == [
        (True, False)
    ]


def test_a_store_without_runs_says_so(tmp_path: Path):
    for one in judged(Store.create(tmp_path / "empty.bertdyn")):
        assert one.verdict.verdict == OPEN
        assert one.verdict.why


def test_json_has_all_columns_and_csv_the_same_rows(store: Store):
    told = [
        CliRunner().invoke(claims, [str(store.path), "--corpus", "dev", "--format", each], catch_exceptions=False)
        for each in ("json", "csv")
    ]
    rows = json.loads(told[0].stdout)
    assert list(rows[0]) == list(COLUMNS)
    assert {row["corpus"] for row in rows} <= {"dev", ""}
    assert told[1].stdout.splitlines()[0] == ",".join(COLUMNS)


def test_the_text_has_claims_rules_and_the_commands(store: Store):
    told = CliRunner().invoke(claims, [str(store.path)], catch_exceptions=False)
    assert all(f"{claim.id}  " in told.stdout for claim in CLAIMS)
    assert "Rule: " in told.stdout
    assert "bertdyn compute rsa" in told.stderr


def test_rules_alone_need_no_values(store: Store):
    told = CliRunner().invoke(claims, [str(store.path), "--rules", "--format", "json"], catch_exceptions=False)
    assert [row["claim"] for row in json.loads(told.stdout)] == [claim.id for claim in CLAIMS]


def test_an_unknown_corpus_is_bad_input(store: Store):
    told = CliRunner().invoke(claims, [str(store.path), "--corpus", "nowhere"])
    assert "nowhere" in str(told.exception)


@pytest.mark.parametrize(
    ("corpus", "expected"),
    [("sst2", True), ("sst2-dev", True), ("sst2_train", True), ("sst20", False), ("dev", False), ("my-sst2", False)],
)
def test_a_corpus_is_named_after_a_task(corpus: str, expected: bool):
    assert named_after("sst2", corpus) is expected


def test_own_labels_need_the_same_level_and_classes():
    classes = Classes("sequence", LABELS, "single_label_classification")
    assert own_labels(classes, sample_corpus(labels=LABELS).info) is not None
    assert own_labels(classes, sample_corpus(labels=("a", "b")).info) is None
    assert own_labels(classes, sample_corpus(kind="word", labels=LABELS).info) is None
    assert own_labels(Classes("sequence", ("score",), "regression"), sample_corpus(labels=LABELS).info) is None
    assert own_labels(None, sample_corpus(labels=LABELS).info) is None
