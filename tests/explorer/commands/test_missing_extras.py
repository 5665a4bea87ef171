"""What is said, and with which exit code, where a package of an extra is not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from explorer.cli import main
from store.store import Store
from tests.store.extract import models
from tests.store.models.test_adapters import files
from tests.synthetic import Copied, make_store


class Done(NamedTuple):
    """What a command did."""

    code: object
    out: str
    error: str


Without = Callable[..., Done]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Without:
    """Runs a command while a package cannot be imported."""

    def run(package: str, *arguments: object) -> Done:
        monkeypatch.setitem(sys.modules, package, None)
        capsys.readouterr()  # what making the input printed
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        return Done(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(make_store, tmp_path / "s.bertdyn")


def sentence(done: Done) -> str:
    """The refusal: all that is said."""
    assert (done.code, done.out) == (2, ""), done.error
    (said,) = done.error.splitlines()
    return said


def test_computing_on_a_cluster_needs_distributed(without: Without, store: Store) -> None:
    done = without("distributed", "compute", "js", store.path, "--scheduler", "tcp://127.0.0.1:9")
    assert sentence(done) == (
        "bertdyn: --scheduler needs dask.distributed, which is not installed: pip install 'bertdyn[cluster]'."
    )
    assert store.results() == []


def test_extracting_on_a_cluster_needs_distributed(without: Without, tmp_path: Path) -> None:
    models.save(tmp_path / "base", head=False)
    corpus = models.corpus_file(tmp_path)
    done = without(
        *("distributed", "extract", tmp_path / "x.bertdyn", models.runs(tmp_path / "runs")),
        *("--reference", tmp_path / "base"),
        *("--corpus", f"dev={corpus}", "--scheduler", "tcp://127.0.0.1:9"),
    )
    assert "pip install 'bertdyn[cluster]'" in sentence(done)


def test_an_adapter_needs_peft(without: Without, tmp_path: Path) -> None:
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
    assert among.code == 1, (among.out, among.error)
    assert needs in among.error
    alone = without("peft", "extract", tmp_path / "y.bertdyn", "--reference", folder, "--corpus", corpus)
    assert alone.code == 2, (alone.out, alone.error)
    assert needs in alone.error


def test_a_figure_needs_matplotlib(without: Without, store: Store, tmp_path: Path) -> None:
    done = without("matplotlib", "show", "store", store.path, "-o", tmp_path / "x.pdf")
    assert sentence(done).endswith("which is not installed: pip install 'bertdyn[plots]'.")


def test_a_data_set_needs_datasets(without: Without, store: Store, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    for given in ("hf:glue/sst2:validation", tmp_path):
        done = without("datasets", "corpus", "add", store.path, f"x={given}")
        assert sentence(done) == f"bertdyn: {given} needs the extra 'datasets': pip install 'bertdyn[datasets]'."
