"""Is rollback what a new model with exchanged weights says, and restored, paired and refused as it should be?"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from explorer.compute.run import compute
from explorer.measures.base import canonical
from explorer.measures.computation import Context, Given, MeasureError, Uncertainty
from explorer.measures.declaration import At, Scope
from explorer.measures.registry import get
from explorer.measures.rollback import cells, layers_in, rollback
from explorer.selection import Selection, ask_store
from explorer.selection.question import NO_TRUST
from explorer.selection.stored import further_axes
from store.errors import BertdynError
from store.evaluation.model import StoredModel
from store.keys import PRETRAINED_KEY
from store.models.weights import StoredWeights
from store.results import Result
from store.rows import Is, RowQuery
from store.store import Store
from tests.classified import KEY, LAYERS, World
from tests.explorer.measures.memory import MemoryLabels
from tests.pools import here
from tests.store.extract import models

Make = Callable[[str, str], World]
Rows = dict[tuple[str, int | None, str], Result]
EVERY = range(LAYERS + 1)
PARTS = {
    "lower": (1,), "middle": (2,), "upper": (3,), "none": (), "all": EVERY,
    **{f"up-to {n}": range(1, n + 1) for n in range(1, LAYERS + 1)},
    **{f"from {n}": range(n, LAYERS + 1) for n in range(1, LAYERS + 1)},
    **{f" {n}": (n,) for n in EVERY},
}  # fmt: skip
"""Layers of each group of three layers, written out; the pooler is a group of its own and belongs to all."""


def asked(world: World, trust: Uncertainty = NO_TRUST, **parameters: object) -> Rows:
    selection = Selection(
        "rollback", "dev", annotation=world.annotation, tasks=("t",), steps=None, parameters=tuple(parameters.items())
    )
    question = ask_store(world.store, selection)
    outcome = compute(world.store, [question], workers=1, device="cpu", executor=here, trust=trust)
    assert not outcome.failures, outcome
    return rows_of(world.store, dict(question.parameters))


def rows_of(store: Store, parameters: dict[str, object]) -> Rows:
    query = RowQuery(
        (Is("measure", "rollback"), Is("parameters", canonical(parameters))), axes=further_axes(get("rollback"))
    )
    return {(str(dict(r.axes).get("part", "")), r.layer, r.statistic): r for r in store.results(query)}


def state(world: World, layers: Iterable[int], pooler: bool, prefix: str = "bert") -> dict[str, object]:
    """Weights of the reference in some layers, found by the names that transformers give them."""

    def chosen(name: str) -> bool:
        number = re.search(r"\.layer\.(\d+)\.", name)
        if "pooler" in name:
            return pooler
        return (int(number[1]) + 1 if number else 0) in layers

    return world.reference(prefix, chosen)


def place(name: str) -> tuple[str, int | None]:
    part, _, layer = name.partition(" ")
    return part, int(layer) if layer else None


@pytest.mark.parametrize(
    ("family", "task"), [("bert", "SequenceClassification"), ("distilbert", "TokenClassification")]
)
def test_every_group_is_what_a_new_model_with_the_references_weights_says(
    classified: Make, family: str, task: str
) -> None:
    world = classified(family, task)
    found = asked(world)
    whole = world.rows(world.logits(world.model()))
    for name, layers in {**PARTS, "pooler": ()}.items():
        if name == "pooler" and task == "TokenClassification":
            assert found["pooler", None, "loss-change"].reason == "the classifier uses no pooler"
            continue
        prefix = "bert" if family == "bert" else "distilbert"
        loss, said, true = world.rows(
            world.logits(world.model(state(world, layers, name in ("pooler", "all"), prefix)))
        )
        row = found[(*place(name), "loss")]
        assert (row.value, row.n) == (pytest.approx(loss.mean(), abs=2e-5), len(true))
        assert found[(*place(name), "accuracy")].value == pytest.approx((said == true).mean())
        change = found[(*place(name), "loss-change")].value
        assert change == pytest.approx(loss.mean() - whole[0].mean(), abs=2e-5)
        assert (name == "none") == (change == 0.0)
    assert {(part, layer) for part, layer, _ in found} == {place(n) for n in (*PARTS, "pooler")}


def test_nothing_rolled_back_is_the_checkpoints_own_loss(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    found = asked(world)
    own = ask_store(world.store, Selection("output-loss", "dev", annotation=world.annotation, tasks=("t",), steps=None))
    assert compute(world.store, [own], workers=1, device="cpu", executor=here).ok
    (row,) = world.store.results(RowQuery((Is("measure", "output-loss"), Is("task", "t"))))
    assert found["none", None, "loss"].value == pytest.approx(row.value, abs=1e-5)


def test_into_asks_what_one_group_of_the_checkpoint_brings_to_the_reference(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    found, plain = asked(world, direction="into"), asked(world)
    for name, layers in PARTS.items():
        rest = set(EVERY) - set(layers)
        loss, said, true = world.rows(world.logits(world.model(state(world, rest, name != "all"))))
        assert found[(*place(name), "loss")].value == pytest.approx(loss.mean(), abs=2e-5)
        assert found[(*place(name), "accuracy")].value == pytest.approx((said == true).mean())
    for one, other in (("none", "all"), ("all", "none")):  # the same model from both sides
        assert found[one, None, "loss"].value == plain[other, None, "loss"].value
    assert found["none", None, "loss-change"].value == 0.0


def test_a_list_of_groups(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    found, plain = asked(world, groups="1-2,0+3"), asked(world)
    assert {part for part, _, _ in found} == {"none", "all", "1-2", "0+3"}
    assert found["1-2", None, "loss"].value == plain["up-to", 2, "loss"].value
    loss, _, _ = world.rows(world.logits(world.model(state(world, (0, 3), False))))
    assert found["0+3", None, "loss"].value == pytest.approx(loss.mean(), abs=2e-5)


@pytest.mark.parametrize("text", ["4", "2-9", "x", "1--2", "", "2-1", "1+"])
def test_a_list_that_names_no_layers_is_refused(text: str) -> None:
    with pytest.raises(MeasureError, match="groups: "):
        list(cells(Scope({"groups": f"1-2,{text}"}, (LAYERS, LAYERS)), {}))


@pytest.mark.parametrize(("layers", "thirds"), [(24, (8, 8, 8)), (12, (4, 4, 4)), (4, (1, 1, 2)), (3, (1, 1, 1))])
def test_thirds_are_all_layers_and_those_of_24_are_the_papers(layers: int, thirds: tuple[int, ...]) -> None:
    each = [layers_in(part, None, layers) for part in ("lower", "middle", "upper")]
    assert tuple(map(len, each)) == thirds
    assert [n for third in each for n in third] == list(range(1, layers + 1))


def test_values_and_intervals_are_the_same_without_a_second_run(classified: Make, tmp_path: Path) -> None:
    """Bit for bit; and with an interval no model is needed again."""
    world = classified("bert", "SequenceClassification")
    first = asked(world)
    moved = world.folder.rename(tmp_path / "gone")
    try:
        (world.folder).mkdir()
        shutil.copy(moved / "model.safetensors", world.folder)  # the weights, but no configuration to build a model
        second = asked(world, Uncertainty(interval="jackknife"))
    finally:
        shutil.rmtree(world.folder)
        moved.rename(world.folder)
    assert {key: row.value for key, row in first.items()} == {key: row.value for key, row in second.items()}
    assert all(row.interval_low is not None for row in second.values())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"num_hidden_layers": 2}, r"of another architecture than the checkpoint: it has no encoder\.layer\.2\."),
        ({"num_hidden_layers": 4}, "of another architecture than the checkpoint: it has more layers"),
        ({"intermediate_size": 40}, r"intermediate\.dense\.bias has shapes 48 and 40"),
    ],
)
def test_a_reference_of_another_shape_is_refused(
    classified: Make, tmp_path: Path, settings: dict[str, int], said: str
) -> None:
    world = classified("bert", "SequenceClassification")
    other = models.save(tmp_path, "bert", head=False, seed=5, tokenizer=False, **settings)
    given = given_of(world, StoredWeights(other, (other / "model.safetensors",), LAYERS))
    with pytest.raises((MeasureError, BertdynError), match=said):
        rollback(given, dict(get("rollback").settle({})), Context())


def test_labels_without_a_class_are_a_sentence_and_a_map_helps(classified: Make) -> None:
    world = classified("bert", "SequenceClassification")
    values = world.corpus.annotations[world.annotation].values
    renamed = MemoryLabels("sentence", ("bad", "good"), values)
    with pytest.raises(MeasureError, match=r"The classifier has no class for 'bad', 'good'\. The corpus has labels"):
        rollback(replace(given_of(world), annotation=renamed), dict(get("rollback").settle({})), Context())
    turned = world.corpus.annotations[world.annotation].names == ("1", "0")
    said = "bad=1,good=0" if turned else "bad=0,good=1"
    mapped = rollback(
        replace(given_of(world), annotation=renamed), dict(get("rollback").settle({"map": said})), Context()
    )
    plain = rollback(given_of(world), dict(get("rollback").settle({})), Context())
    assert [v.value for v in mapped] == [v.value for v in plain]


def given_of(world: World, reference: StoredWeights | None = None) -> Given:
    """What the cell of layer 2 reads."""
    own = {
        "model": StoredModel(world.store, world.store.checkpoint("dev", KEY)),
        "weights": StoredWeights.of(world.store, "dev", KEY),
    }
    other = {"weights": reference or StoredWeights.of(world.store, "dev", PRETRAINED_KEY)}
    operands = {"checkpoint": own, "reference": other}
    return Given(world.corpus, operands, world.corpus.annotations[world.annotation], at=At(2, 2))


@dataclass(frozen=True)
class NeverRun:
    """A model that must not run: its labels are refused before."""

    head: str
    labels: tuple[str, ...]
    problem: str = "single_label_classification"
    layers: int = LAYERS
    heads: int = 2
    identity: str = ""
    pooler: bool = False

    def logits(self, values: object, device: str) -> np.ndarray:
        raise AssertionError("the model ran")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (NeverRun("sequence", ("LABEL_0",), "regression"), "is a regression: a regression has no distribution"),
        (NeverRun("span", ("start", "end")), r"finds spans \(question answering\)"),
        (NeverRun("token", ("0", "1")), "labels words, but the annotation has labels of sentences"),
        (NeverRun("sequence", ("0", "1"), "multi_label_classification"), "gives several labels at once"),
        (NeverRun("sequence", ("good", "bad")), "has no class for"),
    ],
)
@pytest.mark.parametrize("measure", ["rollback", "head-ablation"])
def test_labels_that_the_classifier_does_not_have_are_refused_before_it_runs(
    classified: Make, measure: str, model: NeverRun, said: str
) -> None:
    given = given_of(classified("bert", "SequenceClassification"))
    operands = {role: {**read, "model": model} for role, read in given.operands.items()}
    with pytest.raises(MeasureError, match=said):
        get(measure).compute(replace(given, operands=operands), dict(get(measure).settle({})), Context())
