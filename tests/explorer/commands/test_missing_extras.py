"""What is said, and with which exit code, where a package of an extra is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from store.store import Store
from tests.store.extract import models
from tests.store.models.test_adapters import files
from tests.synthetic import Copied, make_store


def without(package: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that cannot import a package."""
    code = f"import sys; sys.modules[{package!r}] = None; from explorer.cli import main; main(sys.argv[1:])"
    call = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, timeout=240)


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(make_store, tmp_path / "s.bertdyn")


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The refusal: all that is said."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    return said


def test_computing_on_a_cluster_needs_distributed(store: Store) -> None:
    done = without("distributed", "compute", "js", store.path, "--scheduler", "tcp://127.0.0.1:9")
    assert sentence(done) == (
        "bertdyn: --scheduler needs dask.distributed, which is not installed: pip install 'bertdyn[cluster]'."
    )
    assert store.results() == []


def test_extracting_on_a_cluster_needs_distributed(tmp_path: Path) -> None:
    models.save(tmp_path / "base", head=False)
    corpus = models.corpus_file(tmp_path)
    done = without(
        *(
            "distributed",
            "extract",
            tmp_path / "x.bertdyn",
            models.runs(tmp_path / "runs"),
            "--reference",
            tmp_path / "base",
        ),
        *("--corpus", f"dev={corpus}", "--scheduler", "tcp://127.0.0.1:9"),
    )
    assert "pip install 'bertdyn[cluster]'" in sentence(done)


def test_an_adapter_needs_peft(tmp_path: Path) -> None:
    """Exit code 1 where other checkpoints are extracted all the same, 2 where nothing can be."""
    models.save(tmp_path / "base", head=False)
    folder = tmp_path / "runs" / "sst2" / "seed-1" / "checkpoint-5"
    folder.parent.mkdir(parents=True)
    files(folder)
    corpus = f"dev={models.corpus_file(tmp_path)}"
    needs = "needs the extra 'adapters': pip install 'bertdyn[adapters]'."
    among = without(
        *("peft", "extract", tmp_path / "x.bertdyn", tmp_path / "runs", "--reference", tmp_path / "base"),
        *("--corpus", corpus),
    )
    assert among.returncode == 1, (among.stdout, among.stderr)
    assert needs in among.stderr
    alone = without("peft", "extract", tmp_path / "y.bertdyn", "--reference", folder, "--corpus", corpus)
    assert alone.returncode == 2, (alone.stdout, alone.stderr)
    assert needs in alone.stderr


def test_a_figure_needs_matplotlib(store: Store, tmp_path: Path) -> None:
    done = without("matplotlib", "show", "store", store.path, "-o", tmp_path / "x.pdf")
    assert sentence(done).endswith("which is not installed: pip install 'bertdyn[plots]'.")
