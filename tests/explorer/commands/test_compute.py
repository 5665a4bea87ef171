"""Does `bertdyn compute` print what was asked, keep what it computed, and say clearly what it cannot do?"""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from explorer.cli import main
from explorer.compute.plan import coverage
from explorer.measures.registry import get
from explorer.selection import Selection, ask_store
from store.keys import CheckpointKey
from store.store import Store
from tests.oracle import svcca_distance
from tests.synthetic import make_store, sample_corpus

ROOT = Path(__file__).resolve().parents[3]
# As the installed script does it. With -m, CPython ends by SIGINT and forgets the exit code where a signal came while a
# text was executed, as dataclasses do when a module is imported.
BERTDYN = [sys.executable, "-c", "from explorer.cli import main; main()"]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def bertdyn(*arguments: object) -> Done:
    """The command line's own entry, in this process (its workers are children all the same)."""
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as errors,
        pytest.raises(SystemExit) as end,
    ):
        main([str(a) for a in arguments])
    return Done(int(end.value.code or 0), out.getvalue(), errors.getvalue())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    corpora = [sample_corpus("dev"), sample_corpus("bare", labels=(), examples=20, seed=1)]
    return make_store(
        tmp_path_factory.mktemp("compute") / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 40), corpora=corpora
    )


def test_json_rows_carry_all_that_defines_a_value(store: Store) -> None:
    done = bertdyn("compute", "svcca", store.path, "--corpus", "dev", "--step", "40", "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["layer"] for row in rows] == [0, 1, 2, 3]
    wanted = {"measure", "corpus", "task", "seed", "step", "layer", "head", "ref_task", "ref_seed", "ref_step", "value",
              "unit", "n", "parameters", "statistic", "label_a", "label_b", "reason", "details"}  # fmt: skip
    assert wanted <= set(rows[0])
    assert (rows[0]["task"], rows[0]["ref_task"], rows[0]["n"]) == (
        "sst2",
        "pretrained",
        store.corpus("dev").info.tokens,
    )
    assert rows[0]["parameters"] == dict(get("svcca").settle({}))
    key, reference = CheckpointKey.plain("sst2", "1", 40), CheckpointKey.plain("pretrained", "0", 0)
    x, y = store.hidden("dev", key, 3), store.hidden("dev", reference, 3)
    assert rows[3]["value"] == pytest.approx(svcca_distance(x, y), abs=1e-6)


@pytest.mark.usefixtures("computed_here")
def test_the_second_time_values_are_read_back(store: Store) -> None:
    command = ("compute", "js", store.path, "--corpus", "dev", "--format", "csv")
    first, second = bertdyn(*command), bertdyn(*command)
    assert "6 computed, 0 read back" in first.stderr
    assert "0 computed, 6 read back" in second.stderr
    assert first.stdout == second.stdout
    assert len(list(csv.DictReader(io.StringIO(first.stdout)))) == 6


@pytest.mark.usefixtures("computed_here")
def test_heads_are_listed_on_request_and_their_mean_is_the_layer(store: Store) -> None:
    command = ("compute", "js", store.path, "--corpus", "dev", "--layer", "3", "--step", "40", "--format", "json")
    layers, heads = json.loads(bertdyn(*command).stdout), json.loads(bertdyn(*command, "--by", "head").stdout)
    assert [row["head"] for row in layers] == [None]
    assert [row["head"] for row in heads] == [1, 2]
    assert layers[0]["value"] == pytest.approx(np.mean([row["value"] for row in heads]), rel=1e-9)


@pytest.mark.usefixtures("computed_here")
def test_a_table_for_people_leaves_out_empty_columns_and_says_a_warning_once(store: Store) -> None:
    done = bertdyn("compute", "clusters", store.path, "--layer", "3")
    assert done.returncode == 0, done.stderr
    header = done.stdout.splitlines()[0].split()
    assert "label_a" in header
    assert "ref_task" not in header
    assert "details" not in header
    done = bertdyn("compute", "svcca", store.path, "--tokens", "cls", "--corpus", "dev")
    notes = [line for line in done.stderr.splitlines() if line.startswith("note:")]
    assert len(notes) <= 1
    assert "\x1b" not in done.stderr + done.stdout


@pytest.mark.usefixtures("computed_here")
def test_rows_go_to_a_file_in_the_format_of_its_name(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "rows.parquet"
    done = bertdyn("compute", "svcca", store.path, "--corpus", "dev", "--layer", "1", "-o", target)
    assert (done.returncode, done.stdout) == (0, "")
    rows = duckdb.connect().execute(f"select step, layer, value from '{target}' order by step").fetchall()
    assert [row[:2] for row in rows] == [(0, 1), (40, 1)]


@pytest.mark.usefixtures("computed_here")
def test_a_device_that_is_not_there_is_refused_even_if_all_is_read_back(store: Store) -> None:
    asked = ("compute", "svcca", store.path, "--corpus", "dev", "--layer", "2")
    assert bertdyn(*asked).returncode == 0
    done = bertdyn(*asked, "--device", "tpu")
    assert (done.returncode, done.stdout) == (2, "")
    assert "torch cannot use 'tpu' here" in done.stderr


@pytest.mark.usefixtures("computed_here")
def test_without_a_corpus_every_corpus_is_computed(store: Store) -> None:
    done = bertdyn("compute", "svcca", store.path, "--layer", "1", "--step", "40", "--format", "json")
    assert {row["corpus"] for row in json.loads(done.stdout)} == {"dev", "bare"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["svcca", "-o", "heads.tsv"], "'.tsv' files are not written; choose what to write with --format: table, "),
        (["svca"], "There is no measure 'svca', only svcca, "),
        (["svcca", "--corpus", "tset"], "the store has no 'tset', only bare, dev"),
        (["svcca", "--task", "ner"], "--task: the store has no 'ner'"),
        (["svcca", "--step", "7"], "The selection matches no checkpoint of corpus 'bare'"),
        (["svcca", "--step", "a"], "--step: 'a' is neither a number nor a range"),
        (["js", "--layer", "0"], "--layer: 0 matches none of the layers that js reads, 1 to 3"),
        (["svcca", "--against", "seed:9"], "Nothing to compare"),
        (["clusters", "--corpus", "bare"], "clusters needs labels, but corpus 'bare' has none"),
        (["clusters", "--against", "first"], "--against has no meaning for it"),
        (["svcca", "--variance", "7"], "variance: 7.0 is outside"),
        (["svcca", "--tokens", "odd"], "tokens: 'odd' is not one of"),
        (["js", "--tokens", "all"], "js has no parameter 'tokens'"),
        (["svcca", "--by", "head"], "--by head has no meaning for it"),
        (["svcca", "--format", "parquet"], "name a file with -o FILE"),
        (["svcca", "--device", "cuda:77", "--variance", "0.7"], "torch cannot use 'cuda:77' here"),
        (["svcca", "--task", ""], "--task '' names nothing"),
        (["svcca", "--seed", " , "], "--seed ' , ' names nothing"),
        (["svcca", "--corpus", ","], "--corpus ',' names nothing"),
        (["clusters", "--annotation", ""], "--annotation '' names nothing"),
        (["svcca", "--against-layer", "99"], "--against-layer: 99 matches none of the layers that svcca reads, 0 to 3"),
        (["svcca", "--layer", "1", "--against-layer", "99"], "--against-layer: 99 matches none"),
        (["svcca", "--layer", "99", "--against-layer", "all"], "--layer: 99 matches none"),
    ],
)
def test_bad_input_is_one_sentence_with_exit_code_2_and_changes_nothing(
    store: Store, arguments: list[str], said: str
) -> None:
    before = set(store.results())
    done = bertdyn("compute", arguments[0], store.path, *arguments[1:])
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert set(store.results()) == before


def heard() -> None:
    """A suite that a shell runs in the background has Ctrl-C ignored, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_keeps_what_was_finished(tmp_path: Path) -> None:
    store = make_store(
        tmp_path / "s.bertdyn",
        tasks=("sst2",),
        seeds=("1",),
        steps=range(0, 240, 20),
        corpora=[sample_corpus(examples=120)],
        width=400,
    )
    command = [*BERTDYN, "compute", "svcca", str(store.path), "--workers", "1"]
    fragments = len(list(store.path.glob("tables/results/*.parquet")))
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        preexec_fn=heard,
    ) as process:
        deadline = time.monotonic() + 120
        while len(list(store.path.glob("tables/results/*.parquet"))) == fragments and time.monotonic() < deadline:
            time.sleep(0.02)
        assert os.getpgid(process.pid) == process.pid  # its own group, as under a shell
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the children get it too
        out, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in errors
    kept = len(store.results())
    assert 0 < kept < 48
    assert f"{kept} computed, 0 read back, interrupted with {48 - kept} to go" in errors
    assert coverage(store, ask_store(store, Selection("svcca", "dev"))).known == kept


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1]
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_sigterm_is_answered_like_ctrl_c(store: Store) -> None:
    command = [*BERTDYN, "compute", "svcca", str(store.path), "--variance", "0.6"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not catches(process.pid, signal.SIGTERM):
            time.sleep(0.01)
        time.sleep(0.3)  # anywhere in its work
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors
    assert process.returncode in (0, 130)
