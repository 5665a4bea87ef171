"""Names and texts that a terminal would obey: is none of them obeyed, whichever command prints them?"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from explorer.cli import COMMANDS, main
from explorer.commands import check, compute, ls, show, sql
from explorer.commands.streams import put
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.store import Store
from tests.hostile_names import HOSTILE, OBEYED, hostile_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return hostile_store(tmp_path_factory.mktemp("hostile") / "s.bertdyn")


@pytest.fixture(scope="module")
def computed(store: Store) -> Store:
    """The store with values of some measures."""
    with pytest.MonkeyPatch.context() as patch:
        from tests.pools import here

        patch.setattr("explorer.compute.executors.workers_of", lambda scheduler, store: here)
        for measure in ("svcca", "js", "clusters"):
            _harmless(_call(compute, measure, store.path))
    return store


def _call(command: object, *arguments: object) -> Result:
    return CliRunner().invoke(command.command, list(map(str, arguments)), catch_exceptions=False)  # type: ignore[attr-defined]


def _harmless(done: Result) -> None:
    assert done.exit_code == 0, done.output
    assert done.output
    assert OBEYED.search(done.output) is None


@pytest.mark.parametrize("what", [(), ("runs",), ("checkpoints",), ("corpora",), ("results",)])
def test_lists(computed: Store, what: tuple[str, ...]) -> None:
    _harmless(_call(ls, computed.path, *what))


def test_answers_of_sql(computed: Store) -> None:
    _harmless(_call(sql, computed.path, "select * from checkpoints"))
    _harmless(_call(sql, computed.path, f"select task as \"{HOSTILE}\", 'a\x1bb' from svcca"))


@pytest.mark.parametrize("view", VIEWS)
def test_pictures(computed: Store, view: str) -> None:
    measure = VIEWS[view].measure or "svcca"
    done = CliRunner().invoke(show.command, [view, str(computed.path), "--measure", measure], catch_exceptions=True)
    assert OBEYED.search(done.output) is None
    assert done.exit_code == 0 or isinstance(done.exception, BertdynError)


@pytest.mark.parametrize("view", ["curves", "geometry", "example", "store"])
def test_a_picture_in_a_file_is_xml(computed: Store, tmp_path: Path, view: str) -> None:
    path = tmp_path / "view.svg"
    done = _call(show, view, computed.path, "-o", path, *(["--measure", "clusters"] if view == "geometry" else []))
    assert done.exit_code == 0, done.output
    ElementTree.parse(path)
    assert OBEYED.search(path.read_text(encoding="utf-8")) is None


def test_what_check_says(computed: Store) -> None:
    _harmless(_call(check, computed.path))


def test_errors(computed: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["ls", f"/nowhere/{HOSTILE.replace(chr(0), '')}"],
        ["compute", "svcca", str(computed.path), "--task", "absent"],
        ["compute", HOSTILE, str(computed.path)],
        ["sql", str(computed.path), f'select "{HOSTILE}" from runs'],
        ["show", HOSTILE, str(computed.path)],
        ["ls", str(computed.path), f"--{HOSTILE}"],
        [HOSTILE],
        ["corpus", "add", str(computed.path), f"x={HOSTILE}.tsv"],
        ["register", str(computed.path), HOSTILE, "--layout", HOSTILE],
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2, arguments
        captured = capsys.readouterr()
        assert OBEYED.search(captured.out + captured.err) is None, arguments
        assert captured.err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_data_is_harmless_on_a_terminal_and_exact_elsewhere(computed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := _Terminal())
    put(f"{HOSTILE}\n")
    assert OBEYED.search(terminal.getvalue()) is None
    monkeypatch.undo()
    done = _call(sql, computed.path, "select distinct task from checkpoints where task like 'a%'", "--format", "json")
    assert json.loads(done.stdout) == [{"task": HOSTILE}]


def test_every_command_prints_through_one_module() -> None:
    """A bare print() would be a way around ``printable``."""
    folder = Path(sys.modules["explorer.commands"].__path__[0])
    assert len(list(folder.glob("*.py"))) > len(COMMANDS)
    for path in folder.glob("*.py"):
        if path.name != "streams.py":
            text = path.read_text()
            assert "click.echo(" not in text, path
            assert "sys.stdout.write(" not in text, path
            assert " print(" not in text, path
