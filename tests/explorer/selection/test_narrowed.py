"""Which one comparison do views of one comparison show?"""

from __future__ import annotations

import pytest

from explorer.selection import EVERY, Against, QuestionError, Ranges, narrowed, steps_of
from explorer.selection.comparisons import comparisons
from store.errors import BertdynError
from store.keys import CheckpointKey
from tests.explorer.selection.runs import KEYS, VARIANT
from tests.questions import question


def one(
    against: str = "pretrained", step: int | None = None, keys: list[CheckpointKey] = KEYS, **fields: object
) -> tuple[str, str]:
    asked = question("svcca", keys, against=Against.parse(against), ref_layers=EVERY, **fields)
    chosen = narrowed(asked, keys, step)
    (found,) = comparisons(chosen, keys)
    assert chosen.ref_layers == EVERY
    return str(found.key), str(found.reference)


def test_it_is_the_last_step_of_the_first_seed_of_the_first_task() -> None:
    assert one() == ("pos/1/100", "pretrained/0/0")
    assert one(tasks=("sst2", "pos"), seeds=("2",)) == ("sst2/2/100", "pretrained/0/0")


def test_of_the_steps_that_are_there_it_is_the_one_asked_for_or_the_nearest_before() -> None:
    assert [one(step=n)[0] for n in (0, 19, 20, 99, 100, 5_000)] == [
        *("pos/1/0", "pos/1/0", "pos/1/20", "pos/1/20", "pos/1/100", "pos/1/100")
    ]


def test_the_steps_are_those_that_are_compared() -> None:
    assert one("previous", step=0) == ("pos/1/20", "pos/1/0")


def test_of_the_seeds_one_pair_is_left() -> None:
    assert one("seeds") == ("pos/2/100", "pos/1/100")


def test_a_measure_of_one_checkpoint_is_refused() -> None:
    with pytest.raises(QuestionError, match="not compared with anything") as refused:
        narrowed(question("clusters", KEYS), KEYS)
    assert refused.value.about == "measure"


def test_a_variant_stands_beside_its_task_and_is_compared_with_it() -> None:
    keys = [*KEYS, *VARIANT]
    assert one(keys=keys, tasks=("sst2+freeze-6",)) == ("sst2+freeze-6/1/100", "pretrained/0/0")
    assert one("plain", keys=keys, tasks=("sst2+freeze-6",), step=50) == ("sst2+freeze-6/1/20", "sst2/1/20")
    assert one("previous", keys=keys, tasks=("sst2+freeze-6",)) == ("sst2+freeze-6/1/100", "sst2+freeze-6/1/20")
    assert one("sst2+freeze-6/2/20", keys=keys, tasks=("pos",)) == ("pos/1/100", "sst2+freeze-6/2/20")


def test_the_first_task_is_one_that_has_something_to_compare() -> None:
    keys = [*KEYS, *VARIANT]
    assert one("plain", keys=keys) == ("sst2+freeze-6/1/100", "sst2/1/100")
    assert steps_of(question("svcca", keys, against=Against("plain")), keys) == (20, 100)
    lone = [k for k in KEYS if (k.task, k.seed) != ("pos", "2")]
    assert one("seeds", keys=lone) == ("sst2/2/100", "sst2/1/100")
    with pytest.raises(BertdynError, match="counterpart 'seeds'"):
        one("seeds", keys=lone, tasks=("pos",))


def test_the_pretrained_model_is_shown_only_when_it_is_named_or_alone_matches() -> None:
    zero = Ranges.one(0)
    late = [k for k in KEYS if k.step or k.task == "pretrained"]
    assert one("sst2/1/20", keys=late, steps=zero) == ("pretrained/0/0", "sst2/1/20")
    assert one("sst2/1/20", keys=late, tasks=("pretrained",)) == ("pretrained/0/0", "sst2/1/20")
    with pytest.raises(BertdynError, match="Nothing to compare"):
        one("seed:9")


def test_steps_are_those_of_the_first_task_that_are_compared() -> None:
    assert steps_of(question("svcca", KEYS), KEYS) == (0, 20, 100)
    assert steps_of(question("svcca", KEYS, against=Against("previous")), KEYS) == (20, 100)
    assert steps_of(question("clusters", KEYS, tasks=("pretrained",)), KEYS) == (0,)
