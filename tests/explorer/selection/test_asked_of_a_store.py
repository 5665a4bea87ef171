"""Does what is typed in Python mean the same as on the command line, variants of tasks included?"""

from __future__ import annotations

import csv
import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.cli import main
from explorer.compute.plan import coverage, plan
from explorer.compute.run import compute
from explorer.measures import Uncertainty
from explorer.selection import Against, QuestionError, Selection, ask_store, narrowed
from explorer.views.kinds import VIEWS
from store.keys import CheckpointKey
from store.results import Result
from store.store import Store
from tests.oracle import svcca_distance
from tests.parameters import later
from tests.pools import here
from tests.synthetic import make_store

PLAIN, VARIANT = "sst2", "sst2+freeze-6"


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing is computed in it: to be copied."""
    path = tmp_path_factory.mktemp("asked") / "s.bertdyn"
    make_store(path, tasks=(PLAIN, VARIANT, "pos"), seeds=("1", "2"), steps=(0, 20))
    return path


@pytest.fixture
def store(extracted: Path, tmp_path: Path) -> Store:
    return Store.open(copied(extracted, tmp_path / "own"))


def copied(extracted: Path, folder: Path) -> Path:
    return Path(shutil.copytree(extracted, folder / "s.bertdyn"))


def bertdyn(*arguments: object) -> str:
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as errors,
        pytest.raises(SystemExit) as end,
    ):
        main([str(a) for a in arguments])
    assert not end.value.code, errors.getvalue()
    return out.getvalue()


def run(store: Store, typed: Selection) -> list[Result]:
    assert compute(store, [ask_store(store, typed)], workers=1, device="cpu", executor=here).ok
    return store.results()


def without_times(rows: list[Result]) -> set[Result]:
    return {row._replace(computed_at="") for row in rows}


@pytest.mark.parametrize("measure", ["svcca", later("js"), later("clusters")])
def test_two_names_compute_what_the_command_line_computes_without_flags(
    extracted: Path, store: Store, tmp_path: Path, measure: str
) -> None:
    ours = run(store, Selection(measure, "dev"))
    theirs = Store.open(copied(extracted, tmp_path / "theirs"))
    bertdyn("compute", measure, theirs.path)
    assert ours
    assert without_times(ours) == without_times(theirs.results())
    assert not plan(theirs, ask_store(theirs, Selection(measure, "dev"))).missing


def test_two_names_show_what_the_command_line_shows_without_flags(store: Store) -> None:
    run(store, Selection("svcca", "dev"))
    view = VIEWS["curves"].load(store, ask_store(store, Selection("svcca", "dev")))
    columns, rows = view.rows()
    printed = list(csv.reader(io.StringIO(bertdyn("show", "curves", store.path, "--format", "csv"))))
    assert printed[0] == list(columns)
    at = [columns.index(name) for name in ("task", "step", "layer", "value")]
    ours = [(str(row[at[0]]), str(row[at[1]]), str(row[at[2]]), row[at[3]]) for row in rows]
    theirs = [(*(line[n] for n in at[:3]), float(line[at[3]])) for line in printed[1:]]
    assert len(ours) == 2 * 4  # the first task's steps and layers
    assert [row[:3] for row in ours] == [row[:3] for row in theirs]
    assert [row[3] for row in ours] == pytest.approx([row[3] for row in theirs], rel=1e-12)
    assert all(row[3] is not None for row in ours)


def test_a_value_asked_for_in_any_spelling_is_one_value(store: Store) -> None:
    run(store, Selection("svcca", "dev"))
    spelled = Selection(
        "svcca", "dev", against=Against("pretrained"), parameters=(("tokens", "all"), ("variance", "0.99"))
    )
    assert coverage(store, ask_store(store, spelled)).missing == 0


def test_an_unknown_measure_is_refused_with_the_names_of_all(store: Store) -> None:
    with pytest.raises(QuestionError, match=r"^There is no measure 'svca', only svcca, cca") as refused:
        ask_store(store, Selection("svca", "dev"))
    assert refused.value.about == "measure"


def test_what_is_settled_without_a_store_is_refused_with_one_alike(store: Store) -> None:
    with pytest.raises(QuestionError, match=r"--corpus: the store has no 'tset', only dev\.") as refused:
        ask_store(store, Selection("svcca", "tset"))
    assert refused.value.about == "corpus"
    with pytest.raises(QuestionError, match="--null") as refused:
        ask_store(store, Selection("effective-rank", "dev"), Uncertainty(null=2))
    assert refused.value.about == "uncertainty"


class TestVariants:
    def test_a_task_with_its_variant_is_chosen_as_one_name(self, store: Store) -> None:
        rows = run(store, Selection("svcca", "dev", tasks=(VARIANT,)))
        assert {(r.task, r.variant, r.recipe) for r in rows} == {("sst2", "freeze-6", VARIANT)}
        assert {(r.ref_task, r.ref_variant) for r in rows} == {("pretrained", "")}
        assert coverage(store, ask_store(store, Selection("svcca", "dev", tasks=(PLAIN,)))).known == 0

    def test_a_task_alone_is_the_plain_one(self, store: Store) -> None:
        rows = run(store, Selection("svcca", "dev", tasks=(PLAIN,)))
        assert {(r.task, r.variant) for r in rows} == {("sst2", "")}

    def test_against_plain_gives_the_distance_between_the_two_ways_of_training(self, store: Store) -> None:
        rows = run(store, Selection("svcca", "dev", against=Against("plain")))
        assert {(r.recipe, r.ref_recipe) for r in rows} == {(VARIANT, PLAIN)}
        assert len(rows) == 2 * 2 * 4
        for r in rows:
            assert (r.seed, r.step) == (r.ref_seed, r.ref_step)
            sides = (store.hidden("dev", CheckpointKey.of(task, r.seed, r.step), r.layer) for task in (VARIANT, PLAIN))
            assert r.value == pytest.approx(svcca_distance(*sides), abs=1e-6)
        assert max(r.value or 0 for r in rows) > 0.01

    def test_any_checkpoint_of_a_variant_can_be_what_others_are_compared_with(self, store: Store) -> None:
        rows = run(store, Selection("svcca", "dev", tasks=("pos",), against=Against.parse(f"{VARIANT}/2/20")))
        assert {(r.ref_recipe, r.ref_seed, r.ref_step) for r in rows} == {(VARIANT, "2", 20)}

    def test_the_command_line_takes_the_same_names(self, store: Store) -> None:
        flags = ("--task", VARIANT, "--against", "plain", "--step", "20")
        printed = json.loads(bertdyn("compute", "svcca", store.path, *flags, "--format", "json"))
        assert {(row["task"], row["variant"], row["ref_task"], row["ref_variant"]) for row in printed} == {
            ("sst2", "freeze-6", "sst2", "")
        }
        shown = bertdyn("show", "curves", store.path, *flags, "--format", "csv")
        assert {row["task"] for row in csv.DictReader(io.StringIO(shown))} == {VARIANT}

    def test_views_have_a_variant_as_a_task_of_its_own(self, store: Store) -> None:
        run(store, Selection("svcca", "dev"))
        found = VIEWS["table"].load(store, ask_store(store, Selection("svcca", "dev"))).data
        assert found.tasks == ("pos", PLAIN, VARIANT)
        chosen = Selection("svcca", "dev", tasks=(VARIANT, PLAIN))
        both = VIEWS["table"].load(store, ask_store(store, chosen)).data
        assert both.tasks == (VARIANT, PLAIN)
        assert both.missing == 0
        values = {
            task: VIEWS["curves"].load(store, ask_store(store, replace(chosen, tasks=(task,)))).rows()[1]
            for task in (VARIANT, PLAIN)
        }
        assert values[VARIANT] != values[PLAIN]

    def test_one_comparison_of_a_variant_has_one_pair(self, store: Store) -> None:
        question = ask_store(store, Selection("svcca", "dev", against=Against("plain")))
        one = narrowed(question, [c.key for c in store.checkpoints("dev")])
        assert (one.tasks, one.seeds) == ((VARIANT,), ("1",))
        assert len(plan(store, one).cells) == 4
