"""Are runs of a variant told from plain ones, and compared with them, by every command?"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from explorer.commands import clusters_export, compute, ls, show
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.store import Store
from tests.oracle import svcca_distance
from tests.synthetic import LAYERS, make_store, sample_corpus, write_checkpoint

pytestmark = pytest.mark.usefixtures("computed_here")

FROZEN = "sst2+freeze-6"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Plain runs of two seeds, and of the first one the variant ``freeze-6`` with a step that the plain run lacks."""
    corpus = sample_corpus()
    path = tmp_path_factory.mktemp("variants") / "s.bertdyn"
    made = make_store(path, tasks=("sst2",), seeds=("1", "2"), steps=(0, 20, 40), corpora=[corpus])
    for step in (20, 40, 60):
        write_checkpoint(made, corpus, CheckpointKey("sst2", "freeze-6", "1", step))
    return made


def call(command: object, *arguments: object) -> Result:
    given = [str(a) for a in arguments]
    done = CliRunner().invoke(command.command, given, catch_exceptions=False)  # type: ignore[attr-defined]
    assert done.exit_code == 0, done.output
    return done


def computed(store: Store, *flags: str) -> list[dict[str, object]]:
    found = json.loads(call(compute, "svcca", store.path, "--format", "json", *flags).stdout)
    assert isinstance(found, list)
    return found


def test_against_plain_compares_a_variant_with_the_same_seed_and_step_without_one(store: Store) -> None:
    rows = computed(store, "--against", "plain")
    fields = ("task", "variant", "seed", "step", "ref_task", "ref_variant", "ref_seed", "ref_step", "layer")
    assert [tuple(row[name] for name in fields) for row in rows] == [
        ("sst2", "freeze-6", "1", step, "sst2", "", "1", step, layer)
        for step in (20, 40)  # the plain run has no step 60, and plain runs have nothing to be compared with
        for layer in range(LAYERS + 1)
    ]
    of, plain = CheckpointKey("sst2", "freeze-6", "1", 40), CheckpointKey.plain("sst2", "1", 40)
    top = next(row for row in rows if (row["step"], row["layer"]) == (40, LAYERS))
    want = svcca_distance(store.hidden("dev", of, LAYERS), store.hidden("dev", plain, LAYERS))
    assert want > 0.1
    assert top["value"] == pytest.approx(want, abs=1e-6)


def test_what_was_computed_against_plain_is_read_back(store: Store) -> None:
    call(compute, "svcca", store.path, "--against", "plain")
    done = call(compute, "svcca", store.path, "--against", "plain")
    assert f"svcca on corpus 'dev' against plain: 0 computed, {2 * (LAYERS + 1)} read back." in done.stderr


def test_a_task_is_chosen_with_its_variant_or_without_one(store: Store) -> None:
    for task, variant, steps in ((FROZEN, "freeze-6", {20, 40, 60}), ("sst2", "", {0, 20, 40})):
        rows = computed(store, "--task", task, "--seed", "1")
        assert {(row["task"], row["variant"]) for row in rows} == {("sst2", variant)}
        assert {row["step"] for row in rows} == steps
    assert {row["variant"] for row in computed(store)} == {"", "freeze-6"}


def test_one_checkpoint_of_a_variant_is_a_reference(store: Store) -> None:
    rows = computed(store, "--task", "sst2", "--seed", "1", "--step", "40", "--against", f"{FROZEN}/1/60")
    assert {(row["ref_task"], row["ref_variant"], row["ref_step"]) for row in rows} == {("sst2", "freeze-6", 60)}


def test_first_previous_and_seeds_stay_within_a_variant(store: Store) -> None:
    for against, pairs in (("first", {(40, 20), (60, 20)}), ("previous", {(40, 20), (60, 40)})):
        rows = computed(store, "--task", FROZEN, "--against", against)
        assert {row["ref_variant"] for row in rows} == {"freeze-6"}
        assert {(row["step"], row["ref_step"]) for row in rows} == pairs
    assert {row["variant"] for row in computed(store, "--against", "seeds")} == {""}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--task", "sst2", "--against", "plain"), "Nothing to compare"),
        (
            ("--task", "sst2+freeze-9"),
            r"--task: the store has no 'sst2\+freeze-9', only .*Did you mean 'sst2\+freeze-6'\?",
        ),
    ],
)
def test_what_no_variant_answers_is_refused(store: Store, flags: tuple[str, ...], said: str) -> None:
    with pytest.raises(BertdynError, match=said):
        call(compute, "svcca", store.path, *flags)


def test_show_names_the_variant_and_what_it_is_compared_with(store: Store) -> None:
    call(compute, "svcca", store.path, "--against", "plain")
    done = call(show, "curves", store.path, "--task", FROZEN, "--against", "plain")
    assert FROZEN in done.stdout.splitlines()[0]
    assert done.stderr == ""
    flags = ("--task", FROZEN, "--against", "plain", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(call(show, "table", store.path, *flags).stdout)))
    assert {(row["task"], row["ref_task"], row["seed"], row["ref_seed"]) for row in rows} == {
        (FROZEN, "sst2", "1", "1")
    }
    assert {(row["step"], row["ref_step"]) for row in rows} == {("20", "20"), ("40", "40")}
    assert len(rows) == 2 * (LAYERS + 1)


def test_ls_lists_a_variant_as_a_run_of_its_own(store: Store) -> None:
    runs = json.loads(call(ls, store.path, "runs", "--format", "json").stdout)
    assert [(run["task"], run["seed"], run["checkpoints"], run["last_step"]) for run in runs] == [
        ("pretrained", "0", 1, 0),
        ("sst2", "1", 3, 40),
        ("sst2", "2", 3, 40),
        (FROZEN, "1", 3, 60),
    ]
    listed = json.loads(call(ls, store.path, "checkpoints", "--format", "json").stdout)
    assert [one["step"] for one in listed if one["task"] == FROZEN] == [20, 40, 60]


def test_clusters_of_a_variant_are_exported(store: Store, tmp_path: Path) -> None:
    for name, checkpoint in (("frozen", f"{FROZEN}/1/40"), ("plain", "sst2/1/40")):
        call(clusters_export, store.path, checkpoint, tmp_path / name, "--layer", LAYERS)
    assert (tmp_path / "frozen" / "dis.txt").read_text() != (tmp_path / "plain" / "dis.txt").read_text()
