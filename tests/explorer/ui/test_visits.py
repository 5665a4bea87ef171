"""Does the overview say what came since the last visit, and only that?"""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from explorer.answers.findings import Findings
from explorer.measures.registry import get
from explorer.ui.session import Session
from explorer.ui.visits import Seen, since, with_view
from explorer.views.base import Base
from store.keys import CheckpointKey
from store.store import Store
from tests.explorer.ui.conftest import changed, fill, main, opened, screen_text, text_of, until
from tests.synthetic import sample_corpus, write_checkpoint

STILL = changed(compute=False, mode="overview")
NEW = "New since your last visit"


@pytest.fixture
def there(computed: Path, tmp_path: Path) -> Path:
    """A copy that may change."""
    return Path(shutil.copytree(computed, tmp_path / "there.bertdyn"))


@pytest.fixture
def session(there: Path, tmp_path: Path) -> Session:
    return Session(there, {"XDG_STATE_HOME": str(tmp_path / "state")})


async def whole(pilot: Pilot[None]) -> str:
    """The overview once all of it was read."""
    await until(pilot, lambda: main(pilot).pane.view is not None and not main(pilot).pane.waiting)
    await until(pilot, lambda: "reading the other measures" not in text_of(pilot, "notes"))
    return screen_text(pilot)


async def visit(there: Path, session: Session) -> str:
    async with opened(there, config=STILL, session=session) as pilot:
        text = await whole(pilot)
        pilot.app.save()  # type: ignore[attr-defined]
    return text


async def test_nothing_is_new_at_the_first_visit_nor_when_nothing_came(there: Path, session: Session) -> None:
    assert NEW not in await visit(there, session)
    assert NEW not in await visit(there, session)


async def test_new_checkpoints_are_named_once(there: Path, session: Session) -> None:
    await visit(there, session)
    store, corpus = Store.open(there), sample_corpus("dev")
    key = CheckpointKey.of("sst2", "2", 60)
    for new in (key, key._replace(seed="3", step=0), key._replace(seed="3", step=20)):
        write_checkpoint(store, corpus, new)
    text = await visit(there, session)
    assert NEW in text
    assert "3 on dev: sst2 seed 2 step 60 and sst2 seed 3 (2, to step 20)" in " ".join(text.split())
    assert NEW not in await visit(there, session)


async def test_a_measure_with_its_first_values_is_named_once(there: Path, session: Session) -> None:
    await visit(there, session)
    fill(Store.open(there), "cka", "dev")
    text = await visit(there, session)
    assert "cka has its first values" in text
    assert "checkpoints  " not in text
    assert NEW not in await visit(there, session)


async def test_enter_opens_what_is_new(there: Path, session: Session) -> None:
    await visit(there, session)
    fill(Store.open(there), "cka", "dev")
    async with opened(there, config=STILL, session=session) as pilot:
        await whole(pilot)
        await pilot.press("home", "enter")
        await until(pilot, lambda: (main(pilot).state.mode, main(pilot).state.measure) == ("curves", "cka"))


async def test_what_was_seen_in_a_picture_before_leaving_is_no_news(there: Path, session: Session) -> None:
    async with opened(there, config=STILL, session=session) as pilot:
        await whole(pilot)
        await pilot.press("m", *"cka", "enter", "1")
        await until(pilot, lambda: "linear CKA" in text_of(pilot, "heading"))
        fill(Store.open(there), "cka", "dev")
        main(pilot).reader.look_again()
        await until(pilot, lambda: main(pilot).picture is not None and "L3" in text_of(pilot, "chart"))
        pilot.app.save()  # type: ignore[attr-defined]
    assert NEW not in await visit(there, session)


def test_a_seed_that_is_chosen_hides_no_measure_for_the_next_visit() -> None:
    """With a seed chosen not every measure is listed: those of other seeds would be news at the next visit."""
    every, one = (FoundView(seeds) for seeds in ((), ("1",)))
    assert with_view(Seen(), every).listed == ("dev",)
    assert with_view(Seen(), one).listed == ()


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (("dev", "sst2", "1", 4, 60), "1 on dev: sst2 seed 1 step 60"),
        (("dev", "sst2", "1", 5, 80), "2 on dev: sst2 seed 1 (2, to step 80)"),
        (("dev", "sst2", "1", 4, 40), "1 on dev: sst2 seed 1 (1 before step 40)"),
        (("dev", "sst2+freeze-2", "1", 1, 0), "1 on dev: sst2+freeze-2 seed 1 step 0"),
        (("dev", "sst2", "1", 3, 40), ""),
        (("dev", "sst2", "1", 2, 20), ""),
        (("plain", "sst2", "1", 9, 90), ""),
    ],
)
def test_runs_that_grew_are_named(run: tuple[str, str, str, int, int], said: str) -> None:
    before = Seen(runs=(("dev", "sst2", "1", 3, 40), ("plain", "sst2", "1", 3, 40)))
    found = since(before, Seen(runs=(run,)), FoundView().data)
    assert [finding.text for finding in found] == ([said] if said else [])


class FoundView(Base):
    """A view of an overview without findings."""

    def __init__(self, seeds: tuple[str, ...] = ()) -> None:
        asked = SimpleNamespace(corpus="dev", seeds=seeds, measure=get("svcca"))
        self.stored = SimpleNamespace(question=asked, main=())  # type: ignore[assignment]
        self.data = Findings(asked, ("sst2",), 0, ())  # type: ignore[arg-type]
