"""`bertdyn ablate`: runs, their extraction, and bad input."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from explorer.cli import main
from explorer.demo.recipe import TASKS
from explorer.demo.run import tiny_bert
from store.store import Store
from tests.store.extract import models
from tests.training import Files, files, one_thread

QUICK = ("--max-steps", 2, "--batch-size", 4, "--learning-rate", 1e-3, "--checkpoints", "0")


class Done(NamedTuple):
    """What a command did."""

    code: object
    out: str
    error: str


Run = Callable[..., Done]


@pytest.fixture(scope="module", autouse=True)
def few_threads() -> Iterator[None]:
    """Leave the other cores to other tests."""
    with one_thread():
        yield


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command."""

    def go(*arguments: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        return Done(ended.value.code, *capsys.readouterr())

    return go


@pytest.fixture(scope="module")
def topic(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a task."""
    return files(tmp_path_factory.mktemp("topic"), TASKS[0])


def flags(task: Files, out: Path, *more: object) -> Sequence[object]:
    """Flags of a quick ablation of that task."""
    given = ("--task", "topic", "--train", task.train, "--eval", task.evaluation, "--out", out, "--cpu")
    return (*given, *QUICK, *more)


@pytest.mark.usefixtures("computed_here")
def test_runs_are_trained_and_extracted(run: Run, topic: Files, tmp_path: Path) -> None:
    """A new store, then one that has a base and corpora; variants with fewer layers are comparable there."""
    store, out = tmp_path / "s.bertdyn", tmp_path / "runs"
    done = run("ablate", "freeze", store, *flags(topic, out, "--k", "3", "--reference", tiny_bert()))
    assert done.code == 0, done.error
    assert "freeze-3" in done.out
    labels = [row.split("\t")[1] for row in topic.evaluation.read_text().splitlines()]
    label, count = Counter(labels).most_common(1)[0]
    assert f"majority: {100 * count / len(labels):.1f} % of the labels of" in done.out
    assert f"are '{label}'" in done.out
    assert "dropout in frozen layers on" in done.error
    there = Store.open(store)
    assert {str(c.key) for c in there.checkpoints("topic")} == {
        "pretrained/0/0", "topic+freeze-3/1/0", "topic+freeze-3/1/2",
    }  # fmt: skip
    tuned = [c for c in there.checkpoints("topic") if c.key.task == "topic"]
    assert all(0 <= c.metrics["eval_accuracy"] <= 1 for c in tuned)
    assert {(c.kind, c.k) for c in tuned} == {("freeze", 3)}

    done = run("ablate", "truncate", store, *flags(topic, out, "--k", "2"))
    assert done.code == 0, done.error
    cut = [c for c in there.checkpoints("topic") if c.key.variant == "truncate-2"]
    assert [(c.key.step, c.layers) for c in cut] == [(0, 2), (2, 2)]
    done = run("compute", "js", store, "--task", "topic+truncate-2,topic+freeze-3", "--step", "2")
    assert done.code == 0, done.error
    query = "select variant, list(distinct layer order by layer) from js group by all order by all"
    lines = [line.split(None, 1) for line in run("sql", store, query).out.splitlines()]
    assert lines[2:] == [["freeze-3", "[1, 2, 3, 4, 5, 6]"], ["truncate-2", "[1, 2]"]]
    shown = run("show", "profile", store, "--measure", "js", "--task", "topic+truncate-2,topic+freeze-3", "--step", "2")
    assert shown.code == 0, shown.error
    assert "not computed" not in shown.out
    done = run("compute", "ablation", store, "--task", "topic")
    assert done.code == 0, done.error
    shown = run("show", "profile", store, "--measure", "ablation", "--part", "head", "--format", "csv")
    lines = [line.split(",") for line in shown.out.splitlines()]
    kind, k = (lines[0].index(name) for name in ("line", "k"))
    assert [(line[kind], line[k]) for line in lines[1:]] == [("freeze", "3"), ("truncate", "2")]
    done = run("ablate", "truncate", store, *flags(topic, out, "--k", "2"))
    assert (done.code, "1 there already" in done.error) == (0, True)


def test_a_dry_run_says_how_long_and_writes_nothing(run: Run, topic: Files, tmp_path: Path) -> None:
    store, out = tmp_path / "s.bertdyn", tmp_path / "runs"
    given = flags(topic, out, "--seed", "1,2", "--k", "1-2", "--reference", tiny_bert(), "--dry-run")
    done = run("ablate", "truncate", store, *given)
    assert done.code == 0, done.error
    assert done.out.startswith("4 runs of 2 steps, 8 steps together; 60 training examples, checkpoints at 0, 2")
    assert "about" in done.out
    assert "seconds" in done.out
    assert "frozen" not in done.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("freeze", ("--k", "7"), "--k 7: freeze takes 0 to 6 layers of this model."),
        ("truncate", ("--k", "0-2"), "--k 0: truncate takes 1 to 6 layers of this model."),
        ("reinit", ("--k", "x"), "--k: 'x' is neither a number nor a range such as 100-500."),
        ("freeze", ("--k", "1-"), "--k 1-: the range from 1 has no end."),
        ("scratch", ("--checkpoints", "3"), "--checkpoints 3: the run ends at step 2."),
        ("freeze", ("--task", "a+b"), "--task 'a+b': a name without / and +, and not pretrained."),
        ("freeze", ("--label", "9"), None),
        ("freeze", ("--reference", "nowhere/at/all"), None),
        ("freeze", ("--train", "none.tsv"), "There is no corpus file none.tsv."),
    ],
)
def test_bad_input_is_one_sentence(
    run: Run, topic: Files, tmp_path: Path, kind: str, more: Sequence[str], message: str | None
) -> None:
    done = run("ablate", kind, tmp_path / "s.bertdyn", *flags(topic, tmp_path / "o", "--reference", tiny_bert(), *more))
    assert (done.code, done.out) == (2, "")
    (said,) = done.error.splitlines()
    assert said == f"bertdyn: {message}" if message else said.startswith("bertdyn: ")
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_the_checkpoints(run: Run, topic: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.training.ablation.free_bytes", lambda path: 1000)
    given = flags(topic, tmp_path / "o", "--reference", tiny_bert(), "--k", "1")
    done = run("ablate", "freeze", tmp_path / "s.bertdyn", *given)
    assert (done.code, done.out) == (2, "")
    (said,) = done.error.splitlines()
    assert "has 1 kB free: state fewer --checkpoints" in said
    assert list(tmp_path.iterdir()) == []


def test_a_base_is_needed(run: Run, topic: Files, tmp_path: Path) -> None:
    done = run("ablate", "freeze", tmp_path / "s.bertdyn", *flags(topic, tmp_path / "o"))
    assert done.code == 2
    assert "Name it with --reference" in done.error


def test_layers_that_share_weights_are_refused(run: Run, topic: Files, tmp_path: Path) -> None:
    base = models.save(tmp_path / "albert", "albert", head=False)
    done = run("ablate", "freeze", tmp_path / "s.bertdyn", *flags(topic, tmp_path / "o", "--reference", base))
    assert done.code == 2
    assert "share their weights" in done.error


def test_training_needs_accelerate(run: Run, topic: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    done = run("ablate", "freeze", tmp_path / "s.bertdyn", *flags(topic, tmp_path / "o", "--reference", tiny_bert()))
    assert (done.code, done.out) == (2, "")
    assert done.error == "bertdyn: Training needs the extra 'train': pip install 'bertdyn[train]'.\n"
