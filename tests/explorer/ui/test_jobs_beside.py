"""Jobs that run beside the queue, with real children, and how Overview and an empty store say how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.compute.requests import KINDS
from explorer.ui.jobs import JobRunner
from explorer.ui.lists.jobs import Job
from explorer.ui.messages import Ended
from explorer.ui.news import under_way
from store.store import Store
from tests.counting import Count, Tally, environment
from tests.explorer.ui.conftest import changed, main, opened, text_of, until
from tests.explorer.ui.test_jobs import wait

ENDLESS = Tally(10_000, rest=0.05)


@pytest.fixture
def counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue and its children know two more kinds."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("explorer.compute.requests.KINDS", [*KINDS, Count, Tally])


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A store without checkpoints."""
    return Store.create(tmp_path / "empty.bertdyn").path


@pytest.fixture
def ended() -> list[Ended]:
    return []


@pytest.fixture
def jobs(empty: Path, ended: list[Ended]) -> Iterator[JobRunner]:
    queue = JobRunner(empty, lambda message: ended.append(message) if isinstance(message, Ended) else None)
    yield queue
    queue.finish()


@pytest.mark.slow
@pytest.mark.usefixtures("counts")
def test_a_job_beside_the_queue_is_not_stopped_for_another_and_stops_none(jobs: JobRunner, ended: list[Ended]) -> None:
    jobs.start(Count(10_000, rest=0.05))
    jobs.start(ENDLESS, asked=True)
    jobs.start(ENDLESS)  # it runs already
    wait(lambda: [bool(job.done) for job in jobs.listed()] == [True, True])
    jobs.start(Count(2), asked=True)
    wait(lambda: len(ended) == 2)
    assert [(message.request, message.how) for message in ended] == [
        (Count(10_000, rest=0.05), "replaced"),
        (Count(2), "done"),
    ]
    first = jobs.listed()[0]
    assert (first.title, first.state, first.beside) == ("tally", "running", True)
    assert jobs.request == ENDLESS
    group = jobs.child
    assert group is not None
    assert jobs.cancel()
    wait(lambda: jobs.request is None)
    assert ended[-1].how == "cancelled"
    assert jobs.child is None


@pytest.mark.slow
@pytest.mark.usefixtures("counts")
async def test_overview_says_first_how_far_a_job_beside_the_queue_is(computed: Path) -> None:
    async with opened(computed, config=changed(mode="overview"), begins=(ENDLESS,)) as pilot:
        await until(pilot, lambda: "of 10,000 words" in text_of(pilot, "chart"))
        lines = text_of(pilot, "chart").splitlines()
        assert lines[0].split() == ["Under", "way"]
        assert "tally" in lines[1]
        before = lines[1]
        await until(pilot, lambda: before not in text_of(pilot, "chart"))
        assert "What changed" in text_of(pilot, "chart")
        await pilot.press("enter")
        await until(pilot, lambda: main(pilot).state.mode == "jobs")
        await pilot.press("g")
        await until(pilot, lambda: "Under way" in text_of(pilot, "chart"))
        await until(pilot, lambda: "reading the other measures" not in text_of(pilot, "notes"))
        await pilot.press("down", "down")
        pointed = main(pilot).picture
        assert pointed is not None
        assert "tally" not in pointed.reading
        await pilot.press("x")
        await until(pilot, lambda: "Cancelled; counted words stay." in text_of(pilot, "notes"))
        assert "Under way" not in text_of(pilot, "chart")
        now = main(pilot).picture
        assert now is not None
        assert (now.reading, now.cursor.y) == (pointed.reading, pointed.cursor.y - 1)


@pytest.mark.slow
@pytest.mark.usefixtures("counts")
async def test_an_empty_store_says_how_far_a_job_beside_the_queue_is(empty: Path) -> None:
    async with opened(empty, config=changed(mode="overview"), begins=(ENDLESS,), wait=False) as pilot:
        await until(pilot, lambda: "of 10,000 words" in text_of(pilot, "chart"))
        assert "No checkpoints here yet." in text_of(pilot, "chart")
        await pilot.press("1")
        await until(pilot, lambda: "of 10,000 words" in text_of(pilot, "chart"))
        jobs = main(pilot).jobs
    assert jobs.child is None


def test_only_running_jobs_beside_the_queue_are_news() -> None:
    half = Job(1, "tally", "words", (), "words", "running", True, done=30, total=90, began=0.0, seen=60.0)
    others = Job(2, "js", "pos", state="running"), Job(3, "tally", "x", state="done", beside=True)
    (finding,) = under_way((half, *others))
    assert (finding.subject, finding.text) == ("tally", "words, 30 of 90 words, about 2m00s left")
    (finding,) = under_way((Job(1, "tally", "words", state="running", beside=True),))
    assert finding.text == "words, starting"
    (finding,) = under_way((replace(half, done=1),))
    assert finding.text == "words, 1 of 90 words"  # too early to say more
