"""Are losses of stored checkpoints those of the models, exact at corners, the same again, and resumed by point?"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from explorer.compute.protocol import Update
from explorer.measures.landscapes.weights import moved
from explorer.selection import Question, Selection, ask_store
from explorer.selection.stored import further_axes
from store.evaluation.model import StoredModel
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.models.weights import StoredWeights
from store.results import Result
from store.rows import Is, RowQuery
from store.store import Store
from tests.classified import LAYERS, World
from tests.two_seeds import asked, computed


@pytest.fixture
def store(two_seeds: Path, tmp_path: Path) -> Store:
    """A store without values."""
    return Store.open(Path(shutil.copytree(two_seeds, tmp_path / "s.bertdyn")))


ASKED: dict[str, dict[str, object]] = {
    "loss-curve": {"grid": 5},
    "loss-surface": {"grid": 3, "range": "0,1"},
    "loss-surface-random": {"grid": 3, "range": "-0.1,0.1"},
    "loss-surface-pca": {"grid": 3},
    "trajectory": {},
    "barrier": {"seeds": ()},
}


def question_of(store: Store, measure: str) -> Question:
    """A landscape of seed 1, or between both seeds, as it is in ``shared``."""
    return asked(store, measure, **{"seeds": ("1",), **ASKED[measure]})


@pytest.fixture(scope="module")
def shared(two_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with every landscape of seed 1, and the barrier of both seeds; tests may add other values."""
    store = Store.open(Path(shutil.copytree(two_seeds, tmp_path_factory.mktemp("shared") / "s.bertdyn")))
    for measure in ASKED:
        outcome = computed(store, question_of(store, measure))
        assert outcome.ok, outcome
    return store


Found = dict[tuple[object, ...], Result]


def rows(store: Store, question: Question) -> Found:
    """Stored rows of a measure with its parameters."""
    measure = question.measure
    key = measure.key(dict(question.parameters))
    found = store.results(RowQuery((Is("measure", measure.name), Is("parameters", key)), axes=further_axes(measure)))
    return {(r.seed, r.step, r.ref_seed, r.ref_step, *(v for _, v in r.axes), r.statistic): r for r in found}


def values(store: Store, question: Question) -> dict[tuple[object, ...], float | None]:
    return {key: row.value for key, row in rows(store, question).items()}


def loss_of(store: Store, key: CheckpointKey, values: Mapping[str, np.ndarray] | None = None) -> float:
    """The mean loss of a checkpoint as it is, or with some other weights, from its own logits."""
    model = StoredModel(store, store.checkpoint("dev", key))
    logits = model.logits(values or {}, "cpu").astype(np.float64)
    labels = store.corpus("dev").annotations["label"]
    true = np.array([int(labels.names[i]) for i in labels.values])
    return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(true)), true]))


@pytest.mark.parametrize("measure", ASKED)
def test_every_landscape_can_be_asked_of_a_store(shared: Store, measure: str) -> None:
    found = rows(shared, question_of(shared, measure))
    assert found
    assert all(row.reason == "" for row in found.values())


def test_only_the_ends_of_runs_are_measured_unless_steps_are_chosen(shared: Store) -> None:
    assert {key[1] for key in rows(shared, question_of(shared, "loss-curve"))} == {20}


def test_both_ends_of_a_line_are_the_checkpoints_bit_for_bit(shared: Store) -> None:
    found = values(shared, question_of(shared, "barrier"))
    own, other = (loss_of(shared, CheckpointKey.plain("t", seed, 20)) for seed in ("2", "1"))
    assert found["2", 20, "1", 20, 1.0, "loss"] == pytest.approx(own, abs=1e-12)
    assert found["2", 20, "1", 20, 0.0, "loss"] == pytest.approx(other, abs=1e-12)
    assert found["2", 20, "1", 20, 0.5, "loss"] not in (own, other)


def test_corners_of_a_surface_are_the_checkpoints(shared: Store) -> None:
    """The pre-trained model takes the checkpoint's classifier."""
    found = rows(shared, question_of(shared, "loss-surface"))
    own = CheckpointKey.plain("t", "1", 20)
    with StoredWeights.of(shared, "dev", PRETRAINED_KEY) as weights:
        modules = (*(weights.modules(layer) for layer in range(LAYERS + 1)), weights.modules(None))
        start = {name: weights.tensor(name) for names in modules for name in names}
    assert loss_of(shared, own, start) != loss_of(shared, own)
    for alpha, changes in ((0.0, start), (1.0, {})):
        exact = loss_of(shared, own, changes)
        assert found["1", 20, "2", 20, 0.0, alpha, "loss"].value == pytest.approx(exact, abs=1e-12)
    assert {(row.ref_seed, row.third) for row in found.values()} == {("2", "pretrained/0/0")}


@pytest.mark.parametrize("measure", ["loss-surface-random", "loss-surface-pca"])
def test_the_middle_of_a_surface_around_a_checkpoint_is_the_checkpoint(shared: Store, measure: str) -> None:
    found = rows(shared, question_of(shared, measure))
    (middle,) = (row for key, row in found.items() if key[0] == "1" and key[-3:] == (0.0, 0.0, "loss"))
    assert middle.value == pytest.approx(loss_of(shared, CheckpointKey.plain("t", "1", 20)), abs=1e-12)


def test_two_computations_give_the_same_bits_and_leave_the_files_alone(
    shared: Store, store: Store, two_seeds: Path
) -> None:
    before = digests(two_seeds.parent)
    for measure in ("loss-curve", "loss-surface-random"):
        question = question_of(store, measure)
        assert computed(store, question).ok
        again = values(store, question)
        assert len(again) > 9
        assert again.items() <= values(shared, question).items()
    assert digests(two_seeds.parent) == before


def digests(root: Path) -> dict[str, str]:
    files = (path for folder in ("runs", "base") for path in (root / folder).rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_finer_grid_computes_new_points_only(shared: Store) -> None:
    question = asked(shared, "loss-curve", grid=9, seeds=("1",))
    before = values(shared, question)
    fine = computed(shared, question)
    assert (fine.computed, fine.known) == (4, 5)
    assert before.items() <= values(shared, question).items()


def interrupted(after: int) -> Callable[[Update], None]:
    def progress(update: Update) -> None:
        if update.done >= after:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_run_keeps_every_point(store: Store) -> None:
    question = asked(store, "loss-curve", grid=5, seeds=("1",))
    first = computed(store, question, interrupted(3))
    assert first.cancelled
    kept = {key[4] for key in rows(store, question)}
    assert len(kept) == 3
    second = computed(store, question)
    assert (second.computed, second.known) == (2, 3)


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
        assert {row.third for row in rows(again, question).values()} == {origin}
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
    question = ask_store(world.store, selection)
    assert computed(world.store, question).ok
    found = rows(world.store, question)
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


def test_a_sample_is_what_its_examples_say_alone_and_another_value(shared: Store) -> None:
    question = asked(shared, "loss-curve", grid=3, seeds=("1",), examples="3")
    outcome = computed(shared, question)
    assert (outcome.computed, outcome.known) == (5, 0)
    row = rows(shared, question)["1", 20, "0", 0, 1.0, "loss"]
    arrays = shared.artefact(row.artefact)
    assert (row.n, len(arrays["loss"])) == (3, 3)
    assert row.value == pytest.approx(arrays["loss"].mean())
    model = StoredModel(shared, shared.checkpoint("dev", CheckpointKey.plain("t", "1", 20)))
    logits = model.logits({}, "cpu").astype(np.float64)[arrays["example"]]
    labels = shared.corpus("dev").annotations["label"]
    true = np.array([int(labels.names[labels.values[i]]) for i in arrays["example"]])
    exact = np.log(np.exp(logits).sum(1)) - logits[np.arange(3), true]
    assert arrays["loss"] == pytest.approx(exact, abs=1e-5)  # batches of another size


def test_a_trajectory_needs_no_corpus_and_matches_the_surface(shared: Store) -> None:
    path, plane = (rows(shared, question_of(shared, measure)) for measure in ("trajectory", "loss-surface"))
    assert {row.corpus for row in path.values()} == {""}
    cosine = path["1", 20, "2", 20, "cosine"].value
    assert cosine == pytest.approx(plane["1", 20, "2", 20, "cosine"].value)
    assert path["1", 20, "2", 20, "checkpoint", 20, "alpha"].value == pytest.approx(1)
    assert path["1", 20, "2", 20, "checkpoint", 20, "beta"].value == pytest.approx(0, abs=1e-9)


def test_a_barrier_between_all_seeds_is_computed_once_a_pair(shared: Store) -> None:
    found = rows(shared, question_of(shared, "barrier"))
    assert {key[:4] for key in found} == {("2", 20, "1", 20)}
    details = found["2", 20, "1", 20, "barrier"].details
    assert '"sign"' in details


def test_parameters_move_and_no_buffer_such_as_the_numbers_of_positions(two_seeds: Path, shared: Store) -> None:
    import transformers

    folder = two_seeds.parent / "runs" / "t" / "seed-1" / "checkpoint-20"
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    assert any(not buffer.is_floating_point() for _, buffer in model.named_buffers())
    with StoredWeights.of(shared, "dev", CheckpointKey.plain("t", "1", 20)) as own:
        found = moved(own, {}, "", "move")
        assert {own.tensor(name).dtype for name in found.names} == {np.dtype(np.float32)}
    assert set(found.names) == {name.removeprefix("bert.") for name, _ in model.named_parameters()}
    weights = sum(parameter.numel() for parameter in model.parameters())
    assert found.count == weights
    assert {row.n for row in rows(shared, question_of(shared, "trajectory")).values()} == {weights}
    surfaces = (rows(shared, question_of(shared, name)) for name in ("loss-surface", "loss-surface-pca"))
    assert {r.n for found in surfaces for r in found.values() if r.statistic in ("cosine", "variance")} == {weights}
