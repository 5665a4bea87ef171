"""Does the job behave as the program that starts it must be able to rely on?"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from explorer.compute import job as program
from explorer.compute.job import throttled
from explorer.compute.plan import LARGEST_TASK
from explorer.compute.protocol import Message, Outcome, Refused, Update, read_message
from explorer.compute.requests import Annotate, Compute, request_line
from explorer.selection import Against, Ranges, Selection
from store.rows import RowQuery, rows_of
from store.store import Store
from tests.synthetic import make_store, sample_corpus

ROOT = Path(__file__).resolve().parents[3]


def start(store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "explorer.compute.job", str(store)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ask(store: Path, request: str) -> tuple[list[Message], int, str]:
    with start(store) as job:
        out, errors = job.communicate(request + "\n", timeout=120)
    return [read_message(line) for line in out.splitlines()], job.returncode, errors


def others_in_session(pid: int) -> list[int]:
    """Processes of the session that ``pid`` leads, itself left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != pid:
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def alone(pid: int, patience: float = 60) -> bool:
    """Whether nobody else of its session is left, soon after it ended (loky's tracker follows)."""
    deadline = time.monotonic() + patience
    while others_in_session(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Wide enough, and checkpoints enough, that the first task's end is not the last one's."""
    path = tmp_path_factory.mktemp("job") / "s.bertdyn"
    return make_store(
        path, tasks=("sst2",), seeds=("1",), steps=range(0, 480, 20), corpora=[sample_corpus(examples=100)], width=320
    )


class TestAnswers:
    def test_everything_computed(self, store: Store) -> None:
        selection = Selection("js", "dev", steps=Ranges.parse("20,40", "steps"), against=Against("pretrained"))
        messages, code, errors = ask(store.path, request_line(Compute(selection)))
        assert messages[0] == Update(0, 6, 0, "")
        assert messages[-2].done == messages[-2].total == 6  # type: ignore[union-attr]
        assert messages[-1] == Outcome(6, 0)
        assert (code, errors) == (0, "")
        assert len(store.results(RowQuery(rows_of("js")))) == 6 * 3
        again, code, _ = ask(store.path, request_line(Compute(selection)))
        assert again == [Update(0, 0, 6, ""), Outcome(0, 6)]
        assert code == 0

    def test_labels_are_added_annotation_by_annotation(self, store: Store, tmp_path: Path) -> None:
        texts = [text for (text,) in store.corpus("dev").texts]
        rows = [f"{text}\t{'ab'[n % 2]}\t{n % 3}" for n, text in enumerate(texts)]
        (tmp_path / "x.tsv").write_text("\n".join(["text\tletter\tdigit", *rows]))
        request = request_line(Annotate("dev", str(tmp_path / "x.tsv"), label="letter,digit"))
        messages, code, errors = ask(store.path, request)
        letters, digits = "2 labels of 100 sentences in letter: a, b", "3 labels of 100 sentences in digit: 0, 1, 2"
        assert messages[0] == Update(0, 2, 0, "")
        assert messages[-2] == Update(2, 2, 0, "digit")
        assert messages[-1] == Outcome(2, 0, said=(f"added: {letters}", f"added: {digits}"))
        assert (code, errors) == (0, "")
        assert ask(store.path, request)[0][-1].known == 2  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        "request_",
        ["", "hello", request_line(Compute(Selection("svcca", "tset"))), request_line(Annotate("tset", "none.tsv"))],
    )
    def test_a_request_that_makes_no_sense_is_refused_in_words(self, store: Store, request_: str) -> None:
        messages, code, errors = ask(store.path, request_)
        assert [type(m) for m in messages] == [Refused]
        assert (code, errors) == (2, "")

    def test_no_such_store_is_refused_in_words(self, tmp_path: Path) -> None:
        messages, code, _ = ask(tmp_path / "absent", request_line(Compute(Selection("svcca", "dev"))))
        assert isinstance(messages[0], Refused)
        assert "absent" in messages[0].message
        assert code == 2


class TestCancel:
    def test_sigterm_keeps_what_was_finished_and_leaves_no_child(self, store: Store) -> None:
        selection = Selection("svcca", "dev")
        with start(store.path) as job:
            assert job.stdin is not None
            assert job.stdout is not None
            print(request_line(Compute(selection, workers=1)), file=job.stdin, flush=True)
            for line in job.stdout:
                message = read_message(line)
                assert isinstance(message, Update)
                if message.done > LARGEST_TASK:  # a task is over, and not only cells of one
                    break
            assert others_in_session(job.pid)
            os.kill(job.pid, signal.SIGTERM)
            out, errors = job.communicate(timeout=120)
        outcome = read_message(out.splitlines()[-1])
        assert isinstance(outcome, Outcome)
        assert outcome.cancelled
        assert (job.returncode, errors) == (143, "")
        assert alone(job.pid)
        assert 0 < outcome.computed == len(store.results(RowQuery(rows_of("svcca")))) < 96

    def test_when_nobody_reads_any_more_it_stops(self, store: Store) -> None:
        selection = Selection("svcca", "dev", parameters=(("variance", 0.9),))
        with start(store.path) as job:
            assert job.stdin is not None
            assert job.stdout is not None
            print(request_line(Compute(selection, workers=1)), file=job.stdin, flush=True)
            job.stdout.readline()
            job.stdout.close()
            assert job.wait(timeout=60) == 143
        assert alone(job.pid)

    def test_a_job_that_is_killed_takes_its_children_with_it(self, store: Store) -> None:
        selection = Selection("svcca", "dev", parameters=(("variance", 0.8),))
        with start(store.path) as job:
            assert job.stdin is not None
            assert job.stdout is not None
            print(request_line(Compute(selection, workers=1)), file=job.stdin, flush=True)
            for line in job.stdout:
                if read_message(line).done:  # type: ignore[union-attr]
                    break
            assert others_in_session(job.pid)
            os.kill(job.pid, signal.SIGKILL)
        assert alone(job.pid)


def test_too_little_memory_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(line: str) -> None:
        raise MemoryError

    monkeypatch.setattr(program, "read_request", failing)
    monkeypatch.setattr(os, "nice", lambda more: 0)
    monkeypatch.setattr(sys, "stdin", io.StringIO("{}\n"))
    assert program.main([str(tmp_path)]) == 2
    (line,) = capsys.readouterr().out.splitlines()
    told = read_message(line)
    assert isinstance(told, Refused)
    assert told.message.startswith("Memory did not suffice (MemoryError). ")


def test_updates_come_at_most_four_times_a_second_but_the_first_and_the_last_always() -> None:
    said: list[Update] = []
    say = throttled(said.append)
    start_time = time.monotonic()
    for done in range(2001):
        say(Update(done, 2000, 0, ""))
    allowed = 2 + (time.monotonic() - start_time) / 0.25
    assert said[0].done == 0
    assert said[-1].done == 2000
    assert len(said) <= allowed
