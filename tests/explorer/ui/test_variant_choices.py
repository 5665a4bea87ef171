"""Are runs of a variant tasks of their own in the explorer, and can they be compared with the plain ones?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from explorer.measures.registry import all_measures
from explorer.ui.catalogue import Catalogue
from explorer.ui.choices import choices, picked
from explorer.ui.cycles import next_reference, next_task
from explorer.ui.filters import filtered
from explorer.ui.state import State, compared, settled, with_corpus
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from tests.explorer.ui.conftest import changed, fill, main, opened, screen_text, shown, text_of, until
from tests.synthetic import make_store, sample_corpus, write_checkpoint

FROZEN = "sst2+freeze-6"
PLAIN_RUNS = tuple(CheckpointKey.plain(t, s, step) for t in ("pos", "sst2") for s in ("1", "2") for step in (0, 40))
STORE = Catalogue(
    corpora=(sample_corpus("dev").info, sample_corpus("other").info),
    keys=(
        tuple(sorted((PRETRAINED_KEY, *PLAIN_RUNS, CheckpointKey("sst2", "freeze-6", "1", 40)))),
        tuple(sorted((PRETRAINED_KEY, *PLAIN_RUNS))),
    ),
    layers=3,
    measures=all_measures(),
    heads=2,
)
START = settled(State(), STORE)


def rows(state: State, section: str) -> list[str]:
    return [f"{row.mark} {row.text}" for row in choices(state, STORE) if row.section == section and not row.head]


def test_a_task_with_its_variant_is_a_row_of_its_own_and_can_be_picked() -> None:
    assert rows(START, "task") == ["[x] pos", "[ ] sst2", f"[ ] {FROZEN}"]
    row = next(row for row in choices(START, STORE) if row.name == FROZEN)
    state = picked(row, START, STORE)
    assert state.tasks == ("pos", FROZEN)
    assert state.question(STORE).tasks == ("pos", FROZEN)
    assert STORE.seeds("dev", (FROZEN,)) == ("1",)
    assert next_task(replace(START, tasks=("sst2",)), STORE).tasks == (FROZEN,)


def test_plain_is_offered_as_a_reference_only_where_there_is_a_variant() -> None:
    seeds = ("seeds", "next-seed", "seed:1", "seed:2")
    assert STORE.references("dev") == ("pretrained", "first", "previous", "final", "plain", *seeds)
    assert STORE.references("other") == ("pretrained", "first", "previous", "final", *seeds)
    assert "( ) plain run same step" in rows(START, "against")
    assert not any("plain" in row for row in rows(with_corpus(START, STORE, "other"), "against"))
    seen, state = [], START
    for _ in STORE.references("dev"):
        state = next_reference(state, STORE)
        seen.append(str(state.against))
    assert "plain" in seen


def test_a_corpus_without_variants_takes_another_reference_than_plain() -> None:
    state = replace(compared(START, "plain"), tasks=(FROZEN,))
    assert str(state.question(STORE).against) == "plain"
    other = with_corpus(state, STORE, "other")
    assert (other.tasks, str(other.against)) == (("pos",), "pretrained")


def test_the_filter_line_takes_variants() -> None:
    assert filtered(START, STORE, f"task:{FROZEN} against:plain").tasks == (FROZEN,)
    assert str(filtered(START, STORE, f"task:{FROZEN} against:plain").against) == "plain"
    assert filtered(START, STORE, "task:sst2").tasks == ("sst2",)
    assert filtered(START, STORE, "task:*+*").tasks == (FROZEN,)
    assert filtered(START, STORE, "task!=*+*").tasks == ("pos", "sst2")
    assert str(filtered(START, STORE, f"against:{FROZEN}/1/40").against) == f"{FROZEN}/1/40"
    with pytest.raises(BertdynError, match=r"No task matches 'sst2\+x'; there is pos, sst2, sst2\+freeze-6"):
        filtered(START, STORE, "task:sst2+x")


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain run and one of a variant, with SVCCA against the pre-trained model and against the plain run."""
    corpus = sample_corpus("dev")
    path = tmp_path_factory.mktemp("varied") / "runs.bertdyn"
    store = make_store(path, tasks=("sst2",), seeds=("1",), steps=(0, 20, 40), corpora=[corpus])
    for step in (20, 40):
        write_checkpoint(store, corpus, CheckpointKey("sst2", "freeze-6", "1", step))
    fill(store, "svcca", "dev")
    fill(store, "svcca", "dev", "plain")
    return path


async def test_a_variant_is_picked_in_the_panel_and_compared_with_the_plain_run(varied: Path) -> None:
    async with opened(varied, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        panel = text_of(pilot, "panel")
        assert "[x] sst2 " in panel
        assert f"[ ] {FROZEN}" in panel
        assert "( ) plain" in panel
        await pilot.press("T")
        await until(pilot, lambda: screen.state.tasks == (FROZEN,))
        await shown(pilot, f"SVCCA distance from the pre-trained model · {FROZEN}, seed 1")
        assert f"{FROZEN} 1 seed x 2 steps" in text_of(pilot, "title")
        while str(screen.state.against) != "plain":
            await pilot.press("R")
        await until(pilot, lambda: screen.chart.view is not None and "plain" in screen.chart.view.title)
        await until(pilot, lambda: "(x) plain" in text_of(pilot, "panel"))
        assert not screen.missing
        assert "step 40" in text_of(pilot, "reading")
        assert "not computed" not in screen_text(pilot)
