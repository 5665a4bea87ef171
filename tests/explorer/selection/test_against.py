"""Is what checkpoints are compared with read as people write it?"""

from __future__ import annotations

import pytest

from explorer.selection import Against, default_against
from explorer.selection.against import KINDS
from store.errors import BertdynError
from store.keys import CheckpointKey
from tests.explorer.selection.runs import KEYS, RUNS


@pytest.mark.parametrize(
    "text",
    [
        "pretrained",
        "first",
        "previous",
        "final",
        "seeds",
        "seed:2",
        "task:sst2",
        "task:sst2+freeze-6",
        "seed:a:b",
        "plain",
        "sst2/1/20",
        "a/b/1/0",
        "sst2+freeze-6/1/20",
    ],
)
def test_it_is_written_as_it_is_read(text: str) -> None:
    assert str(Against.parse(text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_reference_is_said_in_words(kind: str) -> None:
    assert Against.parse(kind).said.startswith("the ")


def test_a_task_name_may_hold_slashes() -> None:
    assert Against.parse("glue/sst2/1/20").key == CheckpointKey.plain("glue/sst2", "1", 20)


def test_what_follows_the_first_plus_is_the_variant() -> None:
    assert Against.parse("sst2+freeze-6/1/20").key == CheckpointKey("sst2", "freeze-6", "1", 20)
    assert Against.parse("glue/sst2+a+b/x/0").key == CheckpointKey("glue/sst2", "a+b", "x", 0)


@pytest.mark.parametrize("text", ["", "last", "seed:", "task:", "sst2/1", "sst2/1/x", "sst2/1/-5", "sst2/1/²", "20"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BertdynError, match=r"--against: .* is not one of pretrained, first"):
        Against.parse(text)


def test_the_default_is_the_pretrained_model_where_there_is_one() -> None:
    assert default_against(KEYS) == Against("pretrained")
    assert default_against(RUNS) == Against("first")
    assert default_against([]) == Against("first")


def test_a_measure_may_prefer_another_default() -> None:
    assert default_against(KEYS, "previous") == Against("previous")
    assert default_against(RUNS, "previous") == Against("previous")
