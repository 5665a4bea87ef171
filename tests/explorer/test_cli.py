"""Does the command line answer as a user expects, with exit codes that scripts can use?"""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from explorer.cli import main, tui
from store.store import Store


def bertdyn(*arguments: str, code: str = "from explorer.cli import main; main()") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)


def test_help_lists_every_command_without_loading_arrays():
    code = (
        "import sys\nfrom explorer.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'numpy','zarr','duckdb','torch','textual'} & set(sys.modules)), file=sys.stderr)"
    )
    done = bertdyn("--help", code=code)
    assert done.returncode == 0
    for name in ("extract", "compute", "show", "ls", "sql", "check", "measures", "demo"):
        assert f"\n  {name} " in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("command", ["extract", "compute", "show", "ls", "sql", "check", "measures", "demo"])
def test_each_command_has_help_with_an_example(command):
    done = bertdyn(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"bertdyn {command}" in done.stdout.replace("Usage: bertdyn", "")


@pytest.mark.parametrize("asked", [None, "ACTIVE"])
@pytest.mark.parametrize("entry", ["main", "tui"])
def test_threads_that_wait_sleep_unless_the_user_says_otherwise(monkeypatch, entry, asked):
    """Spinning threads made an extraction beside other processes 2.5 to 3.5 times slower."""
    monkeypatch.delenv("OMP_WAIT_POLICY")
    if asked:
        monkeypatch.setenv("OMP_WAIT_POLICY", asked)
    code = (
        "import os, sys\nfrom explorer.cli import main, tui\n"
        f"try: {entry}()\n"
        "finally: print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules, file=sys.stderr)"
    )
    assert bertdyn("--help", code=code).stderr.split() == [asked or "PASSIVE", "False"]


def test_an_unknown_command_exits_with_2():
    done = bertdyn("exrtact")
    assert done.returncode == 2
    assert "exrtact" in done.stderr


def test_no_such_store_is_one_sentence_and_exit_2(tmp_path):
    done = bertdyn("ls", str(tmp_path / "absent.bertdyn"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "absent.bertdyn" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_explorer_asks_which_store(tmp_path):
    code = f"import os; os.chdir({str(tmp_path)!r})\nfrom explorer.cli import tui; tui()"
    done = bertdyn(code=code)
    assert done.returncode == 2
    assert "--demo" in done.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "Memory did not suffice (MemoryError)."),
        (OSError(12, "Cannot allocate memory"), "Memory did not suffice ([Errno 12] Cannot allocate memory)."),
        (
            duckdb.OutOfMemoryException("Out of Memory Error: no 16 kB\n\nPossible solutions:\n* more"),
            "Memory did not suffice (Out of Memory Error: no 16 kB).",
        ),
        (RuntimeError("unable to mmap 9 bytes from file <a>: Cannot allocate memory (12)"), "Memory did not suffice ("),
        (RuntimeError("can't start new thread"), "The system allows this process no further thread."),
    ],
    ids=["Python", "system", "DuckDB", "torch", "thread"],
)
@pytest.mark.parametrize("program", ["bertdyn", "bertdyn-tui"])
def test_too_little_memory_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], program: str, error: Exception,
    said: str,
) -> None:  # fmt: skip
    def failing(*arguments: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(Store, "open", failing)
    monkeypatch.setattr("explorer.ui.app.run", failing)
    with pytest.raises(SystemExit) as ended:
        main(["ls", str(tmp_path)]) if program == "bertdyn" else tui([str(tmp_path)])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{program}: {said}")
    assert told.count("\n") == 1


def test_other_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def failing(*arguments: object, **more: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Store, "open", failing)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["ls", str(tmp_path)])
