"""Progress bars with names that are markup to rich, or that a terminal would obey: neither crashes nor is obeyed."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from explorer.cli import main
from store.store import Store
from tests.hostile_names import BIDI, CLIPBOARD
from tests.pools import here
from tests.store.extract import models
from tests.synthetic import make_store, sample_corpus

MARKUP = "[x]"
"""A folder cannot be named ``[/x]``."""
CLOSING = "[/x]"
"""Ends a style that was never begun: rich raises an error."""
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        """What was written, without colours and movements of the cursor."""
        return COLOURS.sub("", self.getvalue())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "400")
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def run(terminal: Terminal, *arguments: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, arguments)))
    assert not ended.value.code


@pytest.mark.parametrize("corpus", [CLOSING, f"a{CLIPBOARD}{BIDI}b"], ids=["markup", "escapes"])
def test_a_computation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: Terminal, corpus: str) -> None:
    path = tmp_path / "s.bertdyn"
    make_store(path, tasks=(MARKUP + CLOSING,), seeds=("1",), steps=(0, 20), corpora=[sample_corpus(corpus)])
    monkeypatch.setattr("explorer.compute.executors.workers_of", lambda scheduler, store: here)
    run(terminal, "compute", "svcca", path, "--step", "20", "--device", "cpu")
    if corpus == CLOSING:
        assert f"svcca on corpus '{CLOSING}'" in terminal.shown
        assert f"{MARKUP}{CLOSING}/1/20" in terminal.shown
    assert not set(terminal.shown) & set(f"\x1b\x07{BIDI[0]}")


def test_an_extraction(tmp_path: Path, terminal: Terminal) -> None:
    models.runs(tmp_path / "runs", steps=(0,))
    (tmp_path / "runs" / "sst").rename(tmp_path / "runs" / MARKUP)
    file = models.corpus_file(tmp_path)
    place = (tmp_path / "s.bertdyn", tmp_path / "runs")
    run(terminal, "extract", *place, "--corpus", f"{MARKUP}={file}", "--device", "cpu")
    assert [one.key.task for one in Store.open(tmp_path / "s.bertdyn").checkpoints()] == [MARKUP]
    assert f"corpus {MARKUP}: 7 sentences" in terminal.shown
    assert f"checkpoint 1 of 1: {MARKUP}/1/0" in terminal.shown


def test_no_bar_takes_its_text_for_markup() -> None:
    folder = Path(sys.modules["explorer.commands"].__path__[0])
    columns = [
        line for path in folder.glob("*.py") for line in path.read_text().splitlines() if "task.description" in line
    ]
    assert len(columns) > 2
    assert not [line for line in columns if "markup=False" not in line]
