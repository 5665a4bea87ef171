"""Does the command line answer as a user expects, with exit codes that scripts can use?"""

import subprocess
import sys

import pytest


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
