"""Are losses of stored checkpoints those of the models, exact at corners, the same again, and resumed by point?"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from explorer.compute.protocol import Update
from explorer.measures.landscapes.weights import moved
from explorer.measures.registry import get
from explorer.selection import Against, Selection, ask_store
from explorer.selection.stored import further_axes
from store.evaluation.model import StoredModel
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import CheckpointKey
from store.models.weights import StoredWeights
from store.results import Result
from store.rows import Is, RowQuery
from store.store import Store
from tests.classified import World
from tests.two_seeds import asked, computed


@pytest.fixture
def store(two_seeds: Path, tmp_path: Path) -> Store:
    return Store.open(Path(shutil.copytree(two_seeds, tmp_path / "s.bertdyn")))


def rows(store: Store, measure: str) -> dict[tuple[object, ...], Result]:
    found = store.results(RowQuery((Is("measure", measure),), axes=further_axes(get(measure))))
    return {(r.seed, r.step, r.ref_seed, r.ref_step, *(v for _, v in r.axes), r.statistic): r for r in found}


def values(store: Store, measure: str) -> dict[tuple[object, ...], float | None]:
    return {key: row.value for key, row in rows(store, measure).items()}


def loss_of(store: Store, key: CheckpointKey) -> float:
    """The mean loss of a checkpoint as it is, from its own logits."""
    model = StoredModel(store, store.checkpoint("dev", key))
    logits = model.logits({}, "cpu").astype(np.float64)
    labels = store.corpus("dev").annotations["label"]
    true = np.array([int(labels.names[i]) for i in labels.values])
    return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(true)), true]))


def test_only_the_ends_of_runs_are_measured_unless_steps_are_chosen(store: Store) -> None:
    assert computed(store, asked(store, "loss-curve", grid=3, seeds=("1",))).ok
    assert {key[1] for key in rows(store, "loss-curve")} == {20}


def test_both_ends_of_a_line_are_the_checkpoints_bit_for_bit(store: Store) -> None:
    question = asked(store, "loss-curve", grid=5, seeds=("1",), against=Against.parse("seed:2"))
    assert computed(store, question).ok
    found = values(store, "loss-curve")
    own, other = (loss_of(store, CheckpointKey.plain("t", seed, 20)) for seed in ("1", "2"))
    assert found["1", 20, "2", 20, 1.0, "loss"] == pytest.approx(own, abs=1e-12)
    assert found["1", 20, "2", 20, 0.0, "loss"] == pytest.approx(other, abs=1e-12)
    assert found["1", 20, "2", 20, 0.5, "loss"] not in (own, other)


def test_corners_of_a_surface_are_the_checkpoints(store: Store) -> None:
    question = asked(store, "loss-surface", grid=3, range="0,1", seeds=("1",), origin="first")
    assert computed(store, question).ok
    found = rows(store, "loss-surface")
    for alpha, step in ((0.0, 0), (1.0, 20)):
        exact = loss_of(store, CheckpointKey.plain("t", "1", step))
        assert found["1", 20, "2", 20, 0.0, alpha, "loss"].value == pytest.approx(exact, abs=1e-12)
    assert {row.third for row in found.values()} == {"t/1/0"}
    assert {row.ref_seed for row in found.values()} == {"2"}


def test_two_computations_give_the_same_bits_and_leave_the_files_alone(two_seeds: Path, tmp_path: Path) -> None:
    before = digests(two_seeds.parent)
    found = []
    for name in ("a", "b"):
        store = Store.open(Path(shutil.copytree(two_seeds, tmp_path / name / "s.bertdyn")))
        assert computed(store, asked(store, "loss-curve", grid=5)).ok
        assert computed(store, asked(store, "loss-surface-random", grid=3, range="-0.1,0.1")).ok
        found.append({**values(store, "loss-curve"), **values(store, "loss-surface-random")})
    assert found[0] == found[1]
    assert digests(two_seeds.parent) == before


def digests(root: Path) -> dict[str, str]:
    files = (path for folder in ("runs", "base") for path in (root / folder).rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_finer_grid_computes_new_points_only(store: Store) -> None:
    coarse = computed(store, asked(store, "loss-curve", grid=5, seeds=("1",)))
    before = values(store, "loss-curve")
    fine = computed(store, asked(store, "loss-curve", grid=9, seeds=("1",)))
    assert (coarse.computed, coarse.known) == (5, 0)
    assert (fine.computed, fine.known) == (4, 5)
    after = values(store, "loss-curve")
    assert before.items() <= after.items()
    other = computed(store, asked(store, "loss-curve", grid=5, seeds=("1",), examples="3"))
    assert (other.computed, other.known) == (5, 0)  # another sample is another value


def interrupted(after: int) -> Callable[[Update], None]:
    def progress(update: Update) -> None:
        if update.done >= after:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_run_keeps_every_point(store: Store) -> None:
    question = asked(store, "loss-curve", grid=9, seeds=("1",))
    first = computed(store, question, interrupted(4))
    assert first.cancelled
    kept = {key[4] for key in rows(store, "loss-curve")}
    assert len(kept) == 4
    second = computed(store, question)
    assert (second.computed, second.known) == (5, 4)


def test_an_earlier_checkpoint_that_comes_later_makes_planes_from_the_first_one_old(
    store: Store, two_seeds: Path, tmp_path: Path
) -> None:
    made, text = tmp_path / "more" / "t" / "seed-3", two_seeds.parent / "dev.tsv"
    for step in (20, 10):
        shutil.copytree(two_seeds.parent / "runs" / "t" / "seed-2" / f"checkpoint-{step}", made / f"checkpoint-{step}")
    question = asked(store, "loss-surface", grid=3, range="0,1", seeds=("3",), origin="first")
    for origin in ("t/3/10", "t/3/0"):
        if origin == "t/3/0":
            shutil.copytree(two_seeds.parent / "runs" / "t" / "seed-2" / "checkpoint-0", made / "checkpoint-0")
        report = extract(store.path, [tmp_path / "more"], {"dev": text}, ExtractOptions())
        assert report.exit_code == 0, report
        again = Store.open(store.path)
        assert computed(again, question).computed == 10
        assert {row.third for row in rows(again, "loss-surface").values()} == {origin}
    assert computed(Store.open(store.path), question).computed == 0


@pytest.mark.parametrize(
    ("family", "task"), [("bert", "SequenceClassification"), ("distilbert", "TokenClassification")]
)
def test_losses_are_weighed_by_example_or_word_and_meet_a_new_model(
    classified: Callable[[str, str], World], family: str, task: str
) -> None:
    world = classified(family, task)
    selection = Selection(
        "loss-curve", "dev", annotation=world.annotation, tasks=("t",), steps=None,
        parameters=(("grid", 3), ("examples", "all")),
    )  # fmt: skip
    assert computed(world.store, ask_store(world.store, selection)).ok
    found = rows(world.store, "loss-curve")
    reference = world.reference(family, lambda name: True)
    for alpha, state in ((1.0, {}), (0.0, reference)):
        loss, said, true = world.rows(world.logits(world.model(state)))
        row = found["1", 10, "0", 0, alpha, "loss"]
        assert (row.value, row.n) == (pytest.approx(loss.mean(), abs=2e-5), len(true))
        error = found["1", 10, "0", 0, alpha, "error"].value
        assert error == pytest.approx((said != true).mean())
    own = world.model().state_dict()
    middle = {name: (own[name] + value) / 2 for name, value in reference.items() if value.is_floating_point()}
    loss, _, _ = world.rows(world.logits(world.model(middle)))
    assert found["1", 10, "0", 0, 0.5, "loss"].value == pytest.approx(loss.mean(), abs=2e-5)


def test_a_sample_is_what_its_examples_say_alone(store: Store) -> None:
    assert computed(store, asked(store, "loss-curve", grid=3, seeds=("1",), examples="3")).ok
    row = rows(store, "loss-curve")["1", 20, "0", 0, 1.0, "loss"]
    arrays = store.artefact(row.artefact)
    assert (row.n, len(arrays["loss"])) == (3, 3)
    assert row.value == pytest.approx(arrays["loss"].mean())
    model = StoredModel(store, store.checkpoint("dev", CheckpointKey.plain("t", "1", 20)))
    logits = model.logits({}, "cpu").astype(np.float64)[arrays["example"]]
    labels = store.corpus("dev").annotations["label"]
    true = np.array([int(labels.names[labels.values[i]]) for i in arrays["example"]])
    exact = np.log(np.exp(logits).sum(1)) - logits[np.arange(3), true]
    assert arrays["loss"] == pytest.approx(exact, abs=1e-5)  # batches of another size


def test_a_trajectory_needs_no_corpus_and_matches_the_surface(store: Store) -> None:
    assert computed(store, asked(store, "trajectory", seeds=("1",))).ok
    assert computed(store, asked(store, "loss-surface", grid=3, range="0,1", seeds=("1",))).ok
    path, plane = rows(store, "trajectory"), rows(store, "loss-surface")
    assert {row.corpus for row in path.values()} == {""}
    cosine = path["1", 20, "2", 20, "cosine"].value
    assert cosine == pytest.approx(plane["1", 20, "2", 20, "cosine"].value)
    assert path["1", 20, "2", 20, "checkpoint", 20, "alpha"].value == pytest.approx(1)
    assert path["1", 20, "2", 20, "checkpoint", 20, "beta"].value == pytest.approx(0, abs=1e-9)


def test_a_barrier_between_all_seeds_is_computed_once_a_pair(store: Store) -> None:
    assert computed(store, asked(store, "barrier")).ok
    found = rows(store, "barrier")
    assert {key[:4] for key in found} == {("2", 20, "1", 20)}
    details = found["2", 20, "1", 20, "barrier"].details
    assert '"sign"' in details


def each(text: str) -> Iterator[str]:
    yield from text.split()


@pytest.mark.parametrize("measure", list(each("loss-curve loss-surface loss-surface-random loss-surface-pca barrier")))
def test_every_landscape_can_be_asked_of_a_store(store: Store, measure: str) -> None:
    grid = {"grid": 3} if any(p.name == "grid" for p in get(measure).parameters) else {}
    outcome = computed(store, asked(store, measure, seeds=("1",), **grid))
    assert outcome.ok, outcome
    assert all(row.reason == "" for row in rows(store, measure).values())


def test_parameters_move_and_no_buffer_such_as_the_numbers_of_positions(two_seeds: Path, store: Store) -> None:
    import transformers

    folder = two_seeds.parent / "runs" / "t" / "seed-1" / "checkpoint-20"
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    assert any(not buffer.is_floating_point() for _, buffer in model.named_buffers())
    with StoredWeights.of(store, "dev", CheckpointKey.plain("t", "1", 20)) as own:
        found = moved(own, {}, "", "move")
        assert {own.tensor(name).dtype for name in found.names} == {np.dtype(np.float32)}
    assert set(found.names) == {name.removeprefix("bert.") for name, _ in model.named_parameters()}
