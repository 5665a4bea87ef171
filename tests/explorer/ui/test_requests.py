"""Requests of any kind in the queue, with real children; labels that are added from the explorer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from explorer.compute.requests import KINDS, Annotate
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.ui import bars
from explorer.ui.annotating import annotate_request
from explorer.ui.jobs import JobRunner
from explorer.ui.lists.jobs import JobList, Jobs
from explorer.ui.messages import Ended, Progress
from store.errors import BertdynError
from store.store import Store
from tests.counting import Count, environment
from tests.explorer.ui.conftest import main, opened, screen_text, text_of, until
from tests.explorer.ui.test_jobs import chosen, wait
from tests.synthetic import Copied, make_store

pytestmark = pytest.mark.slow
TEXTS = [f"sentence {n}" for n in range(40)]


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(make_store, tmp_path / "s.bertdyn")


@pytest.fixture
def counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue and its children know a third kind."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("explorer.compute.requests.KINDS", [*KINDS, Count])


@pytest.fixture
def ended() -> list[Ended]:
    return []


@pytest.fixture
def jobs(store: Store, ended: list[Ended]) -> Iterator[JobRunner]:
    queue = JobRunner(store.path, lambda message: ended.append(message) if isinstance(message, Ended) else None)
    yield queue
    queue.finish()


def labels(path: Path, texts: list[str] = TEXTS, names: tuple[str, ...] = ("art", "law")) -> Path:
    rows = [f"{text}\t{names[n % len(names)]}" for n, text in enumerate(texts)]
    path.write_text("\n".join(["sentence\ttopic", *rows]) + "\n")
    return path


def flat(pilot: Pilot[None]) -> str:
    return " ".join(text_of(pilot, "chart").split())


def drawn(jobs: JobRunner) -> str:
    return to_text(Jobs(JobList(jobs.listed())).draw(110, 12, palette(Depth.NONE)).lines)


@pytest.mark.usefixtures("counts")
def test_another_kind_is_done_and_listed_like_any(jobs: JobRunner, ended: list[Ended]) -> None:
    jobs.start(Count(3), asked=True)
    wait(lambda: bool(ended))
    (message,) = ended
    assert (message.how, message.reason, message.said) == ("done", "", ("3 words were counted in s.bertdyn",))
    (job,) = jobs.listed()
    assert (job.state, job.done, job.total, job.units) == ("done", 3, 3, "words")
    assert "words up to 3" in drawn(jobs)
    assert "3 words were counted" in drawn(jobs)
    view = Jobs(JobList(jobs.listed()))
    reading = view.draw(110, 12, palette(Depth.NONE)).reading
    assert reading.startswith("job 1: count of words up to 3; done, 3 of 3 words")
    columns, (row,) = view.rows()
    assert (row[columns.index("last")], row[columns.index("units")]) == ("3", "words")
    running, progress = Count(3), Progress(1, 3, "")
    assert bars.job(running, chosen("js"), progress, 0) == "counting count 1/3 33 %  x cancels"


@pytest.mark.usefixtures("counts")
async def test_a_job_that_was_left_ends_unless_the_user_asked_for_it(
    computed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.ui.parts.computing.LEFT_SECONDS", 0.05)
    async with opened(computed) as pilot:
        jobs, calls = main(pilot).jobs, []
        leave = jobs.leave
        jobs.leave = lambda shown: (calls.append(shown), leave(shown))[1]  # type: ignore[method-assign]
        jobs.start(Count(10_000, rest=0.05))
        await pilot.press("2")
        await until(pilot, lambda: jobs.request is None)
        assert jobs.listed()[0].state == "stopped: you moved on"
        jobs.start(Count(9_999, rest=0.05), asked=True)
        await until(pilot, lambda: bool(jobs.listed()[0].done))
        calls.clear()
        await pilot.press("1")
        await until(pilot, lambda: bool(calls))
        assert jobs.listed()[0].state == "running"


@pytest.mark.usefixtures("counts")
def test_another_kind_waits_while_a_computation_goes_first_and_can_be_cancelled(
    jobs: JobRunner, ended: list[Ended]
) -> None:
    jobs.start(Count(10_000, rest=0.05), asked=True)
    wait(lambda: any(job.done for job in jobs.listed()))
    jobs.start(chosen("js"))
    wait(lambda: [message.how for message in ended] == ["replaced", "done"])
    wait(lambda: jobs.request == Count(10_000, rest=0.05) and bool(jobs.listed()[0].done))
    assert jobs.cancel()
    wait(lambda: len(ended) == 3)
    assert ended[-1].how == "cancelled"
    assert {job.title: job.state for job in jobs.listed()} == {"count": "cancelled", "js": "done"}


@pytest.mark.usefixtures("counts")
@pytest.mark.parametrize("request_", [Count(10_000, rest=0.05), None])
def test_a_kind_that_is_killed_says_so_and_the_queue_goes_on(
    jobs: JobRunner, ended: list[Ended], tmp_path: Path, request_: Count | None
) -> None:
    pipe = tmp_path / "never.tsv"
    os.mkfifo(pipe)  # reading it never ends
    jobs.start(request_ or Annotate("dev", str(pipe)), asked=True)
    wait(lambda: jobs.child is not None)
    jobs.start(Count(1), asked=True)
    wait(lambda: len(ended) == 2 and jobs.child is not None)
    assert jobs.child is not None
    os.killpg(jobs.child, signal.SIGKILL)
    wait(lambda: len(ended) == 3)
    assert "The job was killed from outside (SIGKILL)" in ended[-1].reason
    assert [job.state for job in jobs.listed()] == ["failed", "done"]
    assert "SIGKILL" in drawn(jobs)


def test_labels_are_added_once_and_refused_in_the_words_of_the_command(
    store: Store, jobs: JobRunner, ended: list[Ended], tmp_path: Path
) -> None:
    file = labels(tmp_path / "topics.tsv")
    others = labels(tmp_path / "others.tsv", [*TEXTS[:7], "another text", *TEXTS[8:]])
    swapped = labels(tmp_path / "swapped.tsv", names=("law", "art"))
    said = []
    for typed in (
        *(f"'{file}' topic", f"'{file}' topic", f"'{others}' topic", f"'{file}' genre"),
        *(f"'{swapped}' topic", f"'{swapped}' topic --replace", f"{tmp_path}/none.tsv"),
    ):
        jobs.start(annotate_request("dev", typed), asked=True)
        wait(lambda: jobs.request is None)
        said.append((*ended[-1].said, ended[-1].reason)[0])
    assert said[:2] == [f"{how}: 2 labels of 40 sentences in topic: art, law" for how in ("added", "there already")]
    assert "has other texts than corpus 'dev': sentence 8 is 'another text'" in said[2]
    assert "genre" in said[3]
    assert said[4].startswith("Corpus 'dev' already has different labels called topic.")
    assert said[5] == "added: 2 labels of 40 sentences in topic: art, law"
    assert "none.tsv" in said[6]
    assert [job.state for job in reversed(jobs.listed())] == [
        "done",
        "done",
        "failed",
        "failed",
        "failed",
        "done",
        "failed",
    ]
    assert [one.name for one in store.corpus("dev").info.annotations] == ["label", "topic"]


async def test_labels_from_the_explorer_can_be_chosen_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels(tmp_path / "topics.tsv")
    labels(tmp_path / "others.tsv", TEXTS[:-1])
    async with opened(store.path, wait=False) as pilot:
        main(pilot).computing.by_itself = False
        await until(pilot, lambda: main(pilot).catalogue is not None)
        await pilot.press("A")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"others.tsv topic", "enter")
        await until(pilot, lambda: "Not added: " in text_of(pilot, "notes"))
        await pilot.press("0")
        await until(pilot, lambda: "others.tsv has 39 sentences, and corpus 'dev' has 40" in flat(pilot))
        await pilot.press("A")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"topics.tsv topic", "enter")
        await until(pilot, lambda: "added: 2 labels of 40 sentences in topic" in text_of(pilot, "notes"))
        await pilot.press("0")
        await until(pilot, lambda: "topics.tsv, column topic, corpus dev" in text_of(pilot, "chart"))
        assert "1/1" in text_of(pilot, "chart")
        assert "added: 2 labels of 40 sentences in topic: art, law" in text_of(pilot, "chart")
        await pilot.press("5")
        await until(pilot, lambda: "topic" in text_of(pilot, "panel"))
        await pilot.press("slash", *"annotation:topic", "enter")
        await until(pilot, lambda: "topic of corpus dev" in screen_text(pilot))


async def test_labels_that_are_being_read_can_be_cancelled(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("never.tsv")
    async with opened(store.path, wait=False) as pilot:
        main(pilot).computing.by_itself = False
        await until(pilot, lambda: main(pilot).catalogue is not None)
        await pilot.press("A")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"never.tsv", "enter")
        await until(pilot, lambda: main(pilot).jobs.child is not None)
        assert "adding" in text_of(pilot, "title")
        await pilot.press("x")
        await until(pilot, lambda: "Cancelled" in text_of(pilot, "notes"))
        assert [job.state for job in main(pilot).jobs.listed()] == ["cancelled"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Which file"),
        ("--replace", "Which file"),
        ("a.tsv --lable x", "no option --lable"),
        ("a.tsv --name", "--name needs a value"),
        ("a.tsv --limit many", "--limit many"),
        ("'a.tsv", "quote"),
    ],
)
def test_what_is_no_file_or_option_is_refused(typed: str, words: str) -> None:
    with pytest.raises(BertdynError, match=words):
        annotate_request("dev", typed)


def test_what_is_typed_means_what_it_means_on_the_command_line() -> None:
    typed = "~/my\\ topics.tsv topic genre --text=body --limit 5 --name x --replace"
    request = annotate_request("dev", typed)
    assert request == Annotate(
        "dev", os.path.expanduser("~/my topics.tsv"), "body", "topic,genre", name="x", limit=5, replace=True
    )
