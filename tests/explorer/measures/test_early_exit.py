"""Is early exit the checkpoint's own classifier on the hidden states of each layer?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from explorer.compute.run import compute
from explorer.measures import MeasureError
from explorer.measures.early_exit import check_last
from explorer.selection import Question, Selection, ask_store
from store.results import Result
from store.rows import Is, RowQuery
from tests.classified import KEY, LAYERS, World
from tests.pools import here

Make = Callable[[str, str], World]


def question_of(world: World) -> Question:
    return ask_store(world.store, Selection("early-exit", "dev", annotation=world.annotation, tasks=("t",), steps=None))


def rows(world: World) -> dict[tuple[int | None, str], Result]:
    assert compute(world.store, [question_of(world)], workers=1, device="cpu", executor=here).ok
    return {(r.layer, r.statistic): r for r in world.store.results(RowQuery((Is("measure", "early-exit"),)))}


def test_a_classifier_of_sentences_with_its_pooler(classified: Make) -> None:
    """The formula of BERT's pooler and classifier, from the model's own weights."""
    world = classified("bert", "SequenceClassification")
    found, state = rows(world), world.model().state_dict()
    first = world.corpus.offsets[:-1]
    for layer in range(LAYERS + 1):
        hidden = torch.tensor(world.store.hidden("dev", KEY, layer)[first].astype(np.float32))
        pooled = torch.tanh(hidden @ state["bert.pooler.dense.weight"].T + state["bert.pooler.dense.bias"])
        loss, said, true = world.rows((pooled @ state["classifier.weight"].T + state["classifier.bias"]).numpy())
        assert found[layer, "loss"].value == pytest.approx(loss.mean(), abs=1e-5)
        assert found[layer, "accuracy"].value == pytest.approx((said == true).mean())
    assert found[LAYERS, "loss-change"].value == 0.0
    difference = found[1, "loss"].value - found[LAYERS, "loss"].value  # type: ignore[operator]
    assert found[1, "loss-change"].value == pytest.approx(difference)


def test_a_classifier_of_words_reads_their_first_tokens(classified: Make) -> None:
    world = classified("distilbert", "TokenClassification")
    found, state = rows(world), world.model().state_dict()
    for layer in range(LAYERS + 1):
        hidden = torch.tensor(world.store.hidden("dev", KEY, layer).astype(np.float32))
        loss, said, true = world.rows((hidden @ state["classifier.weight"].T + state["classifier.bias"]).numpy())
        assert found[layer, "loss"].value == pytest.approx(loss.mean(), abs=1e-5)
        assert found[layer, "accuracy"].value == pytest.approx((said == true).mean())
        assert found[layer, "loss"].n == len(true)


@pytest.mark.on_demand
@pytest.mark.parametrize("family", ["roberta", "electra", "deberta-v2"])
def test_the_last_layer_is_the_checkpoints_own_loss(classified: Make, family: str) -> None:
    world = classified(family, "SequenceClassification")
    loss, said, true = world.rows(world.logits(world.model()))
    found = rows(world)
    assert found[LAYERS, "loss"].value == pytest.approx(loss.mean(), abs=5e-3)
    assert found[LAYERS, "accuracy"].value == pytest.approx((said == true).mean())
    assert abs(found[0, "loss-change"].value or 0.0) > 1e-2


@pytest.mark.on_demand
def test_a_pooler_without_its_activation_is_refused(classified: Make) -> None:
    """ALBERT's activation is not in its pooler: the last layer gives it away."""
    world = classified("albert", "SequenceClassification")
    outcome = compute(world.store, [question_of(world)], workers=1, device="cpu", executor=here)
    assert ["cannot be applied to single layers" in failure.message for failure in outcome.failures] == [True]


def test_a_classifier_that_gives_other_logits_on_the_last_layer_is_refused() -> None:
    stored = np.array([[2.0, -1.0], [0.5, 4.0]], np.float32)
    check_last(stored + 0.1, stored)
    for found in (stored + 0.3, stored[:1], stored * np.float32("nan")):
        with pytest.raises(MeasureError, match="cannot be applied to single layers"):
            check_last(found, stored)
