"""Does a report hold what the store and the explorer know, escape it, and leave foreign files alone?"""

from __future__ import annotations

import csv
import shlex
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from explorer.answers.look import Look
from explorer.claims.registry import CLAIMS
from explorer.commands.report import command as report
from explorer.commands.show import command as show
from explorer.report.folder import ReportFolder
from explorer.report.markdown import escaped, fenced
from explorer.selection import Cells, Selection, ask_store
from explorer.ui.session import Session
from explorer.ui.state import LANDING, State
from explorer.views.base import DrawOptions
from store.errors import BertdynError
from store.store import Store
from tests.hostile_names import OBEYED, hostile_store
from tests.store.results import result
from tests.synthetic import make_store

NAME = "layers <script>alert(1)</script> | `x` *y*"
REMARK = "layer 6 *moves* <b>after</b> the accuracy"
SCRIPT = "a<script>alert('task')</script>"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A task whose name is markup, with made SVCCA values."""
    made = make_store(tmp_path_factory.mktemp("report") / "a.bertdyn", tasks=(SCRIPT,), seeds=("1", "2"))
    asked = ask_store(made, Selection("svcca", "dev"))
    parameters = asked.measure.key(dict(asked.parameters))
    rows = []
    for cell in Cells(asked, made.checkpoints("dev")):
        of, reference = (made.checkpoint("dev", key) for key in cell.pair)
        at = {"layer": cell.layer, "ref_layer": cell.ref_layer, "version": asked.measure.version}
        rows.append(result(of, reference, value=(cell.layer or 0) * cell.step / 200, parameters=parameters, **at))
    made.add_results(rows)
    return made


@pytest.fixture
def kept(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Session:
    """One kept selection."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    session = Session(store.path)
    assert session.keep(NAME, State(measure="svcca", corpus="dev", tasks=(SCRIPT,))) == ""
    return session


@pytest.fixture(scope="module")
def made(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a report with one kept selection."""
    base = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(base / "state"))
        Session(store.path).keep(NAME, State(measure="svcca", corpus="dev", tasks=(SCRIPT,)), REMARK)
        assert "report.md: 1 kept picture, " in written(store, base / "out").output
    return base / "out"


def written(store: Store, folder: Path) -> Result:
    done = CliRunner().invoke(report, [str(store.path), "-o", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


class Page(HTMLParser):
    """Elements of a page in order, and those that are not closed."""

    VOID = ("meta", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.elements: list[str] = []
        self.sources: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_whole_and_names_are_text_in_it(made: Path):
    page = Page((made / "report.html").read_text())
    assert page.opened == []
    assert "script" not in page.elements
    assert NAME in page.texts
    assert SCRIPT in page.texts
    assert page.elements.count("img") == 1
    for claim in CLAIMS:
        assert any(claim.id in text for text in page.texts)


def test_the_overview_lists_the_sentences_of_each_topic(made: Path):
    page = Page((made / "report.html").read_text())
    terms = page.elements[page.elements.index("dl") + 1 :]
    assert (terms[0], terms[1]) == ("dt", "dd")
    blocks = (made / "report.md").read_text().split("\n\n")
    at = blocks.index("## Overview")
    assert blocks[at + 1] == "**What changed**"
    assert blocks[at + 2].startswith(f"- {escaped(SCRIPT)}, seeds 1, 2: most in layer 3")


def test_what_was_written_about_a_kept_selection_stands_under_its_name(made: Path):
    page = Page((made / "report.html").read_text())
    at = page.texts.index(NAME)
    assert next(text for text in page.texts[at + 1 :] if text.strip()) == REMARK
    blocks = (made / "report.md").read_text().split("\n\n")
    assert blocks[blocks.index(f"### {escaped(NAME)}") + 1] == escaped(REMARK)


def test_the_page_needs_no_network(made: Path):
    page = Page((made / "report.html").read_text())
    for source in page.sources:
        assert source.startswith(("#", "data:image/png;base64,")) or (made / source).is_file()


def test_the_commands_make_figure_and_numbers_again(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    lines = [line for line in (made / "report.md").read_text().splitlines() if line.startswith("bertdyn show")]
    assert len(lines) == 2
    for line in lines:
        done = CliRunner().invoke(show, shlex.split(line)[2:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".csv"}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (made / path.name).read_bytes()


def test_a_kept_selection_has_the_picture_that_was_shown(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # pictures as text are quicker
    session, asked = Session(store.path), State(measure="svcca", corpus="dev", tasks=(SCRIPT,))
    step = sorted({c.key.step for c in store.checkpoints("dev")})[1]
    by_seed = replace(asked, mode="profile", variants=(("profile", 1),)).pointing_at("step", step)
    of_layer = replace(asked, mode="curves", variants=(("curves", 1),), look=Look(layer=2))
    of_layer = replace(of_layer, options=DrawOptions(scale="percent"))
    in_cells = replace(asked, mode="heat", digits=("heat",))
    for name, state in (("a", in_cells), ("b", by_seed), ("c", of_layer), ("d", LANDING)):
        session.keep(name, replace(state, corpus="dev", tasks=(SCRIPT,)))
    written(store, tmp_path / "out")
    text = (tmp_path / "out" / "report.md").read_text()
    assert f"step {step:,}, one line per seed" in text
    assert "layer 2, one line per seed" in text
    lines = [line for line in text.splitlines() if line.startswith("bertdyn show")]
    assert [shlex.split(line)[2] for line in lines] == [
        "heat",
        "heat",
        "profile",
        "profile",
        "curves",
        "curves",
        "overview",
    ]
    assert [sum(flag in line for line in lines) for flag in ("--scale percent", "--scale", "--digits")] == [2, 2, 2]
    assert "% of the final value" in text
    monkeypatch.chdir(tmp_path)
    for line in lines:
        if line.endswith(".csv"):
            CliRunner().invoke(show, shlex.split(line)[2:], catch_exceptions=False)
    for path in (tmp_path / "out").glob("kept-*.csv"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_digests_are_those_of_the_store(store: Store, made: Path):
    with (made / "inputs.csv").open() as file:
        rows = list(csv.DictReader(file))
    there = {(*map(str, c.key), kind): digest for c in store.checkpoints() for kind, digest in c.digests.items()}
    assert {(r["task"], r["variant"], r["seed"], r["step"], r["kind"]): r["digest"] for r in rows} == there
    assert store.corpora()[0].fingerprint in (made / "report.html").read_text()


def test_without_matplotlib_pictures_are_text(
    store: Store, kept: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = written(store, tmp_path / "out")
    text = (tmp_path / "out" / "report.md").read_text()
    assert "bertdyn[plots]" in done.stderr
    assert "SVCCA distance" in text.partition("```text")[2]
    assert not list((tmp_path / "out").glob("*.png"))
    written(store, tmp_path / "out")  # the name of a figure that was not written is none of a foreign file


def test_a_report_is_replaced_and_old_pictures_go(
    store: Store, kept: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # pictures as text are quicker
    folder = tmp_path / "out"
    written(store, folder)
    assert list(folder.glob("kept-*"))
    kept.drop(NAME)
    written(store, folder)
    assert not list(folder.glob("kept-*"))
    assert "No selection is kept" in (folder / "report.md").read_text()


@pytest.mark.parametrize("foreign", ["notes.txt", "report.md", "report.json"])
def test_a_folder_with_a_foreign_file_is_refused(store: Store, kept: Session, tmp_path: Path, foreign: str):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / foreign).write_text("mine")
    with pytest.raises(BertdynError, match=foreign):
        CliRunner().invoke(report, [str(store.path), "-o", str(folder)], catch_exceptions=False)
    assert [path.name for path in folder.iterdir()] == [foreign]
    assert (folder / foreign).read_text() == "mine"


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BertdynError, match="is a file"):
        ReportFolder(tmp_path / "file")


def test_a_manifest_cannot_name_files_elsewhere(tmp_path: Path):
    folder, other = tmp_path / "out", tmp_path / "other"
    folder.mkdir()
    other.write_text("mine")
    (folder / "report.json").write_text('{"files": ["../other", "report.md"]}')
    begun = ReportFolder(folder)
    begun.finish()
    assert other.read_text() == "mine"


def test_nothing_that_a_terminal_obeys_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    written(hostile_store(tmp_path / "h.bertdyn"), tmp_path / "out")
    for name in ("report.md", "report.html"):
        assert not OBEYED.search((tmp_path / "out" / name).read_text())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a|b", r"a\|b"), ("<b>", "&lt;b&gt;"), ("*x* _y_", r"\*x\* \_y\_"), ("a\nb", "a b"), ("[l](u)", r"\[l\](u)")],
)
def test_markdown_is_escaped(text: str, expected: str):
    assert escaped(text) == expected


def test_a_fence_is_longer_than_any_row_of_backticks():
    assert fenced(["a ```` b"]).splitlines()[0] == "`````sh"
