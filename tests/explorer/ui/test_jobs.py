"""The queue of jobs, with real children, and the mode that shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.message import Message

from explorer.compute.requests import Compute
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.ui import bars
from explorer.ui.jobs import JobRunner
from explorer.ui.lists.jobs import Job, JobList, Jobs, lasting
from explorer.ui.messages import Ended, Progress
from explorer.views.base import Cursor, DrawOptions
from store.child import how_ended
from store.keys import PRETRAINED_KEY
from store.rows import RowQuery, rows_of
from store.store import Store
from tests.explorer.ui.conftest import main, opened, shown, text_of, until
from tests.questions import question
from tests.synthetic import Copied, make_store


def chosen(measure: str, task: str = "pos") -> Compute:
    return Compute(question(measure, (PRETRAINED_KEY,), tasks=(task,)).selection)


def listed(number: int, measure: str, *how: object, **more: object) -> Job:
    asked = chosen(measure)
    return Job(number, asked.title, asked.subject, tuple(asked.facts.items()), asked.units, *how, **more)  # type: ignore[arg-type]


@pytest.fixture
def fresh(tmp_path: Path, copied: Copied) -> Path:
    """A store with nothing computed."""
    return copied(make_store, tmp_path / "fresh.bertdyn").path


def wait(holds: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_the_last_one_goes_first_and_what_was_asked_for_comes_back(fresh: Path) -> None:
    ended: list[tuple[str, str]] = []
    lock = threading.Lock()

    def hear(message: Message) -> None:
        if isinstance(message, Ended):
            with lock:
                ended.append((message.request.title, message.how))

    jobs = JobRunner(fresh, hear)
    jobs.start(chosen("svcca"))
    wait(lambda: jobs.child is not None)
    jobs.start(chosen("js"), asked=True)
    wait(lambda: jobs.request == chosen("js") and jobs.child is not None)
    jobs.start(chosen("cca"), asked=True)
    assert jobs.listed()[1].state == "waiting"  # and the first one stops, or has stopped already
    wait(lambda: jobs.request is None and not jobs.waiting)
    assert ended == [("svcca", "replaced"), ("js", "replaced"), ("cca", "done"), ("js", "done")]
    states = {j.title: j.state for j in jobs.listed()}
    assert states == {"svcca": "stopped: you moved on", "cca": "done", "js": "done"}
    done = jobs.listed()[0]
    assert (done.done, done.total) == (done.total, done.total)
    assert len(Store.open(fresh).results(RowQuery(rows_of("cca")))) > 0


@pytest.mark.slow
def test_a_job_that_waits_can_be_cancelled_alone(fresh: Path) -> None:
    jobs = JobRunner(fresh, lambda message: None)
    jobs.start(chosen("svcca"), asked=True)
    wait(lambda: jobs.child is not None)
    jobs.start(chosen("js"), asked=True)
    wait(lambda: jobs.request == chosen("js"))
    waiting = next(j for j in jobs.listed() if j.state == "waiting")
    assert jobs.cancel(waiting.number)
    assert not jobs.cancel(waiting.number)
    jobs.finish()
    assert {j.title: j.state for j in jobs.listed()} == {"svcca": "cancelled", "js": "cancelled"}


@pytest.mark.slow
async def test_jobs_shows_what_is_computed_and_x_cancels_the_one_pointed_at(fresh: Path) -> None:
    async with opened(fresh, wait=False) as pilot:
        await until(pilot, lambda: main(pilot).jobs.child is not None, 60)
        await pilot.press("0")
        await until(pilot, lambda: "running" in text_of(pilot, "chart"))
        assert "svcca" in text_of(pilot, "chart")
        await pilot.press("x")
        await until(pilot, lambda: "cancelled" in text_of(pilot, "chart"))
        assert "job 1: svcca of pos" in text_of(pilot, "reading")
        await pilot.press("x")
        await shown(pilot, "This job has ended: nothing to cancel.")
        await pilot.press("1")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "curves")


async def test_jobs_says_that_there_was_none(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("0")
        await until(pilot, lambda: "Nothing was computed since" in text_of(pilot, "chart"))
        await pilot.press("x", "j", "k", "end", "pagedown", "c", "v", "o")
        assert pilot.app.is_running


RUNNING = listed(3, "svcca", "running", done=30, total=90, began=100.0, seen=160.0, current="layer 2 of pos/1/20")
FAILED = listed(1, "js", "in part", done=9, total=9, failures=("layer 1 of x: too few tokens",), lost=3)


def test_the_title_names_the_measure_where_another_one_is_shown() -> None:
    running, progress = chosen("js"), Progress(done=9, total=36, doing="")
    assert bars.job(running, chosen("svcca"), progress, 24) == "computing js 9/36 25 %  x cancels"
    assert bars.job(running, running, progress, 24, waiting=2) == "computing 9/36 25 %, 2 waiting  x cancels"
    assert bars.job(running, chosen("svcca"), None, 24, keys=("C", "X")) == "computing js …  X cancels"
    assert bars.job(None, running, None, 1200) == "1,200 not computed (c computes)"


def test_rate_and_time_left_follow_from_what_was_done() -> None:
    assert (RUNNING.rate, RUNNING.left) == (0.5, 120.0)
    assert [lasting(s) for s in (8.4, 70, 7500)] == ["8 s", "1m10s", "2h05m"]


@pytest.mark.parametrize("size", [(60, 8), (80, 20), (250, 50), (20, 3), (1, 1)])
@pytest.mark.parametrize("plain", [False, True])
def test_jobs_are_listed_with_their_reasons(size: tuple[int, int], plain: bool) -> None:
    view = Jobs(JobList((RUNNING, FAILED)))
    picture = view.draw(*size, palette(Depth.NONE), Cursor(0, 1), DrawOptions(ascii=plain))
    text = to_text(picture.lines)
    assert len(text.splitlines()) == size[1]
    assert text.isascii() or not plain
    if size[0] >= 80:
        assert "30/90" in text
        assert "2m00s" in text
        assert "layer 1 of x: too few tokens" in text
        assert "and 2 more" in text
    assert picture.reading.startswith("job 1: js of pos")


def test_a_job_that_is_killed_is_said_to_be_not_with_the_last_line_of_a_warning() -> None:
    killed = how_ended("The job", -9, "  warnings.warn(")
    assert killed == "The job was killed from outside (SIGKILL), as the system does where memory runs out."
    assert how_ended("The job", -15, "") == "The job was killed from outside (SIGTERM)."
    assert how_ended("The job", 1, "no torch") == "The job ended with exit code 1: no torch"


def test_why_a_value_failed_can_be_read_to_its_end_at_80_columns() -> None:
    why = "layer 3 of sst2/1/80: " + "the arrays are damaged or were replaced meanwhile, " * 3 + "extract it again."
    job = listed(1, "rsa", "in part", done=35, total=35, failures=(why,), lost=1)
    shown = to_text(Jobs(JobList((job,))).draw(80, 18, palette(Depth.NONE)).lines)
    assert why in " ".join(shown.split())
