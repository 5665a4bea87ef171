"""`bertdyn extract` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from explorer.cli import main
from explorer.commands.extract import command
from store.extract.find import DEFAULT_LAYOUT
from store.keys import CheckpointKey
from store.store import Store
from tests.store.extract import models


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("world")
    models.runs(place / "runs")
    models.save(place / "base", head=False, seed=99)
    models.corpus_file(place)
    return place


def bertdyn(capfd: pytest.CaptureFixture[str], *arguments: object, command: str = "extract") -> tuple[int, str, str]:
    capfd.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main([command, *map(str, arguments)])
    out, err = capfd.readouterr()
    return int(stopped.value.code or 0), out, err


def test_plan_before_and_table_after_and_nothing_else(
    world: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "x.bertdyn"
    given = (place, world / "runs", "--reference", world / "base", "--corpus", f"dev={world / 'dev.tsv'}")
    code, out, err = bertdyn(capfd, *given)
    assert code == 0
    info = Store.open(place).corpus("dev").info
    assert err.splitlines()[0] == (f"corpus dev: 7 sentences (column sentence, no header), {info.tokens} tokens")
    assert err.splitlines()[1] == "  2 labels of 7 sentences in label: 0, 1"
    threads = torch.get_num_threads()
    where = f"cpu with {threads} thread{'s' if threads > 1 else ''}"
    assert f"3 checkpoints to extract on {where}: {3 * info.tokens} tokens, at most " in err
    run = world / "runs" / "sst" / "seed-1"
    assert err.splitlines()[3:] == [
        f"  {world / 'base'} is the reference",
        f"  {run / 'checkpoint-0'} is task sst, seed 1, step 0",
        f"  {run / 'checkpoint-10'} is task sst, seed 1, step 10",
        "note: pretrained/0/0 has no logits: BertModel has no classifier of sequences, tokens or spans",
    ]
    rows = [line.split() for line in out.splitlines()]
    assert ["dev", "sst", "1", "2", "0", "0", "0", "0,10"] in rows
    assert ["dev", "pretrained", "0", "1", "0", "0", "0", "0"] in rows
    code, out, err = bertdyn(capfd, *given)
    assert code == 0
    assert "nothing to extract" in err
    assert "3 there already" in err
    assert ["dev", "sst", "1", "0", "0", "2", "0"] in [line.split() for line in out.splitlines()]


def test_some_failures_exit_with_1_and_say_why(world: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    models.runs(tmp_path / "runs")
    os.truncate(tmp_path / "runs/sst/seed-1/checkpoint-10/model.safetensors", 500)
    code, out, err = bertdyn(capfd, tmp_path / "x.bertdyn", tmp_path / "runs", "--corpus", f"dev={world / 'dev.tsv'}")
    assert code == 1
    assert "failed: sst/1/10: " in err
    assert "is truncated" in err
    assert "(any)" in out


def variants(folder: Path, template: str) -> Path:
    """A plain run and one of the variant ``freeze-6``, of steps 0 and 10, where a template says."""
    for variant, seed in (("", 0), ("freeze-6", 50)):
        for step in (0, 10):
            names = {"variant": variant or "plain", "recipe": f"sst+{variant}" if variant else "sst"}
            models.save(folder / template.format(step=step, **names), seed=seed + step)
    return folder


@pytest.mark.parametrize(
    ("template", "layout"),
    [
        ("sst/{variant}/seed-1/checkpoint-{step}", "{task}/{variant}/seed-{seed}/checkpoint-{step}"),
        ("{recipe}/seed-1/checkpoint-{step}", ""),
    ],
    ids=["a folder of its own", "in the task's name"],
)
def test_variants_are_read_from_paths_stored_and_compared_with_plain_runs(
    world: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], template: str, layout: str
) -> None:
    place = tmp_path / "x.bertdyn"
    runs = variants(tmp_path / "runs", template)
    given = (place, runs, "--corpus", f"dev={world / 'dev.tsv'}", *(["--layout", layout] if layout else []))
    code, out, _ = bertdyn(capfd, *given)
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    for recipe in ("sst", "sst+freeze-6"):
        assert ["dev", recipe, "1", "2", "0", "0", "0", "0,10"] in rows
    there = [c.key for c in Store.open(place).checkpoints("dev")]
    assert sorted(there) == [CheckpointKey("sst", v, "1", step) for v in ("", "freeze-6") for step in (0, 10)]
    flags = ("--against", "plain", "--layer", "3", "--format", "json")
    code, out, _ = bertdyn(capfd, "svcca", place, *flags, command="compute")
    assert code == 0
    found = json.loads(out)
    assert [(r["variant"], r["step"], r["ref_variant"], r["ref_step"]) for r in found] == [
        ("freeze-6", 0, "", 0),
        ("freeze-6", 10, "", 10),
    ]
    assert all(r["value"] > 0.01 for r in found)
    code, _, err = bertdyn(capfd, *given)
    assert code == 0
    assert "4 there already" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus", "dev"], "write NAME=FILE"),
        (["--corpus", "dev={dev}", "--corpus", "dev={dev}"], "--corpus dev: named twice"),
        (["--corpus", "dev=nothing.tsv"], "There is no corpus file nothing.tsv"),
        (["--corpus", "dev={dev}", "--dtype", "bfloat16"], "float16"),
        (["--corpus", "dev={dev}", "--limit", "0"], "--limit"),
        (["--corpus", "dev={dev}", "nowhere"], "no folder nowhere"),
        ([], "--corpus"),
    ],
)
def test_bad_input_exits_with_2_and_one_sentence(
    world: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = [a.replace("{dev}", str(world / "dev.tsv")) for a in arguments]
    code, out, err = bertdyn(capfd, tmp_path / "x.bertdyn", world / "runs", *given)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "x.bertdyn").exists()


def test_help_has_an_example_and_the_layout_that_is_used(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = bertdyn(capfd, "--help")
    assert code == 0
    assert "bertdyn extract runs.bertdyn runs/ --reference" in out
    (layout,) = [p for p in command.params if p.name == "layout"]
    assert layout.default == DEFAULT_LAYOUT


@pytest.mark.on_demand
def test_an_extraction_starts_few_threads(tmp_path: Path) -> None:
    """Arithmetic, tokenizers, loading, Zarr and writing take up to one per core each; eight wait for the disk, and some
    keep time or wait. NumPy took one more per core, and each connection of DuckDB eight more."""
    models.runs(tmp_path / "runs")
    file = models.corpus_file(tmp_path)
    counted = """
import os, sys, threading, time
most = 0
def watch():
    global most
    while True:
        most = max(most, len(os.listdir("/proc/self/task")))
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
from explorer.cli import main
try:
    main(sys.argv[1:])
finally:
    print(most - 1)
"""
    call = [sys.executable, "-c", counted, "extract", tmp_path / "s.bertdyn", tmp_path / "runs"]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [*call, "--corpus", f"dev={file}"], env={**environment, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout.split()[-1]) <= 5 * (os.cpu_count() or 1) + 16
